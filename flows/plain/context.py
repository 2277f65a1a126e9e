"""What a plain handler (one without a flow) is given, and ``call_flow``."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Generic, Protocol, overload

from typing_extensions import TypeVar

from flows.flow import Flow
from flows.fsm import Machine, NoState
from flows.messages.bot import Bot
from flows.messages.broadcasts import RATE, Broadcast, chats_named, name_of_broadcast
from flows.messages.replies import Message, Reply, Send
from flows.messages.sending import Sending
from flows.messages.speaking import Speaks, translator
from flows.messages.texts import Format
from flows.plain.asks import AnyTurn, Opening
from flows.plain.waits import PlainWaits
from flows.routing.patterns import BoundedMatch
from flows.routing.registry import FlowRegistry
from flows.sessions import checked_replacement
from flows.turns.calling import Calling
from flows.turns.effects import Effects, StartRequest
from flows.updates import Person, Press, Update

Session = TypeVar("Session", default=Any)
Deps = TypeVar("Deps", default=Any)


class Context(PlainWaits, Sending[None], Calling, Speaks, Generic[Session, Deps]):
    """One update, for a plain handler or a middleware.

    A handler may ask: ``name = await ctx.ask("Your name?")``. It is run again from its top with
    each answer, and ``update``, ``payload`` and ``user`` stay those of the update that called it.

    Attributes:
        update: what came in.
        payload: what the matching route took from it: a command's arguments, the text.
        session: the person's session, the App's session model; committed with the turn.
        deps: the App's dependencies.
        roles: the roles of who sent it, as the App's ``Roles`` say.
    """

    def __init__(
        self,
        *,
        update: Update,
        payload: str,
        session: Session,
        deps: Deps,
        effects: Effects,
        fsm: Machine | None = None,
        found: Callable[[], BoundedMatch | None] | None = None,
        opening: Opening | None = None,
        roles: Collection[str] = frozenset(),
        refusal: str = "",
        bots: Mapping[str, Bot] | None = None,
    ) -> None:
        self.update = update
        self.payload = payload
        self.session: Session = session
        self.deps = deps
        self._fsm = fsm
        self._found = found
        self.roles = roles
        self._refusal = refusal
        self._bots = bots or {}
        self._out = effects
        self._said = len(effects.emissions)
        self._opening = opening
        self._turn: AnyTurn | None = None
        self._begun = 0

    @property
    def user(self) -> Person | None:
        """Who sent it; None for what has no sender."""
        return self.update.user

    @property
    def fsm(self) -> Machine:
        """The state of whom the update is from; what is set is committed with the turn.

        Raises:
            NoState: there is none at hand in this place.
        """
        if self._fsm is None:
            raise NoState("there is no state at hand here. Set it in the handler itself.")
        return self._fsm

    @property
    def match(self) -> BoundedMatch | None:
        """What the pattern of the matching route has found, with its groups; None: it has none."""
        return self._found() if self._found is not None else None

    def _send(self, send: Send) -> None:
        self._effects.emit(send)

    def post(self, name: str, text: str | Reply) -> None:
        """Sends a message under a name, so that later handlers of the conversation (the person in
        this chat) can edit, delete or answer ``Message.named(name)``. In a step, the handle that
        ``turn.reply`` answers does that.

        Args:
            name: 1 to 64 visible characters; a message posted later takes it over.

        Raises:
            DefinitionError: it is no such name.
        """
        reply = text if isinstance(text, Reply) else Reply(text=text)
        self._effects.emit(reply, Message.named(name).slot)

    def _cause(self) -> Update:
        return self.update

    def _speaks_now(self) -> bool:
        turn = self._turn
        return turn is None or turn._speaks_now()

    def _known_bots(self) -> Mapping[str, Bot]:
        return self._bots

    def notice(self, text: str) -> None:
        """A short notice (up to 200 characters) on the button that was pressed."""
        self._effects.remark(text)

    def get_session(self) -> Session:
        """The session as it is now: ``ctx.session``."""
        return self.session

    def next_session(self, session: Session) -> None:
        """Puts another session in the place of this one, whole.

        Raises:
            TypeError: it is none of the same model, or there is no session model.
        """
        self.session = checked_replacement(self.session, session)

    def refuse(self, text: str = "") -> None:
        """Says that this person may not do that: as a notice where a button was pressed, else as a
        message. Without a text, the engine's own words.
        """
        text = text or self._refusal
        if isinstance(self.update.content, Press):
            self.notice(text)
        elif text.strip():
            self.reply(text)

    def broadcast(
        self,
        message: str | Reply,
        *,
        to: Iterable[str | int] | None = None,
        format: Format = "plain",
        rate: int = RATE,
        report: bool = True,
    ) -> str:
        """Sends a message to many people, or to everybody, once the turn is committed, and answers
        the id of the broadcast: ``app.broadcasts`` pauses, resumes and cancels it by that.

        Args:
            message: a text, or any message as ``prompt`` makes one, with a photo or buttons.
            to: the channel's ids of the chats; None: everybody who has a private chat with the bot.
            format: how a text is to be read.
            rate: messages a second, at the most.
            report: show in this chat how far it is, in a message that is kept up to date, in the
                language that is spoken here now.

        Raises:
            BroadcastRefused: there is nothing to be sent, or nobody to send it to.
            DefinitionError: no channel could send the message.
        """
        update, words = self.update, translator()
        self._begun += 1
        chat = update.address.chat if update.address is not None else None
        broadcast = Broadcast(
            id=name_of_broadcast(update.source, update.ext, update.at, self._begun),
            source=update.source,
            reply=message if isinstance(message, Reply) else Reply(text=message, format=format),
            chats=None if to is None else chats_named(to),
            rate=rate,
            report_to=chat if report else None,
            locale=None if words is None else words.locale,
        )
        self._effects.broadcasts.append(broadcast)
        return broadcast.id

    def start_flow(self, request: StartRequest) -> None:
        """Starts a flow after the handler has returned; see ``call_flow``."""
        self._effects.starts.append(request)

    def _beside(self, turn: AnyTurn) -> Context[Any, Any]:
        return context_of(turn, turn._around.update, self.payload)


def context_of(
    turn: AnyTurn,
    update: Update,
    payload: str,
    found: Callable[[], BoundedMatch | None] | None = None,
) -> Context[Any, Any]:
    """The context of a function for which a turn is run; it cannot ask.

    Args:
        update: what it is called for.
        found: what the pattern of its route has found.
    """
    around = turn._around
    return Context(
        update=update,
        payload=payload,
        session=turn.session,
        deps=around.deps,
        effects=around.effects,
        fsm=around.fsm,
        found=found,
        roles=turn.roles,
        refusal=around.refusal,
        bots=around.bots,
    )


class StartsFlows(Protocol):
    """What can start a flow: the context of a plain handler, or a step's turn."""

    def start_flow(self, request: StartRequest) -> None:
        """Starts a flow after the handler has come to rest."""
        ...


