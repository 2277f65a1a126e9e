"""What a step handler is given: the data, the person, and everything it may do."""

from __future__ import annotations

import inspect
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from hashlib import blake2b
from random import Random
from typing import TYPE_CHECKING, Any, Generic, Literal, cast, overload

import orjson
from pydantic import BaseModel
from typing_extensions import TypeVar

from flows.actions import (
    Action,
    Back,
    Cancel,
    Complete,
    Detour,
    Done,
    Escalate,
    GoTo,
    Next,
    Repeat,
    Retry,
    Wait,
)
from flows.actions import (
    Remind as RemindAction,
)
from flows.asking import Asker, Check, Question, reply_of
from flows.effects import NOTICE_LIMIT, Effects, StartRequest
from flows.errors import ChildCancelled, DefinitionError
from flows.inputs import Input, Outside, Text
from flows.instance import FlowInstance, Status
from flows.journal import Calling, Run
from flows.models import DoesNotFit, dump_model
from flows.progress import Progress
from flows.questions import Mint
from flows.replies import Edit, Format, Keyboard, Message, Reply
from flows.timing import Remind, Timing
from flows.updates import Person, Update
from flows.visit import OnceResult

if TYPE_CHECKING:
    from flows.flow import Flow

S = TypeVar("S", bound=Enum)
D = TypeVar("D", bound=BaseModel)
Deps = TypeVar("Deps", default=Any)
T = TypeVar("T")

D2 = TypeVar("D2", bound=BaseModel)
R2 = TypeVar("R2")

Decide = Callable[["Turn[S, D, Deps]"], "Action[S] | Awaitable[Action[S]]"]
"""Decides what happens when the time of a question is up."""

