"""What a step handler is given: the data, the person, and everything it may do."""

from __future__ import annotations

import inspect
import secrets
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from enum import Enum
from hashlib import blake2b
from random import Random
from typing import TYPE_CHECKING, Any, Generic, overload

import orjson
from pydantic import BaseModel
from typing_extensions import TypeVar

from flows.sessions import checked_replacement
from flows.turns.answerers import Who
from flows.turns.asks import Asks
from flows.turns.decides import Decides
from flows.turns.effects import StartRequest
from flows.turns.instance import FlowInstance, Status
from flows.turns.journal import Run
from flows.turns.progress import Progress
from flows.turns.questions import Mint
from flows.turns.says import Says
from flows.turns.started_by import content_of
from flows.turns.surroundings import Surroundings
from flows.turns.visit import OnceResult
from flows.updates import Content, Person, Update

if TYPE_CHECKING:
    from flows.flow import Flow

S = TypeVar("S", bound=Enum)
D = TypeVar("D", bound=BaseModel)
Deps = TypeVar("Deps", default=Any)
T = TypeVar("T")


class Turn(Asks[S, D, Deps], Decides[S], Says, Generic[S, D, Deps]):
    """One run of a step handler.

    Attributes:
        step: the step that runs.
        data: the flow's data as of the entry of the step; change it freely.
        scene: a JSON dict of this visit: kept by ``wait`` and ``repeat``, gone on leaving.
        session: the person's session, the App's session model; the rules are those of ``data``.
        deps: the App's dependencies; never stored.
        input: the parsed answer that ``wait`` asked for; None when the step is entered.
        payload: what came with the trigger that started the flow, such as a command's arguments.
        update: what came in and caused this turn.
    """

    __slots__ = (
        "_around", "_flow", "_instance", "_mint", "_run",
        "data", "deps", "input", "scene", "session", "step",
    )  # fmt: skip

    def __init__(
        self,
        step: S,
        data: D,
        session: Any,
        answer: object,
        run: Run,
        flow: Flow[S, D, Any],
        instance: FlowInstance,
        mint: Mint,
        around: Surroundings,
    ) -> None:
        self.step = step
        self.data = data
        self.session = session
        self.input = answer
        scene = run.visit.scene
        self.scene: dict[str, Any] = orjson.loads(orjson.dumps(scene)) if scene else {}
        self.deps: Deps = around.deps
        self._run = run
        self._flow = flow
        self._instance = instance
        self._mint = mint
        self._around = around

    @overload
    async def once(self, key: str, fn: Callable[[], Awaitable[T]]) -> T: ...

    @overload
    async def once(self, key: str, fn: Callable[[], T]) -> T: ...

    async def once(self, key: str, fn: Callable[[], Any]) -> Any:
        """The result of ``fn``, called once a visit however often the step is run again.

        The result is stored at once. If the process dies between the effect and that, ``fn``
        is called again: pass ``idempotency_key`` on to what must not happen twice.

        Args:
            key: names the result within the visit.
            fn: called without arguments, may be async; its result must be JSON.

        Raises:
            TypeError: the result is no JSON.
        """
        run = self._run
        run.enter()
        known = run.visit.once.get(key)
        if known is None:
            value: Any = fn()
            if inspect.isawaitable(value):
                value = await value
            known = OnceResult(run.position, _as_json(key, value))
            run.visit.once[key] = known
            await run.note()
        return known.value

    def idempotency_key(self, key: str) -> str:
        """A key (32 hexadecimal digits) for outside calls: the same whenever the step is run again
        over its journal, even after a crash, and never the same for another visit. Where the
        journal is dropped or cut (``repeat``, ``wait``, ``back``), what is done again is meant
        to be done again, and gets a new key.
        """
        self._run.enter()
        visit = self._run.visit
        origin = f"{self._instance.origin}{self._instance.id}"
        place = f"{origin}/{visit.place}/{visit.ordinal(0)}/{key}"
        return blake2b(place.encode(), digest_size=16).hexdigest()

    @property
    def now(self) -> datetime:
        """The time (UTC) at which this visit first looked at the clock; the same in a re-run."""
        self._run.enter()
        at = self._run.visit.seen.setdefault("now", self._around.now)
        return datetime.fromtimestamp(at / 1000, tz=UTC)

    @property
    def random(self) -> Random:
        """A random generator that draws the same numbers in every re-run of this visit."""
        self._run.enter()
        return self._run.random(lambda: secrets.randbits(53))

    @property
    def user(self) -> Person:
        """The person, as this visit first saw them."""
        self._run.enter()
        person = self._around.user
        fields = {"id": person.id, "name": person.name, "username": person.username}
        seen = self._run.visit.seen.setdefault("user", fields | {"language": person.language})
        return Person(**seen)

    @property
    def roles(self) -> frozenset[str]:
        """The roles that the person had when this visit first looked, as the App's ``Roles`` say;
        the same in a re-run.
        """
        self._run.enter()
        seen, roles = self._run.visit.seen, self._around.roles
        if roles is not None:
            seen.setdefault("roles", sorted(roles))
        return frozenset(seen.get("roles", ()))

    def get_session(self) -> Any:
        """The session as it is now: ``turn.session``."""
        return self.session

    def next_session(self, session: Any) -> None:
        """Puts another session in the place of this one, whole, once the step decides.

        Raises:
            TypeError: it is none of the same model, or there is no session model.
        """
        self.session = checked_replacement(self.session, session)

    @property
    def update(self) -> Update:
        """What came in and caused this turn."""
        self._run.enter()
        return self._around.update

    @property
    def payload(self) -> str:
        """What came with the trigger: the arguments of a command, the data of a press."""
        return self._instance.payload

    @property
    def started_by(self) -> Content | None:
        """What the trigger that started the flow has matched, with its file or place; None where
        it was a text, a command or a press, whose words are in ``payload``, or no trigger.

        Raises:
            ValueError: this version cannot read what an older one has stored.
        """
        kept = self._instance.started_by
        return content_of(kept) if kept is not None else None

    @property
    def instance(self) -> str:
        """The id of this run of the flow."""
        return self._instance.id

    @property
    def parallel(self) -> Progress[S, D]:
        """How far the branches of the fork have come: of the one that is open, else of the last.

        Raises:
            NoFork: the flow has none.
        """
        self._run.enter()
        return Progress.of(self._flow, self._instance)

    @property
    def ending(self) -> Status | None:
        """For hooks: how this run of the flow has ended; None while it goes on."""
        status = self._instance.status
        return None if status in (Status.ACTIVE, Status.ESCALATED) else status

    def assign(self, person: Who) -> None:
        """From now on it is this person whose answers count, unless a question says otherwise.
        For flows of a chat or a topic.

        Raises:
            DefinitionError: it is a flow of one person, and somebody else could never answer.
        """
        self._run.enter()
        (self._instance.assignee,) = self._others([person])

    def start_flow(self, request: StartRequest) -> None:
        """Starts another flow after this turn's step has come to rest; see ``call_flow``."""
        self._run.enter()
        if not self._run.muted:
            self._around.effects.starts.append(request)


def _as_json(key: str, value: object) -> Any:
    try:
        return orjson.loads(orjson.dumps(value))
    except orjson.JSONEncodeError as error:
        raise TypeError(
            f"turn.once({key!r}, ...) gave {type(value).__name__}, which is no JSON ({error}). "
            "Return plain data: numbers, texts, lists, dicts."
        ) from error