@overload
async def call_flow(
    ctx: StartsFlows,
    target: FlowRegistry,
    name: str,
    data: Mapping[str, Any] | None = None,
    /,
) -> None: ...


@overload
async def call_flow(
    ctx: StartsFlows, target: Flow[Any, Any], data: Mapping[str, Any] | None = None, /
) -> None: ...


async def call_flow(
    ctx: StartsFlows,
    target: FlowRegistry | Flow[Any, Any],
    *rest: Any,
) -> None:
    """Starts a flow from any handler: after the handler has returned, in the same turn.

    Args:
        ctx: the context of a plain handler, or the turn of a step.
        target: a registry, followed by the name of a flow; or a flow that is registered.
        rest: the name, if needed; then the fields of the flow's data that it starts with.

    Raises:
        UnknownFlow: the registry has no flow of that name.
        StartRefused: these arguments do not make the flow's data.
    """
    flow, arguments = _resolve(target, *rest)
    flow.start(arguments)
    ctx.start_flow(StartRequest(flow, arguments))


def _resolve(
    target: FlowRegistry | Flow[Any, Any], *rest: Any
) -> tuple[Flow[Any, Any], Mapping[str, Any]]:
    if isinstance(target, FlowRegistry):
        name, *data = rest
        return target.get(name), (data[0] if data else None) or {}
    return target, (rest[0] if rest else None) or {}
