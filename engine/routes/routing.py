"""Who gets an update: a pure decision, in the documented order.

1. a button of ours; 2. the cancel, back and help commands; 3. what the running flows wait for;
4. handlers for the state that the person is in; 5. deep links; 6. triggers; 7. the router's
handlers; 8. if something waits, its question again; 9. the fallback.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any

from engine.routes.buttons import Token, genuine, is_token, owner, read_token
from engine.routes.candidates import Answered, Outdated, Refused, answered_before, asks, take
from engine.steps.hub import buttons as hub_buttons
from engine.steps.places import Flows, Place, escalated, every, leaves, top
from engine.turns import confirming
from engine.turns.conversations import Conversations
from engine.turns.notices import Notices
from flows.conversation import person_id
from flows.errors import InvalidAnswer
from flows.filters import Facts
from flows.inputs import Draft, input_from_json
from flows.records import record
from flows.routing.registry import AnyFlow
from flows.routing.router import Router
from flows.routing.routes import PlainHandler, Route
from flows.turns.instance import FlowInstance, PendingStart
from flows.turns.visit import WaitButton
from flows.updates import (
    ChatMigrated,
    Command,
    Opened,
    Order,
    Press,
    SendFailed,
    TextMessage,
    TimerFired,
    Update,
    is_silent,
)


@record(frozen=True, slots=True)
class Drafted:
    """A press that changes what an interactive input holds, and is no answer yet."""

    place: Place
    input: int
    state: Any


@record(frozen=True, slots=True)
class Noticed:
    """What changes nothing; the person reads why."""

    text: str


@record(frozen=True, slots=True)
class HubPressed:
    """A button of a fork's hub; ``value`` is the head of a branch, or says to go on."""

    place: Place
    value: str


@record(frozen=True, slots=True)
class Started:
    """A trigger matched."""

    flow: AnyFlow
    payload: str


@record(frozen=True, slots=True)
class Handled:
    """A plain handler takes it."""

    handler: PlainHandler
    payload: str
    route: Route


@record(frozen=True, slots=True)
class Confirmed:
    """An answer to whether what runs is to begin anew."""

    root: FlowInstance
    pending: PendingStart
    start_over: bool


class Plain(Enum):
    """What the engine does by itself."""

    CANCEL = "cancel"
    BACK = "back"
    HELP = "help"
    STALE_PRESS = "stale press"
    FOREIGN_PRESS = "foreign press"
    ASK_AGAIN = "ask again"
    ESCALATED = "escalated"
    REOPEN = "reopen"
    FALLBACK = "fallback"
    NOTHING = "nothing"


Decision = (
    Answered | Refused | Outdated | Drafted | Noticed | HubPressed
    | Started | Handled | Confirmed | Order | TimerFired | Plain
)  # fmt: skip


@record(frozen=True, slots=True)
class Routing:
    """What deciding takes, besides the update.

    Attributes:
        state: of the person, for plain handlers; None: there is none.
        replied: the name of the message that the update replies to, if it is one of ours.
    """

    conversations: Conversations
    flows: Flows
    router: Router
    texts: Notices
    state: Callable[[], str | None]
    replied: str | None = None


def route(routing: Routing, update: Update) -> Decision:
    """Decides; neither the conversations nor anything else is changed."""
    content = update.content
    match content:
        case TextMessage():
            pass  # what most people send, and none of what follows
        case Opened():
            return Plain.REOPEN
        case TimerFired() | Order():
            return content
        case Press(data=data) if is_token(data):
            return _pressed(routing, update, read_token(data))
        case Command(name=name) if (command := _flow_command(routing.router, name)) is not None:
            return command
    taken = take(routing.conversations, routing.flows, update, replied=routing.replied)
    return taken or _routed(routing, update) or _left_over(routing, update)


# --- presses --------------------------------------------------------------------------------


