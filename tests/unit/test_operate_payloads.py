"""What is handed in from outside, and whether a step that waits for an operator takes it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import BaseModel

from engine.routes.payloads import as_json, operator_answer
from flows import Choice, Confirm, Input, Integer, PayloadRefused, Photo, Text


class Payment(BaseModel):
    amount: int
    at: datetime


def test_plain_data_stays_as_it_is() -> None:
    value = {"a": [1, 2.5, None, True, "ä"], "b": {}}
    assert as_json(value) == value


def test_a_model_becomes_its_json_form() -> None:
    payment = Payment(amount=5, at=datetime(2026, 1, 2, tzinfo=UTC))
    assert as_json(payment) == {"amount": 5, "at": "2026-01-02T00:00:00Z"}


@pytest.mark.parametrize("value", [object(), {1: object()}, 2**70, "\ud800", {"a": {1, 2}}])
def test_what_is_no_json_is_refused(value: object) -> None:
    with pytest.raises(PayloadRefused, match=r"it is no JSON .* lists, dicts or a model"):
        as_json(value)


APPROVAL = Choice([("Let it pass", "approve"), ("Send it back", "refuse")])
LIMIT = Integer(ge=1, le=10)


@pytest.mark.parametrize(
    ("wanted", "payload", "answer"),
    [
        (LIMIT, "5", 5),
        (LIMIT, 5, 5),
        (APPROVAL, "approve", "approve"),
        (APPROVAL, "let it pass", "approve"),
        (Confirm(), True, True),
        (Confirm(), "yes", True),
        (Text(max_length=5), "short", "short"),
        (Text(max_length=5), 12, "12"),
        (None, {"any": "thing"}, {"any": "thing"}),
        (None, None, None),
    ],
)
def test_an_answer_is_read_as_a_person_would_have_typed_it(
    wanted: Input[Any] | None, payload: Any, answer: Any
) -> None:
    accept = None if wanted is None else wanted.to_json()
    assert operator_answer(accept, payload) == answer


@pytest.mark.parametrize(
    ("wanted", "payload", "sentence"),
    [
        (LIMIT, "50", "'50' is not what the step wants"),
        (LIMIT, 50, "50 is not what the step wants"),
        (LIMIT, None, "None is not what the step wants"),
        (LIMIT, {"n": 5}, "is not what the step wants"),
        (LIMIT, True, "True is not what the step wants"),
        (Text(max_length=5), "far too long", "'far too long' is not what the step wants"),
        (APPROVAL, "perhaps", "'perhaps' is not what the step wants"),
        (Confirm(), 1, "1 is not what the step wants"),
        (Confirm(), "perhaps", "'perhaps' is not what the step wants"),
        (Photo(), "no photo", "'no photo' is not what the step wants"),
        (Photo(), {"odd": 1}, "is not what the step wants"),
    ],
)
def test_what_the_step_does_not_want_is_refused_with_what_it_wants(
    wanted: Input[Any], payload: Any, sentence: str
) -> None:
    with pytest.raises(PayloadRefused, match=sentence) as refusal:
        operator_answer(wanted.to_json(), payload)
    assert str(refusal.value).startswith("the payload is refused: ")
