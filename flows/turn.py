"""What a step handler is given: the data, the person, and everything it may do."""

from __future__ import annotations

import inspect
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import Enum
from hashlib import blake2b
from random import Random
from typing import Any, Generic, overload

import orjson
from pydantic import BaseModel
from typing_extensions import TypeVar

from flows.actions import (
    Action,
    Back,
    Cancel,
    Complete,
    Detour,
    GoTo,
    Next,
    Repeat,
    Retry,
    Wait,
)
from flows.effects import NOTICE_LIMIT, Effects, StartRequest
from flows.errors import TooManyTries
from flows.inputs import Input, Text
from flows.instance import FlowInstance
from flows.journal import TRIES_USED, Run
from flows.questions import Mint, question, wait_buttons
from flows.replies import Edit, Format, Keyboard, Message, Reply
from flows.updates import Person, Update
from flows.visit import Answer, OnceResult, WaitButton, Waiting

S = TypeVar("S", bound=Enum)
D = TypeVar("D", bound=BaseModel)
Deps = TypeVar("Deps", default=Any)
T = TypeVar("T")

Check = Callable[[T], "str | Awaitable[str | None] | None"]
"""Looks at a parsed answer: None takes it, a text refuses it and is said to the person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a turn brings from the engine into a step.

    Attributes:
        update: the cause of the turn.
        person: who may press the buttons, as ``ConversationKey.person`` has it.
        now: when the turn started, milliseconds since the epoch.
    """

    update: Update
    user: Person
    person: str
    deps: Any
    effects: Effects
    now: int


