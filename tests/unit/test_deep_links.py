"""Deep links: what goes in comes out, and nothing that was made up does."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flows import DeepLink, DefinitionError, OnDeepLink
from flows.updates import Command

KEY = "0123456789abcdef0123456789abcdef"
PLAIN, SIGNED = DeepLink("ref"), DeepLink("ref", key=KEY)
both = pytest.mark.parametrize("link", [PLAIN, SIGNED], ids=["plain", "signed"])


@both
@given(value=st.text(max_size=8))
@example(value="_x")
@example(value="a_b-c")
@example(value="")
def test_a_value_comes_back_as_it_was(link: DeepLink, value: str) -> None:
    payload = link.payload(value)
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,64}", payload)
    assert link.read(payload) == value


def test_what_can_be_read_is_left_readable() -> None:
    assert PLAIN.payload(42) == "ref_42"
    assert PLAIN.payload("summer-sale") == "ref_summer-sale"
    assert PLAIN.payload("é") == "ref__w6k"


@both
@given(junk=st.text(max_size=64) | st.from_regex(r"ref_[A-Za-z0-9_-]{0,60}", fullmatch=True))
def test_junk_is_a_value_that_would_be_written_so_or_none(link: DeepLink, junk: str) -> None:
    value = link.read(junk)
    assert value is None or link.payload(value) == junk


@given(junk=st.from_regex(r"ref_[A-Za-z0-9_-]{0,60}", fullmatch=True))
def test_nobody_makes_a_signed_link_up(junk: str) -> None:
    assert SIGNED.read(junk) is None


@pytest.mark.parametrize("value", ["", "42", "é"])
def test_a_changed_signed_link_is_none(value: str) -> None:
    payload = SIGNED.payload(value)
    for place in range(len(payload)):
        other = "A" if payload[place] != "A" else "B"
        assert SIGNED.read(payload[:place] + other + payload[place + 1 :]) is None
        assert SIGNED.read(payload[:place]) is None


def test_links_of_other_keys_names_and_signs_are_told_apart() -> None:
    payload = SIGNED.payload("42")
    assert DeepLink("ref", key=KEY[::-1]).read(payload) is None
    assert DeepLink("re", key=KEY).read(payload) is None
    assert PLAIN.read("ref2_42") is None
    assert SIGNED.read(PLAIN.payload("42")) is None


def test_the_key_is_in_no_text() -> None:
    assert KEY not in repr(OnDeepLink(SIGNED))


def test_the_longest_value_fits() -> None:
    assert len(PLAIN.payload("x" * 60)) == 64
    with pytest.raises(ValueError, match="would have 65 characters, and 64 are possible"):
        PLAIN.payload("x" * 61)


def test_the_address_opens_a_chat_or_a_group() -> None:
    assert PLAIN.url("@our_bot", 42) == "https://t.me/our_bot?start=ref_42"
    assert PLAIN.url("our_bot", group=True) == "https://t.me/our_bot?startgroup=ref_"


@pytest.mark.parametrize("bot", ["", "a b", "our_bot?x", "é" * 5, "our_bot\n"])
def test_what_is_no_username_makes_no_link(bot: str) -> None:
    with pytest.raises(ValueError, match="is no username of a bot"):
        PLAIN.url(bot)


@pytest.mark.parametrize("name", ["", "a_b", "a-b", "x" * 17, "é", "ref\n"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(DefinitionError, match="is no name of a deep link"):
        DeepLink(name)


def test_a_key_that_could_be_guessed_is_refused() -> None:
    with pytest.raises(DefinitionError, match="under 16 bytes") as caught:
        DeepLink("ref", key="hunter2")
    assert "hunter2" not in str(caught.value)


def test_only_start_brings_a_link() -> None:
    trigger = OnDeepLink(PLAIN)
    assert trigger.match(Command("start", "ref_42")) == "42"
    assert trigger.match(Command("help", "ref_42")) is None
    assert trigger.match(Command("start", "ref_42 and more")) is None