def _pressed(routing: Routing, update: Update, token: Token | None) -> Decision:
    if token is None or update.user is None:
        return Plain.STALE_PRESS
    person = update.user.id
    if token.owner not in (owner(""), owner(person_id(update.source, person))):
        return Plain.FOREIGN_PRESS
    for place in _places(routing, token.instance):
        fork = place.instance.fork
        if place.at_hub and fork is not None and fork.number == token.visit:
            pressed = hub_buttons(place, fork, routing.texts)
            button = _button(pressed, token, place) if token.ordinal == 0 else None
            return HubPressed(place, button.value) if button is not None else Plain.STALE_PRESS
        pending = place.instance.pending
        if pending is not None and confirming.is_asked(place.instance, token.visit, token.ordinal):
            asked = _button(confirming.buttons(routing.texts), token, place)
            if asked is None:
                return Plain.STALE_PRESS
            return Confirmed(place.instance, pending, asked.value == confirming.START_OVER)
        if place.line.visit is not None and place.visit.number == token.visit:
            return _pressed_at(routing, place, token, person)
    return Plain.STALE_PRESS


def _places(routing: Routing, instance: str) -> Iterator[Place]:
    """The lines of that instance, its hub included, parked or not."""
    root = routing.conversations.find(instance)
    if root is None:
        return iter(())
    lines = every(top(root, routing.flows), routing.flows)
    return (place for place in lines if place.instance.id == instance)


def _pressed_at(routing: Routing, place: Place, token: Token, person: str) -> Decision:
    waiting, texts = place.visit.waiting, routing.texts
    if waiting is None or waiting.ordinal != token.ordinal:
        return Plain.STALE_PRESS
    button = _button(waiting.buttons, token, place)
    if button is None:
        return Plain.STALE_PRESS
    if waiting.people and person not in waiting.people:
        return Noticed(texts.for_somebody_else)
    if waiting.poll is not None and person in waiting.poll.answers:
        return Noticed(texts.answered_already)
    draft = waiting.drafts[button.input] if button.input < len(waiting.drafts) else None
    if draft is None:
        return Answered(place, button.input, button.value)
    try:
        pressed = input_from_json(waiting.inputs[button.input]).press(button.value, draft)
    except InvalidAnswer as refusal:
        return Noticed(refusal.reason)
    except ValueError as error:
        return Outdated(place, str(error))
    if isinstance(pressed, Draft):
        return Drafted(place, button.input, pressed.state)
    return Answered(place, button.input, pressed)


def _button(buttons: list[WaitButton], token: Token, place: Place) -> WaitButton | None:
    """The button that the token was made for."""
    if token.button >= len(buttons):
        return None
    button = buttons[token.button]
    return button if genuine(token, place.instance, button.value) else None


# --- everything else ------------------------------------------------------------------------


def _flow_command(router: Router, name: str) -> Plain | None:
    registry = router.registry
    for command, plain in (
        (registry.cancel, Plain.CANCEL),
        (registry.back, Plain.BACK),
        (registry.help, Plain.HELP),
    ):
        if command is not None and command.name == name:
            return plain
    return None


def _routed(routing: Routing, update: Update) -> Decision | None:
    router, registry = routing.router, routing.router.registry
    facts = Facts(update, routing.state())
    if facts.state is not None and (found := router.state_route_of(facts)) is not None:
        return _handled(found)
    if isinstance(update.content, Command) and update.content.args and router.has_links:
        if (started := registry.matching.first_link(facts)) is not None:
            return Started(*started)
        if (found := router.link_route_of(facts)) is not None:
            return _handled(found)
    if (started := registry.started_by(facts)) is not None:
        return Started(*started)
    return plain_handler(router, facts)


def plain_handler(router: Router, facts: Facts) -> Handled | None:
    """The plain handler that takes it, if there is one."""
    found = router.route_of(facts)
    return _handled(found) if found is not None else None


def _handled(found: tuple[Route, str]) -> Handled:
    route, payload = found
    return Handled(route.handler, payload, route)


def _left_over(routing: Routing, update: Update) -> Decision:
    content = update.content
    if isinstance(content, SendFailed | ChatMigrated) or is_silent(content):
        return Plain.NOTHING
    conversations, flows = routing.conversations, routing.flows
    foremost = conversations.foremost(flows)
    if foremost is None:
        return Plain.FALLBACK
    if answered_before(conversations, flows, update):
        return Noticed(routing.texts.answered_already)
    waiting = [
        place for place in leaves(top(foremost, flows), flows) if place.visit.waiting is not None
    ]
    if not waiting and escalated(foremost):
        return Plain.ESCALATED
    # what people say to each other while others are asked is not for the bot
    aside = waiting and not any(asks(place, update) for place in waiting)
    return Plain.NOTHING if aside else Plain.ASK_AGAIN
