"""Where a conversation is to be reached, read off its key or made of parts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.operate.homes import home_at, home_of
from flows.conversation import Address, ConversationKey
from flows.errors import BadAddress, UnknownConversation
from flows.updates import Person

words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=10)
names = words.filter(lambda word: ":" not in word)


@given(channel=names, bot=words, chat=words, topic=st.none() | words, user=words)
def test_the_key_of_a_conversation_tells_where_it_is(
    channel: str, bot: str, chat: str, topic: str | None, user: str
) -> None:
    key = ConversationKey(Address(f"{channel}:{bot}", chat, topic), user)
    home = home_of(str(key))
    assert (home.scope, home.user) == (str(key), Person(id=user))
    assert home.address.partition == key.address.partition


@pytest.mark.parametrize(
    "key",
    ["", "telegram/4242", "telegram/1/2/3", "telegram/1//x/2", "/1/2//3"],
)
def test_what_is_no_key_is_refused(key: str) -> None:
    with pytest.raises(UnknownConversation, match="it is no key of a conversation"):
        home_of(key)


@pytest.mark.parametrize(
    ("key", "user"), [("chat:telegram/1/-5", None), ("user:telegram/1/7", Person(id="7"))]
)
def test_what_is_shared_is_where_it_was_last_talked_about(key: str, user: Person | None) -> None:
    chat = Address("telegram:1", "-5", "3")
    home = home_of(key, str(chat))
    assert (home.address, home.user, home.scope) == (chat, user, key)
    with pytest.raises(UnknownConversation, match="not known in which chat"):
        home_of(key)


def test_without_a_chat_it_is_the_private_one() -> None:
    home = home_at("telegram:1", user=42, chat=None, topic=None)
    assert (home.address, home.user) == (Address("telegram:1", "42"), Person(id="42"))


def test_numbers_are_taken_as_text() -> None:
    home = home_at("telegram:1", user=42, chat=-100, topic=7)
    assert home.address == Address("telegram:1", "-100", "7")


@pytest.mark.parametrize("source", ["", "telegram", "telegram:", ":1"])
def test_a_source_names_channel_and_bot(source: str) -> None:
    with pytest.raises(BadAddress, match=r"names no bot\. Write channel:bot"):
        home_at(source, user="1", chat=None, topic=None)


@pytest.mark.parametrize(("user", "chat"), [("", None), ("1", ""), ("\ud800", None)])
def test_an_id_is_a_text_that_is_not_empty(user: str, chat: str | None) -> None:
    with pytest.raises(BadAddress, match="as text"):
        home_at("telegram:1", user=user, chat=chat, topic=None)
