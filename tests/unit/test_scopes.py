"""Which scope rows an update needs, and what it is in order with."""

from __future__ import annotations

from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.turns.scopes import LONGEST, Scope, message_key, order_key, scopes_of
from flows.conversation import Address, ConversationKey, partition_of
from flows.errors import InvalidKey
from flows.keys import KINDS, CustomKey, Key
from flows.updates import Content, Person, SendFailed, TextMessage, Update
from storage.people import belongs, private_chat

BOT = "telegram:1"
ANNA_IN_GROUP = "telegram/1/-100//7"
ANNA_ALONE = "telegram/1/7//7"


def update(
    chat: str | None = "-100",
    user: str | None = "7",
    *,
    topic: str | None = None,
    content: Content | None = None,
    source: str = BOT,
) -> Update:
    return Update(
        source=source,
        ext="1",
        content=content or TextMessage("hi"),
        at=0,
        address=Address(source, chat, topic) if chat is not None else None,
        user=Person(id=user) if user is not None else None,
    )


def keys_of(update: Update, *keys: Key) -> list[str]:
    return [scope.key for scope in scopes_of(update, keys)]


def answering(answer: object) -> CustomKey:
    return lambda update: cast(Any, answer)


# --- which rows -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "more"),
    [
        ("user_in_chat", []),
        ("chat", ["chat:telegram/1/-100"]),
        ("topic", ["topic:telegram/1/-100/"]),
        ("user", ["user:telegram/1/7"]),
        (answering("order 12"), ["custom:telegram/1/order%2012"]),
        (answering(None), []),
    ],
)
def test_a_group_message_has_the_persons_own_scope_and_that_of_the_flows(
    key: Key, more: list[str]
) -> None:
    assert keys_of(update(), key) == [ANNA_IN_GROUP, *more]


def test_the_persons_own_scope_is_where_it_always_was() -> None:
    (own,) = scopes_of(update(topic="5"), ["user_in_chat"])
    key = ConversationKey(Address(BOT, "-100", "5"), "7")
    assert own == Scope(str(key), key.address.partition, "telegram/7")


def test_without_flows_there_is_the_persons_own_scope_for_the_session() -> None:
    assert keys_of(update()) == [ANNA_IN_GROUP]


def test_all_kinds_together_come_each_once_and_the_own_one_first() -> None:
    found = keys_of(update(topic="5"), "user", "topic", "chat", "user_in_chat", answering("x"))
    assert found == [
        "telegram/1/-100/5/7",
        "user:telegram/1/7",
        "topic:telegram/1/-100/5",
        "chat:telegram/1/-100",
        "custom:telegram/1/x",
    ]


def test_two_functions_with_the_same_answer_share_a_scope() -> None:
    assert len(keys_of(update(), answering("x"), answering("x"))) == 2


def test_two_topics_share_the_chat_and_nothing_else() -> None:
    first, second = (keys_of(update(topic=topic), *KINDS) for topic in ("5", "6"))
    assert set(first) & set(second) == {"chat:telegram/1/-100", "user:telegram/1/7"}


def test_a_person_has_one_user_scope_in_all_chats_of_a_bot() -> None:
    first = scopes_of(update("-100"), ["user"])
    second = scopes_of(update("7"), ["user"])
    other_bot = scopes_of(update("7", source="telegram:2"), ["user"])
    assert first[1] == second[1]
    assert second[1].key != other_bot[1].key
    assert second[1].person == other_bot[1].person == "telegram/7"


# --- private chats ----------------------------------------------------------------------


@pytest.mark.parametrize("key", ["user_in_chat", "chat", "topic"])
def test_in_a_private_chat_chat_and_person_are_one_row(key: Key) -> None:
    (only,) = scopes_of(update("7"), [key])
    assert (only.key, only.person) == (ANNA_ALONE, "telegram/7")


def test_the_topics_of_a_private_chat_share_its_row() -> None:
    found = scopes_of(update("7", topic="5"), ["chat", "topic"])
    assert [scope.key for scope in found] == ["telegram/1/7/5/7", ANNA_ALONE]
    assert {scope.person for scope in found} == {"telegram/7"}


# --- without a sender, without a chat ---------------------------------------------------


def test_a_channel_post_has_the_chats_scopes_and_none_of_a_person() -> None:
    post = update(user=None)
    assert keys_of(post, *KINDS) == ["chat:telegram/1/-100", "topic:telegram/1/-100/"]
    assert keys_of(post, "user_in_chat", "user") == []


def test_what_has_no_chat_has_its_senders_scope_only() -> None:
    assert keys_of(update(None), *KINDS) == ["user:telegram/1/7"]
    assert keys_of(update(None), "chat") == []


def test_what_has_neither_has_none() -> None:
    assert keys_of(update(None, None), *KINDS) == []
    assert order_key(update(None, None), KINDS) is None


def test_a_report_that_a_message_did_not_arrive_belongs_to_the_conversation_it_names() -> None:
    named = "custom:telegram/1/table-4"
    failed = update(content=SendFailed(slot=None, reason="no", blocked=True, scope=named))
    own = str(failed.conversation)
    assert keys_of(failed, "user_in_chat", "chat") == [own, "chat:telegram/1/-100", named]
    assert order_key(failed, ["user_in_chat", "chat"]) == "chat:telegram/1/-100"
    assert order_key(failed, ["user_in_chat"]) == own


