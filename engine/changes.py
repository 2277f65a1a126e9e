"""What one turn wants to be true at once, as rows for the storage."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import orjson

from engine.conversations import root_id
from engine.dialogue import Dialogue
from engine.places import escalated
from engine.scopes import Scope, is_shared, message_key
from engine.state import Conversation
from engine.timers import ALARM, SOURCE, first_due
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
from flows.replies import Edit, send_to_json
from flows.updates import TimerFired, Update

EMPTY = Conversation().encode()
"""The state of a scope in which nothing has happened; never written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a turn comes from.

    Attributes:
        seq: of its inbox row.
        part: the partition of its inbox row, whose epoch fences it.
        scopes: every scope that it has loaded, the person's own first.
        snapshots: what it found there, by key; absent ones are absent.
        now: when it was run.
    """

    seq: int
    part: int
    update: Update
    scopes: Sequence[Scope]
    snapshots: Mapping[str, Snapshot]
    now: int


def changes(origin: Origin, dialogue: Dialogue) -> TurnCommit:
    """The commit of a turn that went well."""
    timers = list(_alarms(origin, dialogue))  # that it is set is part of the state
    scopes = [_written(origin, scope, dialogue) for scope in origin.scopes]
    return TurnCommit(
        cause=origin.seq,
        part=origin.part,
        scopes=scopes,
        instances=[row for scope in scopes for row in _instances(origin, scope, dialogue)],
        timers=timers,
        outbox=outbox(origin, dialogue.effects.emissions, dialogue.conversations.homes),
        transitions=_transitions(origin, dialogue),
    )


def only_says(
    origin: Origin, emissions: Sequence[Emission], states: Mapping[str, str]
) -> TurnCommit:
    """The commit of a turn that failed: an apology, and the old states but for kept results.

    Args:
        states: those that change, by key.
    """
    return TurnCommit(
        cause=origin.seq,
        part=origin.part,
        scopes=[_write(origin, scope, states.get(scope.key)) for scope in origin.scopes],
        outbox=outbox(origin, emissions, {}),
    )


def outbox(
    origin: Origin, emissions: Sequence[Emission], homes: Mapping[str, str]
) -> tuple[OutboxRow, ...]:
    """The messages of a turn; none where the update has no chat.

    Args:
        homes: the keys of the scopes in which the instances live, by instance id.
    """
    address = origin.update.address
    own = message_key(origin.update)
    if address is None or own is None:
        return ()
    shared = {
        scope.key: message_key(origin.update, scope) or own
        for scope in origin.scopes
        if scope.person is None
    }
    return tuple(
        OutboxRow(
            part=address.partition,
            chat=str(address),
            conv=shared.get(homes.get(_speaker(emission), ""), own) if shared else own,
            turn=origin.seq,
            n=n,
            slot=emission.slot,
            body=send_to_json(emission.send),
        )
        for n, emission in enumerate(emissions)
    )


def _speaker(emission: Emission) -> str:
    """The id of the instance that sends, or whose called flow does; empty: none does."""
    slot = emission.send.slot if isinstance(emission.send, Edit) else emission.slot
    return root_id((slot or "").partition(".")[0])


def _written(origin: Origin, scope: Scope, dialogue: Dialogue) -> ScopeWrite:
    conversation = dialogue.conversations.by_key[scope.key]
    if scope.key == dialogue.talked_in and _moved(origin, scope, conversation):
        conversation.chat = str(origin.update.address)
    state = conversation.encode()
    snapshot = origin.snapshots.get(scope.key)
    old = snapshot.state if snapshot is not None else EMPTY
    return _write(origin, scope, state if state != old else None)


def _write(origin: Origin, scope: Scope, state: str | None) -> ScopeWrite:
    snapshot = origin.snapshots.get(scope.key)
    return ScopeWrite(
        key=scope.key,
        part=scope.part,
        version=snapshot.version if snapshot is not None else None,
        state=state,
        person=scope.person,
    )


def _instances(origin: Origin, scope: ScopeWrite, dialogue: Dialogue) -> Iterator[InstanceRow]:
    """The instances of a scope: all where its state has changed, and those that are over; one
    that was over in the turn that started it leaves the state as it was.
    """
    if scope.state is not None:
        for one in dialogue.conversations.by_key[scope.key].instances():
            yield _instance(origin, one, conv=scope.key, ended=None)
    for one in dialogue.ended:
        if dialogue.conversations.homes[one.id] == scope.key:
            yield _instance(origin, one, conv=scope.key, ended=origin.now)


def _instance(
    origin: Origin, instance: FlowInstance, *, conv: str, ended: int | None
) -> InstanceRow:
    return InstanceRow(
        conv=conv,
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


def _alarms(origin: Origin, dialogue: Dialogue) -> Iterator[TimerRow | TimerDrop]:
    """Sets the alarm of each scope, where the one that is set comes too late.

    One that comes too early does no harm: the turn that it causes finds nothing due and sets it
    anew. So that a person's every message does not have to move it.
    """
    content = dialogue.update.content
    fired = str(content.body.get("scope")) if isinstance(content, TimerFired) else None
    for scope in origin.scopes:
        conversation = dialogue.conversations.by_key[scope.key]
        if fired == scope.key:
            conversation.alarm = None
        first = first_due(conversation, dialogue.stage.flows)
        if first is None and conversation.alarm is not None:
            conversation.alarm = None
            yield TimerDrop(conv=scope.key, name=ALARM)
        if first is None:
            continue
        moved = scope.key == dialogue.talked_in and _moved(origin, scope, conversation)
        if moved or not _set_in_time(conversation, first.at, origin.now):
            conversation.alarm = first.at
            yield _alarm(origin, scope, first.at)


def _set_in_time(conversation: Conversation, due: int, now: int) -> bool:
    """Whether the alarm that is set will still come, and not too late."""
    return conversation.alarm is not None and now < conversation.alarm <= due


def _moved(origin: Origin, scope: Scope, conversation: Conversation) -> bool:
    """Whether it is talked about in another chat now: the alarm speaks in the one that set it."""
    return is_shared(scope.key) and conversation.chat != str(origin.update.address)


def _alarm(origin: Origin, scope: Scope, due: int) -> TimerRow:
    update = origin.update
    fired = Update(
        source=update.source if update.address is None else update.address.source,
        ext="",
        content=TimerFired(ALARM, {"due": due, "scope": scope.key}),
        at=due,
        address=update.address,
        user=update.user if scope.person is not None else None,  # of several, it is nobody's
    )
    return TimerRow(
        conv=scope.key,
        name=ALARM,
        part=origin.part,
        due=due,
        generation=0,
        source=SOURCE,
        kind=fired.content.kind,
        body=fired.to_json(),
    )


def _transitions(origin: Origin, dialogue: Dialogue) -> tuple[TransitionRow, ...]:
    return tuple(
        TransitionRow(
            conv=dialogue.conversations.homes[root_id(move.instance.id)],
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
