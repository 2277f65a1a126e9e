"""How a plain handler asks: it becomes a conversation when it first needs one.

A handler that never asks has none of it. One that does is a flow of one step: at its first question
the engine makes an instance, whose journal runs the handler again from its top with each answer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar, overload

from flows.errors import CannotAsk
from flows.inputs import Input, Text
from flows.messages.replies import Reply
from flows.turns.actions import Action
from flows.turns.asking import Check, Otherwise, Question
from flows.turns.effects import CancelRequest, Effects
from flows.turns.timing import Remind, Timing
from flows.turns.turn import Turn

if TYPE_CHECKING:
    from flows.flow import Flow
    from flows.plain.context import Context

T = TypeVar("T")
R = TypeVar("R")

AnyTurn = Turn[Any, Any, Any]

TextOrHandler: TypeAlias = "str | Callable[[Context[Any, Any]], Awaitable[None]]"
"""What is said, or an async function of a context that says it."""

_ANYTHING = Text()
"""What a question accepts that does not say."""


class Opening(Protocol):
    """Makes the conversation of a handler when it first needs one."""

    def begin(self) -> AnyTurn:
        """The turn that stands behind the handler from now on.

        Raises:
            CannotAsk: there is nobody to be asked.
            DefinitionError: another handler has the same name.
        """
        ...

    async def open(self) -> None:
        """The first question is about to be asked: makes room for it. Does not return where
        what runs here refuses to be interrupted.
        """
        ...


class PlainAsks:
    """The part of a context that asks, and that remembers over the runs of its handler."""

    _turn: AnyTurn | None
    _opening: Opening | None
    _out: Effects
    _said: int

    @overload
    async def ask(
        self,
        prompt: str | Reply | None,
        accept: None = None,
        *,
        key: str | None = None,
        keep: str | None = None,
        check: Check[str] | None = None,
        otherwise: TextOrHandler | None = None,
        timeout: timedelta | None = None,
        remind: Remind | None = None,
        on_timeout: TextOrHandler | None = None,
    ) -> str: ...

    @overload
    async def ask(
        self,
        prompt: str | Reply | None,
        accept: Input[T],
        *,
        key: str | None = None,
        keep: T | None = None,
        check: Check[T] | None = None,
        otherwise: TextOrHandler | None = None,
        timeout: timedelta | None = None,
        remind: Remind | None = None,
        on_timeout: TextOrHandler | None = None,
    ) -> T: ...

    async def ask(
        self,
        prompt: str | Reply | None,
        accept: Input[Any] | None = None,
        *,
        key: str | None = None,
        keep: Any = None,
        check: Check[Any] | None = None,
        otherwise: TextOrHandler | None = None,
        timeout: timedelta | None = None,
        remind: Remind | None = None,
        on_timeout: TextOrHandler | None = None,
    ) -> Any:
        """Asks and answers what the person says, however much later; a restart loses nothing.

        The handler is left here, and run again from its top when the answer is there, as a step
        is. ``update``, ``payload`` and ``user`` stay those of the update that called it.

        Args:
            prompt: the question; None: the last message of the handler is the question.
            accept: what is taken as an answer; a text unless said.
            key: a name for this question, where the order of questions may change in a deploy.
            keep: adds a button "Keep: ..." that answers with this value.
            check: looks at the parsed answer; a text refuses it and is said to the person.
            otherwise: what happens, in place of the reason and the question, when something comes
                that the question does not take and no other handler either: a text, or an async
                function of a context of its own, whose ``update`` is what came. The question
                stays open. The function cannot ask, and what it writes into the session is not
                kept.
            timeout: how long the answer may take; a refused one does not start it anew.
            remind: reminders, each counted from the asking.
            on_timeout: what happens when the time is up and the handler does not catch
                AskTimeout: a text, or an async function of a context. Then the conversation ends;
                without it, too, with the engine's own words.

        Raises:
            TooManyTries: the tries that ``accept`` allows are used up.
            AskTimeout: nobody answered in time.
            CannotAsk: it is no handler of its own that asks, or there is nobody to be asked.
            DefinitionError: a time that cannot be, or a handler that shares its name.
        """
        turn = await self._opened()
        run = turn._run
        run.enter_ask()
        asked = Question(
            self._last_said() if prompt is None else prompt,
            accept if accept is not None else _ANYTHING,
            key,
            keep,
            Timing.of(timeout, remind, self._decision(on_timeout)),
            (),
            None,
            None,
            self._telling(otherwise),
        )
        answer = await turn._asker().ask_or_else(asked, check)
        self._said = len(self._out.emissions)
        return answer

    async def call(self, flow: Flow[Any, Any, R], data: Any = None, *, key: str | None = None) -> R:
        """Runs a flow to its end, and answers its result; see ``Turn.call``. The flow has to be
        registered: ``registry.register_callable(flow)``.

        Raises:
            ChildCancelled: it did not succeed.
            UnknownFlow: it is not registered.
            StartRefused: these arguments do not make its data.
            CannotAsk: as in ``ask``.
        """
        return await (await self._opened()).call(flow, data, key=key)

    @overload
    async def once(self, key: str, fn: Callable[[], Awaitable[T]]) -> T: ...

    @overload
    async def once(self, key: str, fn: Callable[[], T]) -> T: ...

    async def once(self, key: str, fn: Callable[[], Any]) -> Any:
        """The result of ``fn``, called once however often the handler is run again; see
        ``Turn.once``.

        Raises:
            TypeError: the result is no JSON.
            CannotAsk: as in ``ask``.
        """
        return await self._journaled().once(key, fn)

    def idempotency_key(self, key: str) -> str:
        """A key for outside calls, the same in every run of this handler for this update; see
        ``Turn.idempotency_key``.
        """
        return self._journaled().idempotency_key(key)

    @property
    def now(self) -> datetime:
        """The time (UTC) at which the handler first looked at the clock; the same in a re-run."""
        return self._journaled().now

    @property
    def random(self) -> Random:
        """A random generator that draws the same numbers in every re-run."""
        return self._journaled().random

    def cancel_conversation(self, reason: str = "cancelled") -> None:
        """Ends all that runs in this person's conversation, this handler's own included, once the
        handler has come to rest. Nothing is said about it. For another conversation there is
        ``app.cancel_conversation``.
        """
        self._effects.starts.append(CancelRequest(reason))

    def _go_on(self, turn: AnyTurn) -> None:
        """It is another run of a handler that has asked: this turn stands behind it."""
        self._turn = turn

    @property
    def _effects(self) -> Effects:
        """Where it says things; what an earlier run has said goes nowhere."""
        turn = self._turn
        if turn is None:
            return self._out
        turn._run.enter()
        return Effects() if turn._run.muted else self._out

    def _journaled(self) -> AnyTurn:
        """The turn that stands behind the handler; it begins here, if it has not."""
        if self._turn is None:
            if self._opening is None:
                raise CannotAsk(
                    "only a plain handler asks: no middleware, and nothing that is called beside a "
                    "question. Ask in the handler itself, or start a flow with call_flow."
                )
            self._turn = self._opening.begin()
        return self._turn

    async def _opened(self) -> AnyTurn:
        turn = self._journaled()
        opening, self._opening = self._opening, None
        if opening is not None:
            await opening.open()
        return turn

    def _last_said(self) -> Reply | None:
        """The last message since the question before; it becomes the question itself."""
        emissions = self._out.emissions
        if len(emissions) > self._said and isinstance(last := emissions[-1].send, Reply):
            del emissions[-1]
            return last
        return None

    def _telling(self, otherwise: TextOrHandler | None) -> str | Otherwise | None:
        if otherwise is None or isinstance(otherwise, str):
            return otherwise

        async def tell() -> None:
            await otherwise(self._beside(self._journaled()))

        return tell

    def _decision(self, on_timeout: TextOrHandler | None) -> Any:
        if on_timeout is None:
            return None

        async def decide(turn: AnyTurn) -> Action[Any]:
            if isinstance(on_timeout, str):
                turn.reply(on_timeout)
                return turn.cancel("timed out")
            beside = self._beside(turn)
            await on_timeout(beside)
            turn.session = beside.session
            return turn.cancel("timed out")

        return decide

    def _beside(self, turn: AnyTurn) -> Context[Any, Any]:
        """The context of a function that is called beside the handler, for what has come now."""
        raise NotImplementedError
