"""What one turn wants to be true at once, as rows for the storage."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from engine.broadcast.orders import timers_of
from engine.state.conversation import Conversation
from engine.state.sizes import encoded, result
from engine.state.timers import ALARM, SOURCE, first_due
from engine.steps.places import escalated
from engine.turns.conversations import root_id
from engine.turns.dialogue import Dialogue
from engine.turns.scopes import Scope, is_shared, message_key
from flows.messages.replies import Reply, send_to_json
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
from flows.records import record
from flows.turns.effects import Emission
from flows.turns.instance import FlowInstance, Status
from flows.updates import TimerFired, Update

EMPTY = Conversation().encode()
"""The state of a scope in which nothing has happened; never written."""


@record(frozen=True, slots=True)
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

    @property
    def keys(self) -> list[str]:
        """The keys of the scopes."""
        return [scope.key for scope in self.scopes]


def changes(origin: Origin, dialogue: Dialogue, *, most: int) -> TurnCommit:
    """The commit of a turn that went well.

    Args:
        most: bytes that a conversation may keep.

    Raises:
        StateTooLarge: one would keep more.
    """
    timers = _alarms(origin, dialogue)  # that it is set is part of the state
    for broadcast in dialogue.effects.broadcasts:
        timers.extend(timers_of(broadcast, origin.now))
    scopes = [_written(origin, scope, dialogue, most) for scope in origin.scopes]
    return TurnCommit(
        origin.seq,
        origin.part,
        scopes,
        _instances(origin, scopes, dialogue, most),
        timers,
        outbox(origin, dialogue.effects.emissions, dialogue.conversations.home_of),
        _transitions(origin, dialogue),
        None,
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
        outbox=outbox(origin, emissions, _no_home),
    )


def outbox(
    origin: Origin, emissions: Sequence[Emission], home_of: Callable[[str], str | None]
) -> tuple[OutboxRow, ...]:
    """The messages of a turn; none where the update has no chat.

    Args:
        home_of: tells the key of the scope in which an instance lives.
    """
    address = origin.update.address
    own = message_key(origin.update)
    if not emissions or address is None or own is None:
        return ()
    part, chat, turn = address.partition, str(address), origin.seq
    shared = _shared(origin, own)
    return tuple(
        [
            OutboxRow(
                part,
                chat,
                shared.get(home_of(_speaker(emission)) or "", own) if shared else own,
                turn,
                n,
                emission.slot,
                send_to_json(emission.send),
            )
            for n, emission in enumerate(emissions)
        ]
    )


def _shared(origin: Origin, own: str) -> dict[str, str]:
    """What messages of instances in shared scopes are filed under, by the key of the scope."""
    if len(origin.scopes) == 1 and origin.scopes[0].person is not None:
        return {}
    return {
        scope.key: message_key(origin.update, scope) or own
        for scope in origin.scopes
        if scope.person is None
    }


def _no_home(instance: str) -> None:
    """Nothing that an instance has said is kept of a turn that failed."""


def _speaker(emission: Emission) -> str:
    """The id of the instance that sends, or whose called flow does; empty: none does."""
    slot = emission.slot if isinstance(emission.send, Reply) else emission.send.slot
    return root_id((slot or "").partition(".")[0])


def _written(origin: Origin, scope: Scope, dialogue: Dialogue, most: int) -> ScopeWrite:
    key = scope.key
    conversation = dialogue.conversations.by_key[key]
    if is_shared(key) and key == dialogue.talked_in and _moved(origin, scope, conversation):
        conversation.chat = str(origin.update.address)
    state = encoded(conversation, most)
    snapshot = origin.snapshots.get(key)
    old = snapshot.state if snapshot is not None else EMPTY
    return _write(origin, scope, state if state != old else None)


def _write(origin: Origin, scope: Scope, state: str | None) -> ScopeWrite:
    snapshot = origin.snapshots.get(scope.key)
    version = snapshot.version if snapshot is not None else None
    return ScopeWrite(scope.key, scope.part, version, state, scope.person)


def _instances(
    origin: Origin, scopes: Sequence[ScopeWrite], dialogue: Dialogue, most: int
) -> list[InstanceRow]:
    """The instances of the scopes: all where the state has changed, and those that are over; one
    that was over in the turn that started it leaves the state as it was.
    """
    conversations, rows = dialogue.conversations, []
    for scope in scopes:
        if scope.state is not None:
            for one in conversations.by_key[scope.key].instances():
                rows.append(_instance(origin, one, conv=scope.key))
    for one in dialogue.ended:
        conv = conversations.home_of(one.id)
        if conv is not None:
            left = result(one, most)
            rows.append(_instance(origin, one, conv=conv, result=left, ended=origin.now))
    return rows


def _instance(
    origin: Origin,
    instance: FlowInstance,
    *,
    conv: str,
    result: str | None = None,
    ended: int | None = None,
) -> InstanceRow:
    return InstanceRow(
        conv, instance.id, instance.flow, instance.version, instance.step, _status(instance),
        origin.now, result, ended,
    )  # fmt: skip


def _status(instance: FlowInstance) -> str:
    status = instance.status
    if status is Status.ACTIVE:
        return _ESCALATED if escalated(instance) else _ACTIVE
    return status.value


# an enum's value is found by a function call, and these two are asked for in every turn
_ACTIVE, _ESCALATED = Status.ACTIVE.value, Status.ESCALATED.value


def _alarms(origin: Origin, dialogue: Dialogue) -> list[TimerRow | TimerDrop]:
    """Sets the alarm of each scope, where the one that is set comes too late.

    One that comes too early does no harm: the turn that it causes finds nothing due and sets it
    anew. So that a person's every message does not have to move it.
    """
    timers: list[TimerRow | TimerDrop] = []
    content = dialogue.update.content
    fired = str(content.body.get("scope")) if isinstance(content, TimerFired) else None
    for scope in origin.scopes:
        conversation = dialogue.conversations.by_key[scope.key]
        if fired == scope.key:
            conversation.alarm = None
        first = first_due(conversation, dialogue.stage.flows)
        if first is None and conversation.alarm is not None:
            conversation.alarm = None
            timers.append(TimerDrop(conv=scope.key, name=ALARM))
        if first is None:
            continue
        moved = scope.key == dialogue.talked_in and _moved(origin, scope, conversation)
        if moved or not _set_in_time(conversation, first.at, origin.now):
            conversation.alarm = first.at
            timers.append(_alarm(origin, scope, first.at))
    return timers


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
    conversations, turn, at = dialogue.conversations, origin.seq, origin.now
    only = origin.scopes[0].key if len(origin.scopes) == 1 else None
    rows: list[TransitionRow] = []
    for n, move in enumerate(dialogue.stage.moves):
        instance = move.instance
        rows.append(
            TransitionRow(
                only or conversations.home_of(root_id(instance.id)) or "",
                turn,
                n,
                instance.id,
                instance.flow,
                move.source,
                move.target,
                move.cause,
                at,
            )
        )
    return tuple(rows)
