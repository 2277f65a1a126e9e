"""Telegram's objects become updates, and nothing that Telegram can send breaks the reader."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.channels.telegram.updates import UpdateReader
from flows.conversation import Address
from flows.updates import (
    AnimationMessage,
    AudioMessage,
    ChannelPost,
    ChatMigrated,
    Command,
    ContactMessage,
    Content,
    Customer,
    DiceMessage,
    DocumentMessage,
    EditedChannelPost,
    EditedMessage,
    FileRef,
    LocationMessage,
    Other,
    PaymentMessage,
    Person,
    PhotoMessage,
    PollAnswer,
    PollMessage,
    Press,
    StickerMessage,
    TextMessage,
    Update,
    VideoMessage,
    VoiceMessage,
    WebAppMessage,
    is_silent,
)

SOURCE = "telegram:42"
NOW = 1_760_000_123_000


def reader() -> UpdateReader:
    return UpdateReader(SOURCE, username="our_bot", raw=False)


def user(**more: Any) -> dict[str, Any]:
    return {"id": 7, "is_bot": False, "first_name": "Ada", **more}


def message(**more: Any) -> dict[str, Any]:
    chat = {"id": 7, "type": "private", "first_name": "Ada"}
    return {"message_id": 5, "date": 1_760_000_000, "chat": chat, "from": user(), **more}


def read(update_id: int = 1, **body: Any) -> Update:
    update = reader().read({"update_id": update_id, **body}, now=NOW)
    assert update is not None
    return update


def content_of(**body: Any) -> object:
    return read(message=message(**body)).content


def test_a_text_says_who_where_and_when() -> None:
    sender = user(last_name="Lovelace", username="ada", language_code="pt-br")
    update = read(9, message=message(text="hello", **{"from": sender}))
    assert update == Update(
        source=SOURCE,
        ext="9",
        content=TextMessage("hello"),
        at=1_760_000_000_000,
        address=Address(SOURCE, "7"),
        user=Person(id="7", name="Ada Lovelace", username="ada", language="pt-br"),
        message="5",
        private=True,
    )


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("/start", Command("start")),
        ("/Start", Command("start")),
        ("/start@our_bot", Command("start")),
        ("/start@OUR_bot now", Command("start", "now")),
        ("/say two  words\nand a line", Command("say", "two  words\nand a line")),
    ],
)
def test_a_command_has_a_name_and_arguments(text: str, command: Command) -> None:
    assert content_of(text=text) == command


def test_fact_25_a_deep_link_brings_its_payload() -> None:
    assert content_of(text="/start Ab_c-" + "x" * 59) == Command("start", "Ab_c-" + "x" * 59)


def test_a_start_with_64_bytes_of_junk_is_a_start_with_that_payload() -> None:
    junk = "%&/()=?`" * 8
    assert content_of(text=f"/start {junk}") == Command("start", junk)


def test_fact_25_a_command_for_another_bot_is_not_for_us() -> None:
    ours = reader()
    raw = {"update_id": 1, "message": message(text="/start@other_bot")}
    page = ours.page([raw], now=NOW)
    assert (page.updates, page.next_offset) == ((), 2)
    assert ours.skipped == {"foreign": 1}


@pytest.mark.parametrize("text", ["/", "//", "/привет", "/a-b", "/" + "x" * 33, "5/6", ""])
def test_what_only_looks_like_a_command_is_text(text: str) -> None:
    assert content_of(text=text) == TextMessage(text)


def test_a_press_names_its_message_and_is_dated_now() -> None:
    press = {"id": "99", "from": user(id=8), "data": "yes", "message": message(text="?")}
    update = read(callback_query=press)
    assert update.content == Press(id="99", data="yes", message="5")
    assert (update.at, update.message) == (NOW, "5")
    assert update.user is not None
    assert (update.user.id, update.address) == ("8", Address(SOURCE, "7"))


def test_a_press_whose_message_is_inaccessible_keeps_the_chat_but_no_message() -> None:
    gone = {"message_id": 5, "date": 0, "chat": {"id": -9, "type": "group"}}
    update = read(callback_query={"id": "99", "from": user(), "data": "x", "message": gone})
    assert update.content == Press(id="99", data="x", message=None)
    assert (update.address, update.private) == (Address(SOURCE, "-9"), False)


def test_a_press_on_an_inline_message_has_no_chat() -> None:
    press = {"id": "99", "from": user(), "inline_message_id": "abc", "chat_instance": "1"}
    update = read(callback_query=press)
    assert (update.content, update.address) == (Press(id="99", data=""), None)


def test_a_photo_comes_in_its_largest_size() -> None:
    sizes = [
        {"file_id": name, "file_unique_id": name, "width": side, "height": side, "file_size": side}
        for name, side in (("s", 90), ("l", 1280), ("m", 320))
    ]
    assert content_of(photo=sizes, caption="me") == PhotoMessage(
        FileRef(id="l", size=1280, width=1280, height=1280), "me"
    )


def test_a_document_comes_with_its_name_and_type() -> None:
    document = {"file_id": "d", "file_unique_id": "u", "file_name": "../../x",
                "mime_type": "application/pdf", "file_size": 2**31}  # fmt: skip
    assert content_of(document=document) == DocumentMessage(
        FileRef(id="d", name="../../x", size=2**31, mime="application/pdf")
    )


VOICE = {"file_id": "v", "file_unique_id": "u", "duration": 4, "mime_type": "audio/ogg"}
VIDEO = {**VOICE, "file_size": 9, "file_name": "a.mp4", "width": 640, "height": 480}
ROUND = {"file_id": "r", "file_unique_id": "u", "duration": 3, "length": 240, "file_size": 8}
POLL = {"id": "1", "question": "Tea?", "type": "quiz", "is_anonymous": False,
        "options": [{"text": "Yes", "voter_count": 2}, {"text": "No", "voter_count": 0}],
        "total_voter_count": 2, "correct_option_id": 0}  # fmt: skip
PAID = {"currency": "EUR", "total_amount": 995, "invoice_payload": "order-1",
        "telegram_payment_charge_id": "t1", "provider_payment_charge_id": "p1",
        "order_info": {"email": "ada@example.com"}}  # fmt: skip
HERE = {"latitude": 48.85, "longitude": 2, "horizontal_accuracy": 12.5}


@pytest.mark.parametrize(
    ("fields", "content"),
    [
        ({"voice": VOICE, "caption": "la"},
         VoiceMessage(FileRef(id="v", mime="audio/ogg", duration=4), "la")),
        ({"audio": {**VOICE, "performer": "Ada", "title": "Notes"}},
         AudioMessage(FileRef(id="v", mime="audio/ogg", duration=4))),
        ({"video": VIDEO},
         VideoMessage(FileRef(id="v", name="a.mp4", size=9, mime="audio/ogg", width=640,
                              height=480, duration=4))),
        ({"video_note": ROUND},
         VideoMessage(FileRef(id="r", size=8, width=240, height=240, duration=3))),
        ({"location": HERE}, LocationMessage(latitude=48.85, longitude=2.0, accuracy=12.5)),
        ({"location": HERE, "venue": {"location": HERE, "title": "Café", "address": "Rue 1"}},
         LocationMessage(latitude=48.85, longitude=2.0, accuracy=12.5, title="Café",
                         address="Rue 1")),
        ({"web_app_data": {"data": "{}", "button_text": "Order"}}, WebAppMessage("{}", "Order")),
        ({"animation": VOICE, "caption": "hop"},
         AnimationMessage(FileRef(id="v", mime="audio/ogg", duration=4), "hop")),
        ({"sticker": {"file_id": "s", "file_unique_id": "u", "width": 512, "height": 512,
                      "emoji": "\U0001f600", "set_name": "faces"}},
         StickerMessage(file=FileRef(id="s", width=512, height=512), emoji="\U0001f600",
                        pack="faces")),
        ({"poll": POLL},
         PollMessage(id="1", question="Tea?", options=("Yes", "No"), votes=(2, 0), voters=2,
                     anonymous=False, quiz=True, correct=0)),
        ({"dice": {"emoji": "\U0001f3b2", "value": 6}}, DiceMessage(6, "\U0001f3b2")),
        ({"successful_payment": PAID},
         PaymentMessage(currency="EUR", amount=995, payload="order-1", charge="t1",
                        provider_charge="p1", customer=Customer(email="ada@example.com"))),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, dict) else "",
)  # fmt: skip
def test_what_people_send_has_a_content_of_its_own(fields: dict[str, Any], content: object) -> None:
    assert content_of(**fields) == content


def test_an_animation_comes_without_the_document_that_stands_beside_it() -> None:
    beside = {"animation": VIDEO, "document": {"file_id": "d", "file_unique_id": "u"}}
    content = content_of(**beside)
    assert isinstance(content, AnimationMessage)
    assert content.file.id == "v"


@pytest.mark.parametrize("phone", ["442079460958", "+442079460958"])
def test_the_own_contact_is_vouched_for_and_has_its_country_code(phone: str) -> None:
    card = {"phone_number": phone, "first_name": "Ada", "last_name": "L", "user_id": 7}
    assert content_of(contact=card) == ContactMessage(
        phone="+442079460958", name="Ada L", user="7", own=True
    )


@pytest.mark.parametrize("more", [{}, {"user_id": 8}])
def test_a_contact_of_somebody_else_is_taken_as_it_is_written(more: dict[str, Any]) -> None:
    content = content_of(contact={"phone_number": "02079460958", "first_name": "Bob", **more})
    assert isinstance(content, ContactMessage)
    assert (content.own, content.phone) == (False, "02079460958")


def test_a_contact_from_an_anonymous_admin_is_nobodys_own() -> None:
    card = {"phone_number": "1", "first_name": "Ada", "user_id": 7}
    content = content_of(contact=card, sender_chat={"id": -9, "type": "supergroup"})
    assert isinstance(content, ContactMessage)
    assert not content.own


@pytest.mark.parametrize(
    "fields",
    [
        {"voice": {}},
        {"audio": {**VOICE, "duration": -1}},
        {"video": {**VIDEO, "width": "wide"}},
        {"location": {"latitude": 91, "longitude": 0}},
        {"location": {"latitude": 0, "longitude": float("nan")}},
        {"location": {"latitude": "0", "longitude": 0}},
        {"contact": {"phone_number": 5, "first_name": "Ada"}},
        {"contact": {"phone_number": "5", "first_name": "Ada", "user_id": 2**63}},
        {"web_app_data": {"data": None, "button_text": "x"}},
        {"animation": {}},
        {"sticker": {"file_id": "s", "width": -1}},
        {"poll": {**POLL, "options": ["Yes"]}},
        {"dice": {"emoji": "x"}},
        {"successful_payment": {**PAID, "total_amount": "995"}},
    ],
    ids=str,
)
def test_a_content_that_is_malformed_is_skipped_and_counted(fields: dict[str, Any]) -> None:
    ours = reader()
    page = ours.page([{"update_id": 4, "message": message(**fields)}], now=NOW)
    assert (page.updates, page.next_offset) == ((), 5)
    assert ours.skipped == {"malformed": 1}


def test_a_web_app_that_sends_nul_and_half_characters_is_cleaned() -> None:
    sent = {"data": "a\0b\ud800", "button_text": "x"}
    assert content_of(web_app_data=sent) == WebAppMessage("ab\ufffd", "x")


PHOTO = [{"file_id": "f", "file_unique_id": "u", "width": 1, "height": 1}]


@pytest.mark.parametrize("kind", ["message", "channel_post"])
def test_the_parts_of_an_album_name_it(kind: str) -> None:
    part: dict[str, Any] = {kind: message(photo=PHOTO, media_group_id="g")}
    assert read(**part).album == "g"


def test_an_edited_picture_of_an_album_is_no_part_that_is_waited_for() -> None:
    assert read(edited_message=message(photo=PHOTO, media_group_id="g")).album is None


@pytest.mark.parametrize("kind", ["game", "story"])
def test_content_without_a_type_of_its_own_is_named(kind: str) -> None:
    assert content_of(**{kind: {}}) == Other(kind)


@pytest.mark.parametrize("kind", ["new_chat_members", "pinned_message", "migrate_from_chat_id"])
def test_what_the_chat_says_of_itself_waits_for_no_answer(kind: str) -> None:
    assert content_of(**{kind: {}}) == Other("service_message", silent=True)


def test_fact_19_a_service_message_names_the_new_id_of_the_chat() -> None:
    assert content_of(migrate_to_chat_id=-1001) == ChatMigrated("-1001")


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("edited_message", EditedMessage(TextMessage("changed"))),
        ("channel_post", ChannelPost(TextMessage("changed"))),
        ("edited_channel_post", EditedChannelPost(TextMessage("changed"))),
        ("business_message", Other("business_message", silent=True)),
    ],
)
def test_an_edited_message_or_a_post_is_no_new_message(kind: str, content: Content) -> None:
    changed = message(text="changed", edit_date=1_760_000_050)
    update = reader().read({"update_id": 1, kind: changed}, now=NOW)
    assert update is not None
    assert (update.content, update.at) == (content, 1_760_000_050_000)
    assert is_silent(update.content)


def test_an_edit_may_hold_whatever_a_message_may() -> None:
    edited = read(edited_message=message(photo=PHOTO, caption="better")).content
    assert edited == EditedMessage(PhotoMessage(FileRef(id="f", width=1, height=1), "better"))


def test_fact_24_a_topic_is_part_of_the_address() -> None:
    update = read(message=message(text="x", message_thread_id=33, is_topic_message=True))
    assert update.address == Address(SOURCE, "7", "33")


def test_fact_24_a_thread_of_replies_is_no_topic() -> None:
    assert read(message=message(text="x", message_thread_id=33)).address == Address(SOURCE, "7")


def test_fact_24_an_anonymous_admin_is_the_chat_they_write_as() -> None:
    admins = {"id": -100, "type": "supergroup", "title": "Board"}
    update = read(message=message(text="x", sender_chat=admins))
    assert update.user == Person(id="-100", name="Board")


def test_fact_24_a_poll_answer_has_no_chat() -> None:
    update = read(poll_answer={"poll_id": "1", "user": user(), "option_ids": [0]})
    assert (update.content, update.address, update.conversation) == (
        PollAnswer(poll="1", options=(0,)),
        None,
        None,
    )
    assert update.user is not None


def test_an_update_without_chat_or_sender_belongs_to_no_conversation() -> None:
    assert read(poll={"id": "1", "question": "?"}).conversation is None
    nobody = message(text="x")
    del nobody["from"]
    assert read(message=nobody).conversation is None


def test_a_reply_names_what_it_replies_to() -> None:
    assert read(message=message(text="x", reply_to_message=message())).reply_to == "5"


def test_the_implied_reply_to_a_topics_first_message_is_no_reply() -> None:
    implied = {"message_thread_id": 5, "is_topic_message": True, "reply_to_message": message()}
    assert read(message=message(text="x", **implied)).reply_to is None


def test_fact_6_what_has_waited_for_a_day_is_read_with_the_time_at_which_it_was_sent() -> None:
    day = 24 * 3600
    update = read(message=message(text="x", date=NOW // 1000 - day))
    assert update.at == NOW // 1000 * 1000 - day * 1000


def test_unknown_update_types_and_fields_are_fine() -> None:
    update = read(brand_new={"chat": {"id": -5, "type": "group"}, "from": 3})
    assert (update.content, update.address) == (Other("brand_new", silent=True), None)
    assert content_of(text="x", brand_new={"deep": [1]}) == TextMessage("x")
    beside = reader().read({"brand_new": 1, "update_id": 1, "message": message(text="x")}, now=NOW)
    assert beside is not None
    assert beside.content == TextMessage("x")


def test_fact_23_ids_of_more_than_32_bits_are_kept_exactly() -> None:
    big = 2**62 + 1
    update = read(message=message(text="x", chat={"id": -big, "type": "supergroup"}))
    assert update.address == Address(SOURCE, str(-big))


@pytest.mark.parametrize("bad", [2**63, -(2**63) - 1, "7", 7.0, True, None, [], {}])
@pytest.mark.parametrize("where", ["chat", "from", "message_id"])
def test_an_id_beyond_64_bits_or_of_another_type_is_skipped(where: str, bad: object) -> None:
    ours = reader()
    field = bad if where == "message_id" else {"id": bad}
    raw = {"update_id": 4, "message": message(text="x", **{where: field})}
    page = ours.page([raw], now=NOW)
    assert (page.updates, page.next_offset) == ((), 5)
    assert ours.skipped == {"malformed": 1}


@pytest.mark.parametrize("bad", [None, -1, "12", 2**63, 1.5, True, []])
def test_an_update_without_a_valid_id_is_skipped_and_counted(bad: object) -> None:
    ours = reader()
    good = {"update_id": 8, "message": message(text="x")}
    page = ours.page([{"update_id": bad, "message": message(text="y")}, good, {}, 3], now=NOW)
    assert [update.ext for update in page.updates] == ["8"]
    assert page.next_offset == 9
    assert ours.skipped == {"update_id": 3}


def test_a_skipped_update_is_logged_without_its_body(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="handrail.telegram"):
        raw = {"update_id": 4, "message": message(text=["my secret"], caption="my secret")}
        assert reader().read(raw, now=NOW) is None
    assert "update 4" in caplog.text
    assert "text (" in caplog.text
    assert "secret" not in caplog.text


def test_lone_surrogates_are_replaced_and_nul_is_stripped() -> None:
    assert content_of(text="a\ud800b\0c") == TextMessage("a\ufffdbc")
    assert content_of(text="\ud83d\ude00") == TextMessage("😀")
    update = read(message=message(text="x", **{"from": user(last_name="\udfff\0")}))
    assert update.user is not None
    assert update.user.name == "Ada \ufffd"


def test_bidi_and_zero_width_characters_stay_as_written() -> None:
    text = "\u202eabc\u200b" + "e" + "\u0301" * 50
    assert content_of(text=text) == TextMessage(text)


def test_what_was_read_can_be_stored() -> None:
    update = read(message=message(text="a\ud800\0", reply_to_message=message()))
    assert Update.from_json(update.to_json()) == update


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
FIELDS = st.sampled_from(
    ["message_id", "date", "chat", "from", "text", "photo", "document", "sender_chat", "id",
     "voice", "video", "video_note", "location", "venue", "contact", "web_app_data",
     "reply_to_message", "data", "message", "media_group_id", "message_thread_id",
     "animation", "sticker", "poll", "dice", "successful_payment"]
)  # fmt: skip
NEARLY = st.fixed_dictionaries(
    {"update_id": st.integers(-1, 2**64)},
    optional={
        "message": st.builds(
            lambda odd: message(text="x") | odd, st.dictionaries(FIELDS, JSON, max_size=3)
        ),
        "callback_query": st.builds(
            lambda odd: {"id": "1", "from": user()} | odd,
            st.dictionaries(FIELDS, JSON, max_size=3),
        ),
        "edited_message": JSON,
        "something": JSON,
        "chat_member": JSON,
        "message_reaction": JSON,
        "poll": JSON,
        "inline_query": JSON,
    },
)


@given(st.lists(JSON | NEARLY, max_size=5))
def test_no_json_breaks_the_reader(raw: list[object]) -> None:
    page = reader().page(raw, now=NOW)
    for update in page.updates:
        assert Update.from_json(update.to_json()) == update
