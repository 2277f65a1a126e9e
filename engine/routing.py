"""Who gets an update: a pure decision, in the documented order.

1. a button of ours; 2. the cancel, back and help commands; 3. what the running flow waits for;
4. triggers; 5. the router's handlers; 6. if something waits, its question again; 7. the fallback.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from engine.buttons import Token, genuine, is_token, owner, read_token
from engine.state import Conversation
from flows.conversation import person_id
from flows.errors import InvalidAnswer
from flows.inputs import input_from_json
from flows.instance import FlowInstance
from flows.registry import AnyFlow
from flows.router import PlainHandler, Router
from flows.updates import (
    ChatMigrated,
    Command,
    Content,
    Opened,
    Other,
    Press,
    SendFailed,
    TimerFired,
    Update,
)
from flows.visit import Waiting


@dataclass(frozen=True, slots=True)
class Answered:
    """What an instance waits for: which of its inputs took it, and the JSON form."""

    instance: FlowInstance
    input: int
    value: Any


@dataclass(frozen=True, slots=True)
class Refused:
    """It was meant for the instance, but does not parse; ``reason`` is for the person, and
    ``input`` is the first of the inputs that it was meant for.
    """

    instance: FlowInstance
    input: int
    reason: str


@dataclass(frozen=True, slots=True)
class Outdated:
    """What the instance waits for cannot be read by this code."""

    instance: FlowInstance
    reason: str


@dataclass(frozen=True, slots=True)
class Started:
    """A trigger matched."""

    flow: AnyFlow
    payload: str


@dataclass(frozen=True, slots=True)
class Handled:
    """A plain handler takes it."""

    handler: PlainHandler
    payload: str


@dataclass(frozen=True, slots=True)
class Timer:
    """A timer of an instance fired."""

    instance: str
    name: str
    body: dict[str, Any]


class Plain(Enum):
    """What the engine does by itself."""

    CANCEL = "cancel"
    BACK = "back"
    HELP = "help"
    STALE_PRESS = "stale press"
    FOREIGN_PRESS = "foreign press"
    ASK_AGAIN = "ask again"
    REOPEN = "reopen"
    FALLBACK = "fallback"
    NOTHING = "nothing"


Decision = Answered | Refused | Outdated | Started | Handled | Timer | Plain


def route(conversation: Conversation, update: Update, router: Router) -> Decision:
    """Decides; neither the conversation nor anything else is changed."""
    content = update.content
    match content:
        case Opened():
            return Plain.REOPEN
        case TimerFired(name=name, body=body):
            return Timer(str(body.get("instance", "")), name, body)
        case Press(data=data) if is_token(data):
            return _pressed(conversation, update, read_token(data))
        case Command(name=name) if (command := _flow_command(router, name)) is not None:
            return command
    top = conversation.top
    if top is not None and top.visit is not None and top.visit.waiting is not None:
        taken = _offered(top, top.visit.waiting, content)
        if taken is not None:
            return taken
    return _routed(router, content) or _left_over(conversation, content)


def _pressed(conversation: Conversation, update: Update, token: Token | None) -> Decision:
    if token is None or update.user is None:
        return Plain.STALE_PRESS
    if token.owner != owner(person_id(update.source, update.user.id)):
        return Plain.FOREIGN_PRESS
    instance = conversation.find(token.instance)
    if instance is None or instance.visit is None:
        return Plain.STALE_PRESS
    waiting = instance.visit.waiting
    asked = (instance.visit.number, waiting.ordinal if waiting else None)
    if waiting is None or asked != (token.visit, token.ordinal):
        return Plain.STALE_PRESS
    if token.button >= len(waiting.buttons):
        return Plain.STALE_PRESS
    button = waiting.buttons[token.button]
    if not genuine(token, instance, button.value):
        return Plain.STALE_PRESS
    return Answered(instance, button.input, button.value)


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


def _offered(instance: FlowInstance, waiting: Waiting, content: Content) -> Decision | None:
    """What a waiting instance makes of it: the first input that parses, else that fits."""
    refusal: Refused | None = None
    try:
        inputs = [input_from_json(stored) for stored in waiting.inputs]
    except ValueError as error:
        return Outdated(instance, str(error))
    for index, accepted in enumerate(inputs):
        if not accepted.fits(content):
            continue
        try:
            return Answered(instance, index, accepted.parse(content))
        except InvalidAnswer as error:
            refusal = refusal or Refused(instance, index, error.reason)
    return refusal


def _routed(router: Router, content: Content) -> Decision | None:
    for trigger, flow in router.registry.triggers:
        payload = trigger.match(content)
        if payload is not None:
            return Started(flow, payload)
    for entry in router.routes:
        payload = entry.trigger.match(content)
        if payload is not None:
            return Handled(entry.handler, payload)
    return None


def _left_over(conversation: Conversation, content: Content) -> Decision:
    match content:
        case SendFailed() | ChatMigrated() | Other(silent=True):
            return Plain.NOTHING
    return Plain.ASK_AGAIN if conversation.stack else Plain.FALLBACK
