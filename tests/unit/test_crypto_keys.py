"""Secret keys, and what they seal."""

from __future__ import annotations

import json

import pytest

from storage import Keyring
from storage.crypto.keys import BadKey, CannotOpen, is_sealed, new_key, room

KEY = "k" * 42 + "A"
ADA, BOB = "telegram/1/4/-/4", "telegram/1/5/-/5"


def test_what_is_sealed_opens_in_its_place_and_is_json() -> None:
    keys = Keyring.parse(new_key())
    text = '{"name": "Ada \U0001f469"}'
    sealed = keys.seal(text, ADA)
    assert keys.open(sealed, ADA) == text
    assert json.loads(sealed).startswith(f"h1:{keys.primary}:")
    assert "Ada" not in sealed


def test_the_same_text_is_never_sealed_the_same() -> None:
    keys = Keyring.parse(new_key())
    assert keys.seal("{}", ADA) != keys.seal("{}", ADA)


def test_a_text_that_was_moved_to_somebody_else_does_not_open() -> None:
    keys = Keyring.parse(new_key())
    with pytest.raises(CannotOpen, match="moved here") as refused:
        keys.open(keys.seal("{}", ADA), BOB)
    assert not refused.value.missing


@pytest.mark.parametrize("place", [5, 20, 40, -8])
def test_a_text_that_was_changed_does_not_open(place: int) -> None:
    keys = Keyring.parse(new_key())
    sealed = keys.seal('{"a": 1}', ADA)
    other = "b" if sealed[place] != "b" else "c"
    changed = sealed[:place] + other + sealed[place:][1:]
    with pytest.raises(CannotOpen):
        keys.open(changed, ADA)


def test_what_was_never_sealed_is_read_as_it_is() -> None:
    keys = Keyring.parse(new_key())
    assert keys.open('{"a": 1}', ADA) == '{"a": 1}'


def test_a_text_of_another_key_names_that_key_and_no_more() -> None:
    first, second = new_key(), new_key()
    sealed = Keyring.parse(first).seal('{"secret": 1}', ADA)
    with pytest.raises(CannotOpen) as refused:
        Keyring.parse(second).open(sealed, ADA)
    assert refused.value.missing
    assert Keyring.parse(first).primary in str(refused.value)
    assert first not in str(refused.value)
    assert second not in str(refused.value)


def test_what_could_not_be_opened_goes_back_as_it_was() -> None:
    sealed = Keyring.parse(new_key()).seal("{}", ADA)
    assert Keyring.parse(new_key()).seal(sealed, ADA) == sealed


def test_the_first_of_several_keys_seals_and_all_of_them_open() -> None:
    old, new = new_key(), new_key()
    both = Keyring.parse(f"{new}, {old}")
    assert both.open(Keyring.parse(old).seal("{}", ADA), ADA) == "{}"
    assert Keyring.parse(new).open(both.seal("{}", ADA), ADA) == "{}"
    assert both.ids == (Keyring.parse(new).primary, Keyring.parse(old).primary)


def test_a_text_is_brought_under_the_first_key_and_stays_in_its_place() -> None:
    old, new = new_key(), new_key()
    resealed = Keyring.parse(f"{new},{old}").reseal(Keyring.parse(old).seal("{}", ADA))
    assert Keyring.parse(new).open(resealed, ADA) == "{}"
    with pytest.raises(CannotOpen):
        Keyring.parse(new).open(resealed, BOB)


def test_what_is_under_the_first_key_already_is_left() -> None:
    keys = Keyring.parse(new_key())
    sealed = keys.seal("{}", ADA)
    assert keys.reseal(sealed) == sealed


def test_what_was_never_sealed_is_sealed_for_any_place() -> None:
    keys = Keyring.parse(new_key())
    sealed = keys.reseal("{}")
    assert is_sealed(sealed)
    assert keys.open(sealed, ADA) == keys.open(sealed, BOB) == "{}"


@pytest.mark.parametrize("form", [str, lambda key: key + "=", lambda key: f"  {key}  "])
def test_a_key_may_be_padded(form: object) -> None:
    key = new_key()
    assert callable(form)
    assert Keyring.parse(form(key)).primary == Keyring.parse(key).primary


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "the key is no base64url"),
        ("hunter2 hunter2", "the key is no base64url"),
        ("YWJj", "the key has 3 bytes, and 32 are needed"),
        ("YWJjZ", "a part of it is missing"),
        (f"{KEY},", "key 2 is no base64url"),
        (f"{KEY},{KEY[:-3]}", "key 2 has 30 bytes"),
    ],
)
def test_what_is_no_key_is_refused_and_not_shown(text: str, reason: str) -> None:
    with pytest.raises(BadKey, match=reason) as refused:
        Keyring.parse(text)
    assert "handrail key new" in str(refused.value)
    assert all(part not in str(refused.value) for part in text.split(",") if part)


def test_a_text_within_the_room_is_not_longer_than_the_limit_when_it_is_sealed() -> None:
    keys = Keyring.parse(new_key())
    place = "p" * 100
    for size in range(1000, 1012):
        text = "x" * room(size, len(place))
        assert size - 4 < len(keys.seal(text, place)) <= size
