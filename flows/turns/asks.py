"""What a turn asks: people, outside events, and other flows."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any, Generic, Literal, cast, overload

from pydantic import BaseModel
from typing_extensions import TypeVar

from flows.errors import ChildCancelled, DefinitionError
from flows.inputs import Input, Outside, Text
from flows.messages.replies import Reply
from flows.models import DoesNotFit, dump_model
from flows.turns.actions import Action
from flows.turns.answerers import Answerers, People, Who
from flows.turns.asking import Asker, Check, Question
from flows.turns.journal import Calling
from flows.turns.questions import Mint
from flows.turns.timing import UNTIMED, Remind, Timing
from flows.turns.visit import OnceResult

if TYPE_CHECKING:
    from flows.flow import Flow
    from flows.turns.turn import Turn

S = TypeVar("S", bound=Enum)
D = TypeVar("D", bound=BaseModel)
Deps = TypeVar("Deps", default=Any)
T = TypeVar("T")

D2 = TypeVar("D2", bound=BaseModel)
R2 = TypeVar("R2")

Decide = Callable[["Turn[S, D, Deps]"], "Action[S] | Awaitable[Action[S]]"]
"""Decides what happens when the time of a question is up."""


_ANYTHING = Text()
"""What a question accepts that does not say."""


class Asks(Answerers, Generic[S, D, Deps]):
    """The part of a turn that asks: the run ends there until the answer has come."""

    __slots__ = ()

    _mint: Mint

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
        on_timeout: S | Decide[S, D, Deps] | None = None,
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
        on_timeout: S | Decide[S, D, Deps] | None = None,
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
        on_timeout: S | Decide[S, D, Deps] | None = None,
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
            on_timeout: a step to jump to, or a function that decides, when the time is up and the
                handler does not catch AskTimeout.
            from_: whose answer counts, where several people could give one.

        Raises:
            TooManyTries: the tries that ``accept`` allows are used up.
            AskTimeout: nobody answered in time.
            DefinitionError: a time that cannot be, or somebody who could never answer.
        """
        self._run.enter_ask()
        timed = timeout is not None or remind is not None or on_timeout is not None
        asked = Question(
            prompt,
            accept if accept is not None else _ANYTHING,
            key,
            keep,
            Timing.of(timeout, remind, on_timeout) if timed else UNTIMED,
            self._people(from_),
            None,
            None,
            None,
        )
        if check is None:
            return self._asker().ask(asked)
        return await self._asker().ask_and_check(asked, check)

    async def ask_each(
        self,
        people: Iterable[Who] | None,
        prompt: str | Reply,
        accept: Input[T],
        *,
        need: Literal["all"] | int = "all",
        key: str | None = None,
        timeout: timedelta | None = None,
        remind: Remind | None = None,
        on_timeout: S | Decide[S, D, Deps] | None = None,
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
        asked = self._asked(people)
        if accept.start() is not None:
            raise DefinitionError(
                f"turn.ask_each: {type(accept).__name__} takes several presses, which people would "
                "mix up on one message. Ask each person on their own, with from_=.",
                flow=self._flow.name,
                step=self.step.name,
            )
        return cast(
            "dict[str, T]",
            self._asker().ask(
                Question(
                    prompt,
                    accept,
                    key=key,
                    timing=Timing.of(timeout, remind, on_timeout),
                    people=asked,
                    poll=_needed(need, asked),
                )
            ),
        )

    def _asked(self, people: Iterable[Who] | None) -> list[str]:
        """Who is asked; empty: everybody in the chat. Raises DefinitionError."""
        if people is not None and not isinstance(people, str):
            return self._others(people)
        if people is None and self._run.shared:
            return []
        raise DefinitionError(
            "turn.ask_each asks several people: give it a list of them, or None for everybody in "
            "the chat, in a flow with key='chat' or 'topic'.",
            flow=self._flow.name,
            step=self.step.name,
        )

    def ticket(self, key: str = "") -> str:
        """A token that nobody can guess, for one outside event: whoever has it may answer
        ``turn.outside`` through ``app.resume``. It is the same in every re-run of the step. It
        means nothing any more once it was used, or ``back`` has undone what came before it.

        Args:
            key: where a step draws several at one place, names this one.
        """
        run = self._run
        run.enter()
        # kept as a result of once is: undone together with the answers that it came after
        name = f"(ticket) {run.position} {key}"
        drawn = run.visit.once.setdefault(name, OnceResult(run.position, secrets.token_urlsafe(18)))
        ticket = f"{run.root}.{drawn.value}"
        run.tickets.setdefault(ticket, False)
        return ticket

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
        on_timeout: S | Decide[S, D, Deps] | None = None,
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
        on_timeout: S | Decide[S, D, Deps] | None = None,
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
        on_timeout: S | Decide[S, D, Deps] | None = None,
    ) -> Any:
        """Waits until ``app.resume(ticket, payload)`` is called, and answers the payload.

        Args:
            ticket: what ``turn.ticket`` gave.
            model: the type of the payload, anything that pydantic validates; None: plain JSON.
            prompt: what to say meanwhile; None: what the step has said is enough.
            hint: what somebody reads who writes something meanwhile.

        Raises:
            AskTimeout: it took too long.
            DefinitionError: the step has not drawn that ticket, or has used it before.
        """
        self._run.enter_ask()
        self._check_ticket(ticket)
        brought = self._asker().ask(
            Question(
                prompt,
                Outside(model=model if model is not None else Any, retry=hint),
                key=key,
                timing=Timing.of(timeout, remind, on_timeout),
                ticket=ticket,
            )
        )
        self._run.tickets[ticket] = True
        return brought

    def _check_ticket(self, ticket: str) -> None:
        used = self._run.tickets.get(ticket)
        if used is None:
            reason = "is none that this step has drawn. Take what turn.ticket() gives"
        elif used:
            reason = "was used by an event before. Draw another: turn.ticket('second')"
        else:
            return
        raise DefinitionError(
            f"the ticket of turn.outside {reason}.", flow=self._flow.name, step=self.step.name
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
