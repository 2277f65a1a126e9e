"""What a storage gives back, as if somebody had written into it."""

from __future__ import annotations

import json
from typing import Any

from engine.state.conversation import Conversation
from flows.errors import CorruptState
from flows.messages.replies import Button, Reply
from flows.turns.instance import Branch, FlowInstance, OpenFork, Past, PendingStart
from flows.turns.visit import (
    Answer,
    Escalation,
    Given,
    OnceResult,
    Poll,
    Rung,
    Visit,
    WaitButton,
    Waiting,
)
from tests.fuzz.mutations import mutated
from tests.fuzz.tape import Tape

URL = "https://example.org"
WAITING = Waiting(
    ordinal=0, explicit=False, inputs=[{"kind": "text"}], key="k",
    prompt=Reply(text="Who?", format="html", keyboard=((Button("A", "a"), Button("B", url=URL)),)),
    buttons=[WaitButton("A", 5, 0)], slot="s", drafts=[None], people=["7"],
    poll=Poll(["7"], 1, {"7": 1}), ticket="t", timeout=1, deadline=2, rungs=[Rung(1, "r")],
    otherwise="o",
)  # fmt: skip


def visit(**more: Any) -> Visit:
    """A visit in which much has happened."""
    return Visit(
        number=1, step="A", asked=True, waiting=WAITING, answers=[Answer("fp", "k", 5)],
        once={"k": OnceResult(0, 5)}, given=Given({"kind": "text"}, 5),
        escalated=Escalation("r", None, 1), **more,
    )  # fmt: skip


def instance(**more: Any) -> FlowInstance:
    """An instance at it."""
    return FlowInstance(
        id="a-0", flow="f", version=1, secret="s", data={"first": "Ada"}, started=1, **more
    )


FORK = OpenFork(
    after="A", number=2, branches=[Branch(head="B", visit=visit(), history=[Past("B", True, {})])]
)
SAMPLES: tuple[dict[str, Any], ...] = tuple(
    json.loads(one.encode())
    for one in (
        Conversation(),
        Conversation(session={"seen": 1}, stack=[instance(visit=visit())], alarm=5, chat="c",
                     fsm={"state": "x"}, marks={"m": 5}),
        Conversation(stack=[instance(visit=visit(child=instance(visit=visit())))]),
        Conversation(stack=[instance(fork=FORK, shelved={"A": FORK},
                                     history=[Past("A", True, {"first": ""}, FORK)])],
                     aside=[instance(spare={"1": {"k": OnceResult(0, 5)}},
                                     pending=PendingStart(5, {}, "p"))]),
    )
)  # fmt: skip


def states(data: bytes) -> None:
    """A state is read, and written again as it was read, or it is said to be corrupt."""
    tape = Tape(data)
    body = mutated(tape, SAMPLES) if tape.below(4) < 3 else tape.rest()
    text = body.decode("utf-8", "surrogateescape")
    try:
        conversation = Conversation.decode("key", text)
    except CorruptState:
        return
    written = conversation.encode()
    assert Conversation.decode("key", written).encode() == written
