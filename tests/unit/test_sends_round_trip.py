"""What the outbox and states keep of messages, and that rows of earlier versions are read."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from flows.messages.attachments import Album, Attachment, Dice, Invoice, Media, PollQuestion
from flows.messages.input_file import InputFile
from flows.messages.keyboards import (
    Button,
    ForceReply,
    Key,
    RemoveKeyboard,
    keyboard,
    reply_keyboard,
)
from flows.messages.replies import (
    Delete,
    Edit,
    LinkPreview,
    Message,
    Reply,
    Send,
    SendOptions,
    packed,
    reply_from_json,
    send_from_json,
    send_to_json,
)
from flows.updates import ContactMessage, FileRef, LocationMessage

ATTACHMENTS: list[Attachment] = [
    Media.of("photo", Path("/tmp/cat.jpg"), spoiler=True),
    Media.of("document", b"\x00\xff", name="a.bin"),
    Media(kind="audio", file=InputFile.of(FileRef(id="a1")), title="T", performer="P", duration=3),
    Album((Media.of("photo", "p1", caption="one"), Media.of("video", "https://x.y/v.mp4"))),
    LocationMessage(latitude=1.5, longitude=-2.25, title="Home", address="Street 1"),
    ContactMessage(phone="+1", name="Ada"),
    PollQuestion(question="?", options=("a", "b"), correct=1, anonymous=False),
    Dice("🎯"),
    Invoice(title="T", description="D", payload="p", currency="XTR", prices=(("a", 1),)),
]
OPTIONS = SendOptions(
    silent=True,
    protect=True,
    reply_to=Message(ref="7"),
    preview=LinkPreview(url="https://x.y", above=True),
    markup=reply_keyboard(["Yes", Key("Me", "contact")], one_time=True, placeholder="..."),
)


@pytest.mark.parametrize("attachment", ATTACHMENTS, ids=lambda one: one.kind)
def test_an_attachment_comes_back_as_it_was(attachment: Attachment) -> None:
    reply = Reply(text="text", attachment=attachment)
    assert send_from_json(send_to_json(reply)) == reply
    assert reply_from_json(orjson.loads(orjson.dumps(packed(reply)))) == reply


@pytest.mark.parametrize(
    "send",
    [
        Reply(text="a", options=OPTIONS),
        Reply(text="a", options=SendOptions(markup=RemoveKeyboard(selective=True))),
        Reply(text="a", options=SendOptions(markup=ForceReply(placeholder="p"))),
        Reply(text="a", keyboard=keyboard([Button("A", "a"), Button.copy("C", "c")],
                                          Button("U", url="https://x.y"), Button.pay("P"))),
        Edit(slot="s", keyboard=keyboard(Button.web_app("W", "https://x.y")), buttons_only=True),
        Edit(ref="5", text="a", options=SendOptions(preview=LinkPreview(disabled=True))),
        Delete(slot="s"),
        Delete(ref="9"),
    ],
)  # fmt: skip
def test_a_send_comes_back_as_it_was(send: Send) -> None:
    assert send_from_json(send_to_json(send)) == send


def test_what_is_as_by_default_is_left_out() -> None:
    assert orjson.loads(send_to_json(Reply(text="a"))) == {"kind": "send", "text": "a"}
    assert orjson.loads(send_to_json(Edit(slot="s", text="a"))) == {
        "kind": "edit", "text": "a", "slot": "s",
    }  # fmt: skip
    assert orjson.loads(send_to_json(Reply(text="", attachment=Dice())))["attachment"] == {
        "kind": "dice"
    }


def test_rows_of_earlier_versions_are_read() -> None:
    keys = '[[{"label":"A","data":"a","url":null}],[{"label":"U","data":null,"url":"https://x.y"}]]'
    rows = keyboard(Button("A", "a"), Button("U", url="https://x.y"))
    sent = f'{{"kind":"send","text":"a","format":"html","keyboard":{keys}}}'
    assert send_from_json(sent) == Reply(text="a", format="html", keyboard=rows)
    assert send_from_json('{"kind":"edit","text":"a","slot":"s"}') == Edit(slot="s", text="a")
    assert all(type(button) is Button for row in rows for button in row)
