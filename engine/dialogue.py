"""One turn of one conversation: who gets the update, and what comes of it."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from engine import endings, expiry, showing
from engine.answers import Answers
from engine.bot import Bot
from engine.candidates import Answered, Outdated, Refused, waiting_places
from engine.conversations import Conversations
from engine.dues import handle_due
from engine.orders import Orders
from engine.places import Place, current, leaves, top
from engine.routing import (
    Decision,
    Drafted,
    Handled,
    HubPressed,
    Noticed,
    Plain,
    Routing,
    Started,
    route,
)
from engine.sessions import SessionCell
from engine.stage import Moved, OnceNotes, Stage
from engine.starting import Starter
from engine.state import Conversation, sort_out
from engine.steps import StepFailed
from engine.timers import pass_over_reminders
from engine.walk import Walk
from flows.context import Context
from flows.effects import Effects, StartRequest
from flows.inputs import input_from_json
from flows.instance import FlowInstance, Status
from flows.router import PlainHandler
from flows.surroundings import Surroundings
from flows.updates import Order, Person, Press, TimerFired, Update

_log = logging.getLogger("handrail.engine")


Refs = Callable[[Collection[str]], Awaitable[Mapping[str, str]]]


class Dialogue:
    """Handles one update; afterwards its attributes say what is to be committed.

    Args:
        conversations: storage key to conversation, the person's own first.
        cause: seq of the inbox row; ids of new instances come from it, so that a turn that is
            run again makes the same ones.
        person: who may press the buttons that this turn shows.
        notes: what ``turn.once`` stored for this cause before, if it ran before.
        save_notes: stores ``notes`` durably.
        refs: looks up the channel's references of messages by their names.
    """

    def __init__(
        self,
        bot: Bot,
        conversations: Mapping[str, Conversation],
        update: Update,
        *,
        cause: int,
        now: int,
        person: str,
        notes: OnceNotes,
        save_notes: Callable[[], Awaitable[None]],
        refs: Refs,
    ) -> None:
        self.bot = bot
        self.conversations = Conversations(conversations, update)
        self.update = update
        self.effects = Effects()
        own = self.conversations.own
        self.session = SessionCell(bot.session, own.session if self._has_session else {})
        self.stage = Stage(
            flows=bot.registry.flows,
            around=Surroundings(
                update=update,
                user=update.user or Person(id=""),
                person=person,
                deps=bot.deps,
                effects=self.effects,
                now=now,
                turn=cause,
            ),
            # no method of this object: a cycle would keep all of a turn until the next collection
            running=self.conversations.running,
            session=self.session,
            texts=bot.texts,
            rerun_every_step=bot.rerun_every_step,
            notes=notes,
            save_notes=save_notes,
        )
        self.walk = Walk(self.stage)
        self._refs = refs
        self._shown: str | None = None
        self._starter = Starter(self.walk, self.conversations, cause)

    @property
    def _has_session(self) -> bool:
        """The session is the person's: what nobody has sent begins with an empty one, which is
        not kept.
        """
        return self.update.address is not None and self.update.user is not None

    @property
    def moves(self) -> list[Moved]:
        """Every move of the turn, in order."""
        return self.stage.moves

    @property
    def ended(self) -> list[FlowInstance]:
        """Instances that are over."""
        return self.stage.ended

    @property
    def talked_in(self) -> str | None:
        """The storage key of the scope whose question was shown last."""
        return self.conversations.homes.get(self._shown) if self._shown is not None else None

    async def run(self) -> None:
        """Handles the update, inside the middleware.

        Raises:
            StepFailed: a step failed and nothing helped.
            Exception: whatever a plain handler or a middleware raised.
        """
        self._set_aside()
        for root in self.conversations.running():
            expiry.set_clocks(root, self.stage.flows, self.stage.now)
        if self.bot.router.middlewares:
            await self._inside_middleware()
        else:
            await self._innermost()
        if self._has_session:
            self.conversations.own.session = self.session.value

    async def _innermost(self) -> None:
        await self._overdue()
        routing = Routing(
            conversations=self.conversations,
            flows=self.stage.flows,
            router=self.bot.router,
            texts=self.bot.texts,
            replied=await self._replied_to(),
        )
        await self._handle(route(routing, self.update))
        await self._start_requested()
        self._uncover()

    async def _replied_to(self) -> str | None:
        """The name of the question that the update replies to, where several are waiting."""
        reply_to = self.update.reply_to
        if reply_to is None:
            return None
        places = waiting_places(self.conversations, self.stage.flows)
        slots = [place.visit.waiting.slot for place in places if place.visit.waiting is not None]
        if len(slots) < 2:
            return None
        refs = await self._refs(slots)
        return next((slot for slot, reference in refs.items() if reference == reply_to), None)

    async def _overdue(self) -> None:
        """What was due before the update happened, has happened before it."""
        content = self.update.content
        until = self.update.at
        if isinstance(content, TimerFired):
            until = max(self.stage.now, int(content.body.get("due", 0)))
        last = await handle_due(
            self.walk, self.conversations, until=until, undone=self._undone_by_an_error
        )
        if last is not None:
            self._shown = last.id if last.status is Status.ACTIVE else None
            self._show_uncovered()

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
        before = {key: one.encode() for key, one in self.conversations.by_key.items()}
        session = self.session.value
        said, moved, ended = self.effects.mark(), len(self.moves), len(self.ended)
        shown, entered = self._shown, len(self.stage.entered)
        try:
            yield
        except BaseException as error:
            for key, text in before.items():
                conversation = self.conversations.by_key[key]
                conversation.go_back_to(Conversation.decode(key, text))
                conversation.keep_results(self.stage.notes)
            self.stage.noted.clear()
            self.effects.undo(said)
            del self.moves[moved:], self.ended[ended:], self.stage.entered[entered:]
            self.session.value, self._shown = session, shown
            if isinstance(error, StepFailed):
                raise error.cause from None
            raise

    # --- deciding who -------------------------------------------------------------------

    async def _handle(self, decision: Decision) -> None:
        match decision:
            case Answered() | Refused() | Outdated() | Drafted() | HubPressed():
                await self._answer(decision)
            case Noticed(text=text):
                self.stage.remark(text)
            case Started(flow=flow, payload=payload):
                await self._start(StartRequest(flow, {}, payload))
            case Handled(handler=handler, payload=payload):
                await self._call(handler, payload)
            case Order():
                orders = Orders(self.walk, self.conversations, self._starter)
                self._note_shown(await orders.obey(decision))
            case TimerFired():
                pass  # what was due has happened before the routing
            case Plain():
                await self._by_itself(decision)

    async def _answer(self, decision: Answered | Refused | Outdated | Drafted | HubPressed) -> None:
        root = decision.place.root
        self._rise(root)
        answers = Answers(self.walk, self.stage.around.user.id)
        match decision:
            case Answered():
                await answers.answered(decision)
            case Refused():
                await answers.refused(decision)
            case Outdated():
                await answers.outdated(decision)
            case Drafted():
                answers.drafted(decision)
            case HubPressed():
                await answers.hub_pressed(decision)
        self._note_shown(root)

    def _rise(self, root: FlowInstance) -> None:
        if self.conversations.raise_to_top(root):
            pass_over_reminders(root, self.stage.flows, self.stage.now)

    async def _by_itself(self, plain: Plain) -> None:
        texts, foremost = self.bot.texts, self.foremost()
        if plain in (Plain.CANCEL, Plain.BACK) and self._belongs_to_another(foremost):
            self.stage.remark(texts.for_somebody_else)
            return
        match plain:
            case Plain.CANCEL:
                await self._cancel(foremost)
            case Plain.BACK if foremost is None:
                self._say(texts.nothing_to_undo)
            case Plain.BACK if foremost is not None:
                await self.walk.back(current(self._place(foremost), self.stage.flows))
                self._note_shown(foremost)
            case Plain.HELP:
                self._say(texts.commands(self.bot.commands()))
                self._show_foremost()
            case Plain.STALE_PRESS:
                await self._stale_press()
            case Plain.FOREIGN_PRESS:
                self.effects.notice = texts.foreign_press
            case Plain.REOPEN:
                self._show_foremost()
            case Plain.ASK_AGAIN:
                self._ask_again()
            case Plain.ESCALATED:
                self._say(texts.escalated)
            case Plain.FALLBACK:
                await self._fall_back()

    def _belongs_to_another(self, root: FlowInstance | None) -> bool:
        """Whether it was handed over to somebody else, who alone goes back in it or stops it."""
        return root is not None and root.assignee not in (None, self.stage.around.user.id)

    # --- starting and ending ------------------------------------------------------------

    async def _start(self, request: StartRequest) -> None:
        self._note_shown(await self._starter.start(request))

    async def _start_requested(self) -> None:
        while self.effects.starts:
            await self._start(self.effects.starts.pop(0))

    async def _cancel(self, root: FlowInstance | None) -> None:
        if root is None:
            self._say(self.bot.texts.nothing_to_cancel)
            return
        self._say(self.bot.texts.cancelled)
        if self.bot.registry.cancel_scope == "all":
            running = reversed(list(self.conversations.running()))
        else:
            running = iter((root,))
        for one in running:
            await self.walk.go(
                await endings.end(
                    self.walk, self._place(one), Status.CANCELLED, cause="cancel command"
                )
            )

    def _uncover(self) -> None:
        """Takes ended instances off the stacks and shows the question that was beneath."""
        if self.conversations.uncover():
            self._show_uncovered()

    def _show_uncovered(self) -> None:
        foremost = self.foremost()
        if foremost is not None and foremost.id != self._shown:
            pass_over_reminders(foremost, self.stage.flows, self.stage.now)
            self._show_foremost()

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
        self._show_foremost()

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
        self.stage.keep_session(context.session)

    # --- showing ------------------------------------------------------------------------

    def _say(self, text: str) -> None:
        self.stage.say(text)

    def _place(self, root: FlowInstance) -> Place:
        return top(root, self.stage.flows)

    def foremost(self) -> FlowInstance | None:
        """The instance that is talked about."""
        return self.conversations.foremost(self.stage.flows)

    def _note_shown(self, root: FlowInstance | None) -> None:
        if root is not None:
            self._shown = root.id

    def _show_foremost(self) -> None:
        foremost = self.foremost()
        if foremost is not None:
            showing.show(self.stage, self._place(foremost))
            self._note_shown(foremost)

    def _ask_again(self) -> None:
        """Nothing took the update, and something waits: its question again, with a hint."""
        foremost = self.foremost()
        if foremost is None:
            return
        place = self._place(foremost)
        if isinstance(self.update.content, Press):
            self.effects.notice = self.bot.texts.stale_press
        hint = " ".join((self.bot.texts.not_now, *dict.fromkeys(self._hints(place))))
        showing.show(self.stage, place, hint=hint)

    def _hints(self, place: Place) -> Iterator[str]:
        """What would be taken, of what is talked about; of everything at a hub."""
        here = current(place, self.stage.flows)
        lines = leaves(place, self.stage.flows) if here.at_hub else (here,)
        for line in lines:
            visit = line.line.visit
            if visit is not None and visit.waiting is not None:
                yield from (input_from_json(stored).hint() for stored in visit.waiting.inputs)

    def _set_aside(self) -> None:
        for conversation in self.conversations.by_key.values():
            for found in sort_out(conversation, self.stage.flows):
                one = found.instance
                _log.error(
                    "instance %s of flow %r at step %s is set aside (quarantined): %s. Its data "
                    "is kept; bring back code that fits it, or move it with 'handrail goto'.",
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