class Turn(Generic[S, D, Deps]):
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
        "_around", "_instance", "_mint", "_run",
        "data", "deps", "input", "scene", "session", "step",
    )  # fmt: skip

    def __init__(
        self,
        *,
        step: S,
        data: D,
        session: Any,
        answer: object,
        run: Run,
        instance: FlowInstance,
        mint: Mint,
        around: Surroundings,
    ) -> None:
        self.step = step
        self.data = data
        self.session = session
        self.input = answer
        self.scene: dict[str, Any] = orjson.loads(orjson.dumps(run.visit.scene))
        self.deps: Deps = around.deps
        self._run = run
        self._instance = instance
        self._mint = mint
        self._around = around

    # --- asking -------------------------------------------------------------------------

    @overload
    async def ask(
        self,
        prompt: str | Reply,
        accept: None = None,
        *,
        key: str | None = None,
        keep: str | None = None,
        check: Check[str] | None = None,
    ) -> str: ...

    @overload
    async def ask(
        self,
        prompt: str | Reply,
        accept: Input[T],
        *,
        key: str | None = None,
        keep: T | None = None,
        check: Check[T] | None = None,
    ) -> T: ...

    async def ask(
        self,
        prompt: str | Reply,
        accept: Input[Any] | None = None,
        *,
        key: str | None = None,
        keep: Any = None,
        check: Check[Any] | None = None,
    ) -> Any:
        """Asks and answers what the person says, however much later; a restart loses nothing.

        The handler is left here, and run again from its top when the answer is there.
        ``finally`` blocks and context managers between run each time: hold no lock and no
        database transaction across an ``ask``.

        Args:
            prompt: the question.
            accept: what is taken as an answer; a text unless said.
            key: a name for this question, where the order of questions may change in a deploy.
            keep: adds a button "Keep: ..." that answers with this value.
            check: looks at the parsed answer; a text refuses it and is said to the person.

        Raises:
            TooManyTries: the tries that ``accept`` allows are used up.
        """
        run = self._run
        run.enter_ask()
        wanted: Input[Any] = accept if accept is not None else Text()
        slot = run.slot(self._instance.id)
        answer = run.next_answer(wanted.kind, key)
        if answer is None:
            run.muted = False
            waiting = self._waiting(prompt, wanted, key, keep)
            self._around.effects.emit(question(waiting, self._mint), slot)
            run.suspend(waiting)
        fresh = run.at_fresh
        if fresh:
            run.muted = False
        if answer.kind == TRIES_USED:
            run.position += 1
            raise TooManyTries(answer.value)
        try:
            value = wanted.load(answer.value)
        except ValueError as error:
            run.refuse_journal(f"answer {run.position + 1} does not fit any more: {error}")
        if fresh:
            reason = await _refusal(wanted, check, value)
            if reason is not None:
                self._refuse(reason, prompt, wanted, key, keep, slot)
        run.position += 1
        return value

    def _waiting(
        self, prompt: str | Reply, wanted: Input[Any], key: str | None, keep: Any
    ) -> Waiting:
        buttons = wait_buttons((wanted,))
        if keep is not None:
            value = wanted.dump(keep)
            shown = next((b.label for b in buttons if b.value == value), value)
            buttons.append(WaitButton(f"Keep: {shown}"[:40], value))
        return Waiting(
            ordinal=self._run.ordinal(),
            explicit=False,
            inputs=[wanted.to_json()],
            key=key,
            prompt=Reply(text=prompt) if isinstance(prompt, str) else prompt,
            buttons=buttons,
        )

    def _refuse(
        self,
        reason: str,
        prompt: str | Reply,
        wanted: Input[Any],
        key: str | None,
        keep: Any,
        slot: str,
    ) -> None:
        """Takes the fresh answer out of the journal again and asks once more."""
        run = self._run
        before = run.visit.waiting
        run.visit.answers.pop()
        waiting = self._waiting(prompt, wanted, key, keep)
        waiting.failures = (before.failures if before is not None else 0) + 1
        if wanted.tries is not None and waiting.failures >= wanted.tries:
            run.visit.answers.append(Answer(TRIES_USED, key, waiting.failures))
            run.position += 1
            raise TooManyTries(waiting.failures)
        self._around.effects.emit(question(waiting, self._mint, text=reason), slot)
        run.suspend(waiting, depth=3)

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
        place = f"{self._instance.id}/{visit.place}/{visit.ordinal(0)}/{key}"
        return blake2b(place.encode(), digest_size=16).hexdigest()

    # --- saying -------------------------------------------------------------------------

    def reply(
        self, text: str | Reply, *, format: Format = "plain", keyboard: Keyboard = ()
    ) -> Message:
        """Sends a message, once the turn is committed; the handle is for ``edit``."""
        run = self._run
        run.enter()
        slot = run.slot(self._instance.id)
        if not run.muted:
            reply = text if isinstance(text, Reply) else Reply(text=text, format=format)
            if keyboard:
                reply = replace(reply, keyboard=keyboard)
            self._around.effects.emit(reply, slot)
        return Message(slot)

    def edit(
        self,
        message: Message,
        text: str,
        *,
        format: Format = "plain",
        keyboard: Keyboard = (),
    ) -> None:
        """Replaces the text and the keyboard of a message that this step has sent."""
        self._run.enter()
        if not self._run.muted:
            edit = Edit(slot=message.slot, text=text, format=format, keyboard=keyboard)
            self._around.effects.emit(edit)

    def notice(self, text: str) -> None:
        """A short notice (up to 200 characters) on the button that was pressed."""
        self._run.enter()
        if not self._run.muted:
            self._around.effects.notice = text[:NOTICE_LIMIT]

    def log(self, message: str, **values: Any) -> None:
        """Writes a line to the log, once the turn is committed."""
        self._run.enter()
        if not self._run.muted:
            self._around.effects.logs.append((message, values))

    # --- knowing ------------------------------------------------------------------------

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
    def update(self) -> Update:
        """What came in and caused this turn."""
        self._run.enter()
        return self._around.update

    @property
    def payload(self) -> str:
        """What came with the trigger: the arguments of a command, the data of a press."""
        return self._instance.payload

    @property
    def instance(self) -> str:
        """The id of this run of the flow."""
        return self._instance.id

    def start_flow(self, request: StartRequest) -> None:
        """Starts another flow after this turn's step has come to rest; see ``call_flow``."""
        self._run.enter()
        if not self._run.muted:
            self._around.effects.starts.append(request)

    # --- deciding -----------------------------------------------------------------------

    def next(self, step: S | None = None) -> Action[S]:
        """On to ``step``, to which an edge is declared; without one, along the only edge that
        leads to a step (to the end, if none does).
        """
        self._run.enter()
        return Next(step)

    def goto(self, step: S) -> Action[S]:
        """A jump to any step of the flow."""
        self._run.enter()
        return GoTo(step)

    def detour(self, step: S) -> Action[S]:
        """One visit of ``step`` and back here, whatever it decides but complete and cancel."""
        self._run.enter()
        return Detour(step)

    def back(self, *, restore: bool = False) -> Action[S]:
        """Undo the last answer; at the first one, go to the step before.

        Args:
            restore: take back what that step wrote into the data, too.
        """
        self._run.enter()
        return Back(restore)

    def repeat(self, notice: str | None = None) -> Action[S]:
        """Discard what this run of the step changed, say ``notice`` and ask again."""
        self._run.enter()
        return Repeat(notice)

    def retry(self) -> Action[S]:
        """For ``on_error``: run the failed step once more with the same answers, at most three
        times in a turn.
        """
        self._run.enter()
        return Retry()

    def wait(self, *accept: Input[Any], prompt: str | Reply | None = None) -> Action[S]:
        """Keep the data and come to rest; the next input runs the handler from its top, with
        ``turn.input`` set.

        Args:
            accept: what is taken as an answer, tried in this order; a text unless said.
            prompt: the question, where no reply before has asked it.
        """
        self._run.enter()
        reply = Reply(text=prompt) if isinstance(prompt, str) else prompt
        return Wait(accept or (Text(),), reply)

    def complete(self) -> Action[S]:
        """The flow is over, and it succeeded."""
        self._run.enter()
        return Complete()

    def cancel(self, reason: str = "cancelled") -> Action[S]:
        """The flow is over, and it did not succeed."""
        self._run.enter()
        return Cancel(reason)


async def _refusal(wanted: Input[Any], check: Check[Any] | None, value: Any) -> str | None:
    """What the input or the caller has against the value, if anything."""
    reason = wanted.check(value)
    if reason is not None or check is None:
        return reason
    verdict = check(value)
    return await verdict if inspect.isawaitable(verdict) else verdict


def _as_json(key: str, value: object) -> Any:
    try:
        return orjson.loads(orjson.dumps(value))
    except orjson.JSONEncodeError as error:
        raise TypeError(
            f"turn.once({key!r}, ...) gave {type(value).__name__}, which is no JSON ({error}). "
            "Return plain data: numbers, texts, lists, dicts."
        ) from error
