"""Stickers, polls, dice, payments and edits as answers."""

from __future__ import annotations

from typing import Any

import pytest

from flows.errors import DefinitionError, InvalidAnswer
from flows.inputs import DiceThrow, Edited, Input, Integer, Payment, Poll, Sticker, Text
from flows.updates import (
    Content,
    DiceMessage,
    EditedMessage,
    FileRef,
    PaymentMessage,
    PollInfo,
    PollMessage,
    Receipt,
    StickerInfo,
    StickerMessage,
    TextMessage,
)

STICKER = StickerMessage(file=FileRef(id="s"), emoji="x", pack="faces")
POLL = PollMessage(id="1", question="?", options=("a", "b"))
PAID = PaymentMessage(currency="EUR", amount=995, payload="order-1", charge="c")
THROWN = DiceMessage(6, "\U0001f3b2")


@pytest.mark.parametrize(
    ("wanted", "content", "value"),
    [
        (Sticker(), STICKER, StickerInfo(file=FileRef(id="s"), emoji="x", pack="faces")),
        (Poll(), POLL, PollInfo(id="1", question="?", options=("a", "b"))),
        (Payment(), PAID, Receipt(currency="EUR", amount=995, payload="order-1", charge="c")),
        (DiceThrow(), THROWN, 6),
        (Edited(Integer()), EditedMessage(TextMessage("7")), 7),
    ],
    ids=lambda each: type(each).__name__,
)
def test_each_gives_what_was_sent(wanted: Input[Any], content: Content, value: object) -> None:
    assert wanted.fits(content)
    assert wanted.load(wanted.parse(content)) == value
    assert not wanted.fits(TextMessage("7"))


def test_a_payment_of_another_invoice_does_not_fit() -> None:
    assert Payment(payload="order-1").fits(PAID)
    assert not Payment(payload="order-2").fits(PAID)


def test_another_toy_does_not_fit() -> None:
    assert DiceThrow(emoji="\U0001f3b2").fits(THROWN)
    assert not DiceThrow(emoji="\U0001f3af").fits(THROWN)


def test_an_edit_of_another_kind_does_not_fit() -> None:
    assert not Edited(Text()).fits(EditedMessage(STICKER))


def test_an_edit_that_cannot_be_read_is_told_why() -> None:
    with pytest.raises(InvalidAnswer, match="whole number"):
        Edited(Integer()).parse(EditedMessage(TextMessage("seven")))


@pytest.mark.parametrize("wanted", [Sticker(), Poll(), Payment(), DiceThrow()], ids=repr)
@pytest.mark.parametrize("stored", ["x", {}, None])
def test_a_stored_value_must_be_one(wanted: Input[Any], stored: Any) -> None:
    with pytest.raises(ValueError, match="is no"):
        wanted.load(stored)


@pytest.mark.parametrize("wanted", [Sticker(), Poll(), Payment(), DiceThrow()], ids=repr)
def test_a_value_of_another_type_is_not_dumped(wanted: Input[Any]) -> None:
    with pytest.raises(ValueError, match="is no"):
        wanted.dump("x")


def test_an_edit_of_no_input_is_refused_at_definition() -> None:
    with pytest.raises(DefinitionError, match="Edited"):
        Edited("text")  # type: ignore[arg-type]
