"""What the walking of one turn needs, and what it leaves behind."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import field
from functools import partial
from hashlib import blake2b
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from engine.routes.buttons import minting
from engine.state.sessions import SessionCell
from engine.steps.places import Flows, Place, instances, visits
from engine.turns.notices import Notices
from flows.flow import Flow
from flows.keys import ONE_PERSON
from flows.messages.replies import Reply
from flows.plain.context import Context
from flows.records import record
from flows.turns.effects import Effects
from flows.turns.instance import FlowInstance, Status
from flows.turns.questions import Mint
from flows.turns.surroundings import Surroundings
from flows.turns.timing import milliseconds
from flows.turns.turn import Turn
from flows.turns.visit import OnceResult, Visit
from flows.updates import Press, Update

if TYPE_CHECKING:
    from engine.telemetry.observing import Observing

OnceNotes = dict[str, dict[str, OnceResult]]
"""Results of ``turn.once`` that this cause has stored: ``instance/place`` of the visit to key to
result.
"""


@record(frozen=True, slots=True)
class Moved:
    """A move, for the log; ``source`` or ``target`` is None where a flow begins or ends."""

    instance: FlowInstance
    source: str | None
    target: str | None
    cause: str


@record(slots=True)
class Stage:
    """Shared by everything that walks instances in one turn.

    Attributes:
        running: all instances that run in the scopes of this turn.
        rerun_every_step: for tests: run each step again at every question and compare.
        save_notes: stores ``notes`` durably.
        moves: every move of this turn, in order.
        ended: instances that are over and were not called by another, in order.
        entered: the step of every run of this turn, in order.
        noted: visits that have taken their results over from ``notes``.
        effects: where messages go.
        now: when the turn started, milliseconds since the epoch.
        turn: the number of the turn.
        live: what handlers were given, where they may write into it what the log must not show;
            None: there is nothing of that kind.
        observing: who is told of every run; None: nobody.
        at: the place whose code runs, or ran last; None: none has run yet.
    """

    flows: Flows
    around: Surroundings
    running: Callable[[], Iterable[FlowInstance]]
    session: SessionCell
    texts: Notices
    notes: OnceNotes
    save_notes: Callable[[], Awaitable[None]]
    rerun_every_step: bool = False
    moves: list[Moved] = field(default_factory=list)
    ended: list[FlowInstance] = field(default_factory=list)
    entered: list[str] = field(default_factory=list)
    noted: set[str] = field(default_factory=set)
    live: list[Turn[Any, Any, Any] | Context[Any, Any]] | None = None
    observing: Observing | None = None
    at: Place | None = None
    effects: Effects = field(init=False)
    now: int = field(init=False)
    turn: int = field(init=False)

    def __post_init__(self) -> None:
        # attributes of its own: they are looked at all the time
        around = self.around
        self.effects, self.now, self.turn = around.effects, around.now, around.turn

    def say(self, text: str) -> None:
        """Says one of the engine's own texts; an empty one is not said."""
        if text.strip():
            self.effects.emit(Reply(text=text))

    def remark(self, text: str) -> None:
        """Says something in passing: as a notice on the button, where one was pressed."""
        if isinstance(self.around.update.content, Press):
            self.effects.remark(text)
        else:
            self.say(text)

    def mint(self, place: Place, number: int) -> Mint:
        """Makes the tokens of a visit, or of a fork. What several people share, all may press."""
        return partial(self._token, place, number)

    def _token(self, place: Place, number: int, ordinal: int, button: int, value: Any) -> str:
        owner = "" if self.shared(place) else self.around.person
        return minting(place.instance, number, owner)(ordinal, button, value)

    def shared(self, place: Place) -> bool:
        """Whether several people may answer there."""
        flow = place.flow if place.parent is None else self.flows[place.root.flow]
        return flow.key not in ONE_PERSON

    def moved(
        self, instance: FlowInstance, source: str | None, target: str | None, cause: str
    ) -> None:
        """Notes a move."""
        self.moves.append(Moved(instance, source, target, cause))

    def recall(self, instance: FlowInstance, visit: Visit) -> Callable[[], Awaitable[None]]:
        """Gives a visit the results that an earlier try of this turn has stored, once; answers
        what stores those to come.
        """
        place = f"{instance.id}/{visit.number}.{visit.step}"
        if place not in self.noted:
            # only once: what repeat, wait or back drop in this turn must not come back
            self.noted.add(place)
            if self.notes:
                for key, result in self.notes.get(place, {}).items():
                    visit.once.setdefault(key, result)
        return partial(self._note, place, visit)

    async def _note(self, place: str, visit: Visit) -> None:
        self.notes[place] = dict(visit.once)
        await self.save_notes()

    def keep_session(self, lent: Any, *, but: Visit | None = None) -> None:
        """Takes a session back; open steps go on seeing the values as of their entry.

        Raises:
            InvalidSession: it cannot be stored.
        """
        if lent is None:  # there is no session model
            return
        before = self.session.take_back(lent)
        if not before:
            return
        for root in self.running():
            for instance in instances(root):
                for visit in visits(instance):
                    if visit is not but and _has_journal(visit):
                        visit.session = {**before, **visit.session}


def keep_entry_data(instance: FlowInstance, before: Mapping[str, Any], *, but: Visit) -> None:
    """The data has changed: the open steps of other branches go on seeing what it was."""
    for visit in visits(instance):
        if visit is not but and _has_journal(visit):
            visit.data = {**before, **visit.data}


def new_instance(
    flow: Flow[Any, Any, Any],
    *,
    id: str,
    data: dict[str, Any],
    now: int,
    origin: str,
    payload: str = "",
    started_by: dict[str, Any] | None = None,
) -> FlowInstance:
    """An instance that stands at no step yet; its clocks run.

    Args:
        origin: as ``origin_of`` gives it, or that of the instance that calls it.
    """
    made = FlowInstance(
        id=id,
        flow=flow.name,
        version=flow.version,
        secret=token_hex(16),
        data=data,
        started=now,
        origin=origin,
        payload=payload,
        started_by=started_by,
        status=Status.ACTIVE,
    )
    if flow.max_age is not None:
        made.oldest = now + milliseconds(flow.max_age)
    return made


def origin_of(update: Update) -> str:
    """A digest that tells this update from those of all other databases: 16 digits."""
    told = f"{update.source} {update.ext} {update.at} {update.address}"
    return blake2b(told.encode("utf-8", "replace"), digest_size=8).hexdigest()


def _has_journal(visit: Visit) -> bool:
    """Its step will be run again over what it was told before."""
    if visit.child is not None:
        return True
    return visit.asked and not (visit.waiting is not None and visit.waiting.explicit)
