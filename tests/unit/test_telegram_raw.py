"""Telegram's own object stays at hand, and any storage takes it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.channels.telegram.raw import DEEPEST, RAW_BYTES, kept_raw
from engine.channels.telegram.updates import UpdateReader
from flows.updates import TextMessage, Update

NOW = 1_760_000_123_000


def raw(**more: Any) -> dict[str, Any]:
    chat = {"id": 7, "type": "private"}
    message = {"message_id": 5, "date": 1_760_000_000, "chat": chat, "text": "hi", **more}
    return {"update_id": 9, "message": message}


def read(given: dict[str, Any], *, keep: bool = True) -> Update:
    update = UpdateReader("telegram:42", raw=keep).read(given, now=NOW)
    assert update is not None
    return update


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = {"deeper": [value]}
    return value


def test_the_object_is_kept_as_it_came_with_what_is_not_read() -> None:
    entities = [{"type": "bold", "offset": 0, "length": 2}]
    given = raw(entities=entities)
    update = read(given)
    assert update.raw == given
    assert Update.from_json(update.to_json()).raw == given


def test_it_can_be_left_out() -> None:
    update = read(raw(), keep=False)
    assert update.raw is None
    assert "raw" not in update.to_json()


def test_nul_and_half_characters_in_it_are_cleaned() -> None:
    update = read(raw(text="a\0b\ud800", extra=["\udfff", {"k\0": "\ud83d\ude00"}]))
    assert update.content == TextMessage("ab\ufffd")
    assert update.raw is not None
    assert update.raw["message"]["text"] == "ab\ufffd"
    assert update.raw["message"]["extra"] == ["\ufffd", {"k": "\U0001f600"}]


def test_a_number_beyond_64_bits_in_it_is_left_out() -> None:
    assert kept_raw({"a": 2**70, "b": 2**63, "c": 5}) == {"a": None, "b": None, "c": 5}


def test_what_is_larger_than_the_bound_is_left_out_and_the_update_comes_in() -> None:
    update = read(raw(text="x" * RAW_BYTES))
    assert update.raw is None
    assert update.content == TextMessage("x" * RAW_BYTES)


def test_what_a_storage_could_not_give_back_for_its_depth_is_left_out() -> None:
    assert kept_raw({"a": nested(DEEPEST // 2 - 2)}) is not None
    assert kept_raw({"a": nested(DEEPEST)}) is None
    assert kept_raw({"a": nested(DEEPEST), "nul": "\0"}) is None
    assert kept_raw({"a": [[1]] * (2 * DEEPEST)}) is not None


def test_a_long_message_that_replies_to_a_long_one_is_kept() -> None:
    long = "\U0001f600" * 4096
    entities = [{"type": "bold", "offset": n, "length": 1} for n in range(100)]
    reply = {**raw()["message"], "text": long, "entities": entities}
    assert read(raw(text=long, entities=entities, reply_to_message=reply)).raw is not None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(st.characters()), JSON, max_size=4))
def test_whatever_is_kept_comes_back_the_same(given: dict[str, Any]) -> None:
    update = Update(source="t", ext="1", content=TextMessage("x"), at=0, raw=kept_raw(given))
    text = update.to_json()
    assert "\\u0000" not in text.replace("\\\\", "")
    assert Update.from_json(text) == update


@pytest.mark.parametrize("typed", ["\\u0000", "\\\\u0000"])
def test_the_letters_of_an_escaped_nul_are_no_nul(typed: str) -> None:
    assert kept_raw({"text": typed}) == {"text": typed}
