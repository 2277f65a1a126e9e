"""Random models make forms, and random people come to the end of them."""

from __future__ import annotations

import asyncio
from datetime import date
from decimal import Decimal
from enum import StrEnum, auto
from typing import Annotated, Any, Literal, Protocol

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, EmailStr, Field, create_model

from engine import App
from engine.composition import storage_of
from engine.testing.chat import Chat
from flows import FormTurn, form_flow
from tests.support import app_of

PATIENCE = 60
"""Turns after which a person stops to go back and to add to lists."""


class Colour(StrEnum):
    RED = auto()
    DEEP_BLUE = auto()


class Inner(BaseModel):
    street: str = Field(description="text")
    floor: int | None = Field(default=None, description="number")


class Card(BaseModel):
    kind: Literal["card"]
    number: str = Field(pattern=r"^\d{4}$", description="digits")


class Cash(BaseModel):
    kind: Literal["cash", "bill"] = "cash"
    tip: bool


Payment = Annotated[Card | Cash, Field(discriminator="kind")]

KINDS: dict[str, list[Any]] = {
    "text": [str, Annotated[str, Field(max_length=9)], list[str]],
    "number": [int, Annotated[int, Field(ge=1, le=5)], float, Decimal, set[int]],
    "date": [date, list[date]],
    "address": [EmailStr],
    "any": [
        bool, Colour, Literal["a", "b"], Inner, Payment, list[Colour],
        Annotated[list[Inner], Field(min_length=1, max_length=3)], list[Payment], list[list[bool]],
    ],
}  # fmt: skip

SAID = {
    "text": "abc", "number": "4", "date": "2030-05-17", "address": "me@example.com",
    "digits": "1234",
}  # fmt: skip
"""What a person says to a question that ends with one of these words."""


@st.composite
def models(draw: st.DrawFn, depth: int = 1) -> type[BaseModel]:
    """A model of up to five fields, each required, optional, or with a default."""
    fields: dict[str, Any] = {}
    for number in range(draw(st.integers(1, 5))):
        word = draw(st.sampled_from(sorted(KINDS)))
        kind = draw(st.sampled_from(KINDS[word]))
        if depth and draw(st.integers(0, 5)) == 0:
            kind, word = draw(models(depth=depth - 1)), "any"
        description = word if word in SAID else None
        if draw(st.booleans()):
            kind = kind | None
        default = draw(st.sampled_from([..., ..., None])) if _takes_none(kind) else ...
        fields[f"field{number}"] = (kind, Field(default, description=description))
    return create_model(f"Random{depth}", **fields)


def _takes_none(kind: Any) -> bool:
    return type(None) in getattr(kind, "__args__", ())


class Draw(Protocol):
    def __call__(self, strategy: st.SearchStrategy[Any], /) -> Any: ...


async def fill_in(app: App, results: list[BaseModel], draw: Draw, *, restarts: bool) -> None:
    """Talks with the bot until there is a result."""
    storage = storage_of("memory://")
    said, turn = "/start", 0
    while not results:
        async with Chat(app, storage=storage) as chat:
            await chat.say(said)
            while not results:
                await _answer(chat, draw, patient=turn < PATIENCE)
                turn += 1
                assert turn < 5 * PATIENCE, "this form has no end"
                if restarts:
                    break
        said = "/help"  # after a restart: shows the question again


async def _answer(chat: Chat, draw: Draw, *, patient: bool) -> None:
    """Answers the question on the screen."""
    asked = chat.deliveries[-1]
    labels = [button.label for row in asked.keyboard for button in row]
    word = asked.text.split()[-1]
    if "Submit" in labels:
        await chat.press("Submit")
    elif patient and draw(st.integers(0, 9)) == 0:
        await chat.say("/back")
    elif labels and not patient:
        await chat.press("No" if "No" in labels else labels[0])
    elif labels and (word not in SAID or draw(st.booleans())):
        await chat.press(draw(st.sampled_from(labels)))
    else:
        await chat.say(SAID[word])


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(model=models(), data=st.data(), restarts=st.booleans())
def test_a_random_model_makes_a_form_that_can_be_filled_in(
    model: type[BaseModel], data: st.DataObject, restarts: bool
) -> None:
    form = form_flow(model, name="random")
    results: list[BaseModel] = []

    @form.on_submit
    async def done(turn: FormTurn, made: BaseModel) -> None:
        results.append(made)

    app = app_of(form.build(), rerun_every_step=True)
    asyncio.run(fill_in(app, results, data.draw, restarts=restarts))
    (made,) = results
    assert model.model_validate_json(made.model_dump_json()) == made
