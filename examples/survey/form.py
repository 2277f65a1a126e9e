"""The questions: a model, and when one of them is not asked."""

from __future__ import annotations

from pydantic import BaseModel, Field

from examples.survey.results import Results
from flows import FormTurn, form_flow


class Feedback(BaseModel):
    """One question a field, in this order."""

    satisfied: int = Field(ge=1, le=5, description="How satisfied are you, from 1 to 5?")
    likes: str = Field(max_length=500, description="What do you like most?")
    recommend: bool = Field(description="Would you recommend us?")
    improve: str | None = Field(default=None, max_length=500, description="What should we improve?")


form = form_flow(
    Feedback,
    name="survey",
    description="tell us what you think",
    when={"improve": lambda given: not given.recommend},
    summary=False,
)


@form.on_submit
async def submit(turn: FormTurn[Results], feedback: Feedback) -> None:
    """The key is the same however often this turn is run again, so nobody counts twice."""
    key = turn.idempotency_key("feedback")
    await turn.deps.add(key, feedback.satisfied, recommended=feedback.recommend)
    turn.reply("That was all, thank you! /results shows what people say.")


survey = form.build()
