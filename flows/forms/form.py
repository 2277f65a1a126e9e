"""The steps of a form: what each question's step and the last step do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Generic

import orjson
from pydantic import BaseModel, ValidationError
from typing_extensions import TypeVar

from flows.forms.answers import Answers, json_of
from flows.forms.asking import Asking
from flows.forms.nodes import Custom, Node, Series
from flows.forms.route import Route, Stop
from flows.forms.summary import SUBMIT, summary_choice, summary_text
from flows.forms.texts import FormTexts
from flows.inputs import Json
from flows.inputs.model_field import reason_of
from flows.messages.replies import Reply
from flows.messages.translations import joined
from flows.turns.actions import Action
from flows.turns.turn import Turn

M = TypeVar("M", bound=BaseModel)
Deps = TypeVar("Deps", default=Any)

FormTurn = Turn[Enum, Answers, Deps]
"""A turn of a form: its steps are a generated enum, its data are the answers by path."""

FormStep = Callable[[FormTurn[Deps]], Awaitable[object]]
"""A field's step of your own: it gives the field's value, or a decision of the turn."""

OnSubmit = Callable[[Turn[Enum, Answers, Any], M], Awaitable[Action[Enum] | None]]
"""What is done with the model of a completed form; None completes the flow."""

Summary = Callable[[M], str | Reply]
"""The words of a summary."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """Why the answers make no model.

    Attributes:
        stop: the question to ask again, where it is one question's fault.
    """

    reason: str
    stop: Stop | None = None


@dataclass(frozen=True, slots=True)
class Form(Generic[M, Deps]):
    """A form that was read off its model.

    Attributes:
        steps: the member of each path.
        last: the step after the questions.
    """

    model: type[M]
    route: Route
    steps: Mapping[str, Enum]
    last: Enum
    texts: FormTexts
    summary: bool | Summary[M]
    on_submit: OnSubmit[M] | None

    @property
    def first(self) -> Enum:
        """The step that the form begins with."""
        return self.steps[self.route.stops[0].path]

    def result(self, answers: Answers) -> M:
        """The model of the answers. Raises pydantic's ValidationError where they make none."""
        shown = {stop.path for stop in self.route.shown(answers)}
        values = orjson.dumps(json_of(self.route.root, answers, shown))
        return self.model.model_validate_json(values, by_alias=False, by_name=True)

    def handler(self, stop: Stop) -> Callable[[FormTurn[Deps]], Awaitable[Action[Enum]]]:
        """The handler of a question's step."""

        async def asked(turn: FormTurn[Deps]) -> Action[Enum]:
            if stop not in self.route.shown(turn.data):
                return turn.back()  # only the way back leads here, after another answer
            if isinstance(stop.node, Custom):
                return await self._run_own(turn, stop, stop.node)
            held = await Asking(turn, self.texts).of_step(stop.node)
            reason = _refusal(stop.node, held)
            return turn.repeat(reason) if reason else self._onward(turn, stop, held)

        return asked

    async def finish(self, turn: FormTurn[Deps]) -> Action[Enum]:
        """The last step: asks what is missing or wrong, shows the summary, submits."""
        missing = self.route.unanswered(turn.data)
        if missing is not None:
            return turn.detour(self.steps[missing.path])
        made = self._made(turn.data)
        if isinstance(made, Flaw):
            return await self._mend(turn, made)
        if self.summary:
            chosen = await self._show(turn, made)
            if chosen != SUBMIT:
                return turn.detour(self.steps[chosen])
        decided = await self.on_submit(turn, made) if self.on_submit is not None else None
        return decided if decided is not None else turn.complete()

    async def _run_own(self, turn: FormTurn[Deps], stop: Stop, node: Custom) -> Action[Enum]:
        """A step of the user's own: takes its value, or its decision."""
        given = await node.handler(turn)
        if isinstance(given, Action):
            return given
        try:
            held = node.codec.dump(node.codec.validated(given))
        except ValidationError as error:
            return turn.repeat(reason_of(error))
        return self._onward(turn, stop, held)

    def _onward(self, turn: FormTurn[Deps], stop: Stop, held: Json) -> Action[Enum]:
        """Keeps the answer and goes on to what is asked next."""
        turn.data[stop.path] = held
        after = self.route.after(stop.path, turn.data)
        return turn.next(self.last if after is None else self.steps[after.path])

    def _made(self, answers: Answers) -> M | Flaw:
        """The model of the answers, or what is wrong with them."""
        try:
            return self.result(answers)
        except ValidationError as error:
            return self._flaw(error, list(self.route.shown(answers)))

    def _flaw(self, error: ValidationError, shown: Sequence[Stop]) -> Flaw:
        """The first fault that one question can mend, else the first."""
        for place, each in enumerate(error.errors(include_url=False, include_input=False)):
            stop = self.route.stop_of(each["loc"])
            if stop is not None and stop in shown:
                return Flaw(reason_of(error, place), stop)
        return Flaw(reason_of(error))

    async def _mend(self, turn: FormTurn[Deps], flaw: Flaw) -> Action[Enum]:
        """Asks again for what is wrong, or lets the person choose what to change."""
        if flaw.stop is not None:
            turn.reply(f"{flaw.stop.label}: {flaw.reason}")
            return turn.detour(self.steps[flaw.stop.path])
        shown = list(self.route.shown(turn.data))
        lines = (summary_text(shown, turn.data, self.texts), flaw.reason, self.texts.change)
        choice = summary_choice(shown, self.texts, submit=False)
        return turn.detour(self.steps[await turn.ask(joined(lines, "\n\n"), choice, key="mend")])

    async def _show(self, turn: FormTurn[Deps], made: M) -> str:
        """Shows the summary; answers the path of what is to be edited, or SUBMIT."""
        shown = list(self.route.shown(turn.data))
        prompt: str | Reply
        if callable(self.summary):
            prompt = self.summary(made)
        else:
            summary = summary_text(shown, turn.data, self.texts)
            prompt = joined((summary, self.texts.confirm), "\n\n")
        return await turn.ask(prompt, summary_choice(shown, self.texts), key="submit")


def _refusal(node: Node, held: Json) -> str | None:
    """What the field's validators have against a whole list, if anything."""
    if not isinstance(node, Series) or held is None:
        return None
    try:
        node.codec.check(held)
    except ValidationError as error:
        return reason_of(error)
    return None
