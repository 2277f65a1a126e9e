"""What is no message comes in with a type of its own."""

from __future__ import annotations

from typing import Any

import pytest

from engine.channels.telegram.updates import UpdateReader
from flows.conversation import Address
from flows.updates import (
    ChatMember,
    ChosenInlineResult,
    Content,
    Customer,
    InlineQuery,
    JoinRequest,
    Membership,
    MessageReaction,
    MessageReactionCount,
    MyChatMember,
    Person,
    Place,
    PollAnswer,
    PollState,
    PostalAddress,
    PreCheckoutQuery,
    ReactionCount,
    ShippingQuery,
    Update,
    is_silent,
)

SOURCE = "telegram:42"
NOW = 1_760_000_123_000
ADA = {"id": 7, "is_bot": False, "first_name": "Ada"}
BOB = {"id": 8, "is_bot": False, "first_name": "Bob"}
GROUP = {"id": -5, "type": "supergroup", "title": "Board"}
IN_CHAT = {"chat": GROUP, "date": 1_760_000_000}
THUMB = {"type": "emoji", "emoji": "\U0001f44d"}
HOME = {"country_code": "GB", "city": "London", "street_line1": "St James", "post_code": "SW1Y"}
HERE = {"latitude": 1.5, "longitude": 2}
ADDRESS = PostalAddress(country="GB", city="London", line1="St James", post_code="SW1Y")


def reader() -> UpdateReader:
    return UpdateReader(SOURCE, raw=False)


def read(kind: str, body: Any) -> Update:
    update = reader().read({"update_id": 1, kind: body}, now=NOW)
    assert update is not None
    return update


def member(status: str, **more: Any) -> dict[str, Any]:
    return {"user": BOB, "status": status, **more}


