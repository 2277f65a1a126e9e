"""Conversations put straight into a storage, as turns would have left them."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from engine.state.conversation import Conversation
from flows.conversation import Address, ConversationKey
from flows.ports import FlowStorage, InboxRow, InstanceRow, ScopeWrite, TurnCommit
from flows.turns.instance import FlowInstance
from flows.turns.visit import Escalation, Visit, Waiting

SOURCE = "test:local"


def key_of(user: str) -> ConversationKey:
    """The conversation of a person in the private chat of a Chat."""
    return ConversationKey(Address(SOURCE, user), user)


def at_step(
    step: str, *, id: str = "a-0", flow: str = "one", version: int = 1, **data: Any
) -> FlowInstance:
    """An instance that is at a step."""
    instance = FlowInstance(
        id=id, flow=flow, version=version, secret="s", data=data, started=1_700_000_000_000
    )
    instance.enter(step)
    return instance


def escalated(step: str, accept: dict[str, Any] | None = None, **more: Any) -> FlowInstance:
    """An instance that waits for an operator."""
    instance = at_step(step, **more)
    visit_of(instance).escalated = Escalation("look at it", accept, 1_700_000_000_000)
    return instance


def awaiting(step: str, ticket: str, **more: Any) -> FlowInstance:
    """An instance that waits for an outside event."""
    instance = at_step(step, **more)
    waiting = Waiting(
        ordinal=0, explicit=False, inputs=[], key=None, prompt=None, buttons=[], ticket=ticket
    )
    visit_of(instance).waiting = waiting
    return instance


def visit_of(instance: FlowInstance) -> Visit:
    """Its one visit."""
    assert instance.visit is not None
    return instance.visit


async def store(
    storage: FlowStorage,
    user: str,
    *stack: FlowInstance,
    aside: tuple[FlowInstance, ...] = (),
    state: str | None = None,
) -> str:
    """Stores the conversation of a person who has none yet; answers its key."""
    key = key_of(user)
    part = key.address.partition
    written = state or Conversation(stack=list(stack), aside=list(aside)).encode()
    fence = await storage.lease("stored", 64, 15_000)
    cause = InboxRow(
        source="stored", ext=uuid4().hex, part=part, conv=str(key), kind="text", body="{}", at=0
    )
    (seq,) = await storage.accept([cause])
    assert seq is not None
    scope = ScopeWrite(key=str(key), part=part, version=None, state=written, person=key.person)
    rows = [_row(str(key), one) for one in (*stack, *aside)]
    await storage.commit(fence, [TurnCommit(cause=seq, part=part, scopes=[scope], instances=rows)])
    await storage.release("stored")
    return str(key)


def _row(key: str, instance: FlowInstance) -> InstanceRow:
    return InstanceRow(
        conv=key,
        id=instance.id,
        flow=instance.flow,
        flow_version=instance.version,
        step=instance.step,
        status=instance.status.value,
        updated=1_700_000_000_000,
    )