def test_a_report_that_a_message_did_not_arrive_asks_no_key_function() -> None:
    def table(update: Update) -> str:
        raise AssertionError("it is made for what people send")

    failed = update(None, None, content=SendFailed(slot=None, reason="no", blocked=False))
    assert keys_of(failed, table) == []
    assert order_key(failed, [table]) is None


# --- keys of one's own ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("", "answered ''"),
        (12, "answered 12"),
        ("\ud800", "no Unicode text"),
        ("x" * 200, f"which takes 218 characters of {LONGEST}"),
        ("я" * 40, f"which takes 258 characters of {LONGEST}"),
    ],
)
def test_an_answer_that_is_no_key_is_a_clear_error(answer: object, reason: str) -> None:
    with pytest.raises(InvalidKey, match="Let it answer a short text, or None") as refused:
        scopes_of(update(), [answering(answer)])
    assert reason in str(refused.value)
    assert "answering" in refused.value.key


def test_a_key_of_ones_own_belongs_to_nobody_and_is_filed_by_its_text() -> None:
    _, custom = scopes_of(update(), [answering("order/12")])
    expected = Scope("custom:telegram/1/order%2F12", partition_of(BOT, "order/12"), None)
    assert custom == expected


# --- no two in one row ------------------------------------------------------------------

IDS = st.text("a/:%-17", min_size=1, max_size=6)
UPDATES = st.builds(update, st.none() | IDS, st.none() | IDS, topic=st.none() | IDS)


@given(UPDATES, UPDATES, IDS)
def test_scopes_of_different_kinds_never_meet(one: Update, other: Update, text: str) -> None:
    custom = answering(text)
    for first in (*KINDS, custom):
        for second in (*KINDS, custom):
            for scope in scopes_of(one, [first])[_own(one) :]:
                for found in scopes_of(other, [second])[_own(other) :]:
                    assert (scope.key == found.key) <= (first == second)


@given(UPDATES, UPDATES)
def test_scopes_are_one_row_only_where_all_that_they_name_is_the_same(
    one: Update, other: Update
) -> None:
    named: dict[str, tuple[str | None, ...]] = {}
    for at in (one, other):
        for scope in scopes_of(at, KINDS):
            assert named.setdefault(scope.key, _named(scope, at)) == _named(scope, at)


@given(UPDATES, IDS)
def test_erasing_finds_a_persons_rows_by_the_key_only_where_they_are_theirs(
    one: Update, text: str
) -> None:
    for scope in scopes_of(one, (*KINDS, answering(text))):
        assert len(scope.key) <= LONGEST
        if scope.person is None:
            assert one.user is None or not belongs(scope.key, f"telegram/{one.user.id}")
            assert private_chat(scope.key) is None


def _own(update: Update) -> int:
    """How many scopes there are before those that a key adds."""
    return 0 if update.conversation is None else 1


def _named(scope: Scope, update: Update) -> tuple[str | None, ...]:
    """What a scope of the update names."""
    user, address = update.user, update.address
    kind = scope.key.partition(":")[0] if ":" in scope.key else "own"
    name = user.id if user is not None and kind in ("own", "user") else None
    if address is None or kind == "user":
        return (kind, name)
    topic = None if kind == "chat" else scope.key.split("/")[3]
    return (kind, name, address.chat, topic)


# --- order ------------------------------------------------------------------------------


@pytest.mark.parametrize("keys", [[], ["user_in_chat"], ["user"], [answering("x")]])
def test_without_flows_of_chats_the_order_is_that_of_the_person_in_the_chat(
    keys: list[Key],
) -> None:
    assert order_key(update(topic="5"), keys) == "telegram/1/-100/5/7"
    assert order_key(update(user=None), keys) is None


@pytest.mark.parametrize("key", ["chat", "topic"])
def test_with_them_a_chat_with_all_its_topics_and_people_is_in_order(key: Key) -> None:
    some = [update(), update(topic="5"), update(user="8", topic="6"), update(user=None)]
    assert {order_key(one, ["user_in_chat", key]) for one in some} == {"chat:telegram/1/-100"}


def test_a_private_chat_is_in_order_under_the_key_that_erasing_finds() -> None:
    some = [update("7"), update("7", topic="5")]
    assert {order_key(one, ["chat"]) for one in some} == {ANNA_ALONE}


def test_what_has_no_chat_is_in_order_with_its_sender_where_a_flow_is_keyed_by_user() -> None:
    assert order_key(update(None), ["user"]) == "user:telegram/1/7"
    assert order_key(update(None), ["chat"]) is None


# --- messages ---------------------------------------------------------------------------


def test_messages_of_a_shared_flow_are_filed_under_the_chat_whoever_writes() -> None:
    for user in ("7", "8", None):
        one = update(user=user, topic="5")
        _, *shared = scopes_of(one, ["user_in_chat", "chat", "topic", answering("x")])
        assert {message_key(one, scope) for scope in shared} == {"chat:telegram/1/-100"}


def test_messages_of_a_persons_flow_are_filed_under_the_person_in_the_chat() -> None:
    for scope in (None, *scopes_of(update(), ["user_in_chat", "user"])):
        assert message_key(update(), scope) == ANNA_IN_GROUP


def test_what_has_no_chat_has_no_messages() -> None:
    assert message_key(update(None)) is None
