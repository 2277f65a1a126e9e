"""Tokens of buttons: what was issued is genuine, and nothing else is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.routes.buttons import genuine, minting, read_token
from flows.turns.instance import FlowInstance

OURS = FlowInstance(id="a-0", flow="f", version=1, secret="s" * 32, data={}, started=0)
ISSUED = minting(OURS, 3, "7")(0, 1, "tea")


def test_what_was_issued_is_genuine_for_its_own_value_alone() -> None:
    token = read_token(ISSUED)
    assert token is not None
    assert (token.instance, token.visit, token.ordinal, token.button) == ("a-0", 3, 0, 1)
    assert [genuine(token, OURS, value) for value in ("tea", "milk")] == [True, False]


@pytest.mark.parametrize(
    "other", [replace(OURS, id="a-1"), replace(OURS, secret="t" * 32)], ids=["id", "secret"]
)
def test_it_is_not_genuine_for_another_instance(other: FlowInstance) -> None:
    token = read_token(ISSUED)
    assert token is not None
    assert not genuine(token, other, "tea")


def test_no_single_change_leaves_it_genuine() -> None:
    for place in range(len(ISSUED)):
        for letter in "0A.~":
            text = ISSUED[:place] + letter + ISSUED[place + 1 :]
            token = read_token(text) if text != ISSUED else None
            assert token is None or not genuine(token, OURS, "tea")


@pytest.mark.parametrize("place", range(6))
@pytest.mark.parametrize("letter", ["\ud800", "é", "\u0661", "\0"], ids=ascii)
def test_a_part_with_other_than_ascii_raised_where_the_token_was_checked(
    place: int, letter: str
) -> None:
    parts = ISSUED.split(".")
    parts[place] += letter
    token = read_token(".".join(parts))
    assert token is None or not genuine(token, OURS, "tea")


@pytest.mark.parametrize("number", ["01", "-1", "+1", "1_0", "\u0661", "1" * 10, "", " 1"])
def test_a_number_has_one_spelling(number: str) -> None:
    parts = ISSUED.split(".")
    parts[1] = number
    assert read_token(".".join(parts)) is None
