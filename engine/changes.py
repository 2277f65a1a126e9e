"""What one turn wants to be true at once, as rows for the storage."""

from __future__ import annotations

from dataclasses import dataclass

import orjson

from engine.dialogue import Dialogue
from engine.places import escalated
from engine.state import Conversation
from engine.timers import ALARM, SOURCE, first_due
from flows.conversation import ConversationKey
from flows.effects import Emission
from flows.instance import FlowInstance, Status
from flows.ports import (
    InstanceRow,
    OutboxRow,
    ScopeWrite,
    Snapshot,
    TimerDrop,
    TimerRow,
    TransitionRow,
    TurnCommit,
)
from flows.replies import send_to_json
from flows.updates import Person, TimerFired, Update

EMPTY = Conversation().encode()
"""The state of a conversation in which nothing has happened; never written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a turn comes from.

    Attributes:
        seq: of its inbox row.
        snapshot: the state that it was run on; None: there was none.
    """

    seq: int
    key: ConversationKey
    update: Update
    snapshot: Snapshot | None
    now: int


def changes(origin: Origin, dialogue: Dialogue) -> tuple[TurnCommit, str | None]:
    """The commit of a turn that went well, and the new state (None: it is the old one)."""
    timers = set_alarm(origin, dialogue)
    conversation = dialogue.conversations.own
    written = conversation.encode()
    old = origin.snapshot.state if origin.snapshot is not None else EMPTY
    state = written if written != old else None
    rows = TurnCommit(
        cause=origin.seq,
        part=origin.key.address.partition,
        scopes=(_scope(origin, state),),
        instances=_instances(origin, dialogue) if state is not None else (),
        timers=timers,
        outbox=outbox(origin, dialogue.effects.emissions),
        transitions=_transitions(origin, dialogue),
    )
    return rows, state


def only_says(origin: Origin, emissions: list[Emission], state: str | None) -> TurnCommit:
    """The commit of a turn that failed: an apology, and the state but for kept results."""
    return TurnCommit(
        cause=origin.seq,
        part=origin.key.address.partition,
        scopes=(_scope(origin, state),),
        outbox=outbox(origin, emissions),
    )


def outbox(origin: Origin, emissions: list[Emission]) -> tuple[OutboxRow, ...]:
    """The messages of a turn."""
    address = origin.key.address
    return tuple(
        OutboxRow(
            part=address.partition,
            chat=str(address),
            conv=str(origin.key),
            turn=origin.seq,
            n=n,
            slot=emission.slot,
            body=send_to_json(emission.send),
        )
        for n, emission in enumerate(emissions)
    )


def _scope(origin: Origin, state: str | None) -> ScopeWrite:
    return ScopeWrite(
        key=str(origin.key),
        part=origin.key.address.partition,
        version=origin.snapshot.version if origin.snapshot is not None else None,
        state=state,
        person=origin.key.person,
    )


def _instances(origin: Origin, dialogue: Dialogue) -> tuple[InstanceRow, ...]:
    live = [_instance(origin, one, ended=None) for one in dialogue.conversations.own.instances()]
    over = [_instance(origin, one, ended=origin.now) for one in dialogue.ended]
    return (*live, *over)


def _instance(origin: Origin, instance: FlowInstance, *, ended: int | None) -> InstanceRow:
    return InstanceRow(
        conv=str(origin.key),
        id=instance.id,
        flow=instance.flow,
        flow_version=instance.version,
        step=instance.step,
        status=_status(instance).value,
        updated=origin.now,
        result=orjson.dumps(instance.data).decode() if ended is not None else None,
        ended=ended,
    )


def _status(instance: FlowInstance) -> Status:
    if instance.status is Status.ACTIVE and escalated(instance):
        return Status.ESCALATED
    return instance.status


def set_alarm(origin: Origin, dialogue: Dialogue) -> tuple[TimerRow | TimerDrop, ...]:
    """Sets the alarm of the conversation, where the one that is set comes too late.

    One that comes too early does no harm: the turn that it causes finds nothing due and sets it
    anew. So that a person's every message does not have to move it.
    """
    conversation = dialogue.conversations.own
    if isinstance(dialogue.update.content, TimerFired):
        conversation.alarm = None
    first = first_due(conversation, dialogue.stage.flows)
    if first is None:
        if conversation.alarm is None:
            return ()
        conversation.alarm = None
        return (TimerDrop(conv=str(origin.key), name=ALARM),)
    if conversation.alarm is not None and conversation.alarm <= first.at:
        return ()
    conversation.alarm = first.at
    return (_alarm(origin, first.at),)


def _alarm(origin: Origin, due: int) -> TimerRow:
    key = origin.key
    fired = Update(
        source=key.address.source,
        ext="",
        content=TimerFired(ALARM, {"due": due}),
        at=due,
        address=key.address,
        user=origin.update.user or Person(id=key.user),
    )
    return TimerRow(
        conv=str(key),
        name=ALARM,
        part=key.address.partition,
        due=due,
        generation=0,
        source=SOURCE,
        kind=fired.content.kind,
        body=fired.to_json(),
    )


def _transitions(origin: Origin, dialogue: Dialogue) -> tuple[TransitionRow, ...]:
    return tuple(
        TransitionRow(
            conv=str(origin.key),
            turn=origin.seq,
            n=n,
            instance=move.instance.id,
            flow=move.instance.flow,
            source=move.source,
            target=move.target,
            cause=move.cause,
            at=origin.now,
        )
        for n, move in enumerate(dialogue.moves)
    )
