"""Messages of every kind become calls that both judges accept."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from engine.channels.telegram.attached import attached_message, edited_media
from engine.channels.telegram.messages import edited_buttons, edited_caption, new_messages
from engine.channels.telegram.splitting import units
from flows.errors import SendRefused
from flows.formatting import bold
from flows.messages.attachments import Album, Attachment, Dice, Invoice, Media, PollQuestion
from flows.messages.input_file import InputFile
from flows.messages.keyboards import (
    Button,
    ForceReply,
    Key,
    RemoveKeyboard,
    ReplyMarkup,
    keyboard,
    reply_keyboard,
)
from flows.messages.replies import LinkPreview, SendOptions
from flows.ports import Delivery
from flows.updates import ContactMessage, LocationMessage
from tests.botapi.judges import judge

ATTACHMENTS: list[Attachment] = [
    *(Media.of(kind, "f1") for kind in ("photo", "video", "animation", "audio", "voice",
                                        "document", "sticker", "video_note")),
    Media.of("photo", "https://x.y/a.jpg", spoiler=True),
    Media(kind="audio", file=InputFile("id", "a"), title="T", performer="P", duration=3),
    Album((Media.of("photo", "p", caption=bold("one")), Media.of("video", "v"))),
    LocationMessage(latitude=1.5, longitude=2.5, accuracy=9000),
    LocationMessage(latitude=1.5, longitude=2.5, title="Home"),
    ContactMessage(phone="+1"),
    PollQuestion(question="?", options=("a", "b"), multiple=True, open_seconds=60),
    PollQuestion(question="?", options=("a", "b"), correct=0, explanation="so"),
    Dice(),
    Invoice(title="T", description="D", payload="p", currency="XTR", prices=(("a", 1),),
            photo_url="https://x.y/a.jpg"),
]  # fmt: skip


def delivery(text: str = "", **more: Any) -> Delivery:
    return Delivery(**{"chat": "7", "topic": None, "text": text, "format": "plain",
                       "keyboard": (), **more})  # fmt: skip


@pytest.mark.parametrize("attachment", ATTACHMENTS, ids=lambda one: one.kind)
def test_every_kind_is_accepted(attachment: Attachment) -> None:
    options = SendOptions(silent=True, protect=True)
    sent = delivery("hello", topic="33", options=options, reply_to="5")
    for call in attached_message(sent, attachment, -7):
        assert judge(call.method, call.params) is None
        assert call.params["message_thread_id"] == 33
        assert call.params["disable_notification"] is True
        assert call.params["protect_content"] is True


def test_a_caption_stands_under_its_file_with_its_format_and_keyboard() -> None:
    rows = keyboard(Button("A", "a"))
    sent = delivery("<b>hi</b>", format="html", keyboard=rows)
    [call] = attached_message(sent, Media.of("photo", "f1"), 7)
    assert (call.method, call.params["photo"]) == ("sendPhoto", "f1")
    assert (call.params["caption"], call.params["parse_mode"]) == ("<b>hi</b>", "HTML")
    assert call.params["reply_markup"]["inline_keyboard"][0][0]["callback_data"] == "a"


def test_fact_17_what_is_too_long_for_a_caption_follows_as_texts() -> None:
    text = "word " * 1500
    sent = delivery(text, keyboard=keyboard(Button("A", "a")), reply_to="5")
    photo, *texts = attached_message(sent, Media.of("photo", "f1"), 7)
    assert units(photo.params["caption"]) <= 1024
    assert [call.method for call in texts] == ["sendMessage", "sendMessage"]
    said = [photo.params["caption"], *(call.params["text"] for call in texts)]
    assert "".join(said) == text
    assert ["reply_markup" in call.params for call in (photo, *texts)] == [False, False, True]
    assert ["reply_parameters" in call.params for call in (photo, *texts)] == [True, False, False]


def test_the_text_of_what_has_no_caption_follows_it() -> None:
    calls = attached_message(delivery("hello"), Media.of("sticker", "s"), 7)
    assert [call.method for call in calls] == ["sendSticker", "sendMessage"]
    calls = attached_message(delivery(), Media.of("sticker", "s"), 7)
    assert [call.method for call in calls] == ["sendSticker"]


def test_an_album_counts_as_its_messages_and_keeps_captions() -> None:
    album = Album((Media.of("photo", "p", caption=bold("&")), Media.of("photo", b"ab")))
    [call] = attached_message(delivery(), album, 7)
    assert call.messages == 2
    assert call.params["media"] == [
        {"type": "photo", "media": "p", "caption": "<b>&amp;</b>", "parse_mode": "HTML"},
        {"type": "photo", "media": "attach://file0"},
    ]
    assert call.files == {"file0": InputFile("bytes", "YWI=")}


@pytest.mark.parametrize(
    "markup",
    [
        reply_keyboard(["A", Key("Me", "contact")], Key("Here", "location"),
                       Key("App", web_app="https://x.y"), one_time=True, persistent=True,
                       placeholder="...", selective=True),
        RemoveKeyboard(selective=True),
        ForceReply(placeholder="..."),
    ],
)  # fmt: skip
def test_keyboards_for_the_person_are_accepted(markup: ReplyMarkup) -> None:
    [params] = new_messages(delivery("hello", options=SendOptions(markup=markup)), 7)
    assert judge("sendMessage", params) is None
    assert params["reply_markup"]


def test_a_keyboard_for_the_person_has_its_settings() -> None:
    markup = reply_keyboard(["A", Key("Me", "contact")], one_time=True, placeholder="...")
    [params] = new_messages(delivery("hello", options=SendOptions(markup=markup)), 7)
    assert params["reply_markup"] == {
        "keyboard": [[{"text": "A"}, {"text": "Me", "request_contact": True}]],
        "resize_keyboard": True,
        "one_time_keyboard": True,
        "input_field_placeholder": "...",
    }


def test_buttons_of_every_action_are_accepted() -> None:
    rows = keyboard(
        [Button.web_app("W", "https://x.y"), Button.login("L", "https://x.y")],
        [Button.inline("I", "q"), Button.inline("H", here=True)],
        Button.copy("C", "text"),
    )
    [params] = new_messages(delivery("hello", keyboard=rows), 7)
    assert judge("sendMessage", params) is None
    assert params["reply_markup"]["inline_keyboard"] == [
        [{"text": "W", "web_app": {"url": "https://x.y"}},
         {"text": "L", "login_url": {"url": "https://x.y"}}],
        [{"text": "I", "switch_inline_query": "q"},
         {"text": "H", "switch_inline_query_current_chat": ""}],
        [{"text": "C", "copy_text": {"text": "text"}}],
    ]  # fmt: skip


def test_an_invoice_has_its_pay_button() -> None:
    invoice = Invoice(title="T", description="D", payload="p", currency="XTR", prices=(("a", 1),))
    [call] = attached_message(delivery(keyboard=keyboard(Button.pay("Pay"))), invoice, 7)
    assert judge(call.method, call.params) is None
    assert call.params["reply_markup"] == {"inline_keyboard": [[{"text": "Pay", "pay": True}]]}


def test_the_preview_of_a_link_can_be_chosen() -> None:
    shown = LinkPreview(url="https://x.y", large=True, above=True)
    [params] = new_messages(delivery("hello", options=SendOptions(preview=shown)), 7)
    assert judge("sendMessage", params) is None
    assert params["link_preview_options"] == {
        "url": "https://x.y", "prefer_large_media": True, "show_above_text": True,
    }  # fmt: skip


def test_only_the_first_part_of_a_long_text_answers_a_message() -> None:
    first, second = new_messages(delivery("word " * 1000, reply_to="5"), 7)
    assert first["reply_parameters"] == {"message_id": 5, "allow_sending_without_reply": True}
    assert "reply_parameters" not in second


def test_edits_of_files_captions_and_buttons_are_accepted() -> None:
    rows = keyboard(Button("A", "a"))
    sent = delivery("x" * 2000, keyboard=rows)
    call = edited_media(sent, Media.of("photo", "f1"), 7, 5)
    assert judge(call.method, call.params) is None
    assert judge("editMessageCaption", edited_caption(sent, 7, 5)) is None
    assert judge("editMessageReplyMarkup", edited_buttons(sent, 7, 5)) is None


def test_a_voice_cannot_be_put_in_place_of_a_photo() -> None:
    with pytest.raises(SendRefused, match="new message"):
        edited_media(delivery(), Media.of("voice", "f1"), 7, 5)


def test_a_caption_that_has_no_room_is_cut_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    album = Album((Media.of("photo", "p", caption="word " * 300), Media.of("photo", "q")))
    with caplog.at_level(logging.WARNING, logger="handrail.telegram"):
        [call] = attached_message(delivery(), album, 7)
    assert judge(call.method, call.params) is None
    assert call.params["media"][0]["caption"].endswith("word…")
    assert "cut to 1024" in caplog.text
