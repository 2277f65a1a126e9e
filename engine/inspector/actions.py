"""What changes something: asked about on a page of its own first, and done by a form of that."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import orjson
from starlette.responses import Response

from engine.app import App
from engine.inspector.closeup import Closeup, closeup
from engine.inspector.numbers import Counts
from engine.inspector.pages import Pages
from engine.inspector.visits import BadForm, Nowhere, Visit
from engine.operate import Operator, Receipt
from flows.errors import PayloadRefused

PATIENCE = 2.0
"""Seconds that a page waits for a bot to carry out its order."""

LAST_WORDS = 5.0
"""Seconds that a bot gets to end the flows of a person who is erased."""

Form = Mapping[str, str]
Act = Callable[[Operator, str, Form], Awaitable[Receipt]]


@dataclass(frozen=True, slots=True)
class Action:
    """Something that can be done to an instance.

    Attributes:
        title: what the button says.
        warning: what comes of it.
    """

    name: str
    title: str
    warning: str
    act: Act


async def _resume(operator: Operator, instance: str, form: Form) -> Receipt:
    return await operator.decide(instance, _answer(form))


async def _goto(operator: Operator, instance: str, form: Form) -> Receipt:
    return await operator.goto(instance, form.get("step", ""))


async def _repeat(operator: Operator, instance: str, form: Form) -> Receipt:
    return await operator.repeat(instance)


async def _cancel(operator: Operator, instance: str, form: Form) -> Receipt:
    return await operator.cancel(instance, form.get("reason", "").strip() or "cancelled")


ACTIONS = {
    one.name: one
    for one in (
        Action(
            "resume", "Answer",
            "The step goes on with this answer, and its person is told what it makes of it.",
            _resume,
        ),
        Action(
            "goto", "Go to a step",
            "It goes on at that step, whose question its person gets. What it has called is "
            "abandoned.",
            _goto,
        ),
        Action("repeat", "Repeat the prompt", "Its person gets the question once more.", _repeat),
        Action(
            "cancel", "Cancel",
            "It ends, with the hooks of its flow, and its person is told so. It cannot be brought "
            "back.",
            _cancel,
        ),
    )
}  # fmt: skip
"""What can be done to an instance, by name."""


class Actions:
    """Asks whether something is to be done, and does it."""

    def __init__(self, app: App, pages: Pages, counts: Counts) -> None:
        self._app = app
        self._pages = pages
        self._counts = counts

    async def confirm(self, visit: Visit) -> Response:
        """Asks about an action on an instance."""
        action = _action(visit)
        shown = await self._closeup(visit)
        flow = self._app.flows.get(shown.row.flow)
        return self._pages.render(
            visit, "confirm", it=shown, action=action, chosen=visit.asked("choice"),
            steps=list(flow.table) if flow is not None else [], step=visit.asked("step"),
            warning=action.warning, fault="",
        )  # fmt: skip

    async def act(self, visit: Visit) -> Response:
        """Does it."""
        action, instance = _action(visit), visit.named("instance")
        try:
            receipt = await action.act(visit.operator, instance, visit.form)
        except PayloadRefused as error:
            return await self._again(visit, action, str(error))
        done = await visit.operator.until_done(receipt, seconds=PATIENCE)
        self._counts.forget()
        return visit.to(f"/instances/{quote(instance)}?done={action.name if done else 'late'}")

    async def confirm_erase(self, visit: Visit) -> Response:
        """Asks about erasing a person."""
        person = visit.asked("person")
        page = await visit.operator.instances(person=person, limit=10)
        return self._pages.render(visit, "erase", person=person, page=page, fault="")

    async def erase(self, visit: Visit) -> Response:
        """Erases a person, where the name was typed once more."""
        form = visit.form
        person, again = form.get("person", ""), form.get("again", "").strip()
        if person != again:
            page = await visit.operator.instances(person=person, limit=10)
            fault = f"You wrote {again!r}, and the person is {person!r}. Nothing was done."
            return self._pages.render(visit, "erase", 422, person=person, page=page, fault=fault)
        await visit.operator.erase(person, patience=LAST_WORDS)
        self._counts.forget()
        return visit.to("/instances?done=erase")

    async def confirm_end(self, visit: Visit) -> Response:
        """Asks about ending all of a conversation."""
        page = await visit.operator.instances(conversation=visit.asked("key"), live=True, limit=10)
        return self._pages.render(visit, "end", key=visit.asked("key"), page=page)

    async def end(self, visit: Visit) -> Response:
        """Ends all of a conversation."""
        key, reason = visit.form.get("key", ""), visit.form.get("reason", "").strip()
        receipt = await visit.operator.cancel_conversation(key, reason or "cancelled")
        done = await visit.operator.until_done(receipt, seconds=PATIENCE)
        self._counts.forget()
        return visit.to(
            f"/conversation?key={quote(key, safe='')}&done={'cancel' if done else 'late'}"
        )

    async def replay(self, visit: Visit) -> Response:
        """Puts a dead letter back."""
        await visit.operator.replay(visit.letter)
        return visit.to("/letters?done=replay")

    async def _again(self, visit: Visit, action: Action, fault: str) -> Response:
        shown = await self._closeup(visit)
        return self._pages.render(
            visit, "confirm", 422, it=shown, action=action, chosen=visit.form.get("choice", ""),
            steps=[], step="", warning=action.warning, fault=fault,
        )  # fmt: skip

    async def _closeup(self, visit: Visit) -> Closeup:
        view = await visit.operator.show(visit.named("instance"), moves=1)
        traffic = await visit.operator.traffic(view.row.conv)
        return closeup(view, traffic, self._app.flows)


def _action(visit: Visit) -> Action:
    name = visit.named("action")
    if name not in ACTIONS:
        raise Nowhere(f"there is no action {name!r}, only {', '.join(ACTIONS)}")
    return ACTIONS[name]


def _answer(form: Form) -> Any:
    """The operator's answer: the value of a button, or what was typed: JSON, or plain text."""
    if "choice" in form:
        try:
            return orjson.loads(form["choice"])
        except ValueError:
            raise BadForm("the answer is none of those on the page") from None
    text = form.get("answer", "")
    try:
        return orjson.loads(text)
    except ValueError:
        return text
