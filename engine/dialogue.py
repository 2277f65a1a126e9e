"""One turn of one conversation: who gets the update, and what comes of it."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any
from uuid import uuid4

from engine.bot import Bot
from engine.buttons import minting
from engine.routing import (
    Answered,
    Decision,
    Handled,
    Outdated,
    Plain,
    Refused,
    Started,
    Timer,
    route,
)
from engine.sessions import SessionCell, keep_entry_values
from engine.state import Conversation, sort_out
from engine.steps import StepFailed
from engine.timers import TTL
from engine.walk import Moved, OnceNotes, Walk
from flows.context import Context
from flows.effects import Effects, StartRequest
from flows.errors import UnknownFlow
from flows.flow import Flow
from flows.inputs import input_from_json
from flows.instance import FlowInstance, Status
from flows.journal import TRIES_USED
from flows.router import PlainHandler
from flows.turn import Surroundings
from flows.updates import Person, Press, Update
from flows.visit import Answer, Given

_log = logging.getLogger("handrail.engine")


class Dialogue:
    """Handles one update; afterwards its attributes say what is to be committed.

    Attributes:
        touched: ids of the instances that started or took an input.

    Args:
        cause: seq of the inbox row; ids of new instances come from it, so that a turn that is
            run again makes the same ones.
        person: who may press the buttons that this turn shows.
        notes: what ``turn.once`` stored for this cause before, if it ran before.
        save_notes: stores ``notes`` durably.
    """

    def __init__(
        self,
        bot: Bot,
        conversation: Conversation,
        update: Update,
        *,
        cause: int,
        now: int,
        person: str,
        notes: OnceNotes,
        save_notes: Callable[[], Awaitable[None]],
    ) -> None:
        self.bot = bot
        self.conversation = conversation
        self.update = update
        self.effects = Effects()
        self._cause = cause
        self._now = now
        self._started = 0
        self.touched: set[str] = set()
        self._shown: str | None = None
        self.session = SessionCell(bot.session, conversation.session)
        self.walk = Walk(
            around=Surroundings(
                update=update,
                user=update.user or Person(id=""),
                person=person,
                deps=bot.deps,
                effects=self.effects,
                now=now,
            ),
            stack=conversation.stack,
            session=self.session,
            texts=bot.texts,
            rerun_every_step=bot.rerun_every_step,
            notes=notes,
            save_notes=save_notes,
            # no method of this object: a cycle would keep all of a turn until the next collection
            mint=partial(minting, person=person),
        )

    @property
    def moves(self) -> list[Moved]:
        """Every move of the turn, in order."""
        return self.walk.moves

    @property
    def ended(self) -> list[FlowInstance]:
        """Instances that are over."""
        return self.walk.ended

    async def run(self) -> None:
        """Handles the update, inside the middleware.

        Raises:
            StepFailed: a step failed and nothing helped.
            Exception: whatever a plain handler or a middleware raised.
        """
        self._set_aside()
        if self.bot.router.middlewares:
            await self._inside_middleware()
        else:
            await self._innermost()
        self.conversation.session = self.session.value

    async def _innermost(self) -> None:
        await self._handle(route(self.conversation, self.update, self.bot.router))
        await self._start_requested()
        self._uncover()

    async def _inside_middleware(self) -> None:
        """The middleware sees the session before and after; what it writes counts for both. An
        error of the handling has left no trace when it gets there: it may say so in its own way.
        """
        context = self._context("")
        handled = False

        async def innermost() -> None:
            nonlocal handled
            if handled:
                raise RuntimeError(
                    "a middleware called call_next() twice. The update was handled the first time."
                )
            self._take_back(context)
            try:
                with self._undone_by_an_error():
                    await self._innermost()
                handled = True
            finally:
                self.session.refresh(context.session)

        call: Callable[[], Awaitable[None]] = innermost
        for middleware in reversed(self.bot.router.middlewares):
            call = _around(middleware, context, call)
        await call()
        self._take_back(context)
        await self._start_requested()
        self._uncover()

    @contextmanager
    def _undone_by_an_error(self) -> Iterator[None]:
        before, session = self.conversation.encode(), self.session.value
        said, moves, ended = self.effects.mark(), len(self.moves), len(self.ended)
        touched, shown = set(self.touched), self._shown
        try:
            yield
        except BaseException as error:
            self.conversation.go_back_to(Conversation.decode("", before))
            self.conversation.keep_results(self.walk.notes)
            self.walk.noted.clear()
            self.effects.undo(said)
            del self.moves[moves:], self.ended[ended:]
            self.session.value, self.touched, self._shown = session, touched, shown
            if isinstance(error, StepFailed):
                raise error.cause from None
            raise

    # --- deciding who -------------------------------------------------------------------

    async def _handle(self, decision: Decision) -> None:
        match decision:
            case Answered():
                await self._answer(decision)
            case Refused(instance=instance):
                await self._refuse(instance, decision)
            case Outdated(instance=instance, reason=reason):
                await self._start_again(instance, reason)
            case Started(flow=flow, payload=payload):
                await self._start(StartRequest(flow, {}, payload))
            case Handled(handler=handler, payload=payload):
                await self._call(handler, payload)
            case Timer():
                self._time_is_up(decision)
            case Plain():
                await self._by_itself(decision)

    async def _by_itself(self, plain: Plain) -> None:
        texts, top = self.bot.texts, self.conversation.top
        match plain:
            case Plain.CANCEL:
                self._cancel(top)
            case Plain.BACK if top is None:
                self._say(texts.nothing_to_undo)
            case Plain.BACK if top is not None:
                await self.walk.back(self._flow(top), top)
                self._shown = top.id
            case Plain.HELP:
                self._say(texts.commands(self.bot.commands()))
                self._show_top()
            case Plain.STALE_PRESS:
                await self._stale_press()
            case Plain.FOREIGN_PRESS:
                self.effects.notice = texts.foreign_press
            case Plain.REOPEN:
                self._show_top()
            case Plain.ASK_AGAIN:
                self._ask_again()
            case Plain.FALLBACK:
                await self._fall_back()

    # --- answers ------------------------------------------------------------------------

    async def _answer(self, answered: Answered) -> None:
        instance = answered.instance
        visit = instance.visit
        if visit is None or visit.waiting is None:
            return
        self.conversation.raise_to_top(instance)
        waiting = visit.waiting
        instance.inputs += 1
        self.touched.add(instance.id)
        stored = waiting.inputs[answered.input]
        if waiting.explicit:
            visit.given = Given(stored, answered.value)
            visit.waiting = None
        else:
            kind = str(stored["kind"])
            visit.answers.append(Answer(kind, waiting.key, answered.value))
        await self._go_on(instance, fresh=not waiting.explicit, replay=not waiting.explicit)

    async def _refuse(self, instance: FlowInstance, refused: Refused) -> None:
        visit = instance.visit
        if visit is None or visit.waiting is None:
            return
        waiting = visit.waiting
        waiting.failures += 1
        tries = input_from_json(waiting.inputs[refused.input]).tries
        if tries is None or waiting.failures < tries:
            self.walk.refuse(instance, visit, waiting, refused.reason)
            return
        if waiting.explicit:
            self._say(self.bot.texts.too_many_tries)
            self._end(instance, Status.CANCELLED, cause="too many tries")
            return
        visit.answers.append(Answer(TRIES_USED, waiting.key, waiting.failures))
        await self._go_on(instance, fresh=True, replay=True)

    async def _start_again(self, instance: FlowInstance, reason: str) -> None:
        if instance.visit is None:
            return
        self.walk.restart(self._flow(instance), instance, instance.visit, reason)
        await self._go_on(instance, fresh=False, replay=False)

    async def _go_on(self, instance: FlowInstance, *, fresh: bool, replay: bool) -> None:
        await self.walk.go(self._flow(instance), instance, fresh=fresh, replay=replay)
        self._shown = instance.id

    # --- starting and ending ------------------------------------------------------------

    async def _start(self, request: StartRequest) -> None:
        flow = request.flow
        if self.bot.registry.flows.get(flow.name) is not flow:
            raise UnknownFlow(flow.name, self.bot.registry.flows)
        running = self._running(flow.name)
        if running is not None:
            self.conversation.raise_to_top(running)
            self.walk.show(running)
            self._shown = running.id
            return
        instance = FlowInstance(
            id=f"{_base36(self._cause)}-{self._started}",
            flow=flow.name,
            version=flow.version,
            secret=uuid4().hex,
            data=flow.start(request.arguments),
            started=self._now,
            payload=request.payload,
        )
        self._started += 1
        self.touched.add(instance.id)
        self.conversation.stack.append(instance)
        await self.walk.begin(flow, instance)
        self._shown = instance.id

    def _running(self, flow: str) -> FlowInstance | None:
        """The run of that flow; one that this turn has ended may be started anew."""
        runs = (one for one in self.conversation.stack if one.flow == flow)
        return next((one for one in runs if one.status is Status.ACTIVE), None)

    async def _start_requested(self) -> None:
        while self.effects.starts:
            await self._start(self.effects.starts.pop(0))

    def _cancel(self, instance: FlowInstance | None) -> None:
        if instance is None:
            self._say(self.bot.texts.nothing_to_cancel)
            return
        self._say(self.bot.texts.cancelled)
        self._end(instance, Status.CANCELLED, cause="cancel command")

    def _time_is_up(self, timer: Timer) -> None:
        instance = self.conversation.find(timer.instance)
        if instance is None or timer.name != TTL or timer.body.get("inputs") != instance.inputs:
            return
        self._say(self.bot.texts.expired)
        self._end(instance, Status.EXPIRED, cause="ttl")

    def _end(self, instance: FlowInstance, status: Status, *, cause: str) -> None:
        self.walk.end(instance, status, cause=cause)

    def _uncover(self) -> None:
        """Takes ended instances off the stack and shows the question that was beneath."""
        stack = self.conversation.stack
        running = [one for one in stack if one.status is Status.ACTIVE]
        if len(running) == len(stack):
            return
        stack[:] = running
        top = self.conversation.top
        if top is not None and top.id != self._shown:
            self._show_top()

    # --- plain handlers -----------------------------------------------------------------

    async def _call(self, handler: PlainHandler, payload: str) -> None:
        context = self._context(payload)
        await handler(context)
        self._take_back(context)

    async def _fall_back(self) -> None:
        handler = self.bot.router.fallback_handler
        if handler is not None:
            await self._call(handler, "")
        elif isinstance(self.update.content, Press):
            self.effects.notice = self.bot.texts.stale_press
        elif self.update.conversation is not None:
            self._say(self.bot.texts.hint(self.bot.commands()))

    async def _stale_press(self) -> None:
        handler = self.bot.router.stale_press_handler
        if handler is not None:
            await self._call(handler, "")
            return
        self.effects.notice = self.bot.texts.stale_press
        self._show_top()

    def _context(self, payload: str) -> Context[Any, Any]:
        return Context(
            update=self.update,
            payload=payload,
            session=self.session.lend(),
            deps=self.bot.deps,
            effects=self.effects,
        )

    def _take_back(self, context: Context[Any, Any]) -> None:
        """Keeps what a handler wrote; open steps go on seeing the values as of their entry."""
        keep_entry_values(self.conversation.stack, self.session.take_back(context.session))

    # --- showing ------------------------------------------------------------------------

    def _say(self, text: str) -> None:
        self.walk.say(text)

    def _show_top(self) -> None:
        top = self.conversation.top
        if top is not None:
            self.walk.show(top)
            self._shown = top.id

    def _ask_again(self) -> None:
        """Nothing took the update, and something waits: its question again, with a hint."""
        top = self.conversation.top
        if top is None or top.visit is None or top.visit.waiting is None:
            return
        hints = [input_from_json(stored).hint() for stored in top.visit.waiting.inputs]
        if isinstance(self.update.content, Press):
            self.effects.notice = self.bot.texts.stale_press
        self.walk.show(top, hint=" ".join((self.bot.texts.not_now, *dict.fromkeys(hints))))

    def _flow(self, instance: FlowInstance) -> Flow[Any, Any]:
        return self.bot.registry.get(instance.flow)

    def _set_aside(self) -> None:
        for found in sort_out(self.conversation, self.bot.registry):
            one = found.instance
            _log.error(
                "instance %s of flow %r at step %s is set aside (quarantined): %s. Its data is "
                "kept; bring back code that fits it.",
                one.id, one.flow, one.step, found.reason,
            )  # fmt: skip
            self._say(self.bot.texts.quarantined)


def _around(
    middleware: Callable[[Context[Any, Any], Callable[[], Awaitable[None]]], Awaitable[None]],
    context: Context[Any, Any],
    call_next: Callable[[], Awaitable[None]],
) -> Callable[[], Awaitable[None]]:
    async def call() -> None:
        await middleware(context, call_next)

    return call


_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits or "0"
