"""What is in memory of scopes, and the conversations that are kept with it."""

from __future__ import annotations

import pytest

from engine.clock import SystemClock
from engine.state import snapshots as module
from engine.state.conversation import Conversation, is_ours_alone
from engine.state.snapshots import Snapshots
from flows.messages.replies import Button, Reply
from flows.ports import Snapshot
from flows.turns.instance import FlowInstance
from flows.turns.visit import Answer, OnceResult, WaitButton, Waiting
from storage import MemoryStorage


def instance(answer: object = "Ada") -> FlowInstance:
    """An instance that has been told something and asks for more."""
    one = FlowInstance(id="1-0", flow="one", version=1, secret="s", data={}, started=0)
    visit = one.enter("ONLY")
    visit.answers.append(Answer("text", None, answer))
    visit.waiting = Waiting(1, False, [{"kind": "text"}], None, Reply(text="And?"), [])
    return one


def committed(conversation: Conversation, version: int = 1) -> Snapshot:
    """The conversation as it is stored."""
    return Snapshot(version, 1, conversation.encode())


@pytest.fixture
def kept() -> Snapshots:
    """Empty."""
    return Snapshots(MemoryStorage(), SystemClock())


def test_the_conversation_that_was_committed_is_there_for_one_turn(kept: Snapshots) -> None:
    conversation = Conversation(stack=[instance()])
    snapshot = committed(conversation)
    kept.remember("a", snapshot, conversation)
    assert kept.take("a", snapshot) is conversation
    assert kept.take("a", snapshot) is not conversation


def test_what_a_failed_turn_has_changed_is_never_seen_again(kept: Snapshots) -> None:
    conversation = Conversation(stack=[instance()])
    snapshot = committed(conversation)
    kept.remember("a", snapshot, conversation)
    kept.take("a", snapshot).stack.clear()
    assert len(kept.take("a", snapshot).stack) == 1


def test_a_conversation_is_not_taken_for_another_snapshot(kept: Snapshots) -> None:
    conversation = Conversation(stack=[instance()])
    kept.remember("a", committed(conversation), conversation)
    older = Snapshot(0, 0, Conversation().encode())
    assert kept.take("a", older).stack == []


def test_what_somebody_else_has_committed_puts_the_conversation_away(kept: Snapshots) -> None:
    conversation = Conversation(stack=[instance()])
    kept.remember("a", committed(conversation), conversation)
    newer = Snapshot(2, 2, Conversation().encode())
    kept.remember("a", newer)
    assert kept.take("a", newer).stack == []


def test_few_conversations_are_kept(kept: Snapshots, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AT_HAND", 2)
    made = {key: Conversation(stack=[instance()]) for key in "abc"}
    stored = {key: committed(one) for key, one in made.items()}
    for key, one in made.items():
        kept.remember(key, stored[key], one)
    again = {key: kept.take(key, stored[key]) for key in made}
    assert [again[key] is made[key] for key in made] == [False, True, True]
    assert again["a"] == made["a"]


def test_no_conversation_is_kept_of_which_a_handler_may_hold_a_part() -> None:
    assert is_ours_alone(Conversation(stack=[instance()]))
    lists = Conversation(stack=[instance(answer=["Ada"])])
    results, buttons, keyboard, options = (Conversation(stack=[instance()]) for _ in range(4))
    for one in (results, buttons, keyboard, options):
        visit = one.stack[0].visit
        assert visit is not None
        assert visit.waiting is not None
        waiting = visit.waiting
        if one is results:
            visit.once["key"] = OnceResult(0, [])
        elif one is buttons:
            waiting.buttons.append(WaitButton("More", {"n": 1}))
        elif one is keyboard:
            waiting.prompt = Reply(text="And?", keyboard=((Button("A", "a"),),))
        else:
            waiting.inputs.append({"kind": "choice", "options": [["A", 1]]})
    assert not any(map(is_ours_alone, (lists, results, buttons, keyboard, options)))