People = Person | str | Sequence[Person | str]
"""One person or several, or their ids."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a turn brings from the engine into a step.

    Attributes:
        update: the cause of the turn.
        person: who may press the buttons, as ``ConversationKey.person`` has it.
        now: when the turn started, milliseconds since the epoch.
        turn: its number: the seq of its cause, which only grows.
    """

    update: Update
    user: Person
    person: str
    deps: Any
    effects: Effects
    now: int
    turn: int


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
        "_around", "_flow", "_instance", "_mint", "_run",
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
        flow: Flow[S, D, Any],
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
        self._flow = flow
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
        timeout: timedelta | None = None,
        remind: Remind | None = None,
        on_timeout: Decide[S, D, Deps] | None = None,
        from_: People | None = None,
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
        timeout: timedelta | None = None,
        remind: Remind | None = None,
        on_timeout: Decide[S, D, Deps] | None = None,
        from_: People | None = None,
    ) -> T: ...

    async def ask(
        self,
        prompt: str | Reply,
        accept: Input[Any] | None = None,
        *,
        key: str | None = None,
        keep: Any = None,
        check: Check[Any] | None = None,
        timeout: timedelta | None = None,
        remind: Remind | None = None,
        on_timeout: Decide[S, D, Deps] | None = None,
        from_: People | None = None,
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
            timeout: how long the answer may take; a refused one does not start it anew.
            remind: reminders, each counted from the asking.
            on_timeout: decides when the time is up and the handler does not catch AskTimeout.
            from_: whose answer counts, where several people could give one.

        Raises:
            TooManyTries: the tries that ``accept`` allows are used up.
            AskTimeout: nobody answered in time.
            DefinitionError: a time that cannot be, or somebody who could never answer.
        """
        self._run.enter_ask()
        return await self._asker().ask(
            Question(
                prompt=reply_of(prompt),
                wanted=accept if accept is not None else Text(),
                key=key,
                keep=keep,
                check=check,
                timing=Timing.of(timeout, remind, on_timeout),
                people=self._people(from_),
            )
        )

    async def ask_each(
        self,
        people: Sequence[Person | str] | None,
        prompt: str | Reply,
        accept: Input[T],
        *,
        need: Literal["all"] | int = "all",
        key: str | None = None,
        timeout: timedelta | None = None,
        remind: Remind | None = None,
        on_timeout: Decide[S, D, Deps] | None = None,
    ) -> dict[str, T]:
        """Asks several people in one chat; each answers once. For flows of a chat or a topic.

        Args:
            people: who is asked; None: everybody in the chat, and then ``need`` is a number.
            need: how many answers it takes.

        Returns:
            Person (the channel's id) to answer, in the order of the answers.

        Raises:
            AskTimeout: it took too long.
            DefinitionError: ``need`` is no number of answers that could come, somebody could never
                answer, or ``accept`` takes several presses.
        """
        self._run.enter_ask()
        asked = self._others([_person_id(one) for one in people or ()])
        if accept.start() is not None:
            raise DefinitionError(
                f"turn.ask_each: {type(accept).__name__} takes several presses, which people would "
                "mix up on one message. Ask each person on their own, with from_=.",
                flow=self._flow.name,
                step=self.step.name,
            )
        return cast(
            "dict[str, T]",
            await self._asker().ask(
                Question(
                    prompt=reply_of(prompt),
                    wanted=accept,
                    key=key,
                    timing=Timing.of(timeout, remind, on_timeout),
                    people=asked,
                    poll=_needed(need, asked),
                )
            ),
        )

    def ticket(self, key: str = "") -> str:
        """A token that nobody can guess, for one outside event: whoever has it may answer
        ``turn.outside`` through ``app.resume``. It is the same in every re-run of the step, and
        means nothing any more once it was used or the question is over.

        Args:
            key: where a step waits for several events, names this one.
        """
        self._run.enter()
        seen, name = self._run.visit.seen, f"ticket {key}"
        if name not in seen:
            seen[name] = secrets.token_urlsafe(18)
        return f"{self._run.root}.{seen[name]}"

    @overload
    async def outside(
        self,
        ticket: str,
        model: type[T],
        *,
        prompt: str | Reply | None = None,
        hint: str | None = None,
        key: str | None = None,
        timeout: timedelta | None = None,
        remind: Remind | None = None,
        on_timeout: Decide[S, D, Deps] | None = None,
    ) -> T: ...

    @overload
    async def outside(
        self,
        ticket: str,
        model: None = None,
        *,
        prompt: str | Reply | None = None,
        hint: str | None = None,
        key: str | None = None,
        timeout: timedelta | None = None,
        remind: Remind | None = None,
        on_timeout: Decide[S, D, Deps] | None = None,
    ) -> Any: ...

    async def outside(
        self,
        ticket: str,
        model: type[Any] | None = None,
        *,
        prompt: str | Reply | None = None,
        hint: str | None = None,
        key: str | None = None,
        timeout: timedelta | None = None,
        remind: Remind | None = None,
        on_timeout: Decide[S, D, Deps] | None = None,
    ) -> Any:
        """Waits until ``app.resume(ticket, payload)`` is called, and answers the payload.

        Args:
            ticket: what ``turn.ticket`` gave.
            model: the type of the payload, anything that pydantic validates; None: plain JSON.
            prompt: what to say meanwhile; None: what the step has said is enough.
            hint: what somebody reads who writes something meanwhile.

        Raises:
            AskTimeout: it took too long.
        """
        self._run.enter_ask()
        return await self._asker().ask(
            Question(
                prompt=reply_of(prompt) if prompt is not None else None,
                wanted=Outside(model=model if model is not None else Any, retry=hint),
                key=key,
                timing=Timing.of(timeout, remind, on_timeout),
                ticket=ticket,
            )
        )

    async def call(
        self,
        child: Flow[Any, D2, R2],
        data: D2 | Mapping[str, Any] | None = None,
        *,
        key: str | None = None,
    ) -> R2:
        """Runs another flow to its end, and answers its result; it is journaled as an answer is.

        Args:
            child: the flow; it has to be registered, which it is with the flow whose handler
                names it.
            data: what it starts with: its model, or some of its fields.
            key: a name for this call, where the order of questions may change in a deploy.

        Raises:
            ChildCancelled: it did not succeed.
            StartRefused: these arguments do not make its data.
        """
        return child.result(await self.call_data(child, data, key=key))

    async def call_data(
        self,
        child: Flow[Any, D2, Any],
        data: D2 | Mapping[str, Any] | None = None,
        *,
        key: str | None = None,
    ) -> D2:
        """As ``call``, but answers the data that the flow has at its end, whatever its result."""
        run = self._run
        run.enter_ask()
        answer = run.next_answer(f"call {child.name}", key)
        if answer is None:
            run.muted = False
            run.call(Calling(child, key, _start_data(child, data)))
        if run.at_fresh:
            run.muted = False
        run.position += 1
        if answer.value.get("cancelled") is not None:
            raise ChildCancelled(child.name, answer.value["cancelled"])
        try:
            return child.load(answer.value["data"])
        except DoesNotFit as error:
            run.refuse_journal(f"the result of {child.name!r} does not fit any more: {error}")

    def _asker(self) -> Asker:
        around = self._around
        return Asker(
            self._run, self._instance.id, self._mint, around.effects, around.now, around.turn
        )

    def _people(self, from_: People | None) -> list[str]:
        if from_ is None:
            return [self._instance.assignee] if self._instance.assignee is not None else []
        people = (from_,) if isinstance(from_, str | Person) else from_
        return self._others([_person_id(one) for one in people])

    def _others(self, people: list[str]) -> list[str]:
        """The people, each once. Raises DefinitionError where some of them could never answer."""
        mine = self._around.user.id
        if not self._run.shared and (strangers := [one for one in people if one != mine]):
            raise DefinitionError(
                f"only person {mine} talks with this flow, and {', '.join(strangers)} could never "
                "answer. Give the flow that several people are to share key='chat' or 'topic'.",
                flow=self._flow.name,
                step=self.step.name,
            )
        return list(dict.fromkeys(people))

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

    def assign(self, person: Person | str) -> None:
        """From now on it is this person whose answers count, unless a question says otherwise.
        For flows of a chat or a topic.

        Raises:
            DefinitionError: it is a flow of one person, and somebody else could never answer.
        """
        self._run.enter()
        (self._instance.assignee,) = self._others([_person_id(person)])

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

    def wait(
        self,
        *accept: Input[Any],
        prompt: str | Reply | None = None,
        timeout: timedelta | None = None,
        remind: Remind | None = None,
        from_: People | None = None,
    ) -> Action[S]:
        """Keep the data and come to rest; the next input runs the handler from its top, with
        ``turn.input`` set.

        Args:
            accept: what is taken as an answer, tried in this order; a text unless said.
            prompt: the question, where no reply before has asked it.
            timeout: how long the answer may take; then ``on_timeout`` of the step or the flow
                decides.
            remind: reminders, each counted from now.
            from_: whose answer counts, where several people could give one.
        """
        self._run.enter()
        reply = Reply(text=prompt) if isinstance(prompt, str) else prompt
        timing = Timing.of(timeout, remind, None)
        return Wait(accept or (Text(),), reply, timing, tuple(self._people(from_)))

    def done(self) -> Action[S]:
        """This branch of a fork is over; the flow goes on when enough of them are."""
        self._run.enter()
        return Done()

    def remind(self, text: str | None = None) -> Action[S]:
        """For ``on_timeout``: say ``text``, ask again, and give the person the same time anew."""
        self._run.enter()
        return RemindAction(text)

    def escalate(self, reason: str, *, accept: Input[Any] | None = None) -> Action[S]:
        """Keep the data and hand over to an operator, who resumes, moves or ends this run of the
        flow. Resumed, the step is run from its top with ``turn.input``: the operator's answer.
        After ``on_error`` has decided so, it is the failed step that runs again, over its journal.

        Args:
            reason: what the operator reads.
            accept: what the operator may answer, and how it is read; None: any JSON.
        """
        self._run.enter()
        return Escalate(reason, accept)

    def complete(self) -> Action[S]:
        """The flow is over, and it succeeded."""
        self._run.enter()
        return Complete()

    def cancel(self, reason: str = "cancelled") -> Action[S]:
        """The flow is over, and it did not succeed."""
        self._run.enter()
        return Cancel(reason)


def _person_id(person: Person | str) -> str:
    return person.id if isinstance(person, Person) else person


def _needed(need: Literal["all"] | int, people: Sequence[str]) -> int:
    """How many answers a poll takes. Raises DefinitionError."""
    if need == "all" and people:
        return len(people)
    if isinstance(need, int) and 1 <= need <= (len(people) or need):
        return need
    raise DefinitionError(
        f"turn.ask_each: need={need!r} of {len(people) or 'any number of'} people cannot be. "
        "Give a number from 1 on, or name the people and say 'all'."
    )


def _start_data(child: Flow[Any, D2, R2], data: D2 | Mapping[str, Any] | None) -> dict[str, Any]:
    return dump_model(data) if isinstance(data, BaseModel) else child.start(data or {})


def _as_json(key: str, value: object) -> Any:
    try:
        return orjson.loads(orjson.dumps(value))
    except orjson.JSONEncodeError as error:
        raise TypeError(
            f"turn.once({key!r}, ...) gave {type(value).__name__}, which is no JSON ({error}). "
            "Return plain data: numbers, texts, lists, dicts."
        ) from error
