"""The pages that show something, and change nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import Any, TypeVar
from urllib.parse import quote

from starlette.responses import Response

from engine.app import App
from engine.inspector.closeup import closeup, steps_of
from engine.inspector.diagram import Diagram, diagram
from engine.inspector.numbers import LIVE, Counts, Numbers, by_flow, funnel, live_at
from engine.inspector.rendering import Templates
from engine.inspector.visits import BadForm, Visit
from engine.plain.flow import PlainCall
from flows.errors import HandrailError, UnknownFlow
from flows.ports import Tally
from flows.turns.instance import Status

T = TypeVar("T")

PAGE = 50
"""Rows of a list."""

MOVES = 200
"""Moves of a timeline."""

IDLE = {"5m": 300, "1h": 3600, "6h": 21_600, "1d": 86_400, "3d": 259_200, "7d": 604_800}
"""How long nothing must have happened, as one can choose it, in seconds."""

DONE = {
    "resume": "The answer is handed in.",
    "goto": "It was moved.",
    "repeat": "Its question is asked again.",
    "cancel": "It was cancelled.",
    "replay": "The dead letter is put back.",
    "erase": "The person is erased.",
    "late": "It is ordered, and is done when the bot runs next, or gets to it.",
}
"""What a page says after an action."""


class Pages:
    """Answers what is looked at."""

    def __init__(self, app: App, templates: Templates, counts: Counts) -> None:
        self._app = app
        self._templates = templates
        self._counts = counts

    async def overview(self, visit: Visit) -> Response:
        """All flows in numbers."""
        tallies = await self._tallies(visit)
        flows = self._app.flows
        numbers = [one for one in by_flow(tallies, list(flows)) if one.started or self._is_own(one)]
        letters = await visit.operator.dead_letters(limit=1)
        return self.render(
            visit, "overview", numbers=numbers, statuses=list(Status), letters=bool(letters.rows),
            escalated=sum(one.count for one in tallies if one.status == Status.ESCALATED),
            quarantined=sum(one.count for one in tallies if one.status == Status.QUARANTINED),
            funnels={
                one.flow: funnel(tallies, flows[one.flow])
                for one in numbers if one.flow in flows and one.started
            },
        )  # fmt: skip

    async def flow(self, visit: Visit) -> Response:
        """One flow: its diagram, with how many are where."""
        name = visit.named("flow")
        flow = self._app.flows.get(name)
        if flow is None:
            raise UnknownFlow(name, self._app.flows)
        tallies = await self._tallies(visit)
        live = live_at(tallies, name)
        (numbers,) = [one for one in by_flow(tallies, [name]) if one.flow == name]
        return self.render(
            visit, "flow", flow=flow, numbers=numbers, statuses=list(Status),
            picture=diagram(flow, live=live), rungs=funnel(tallies, flow),
        )  # fmt: skip

    async def instances(self, visit: Visit) -> Response:
        """The instances that the filters leave, a page at a time."""
        flow, step, status = visit.asked("flow"), visit.asked("step"), visit.asked("status")
        idle, text = visit.asked("idle"), visit.asked("text")
        live = {"": True, "ended": False}.get(status)
        asked = visit.operator.instances(
            flow=flow or None,
            step=step or None,
            status=status if status in list(Status) else None,
            live=live,
            idle=IDLE.get(idle),
            after=visit.asked("after") or None,
            limit=PAGE,
            **_search(text),
        )
        found = await _page(asked)
        tallies = await self._tallies(visit)
        counted = by_flow(tallies, list(self._app.flows))
        names = [one.flow for one in counted if one.started or self._is_own(one)]
        at = {step for one in tallies if one.flow == flow for step in one.step.split()}
        wanted = {"flow": flow, "step": step, "status": status, "idle": idle, "text": text}
        return self.render(
            visit, "instances", page=found, wanted=wanted, flows=names, statuses=list(Status),
            steps=steps_of(self._app.flows, flow, at) if flow else [], idles=list(IDLE),
            matching=None if idle or text else _count(tallies, flow, step, status),
        )  # fmt: skip

    async def instance(self, visit: Visit) -> Response:
        """One instance, closely."""
        view = await visit.operator.show(visit.named("instance"), moves=MOVES)
        traffic = await visit.operator.traffic(view.row.conv)
        audit = await visit.operator.audit(conversation=view.row.conv, limit=PAGE)
        shown = closeup(view, traffic, self._app.flows)
        flow = self._app.flows.get(view.row.flow)
        picture: Diagram | None = None
        if flow is not None and flow.data is not PlainCall:
            here = shown.row.step.split() if shown.live else []
            picture = diagram(flow, live={}, here=here, been=shown.been)
        return self.render(
            visit, "instance", it=shown, flow=flow, picture=picture, audit=audit.rows,
            steps=list(flow.table) if flow is not None else [],
        )  # fmt: skip

    async def conversation(self, visit: Visit) -> Response:
        """What runs, and ran, in one conversation."""
        key = visit.asked("key")
        operator = visit.operator
        return self.render(
            visit, "conversation", key=key,
            page=await _page(
                operator.instances(conversation=key, after=visit.asked("after") or None)
            ),
            traffic=await operator.traffic(key),
            letters=(await operator.dead_letters(conversation=key)).rows,
            audit=(await operator.audit(conversation=key, limit=PAGE)).rows,
        )  # fmt: skip

    async def escalated(self, visit: Visit) -> Response:
        """Those that wait for an operator."""
        asked = visit.operator.instances(
            status=Status.ESCALATED, after=visit.asked("after") or None, limit=PAGE
        )
        page = await _page(asked)
        waiting = []
        for row in page.rows:
            view = await visit.operator.show(row.id, moves=1)
            traffic = await visit.operator.traffic(row.conv)
            shown = closeup(view, traffic, self._app.flows)
            if shown.answers:  # else somebody has answered it just now
                waiting.append(shown)
        return self.render(visit, "escalated", waiting=waiting, page=page)

    async def letters(self, visit: Visit) -> Response:
        """What was given up."""
        after = visit.asked("after") or None
        page = await _page(visit.operator.dead_letters(after=after, limit=PAGE))
        return self.render(visit, "letters", page=page)

    async def letter(self, visit: Visit) -> Response:
        """One dead letter; what it says are people's words, and who reads them is kept."""
        letter = await visit.operator.dead_letter(visit.letter)
        words = visit.visitor.may_act and visit.asked("words") == "1"
        if words:
            await visit.operator.note("read", str(letter.id), conversation=letter.conversation)
        return self.render(visit, "letter", letter=letter, words=words)

    async def audit(self, visit: Visit) -> Response:
        """Who did what."""
        after = visit.asked("after") or None
        page = await _page(visit.operator.audit(after=after, limit=PAGE))
        return self.render(visit, "audit", page=page)

    def render(self, visit: Visit, name: str, status: int = 200, **values: Any) -> Response:
        """A page with what all of them have."""
        return self._templates.page(
            name, status, base=visit.base, visitor=visit.visitor, proof=visit.proof,
            bot=self._app.name, done=DONE.get(visit.asked("done"), ""), here=name, **values,
        )  # fmt: skip

    def _is_own(self, numbers: Numbers) -> bool:
        """Whether a flow is one that somebody has written. Plain handlers that ask are flows, too,
        and most of them are never used so.
        """
        flow = self._app.flows.get(numbers.flow)
        return flow is not None and flow.data is not PlainCall

    async def _tallies(self, visit: Visit) -> Sequence[Tally]:
        return await self._counts.get(visit.operator.tally)


async def _page(asked: Awaitable[T]) -> T:
    """A page of a list. Raises BadForm where the URL goes on from what is no place in the list."""
    try:
        return await asked
    except HandrailError:
        raise
    except ValueError as error:
        raise BadForm(str(error)) from None


def _search(text: str) -> dict[str, str]:
    """What is looked for: a person by channel and id, else a part of an id or a key."""
    if not text:
        return {}
    channel, slash, user = text.partition("/")
    if channel and slash and user and "/" not in user and channel.isascii():
        return {"person": f"{channel}/{quote(user, safe='%')}"}
    return {"text": quote(text, safe="/%:")}


def _count(tallies: Sequence[Tally], flow: str, step: str, status: str) -> int:
    """How many instances the filters leave."""

    def counts(one: Tally) -> bool:
        fits = {"": one.status in LIVE, "ended": one.status not in LIVE, "all": True}
        return (
            (not flow or one.flow == flow)
            and (not step or f" {step} " in f" {one.step} ")
            and fits.get(status, one.status == status)
        )

    return sum(one.count for one in tallies if counts(one))
