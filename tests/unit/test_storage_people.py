"""Which conversation keys belong to a person."""

from __future__ import annotations

import pytest

from flows.conversation import Address, ConversationKey
from storage.people import belongs, private_chat


def _key(user: str, chat: str = "5", topic: str | None = None) -> ConversationKey:
    return ConversationKey(Address("telegram:1", chat, topic), user)


@pytest.mark.parametrize("user", ["42", "a/b", "a b", "%", "_", "Ünï", ""])
def test_a_key_belongs_to_its_person_in_any_chat_and_topic(user: str) -> None:
    for key in (_key(user), _key(user, chat=user), _key(user, topic="9")):
        assert belongs(str(key), key.person)


@pytest.mark.parametrize("other", ["2", "142", "42 ", "4", "42/"])
def test_a_key_belongs_to_nobody_else(other: str) -> None:
    assert not belongs(str(_key(other)), _key("42").person)


def test_the_same_id_on_another_channel_is_somebody_else() -> None:
    assert not belongs(str(_key("42")), "console/42")


def test_what_is_no_key_belongs_to_nobody() -> None:
    assert not belongs("newsletter", "newsletter/")
    assert private_chat("newsletter") is None


def test_a_private_chat_is_the_one_with_the_persons_id() -> None:
    key = _key("42", chat="42")
    assert private_chat(str(key)) == str(key.address)
    assert private_chat(str(_key("42", chat="-100"))) is None
