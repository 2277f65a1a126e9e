"""One turn of one conversation: who may speak, who gets the update, and what comes of it."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from engine.bot import Bot
from engine.frame.gate import Gate, comes_from_outside
from engine.frame.role_book import RoleBook
from engine.frame.session_homes import SessionHome
from engine.plain.handlers import PlainHandlers
from engine.plain.nesting import around
from engine.routes.candidates import Answered, Outdated, Refused, waiting_places
from engine.routes.routing import Decision, Plain, Routing, route
from engine.state import expiry
from engine.state.conversation import Conversation, sort_out
from engine.state.machines import PersonMachine
from engine.state.sessions import SessionCell
from engine.steps.running import contained
from engine.steps.walk import Walk
from engine.telemetry.ids import Ids
from engine.turns import parking
from engine.turns.conversations import Conversations
from engine.turns.dues import any_alarm, handle_due, may_be_due
from engine.turns.foreground import Foreground
from engine.turns.handling import Handling
from engine.turns.scopes import message_key
from engine.turns.speech import speak_as_to
from engine.turns.stage import Moved, OnceNotes, Stage
from engine.turns.tracebacks import from_handler
from engine.turns.undoing import undone_by_an_error
from flows.errors import CorruptState
from flows.plain.marks import Marks
from flows.routing.router import CatchHandler
from flows.turns.effects import Effects
from flows.turns.instance import FlowInstance, Status
from flows.turns.surroundings import Surroundings
from flows.updates import Person, Press, SendFailed, TimerFired, Update

if TYPE_CHECKING:  # Babel is loaded where there are languages, and nowhere else
    from engine.languages.person_locale import PersonLocale

_log = logging.getLogger("handrail.engine")


Refs = Callable[[Collection[str]], Awaitable[Mapping[str, str]]]


_NOBODY = Person(id="")
_NOTHING: Mapping[str, int] = {}


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

    __slots__ = (
        "_foreground", "_handling", "_has_own", "_home", "_locale", "_plain", "_refs", "_returned",
        "_undoing", "bot", "conversations", "effects", "machine", "session", "spent", "stage",
        "update", "walk",
    )  # fmt: skip

    def __init__(
        self,
        bot: Bot,
        conversations: Mapping[str, Conversation],
        update: Update,
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
        self.effects = Effects([], None, [], [], [])
        self.machine = PersonMachine(bot.fsm, self.conversations, update)
        # the session is the person's, unless the bot says otherwise: what nobody has sent begins
        # with an empty one, which is not kept
        self._has_own = update.address is not None and update.user is not None
        self._home: SessionHome | None = None
        if bot.sessions is None:
            self.session = SessionCell(
                bot.session, self.conversations.own.session if self._has_own else {}
            )
        else:
            self._home = SessionHome(bot.sessions, bot.session_storage, self.conversations, update)
            self.session = self._home.cell
        self.stage = Stage(
            bot.flows,
            Surroundings(
                update, update.user or _NOBODY, person, bot.deps, self.effects, now, cause,
                None, bot.texts.not_allowed, bot.bots, self.machine,
            ),
            # no method of this object: a cycle would keep all of a turn until the next collection
            self.conversations.running,
            self.session,
            bot.texts,
            notes,
            save_notes,
            bot.rerun_every_step,
            [], [], [], set(), [] if bot.is_confided_in else None, bot.observing, None,
        )  # fmt: skip
        self.walk = Walk(self.stage)
        self._foreground = Foreground(self.stage, self.conversations)
        # no method of this object, here neither
        self._undoing = partial(
            undone_by_an_error, self.stage, self.conversations, self._foreground
        )
        self._plain = PlainHandlers(bot, self.stage, self.machine, self._undoing)
        self._handling = Handling(
            bot, self.walk, self.conversations, self._foreground, self._plain, self._undoing, cause
        )
        self._refs = refs
        self._locale: PersonLocale | None = None
        self._returned = False
        self.spent: Mapping[str, int] = _NOTHING

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
        return self._foreground.talked_in

    def foremost(self) -> FlowInstance | None:
        """The instance that is talked about."""
        return self._foreground.foremost()

    def ids(self) -> Ids:
        """Where it is just now, for the log: at the step that runs or ran last, else where the
        person is.
        """
        conversation, turn, at = message_key(self.update), self.stage.turn, self.stage.at
        if at is not None:
            visit = at.line.visit
            step = visit.step if visit is not None else None
            return Ids(at.flow.name, step, at.instance.id, conversation, turn)
        tops = (kept.top for kept in self.conversations.by_key.values())
        top = next((one for one in tops if one is not None), None)
        if top is None:
            return Ids(conversation=conversation, turn=turn)
        return Ids(top.flow, top.step, top.id, conversation, turn)

    async def run(self) -> None:
        """Handles the update: past the pre-handlers, inside the middleware, in the language of the
        person.

        Raises:
            StepFailed: a step failed and nothing helped.
            Exception: whatever a plain handler or a middleware raised.
        """
        locale = self._locale = speak_as_to(self.bot, self.conversations, self.update)
        usual = self.conversations.are_as_usual()
        if not usual:
            self._make_ready()
        if not self.bot.pre_handlers or await self._is_let_in():
            if not usual and parking.by_a_person(self.update):
                flows, now = self.stage.flows, self.stage.now
                self._returned = parking.take_back(self.conversations, flows, now)
            if self._home is not None:
                await self._home.fetch()
            if self.bot.roles is not None:
                await self._know_roles(self.bot.roles)
            if self.bot.router.catch_handler is None:
                await self._handled()
            else:
                await self._caught(self.bot.router.catch_handler)
        if not usual or isinstance(self.update.content, SendFailed):
            parking.withhold(self.conversations, self.effects, self.update)
        self.machine.close()
        if locale is not None:
            locale.keep()

    def _make_ready(self) -> None:
        """Brings what was loaded up to the code of now."""
        self._set_aside()
        flows, now = self.stage.flows, self.stage.now
        for root in self.conversations.running():
            expiry.set_clocks(root, flows, now)

    async def _is_let_in(self) -> bool:
        """Asks the pre-handlers. What they claim is the person's in the chat; where there is none,
        it is not kept.
        """
        if not comes_from_outside(self.update):
            return True
        own = self.conversations.own
        marks = Marks(own.marks if self._has_own else {}, self.update.at)
        gate = Gate(self.bot.pre_handlers, self.bot.deps, self.effects, marks)
        let_in = await gate.lets_in(self.update)
        if self._has_own:
            # a copy: who still holds a context after the turn claims nothing any more
            own.marks, self.spent = dict(gate.marks.until), gate.marks.spent
        return let_in

    async def _know_roles(self, book: RoleBook) -> None:
        around = self.stage.around
        roles = await book.of(self.update, self.bot.deps, self.stage.now)
        self.stage.around = replace(around, roles=roles)

    async def _handled(self) -> None:
        if self.bot.router.middlewares:
            await self._inside_middleware()
        else:
            await self._innermost()
        await self._keep_session()

    async def _keep_session(self) -> None:
        if self._home is not None:
            await self._home.keep()
        elif self._has_own:
            self.conversations.own.session = self.session.value

    # --- errors -------------------------------------------------------------------------

    async def _caught(self, handler: CatchHandler) -> None:
        """What nothing has decided about is left to the catch handler, once it is undone. Not what
        is no handler's doing: stored state that cannot be read, a report of a failed send, and
        time that is up.
        """
        try:
            with self._undoing():
                await self._handled()
        except CorruptState:
            raise
        except BaseException as error:  # whatever a handler raises
            if isinstance(self.update.content, SendFailed):
                raise
            await self._catch(handler, contained(error))

    async def _catch(self, handler: CatchHandler, error: Exception) -> None:
        _log.error(
            "a turn of conversation %s failed and is left to the catch handler: %s",
            message_key(self.update), error, exc_info=from_handler(error),
        )  # fmt: skip
        try:
            with self._undoing():
                context = self._plain.context()
                await handler(context, error)
                self._plain.take_back(context)
                await self._handling.start_requested()
                self._foreground.uncover()
                await self._keep_session()
        except BaseException as failure:  # whatever a handler raises
            if contained(failure) is not error:
                _log.error(
                    "the catch handler failed, too: %s", failure, exc_info=from_handler(failure)
                )
            raise error from None

    async def _innermost(self) -> None:
        if isinstance(self.update.content, SendFailed):
            await self._handling.failed_send(self.update.content)
            return
        if any_alarm(self.conversations):
            await self._overdue()
        replied = await self._replied_to() if self.update.reply_to is not None else None
        bot = self.bot
        routing = Routing(
            self.conversations, self.stage.flows, bot.router, bot.texts, self._state, replied
        )
        decision = route(routing, self.update)
        if self._returned and _answers_unseen(decision, self.update):
            decision = Plain.REOPEN
        await self._handling.handle(decision)
        if self.effects.starts:
            await self._handling.start_requested()
        self._foreground.uncover()
        if self._locale is not None and self._locale.is_another and self._foreground.shown is None:
            self._foreground.show()  # what was asked in the language of before

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
        if not may_be_due(self.conversations, until=until):
            return
        last = await handle_due(self.walk, self.conversations, until=until, undone=self._undoing)
        if last is not None:
            self._foreground.shown = last.id if last.status is Status.ACTIVE else None
            self._foreground.show_uncovered()

    async def _inside_middleware(self) -> None:
        """The middleware sees the session before and after; what it writes counts for both. An
        error of the handling has left no trace when it gets there: it may say so in its own way.
        """
        context = self._plain.context()
        handled = False

        async def innermost() -> None:
            nonlocal handled
            if handled:
                raise RuntimeError(
                    "a middleware called call_next() twice. The update was handled the first time."
                )
            self._plain.take_back(context)
            try:
                with self._undoing():
                    await self._innermost()
                handled = True
            finally:
                self._plain.refresh(context)

        call: Callable[[], Awaitable[None]] = innermost
        for middleware in reversed(self.bot.router.middlewares):
            call = around(middleware, context, call)
        await call()
        self._plain.take_back(context)
        await self._handling.start_requested()
        self._foreground.uncover()

    def _state(self) -> str | None:
        return self.machine.current

    def _set_aside(self) -> None:
        for conversation in self.conversations.by_key.values():
            for found in sort_out(conversation, self.stage.flows):
                one = found.instance
                _log.error(
                    "instance %s of flow %r at step %s is set aside (quarantined): %s. Its data "
                    "is kept; bring back code that fits it, or move it with 'handrail goto'.",
                    one.id, one.flow, one.step, found.reason,
                )  # fmt: skip
                self.stage.say(self.bot.texts.quarantined)


def _answers_unseen(decision: Decision, update: Update) -> bool:
    """Whether somebody who comes back to a parked conversation would answer a question that may
    never have arrived. Who presses a button has seen what it is under.
    """
    if isinstance(update.content, Press):
        return False
    return isinstance(decision, Answered | Refused | Outdated) or decision is Plain.ASK_AGAIN