def change(old: dict[str, Any], new: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {**IN_CHAT, "from": ADA, "old_chat_member": old, "new_chat_member": new, **more}


EVENTS: list[tuple[str, dict[str, Any], Content]] = [
    ("chat_member",
     change(member("left"), member("member"), invite_link={"invite_link": "https://t.me/+x"}),
     ChatMember(member=Person(id="8", name="Bob"), old=Membership(status="left", present=False),
                new=Membership(status="member", present=True), link="https://t.me/+x")),
    ("my_chat_member", change(member("member"), member("kicked")),
     MyChatMember(member=Person(id="8", name="Bob"),
                  old=Membership(status="member", present=True),
                  new=Membership(status="kicked", present=False))),
    ("chat_join_request", {**IN_CHAT, "from": ADA, "user_chat_id": 7, "bio": "hi"},
     JoinRequest(chat="7", bio="hi")),
    ("message_reaction",
     {**IN_CHAT, "message_id": 3, "user": ADA, "old_reaction": [],
      "new_reaction": [THUMB, {"type": "custom_emoji", "custom_emoji_id": "9"},
                       {"type": "paid"}]},
     MessageReaction(new=("\U0001f44d", "custom:9", "paid"))),
    ("message_reaction_count",
     {**IN_CHAT, "message_id": 3, "reactions": [{"type": THUMB, "total_count": 4}]},
     MessageReactionCount((ReactionCount(reaction="\U0001f44d", count=4),))),
    ("poll_answer", {"poll_id": "1", "user": ADA, "option_ids": [0, 2]},
     PollAnswer(poll="1", options=(0, 2))),
    ("poll", {"id": "1", "question": "?", "is_closed": True, "allows_multiple_answers": True,
              "options": [{"text": "A", "voter_count": 1}], "total_voter_count": 1},
     PollState(id="1", question="?", options=("A",), votes=(1,), voters=1, closed=True,
               multiple=True)),
    ("inline_query",
     {"id": "5", "from": ADA, "query": "cats", "offset": "10", "chat_type": "sender",
      "location": HERE},
     InlineQuery(id="5", query="cats", offset="10", chat="sender",
                 place=Place(latitude=1.5, longitude=2.0))),
    ("chosen_inline_result",
     {"result_id": "r", "from": ADA, "query": "cats", "inline_message_id": "m"},
     ChosenInlineResult(result="r", query="cats", message="m")),
    ("pre_checkout_query",
     {"id": "5", "from": ADA, "currency": "EUR", "total_amount": 995, "invoice_payload": "o1",
      "order_info": {"name": "Ada", "shipping_address": HOME}},
     PreCheckoutQuery(id="5", currency="EUR", amount=995, payload="o1",
                      customer=Customer(name="Ada", address=ADDRESS))),
    ("shipping_query",
     {"id": "5", "from": ADA, "invoice_payload": "o1", "shipping_address": HOME},
     ShippingQuery(id="5", payload="o1", address=ADDRESS)),
]  # fmt: skip

every_event = pytest.mark.parametrize(
    ("kind", "body", "content"), EVENTS, ids=[kind for kind, _, _ in EVENTS]
)


@every_event
def test_each_type_has_a_content_of_its_own(
    kind: str, body: dict[str, Any], content: Content
) -> None:
    assert read(kind, body).content == content


@every_event
def test_what_came_in_comes_back_from_a_storage(
    kind: str, body: dict[str, Any], content: Content
) -> None:
    update = read(kind, body)
    assert Update.from_json(update.to_json()) == update


@every_event
def test_nobody_waits_for_an_answer_in_the_chat(
    kind: str, body: dict[str, Any], content: Content
) -> None:
    assert is_silent(content)


@every_event
def test_one_that_is_malformed_is_skipped_and_the_page_goes_on(
    kind: str, body: dict[str, Any], content: Content
) -> None:
    ours = reader()
    page = ours.page([{"update_id": 4, kind: {**body, "from": 1, "user": 1, "id": 1}}], now=NOW)
    if page.updates:  # what is not read of this type cannot be wrong
        assert not {"from", "user", "id"} & set(body)
    else:
        assert ours.skipped == {"malformed": 1}
    assert page.next_offset == 5


@pytest.mark.parametrize("kind", ["chat_member", "my_chat_member", "chat_join_request"])
def test_what_happens_in_a_chat_says_where_who_and_when(kind: str) -> None:
    update = read(kind, next(body for known, body, _ in EVENTS if known == kind))
    assert (update.address, update.user, update.at, update.private) == (
        Address(SOURCE, "-5"),
        Person(id="7", name="Ada"),
        1_760_000_000_000,
        False,
    )


def test_a_reaction_says_to_which_message() -> None:
    update = read("message_reaction", EVENTS[3][1])
    assert (update.message, update.address) == ("3", Address(SOURCE, "-5"))


def test_a_reaction_in_the_name_of_a_chat_is_that_chats() -> None:
    body = {**IN_CHAT, "message_id": 3, "actor_chat": GROUP, "new_reaction": [THUMB]}
    assert read("message_reaction", body).user == Person(id="-5", name="Board")


@pytest.mark.parametrize("kind", ["inline_query", "pre_checkout_query", "poll_answer"])
def test_what_belongs_to_no_chat_has_a_sender_and_the_time_of_now(kind: str) -> None:
    update = read(kind, next(body for known, body, _ in EVENTS if known == kind))
    assert (update.address, update.conversation, update.at) == (None, None, NOW)
    assert update.user == Person(id="7", name="Ada")


@pytest.mark.parametrize(
    ("old", "new", "joined", "left"),
    [
        (member("left"), member("member"), True, False),
        (member("kicked"), member("left"), False, False),
        (member("member"), member("administrator"), False, False),
        (member("creator"), member("left"), False, True),
        (member("restricted", is_member=True), member("restricted"), False, True),
        (member("restricted"), member("restricted", is_member=True), True, False),
    ],
)
def test_who_comes_and_who_goes(
    old: dict[str, Any], new: dict[str, Any], joined: bool, left: bool
) -> None:
    content = read("chat_member", change(old, new)).content
    assert isinstance(content, ChatMember)
    assert (content.joined, content.left) == (joined, left)
