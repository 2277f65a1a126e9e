"""Everything about a conversation comes back from its JSON text as it was."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.state.conversation import Conversation
from flows.messages.replies import Button, Reply
from flows.turns.instance import Branch, FlowInstance, Line, OpenFork, Past, Status
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

words = st.text(max_size=8)
names = st.text(min_size=1, max_size=8).filter(str.strip)
numbers = st.integers(0, 2**53)
times = st.none() | numbers
json: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | words,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(words, inner, max_size=2),
    max_leaves=3,
)
fields = st.dictionaries(words, json, max_size=3)
results = st.dictionaries(words, st.builds(OnceResult, numbers, json), max_size=2)
buttons = st.builds(Button, names, st.just("data")) | st.builds(
    Button, names, url=st.just("https://example.org")
)
prompts = st.builds(
    Reply,
    text=words,
    format=st.sampled_from(["plain", "html", "markdown"]),
    keyboard=st.lists(st.lists(buttons, max_size=2).map(tuple), max_size=2).map(tuple),
)
waitings = st.builds(
    Waiting,
    ordinal=numbers,
    explicit=st.booleans(),
    inputs=st.lists(fields, max_size=2),
    key=st.none() | words,
    prompt=st.none() | prompts,
    buttons=st.lists(st.builds(WaitButton, words, json, numbers), max_size=2),
    failures=numbers,
    slot=words,
    asked=numbers,
    drafts=st.lists(json, max_size=1),
    people=st.lists(words, max_size=2),
    poll=st.none() | st.builds(Poll, st.lists(words, max_size=2), numbers, fields),
    ticket=st.none() | words,
    timeout=times,
    deadline=times,
    rungs=st.lists(st.builds(Rung, numbers, words), max_size=2),
    otherwise=st.none() | words,
)
escalations = st.builds(
    Escalation, words, st.none() | fields, numbers, again=st.booleans(), fresh=st.booleans()
)
visits = st.builds(
    Visit,
    number=numbers,
    step=words,
    base=numbers,
    undone=numbers,
    asked=st.booleans(),
    answers=st.lists(st.builds(Answer, words, st.none() | words, json), max_size=2),
    once=results,
    seen=fields,
    scene=fields,
    data=fields,
    session=fields,
    waiting=st.none() | waitings,
    misfit=st.none() | words,
    origin=st.none() | words,
    given=st.none() | st.builds(Given, fields, json),
    call_key=st.none() | words,
    escalated=st.none() | escalations,
    new=st.booleans(),
)


def lines(of: type[Line], step: st.SearchStrategy[Visit], **more: Any) -> st.SearchStrategy[Any]:
    """Lines of steps whose visits are these."""
    pasts = st.builds(Past, words, st.booleans(), fields)
    return st.builds(of, visit=st.none() | step, history=st.lists(pasts, max_size=2), **more)


def forks(step: st.SearchStrategy[Visit]) -> st.SearchStrategy[OpenFork]:
    """Forks whose branches are at these visits."""
    branch = lines(Branch, step, head=words, done=st.booleans(), changed=fields)
    return st.builds(
        OpenFork,
        after=words,
        number=numbers,
        branches=st.lists(branch, max_size=2),
        focus=st.none() | words,
        joined=st.booleans(),
        shown=st.booleans(),
        before=fields,
    )


instance_fields: dict[str, st.SearchStrategy[Any]] = {
    "id": words,
    "flow": words,
    "version": numbers,
    "secret": words,
    "data": fields,
    "started": numbers,
    "payload": words,
    "status": st.sampled_from(Status),
    "visits": numbers,
    "inputs": numbers,
    "spare": st.dictionaries(words, results, max_size=2),
    "silent": times,
    "oldest": times,
    "origin": words,
    "assignee": st.none() | words,
}


@st.composite
def instances(draw: st.DrawFn, depth: int = 1) -> FlowInstance:
    """Instances at a step, or in a fork; their steps may have called others."""
    step = visits
    if depth and draw(st.booleans()):
        child = draw(instances(depth - 1))
        step = visits.map(lambda visit: replace(visit, child=child))
    instance: FlowInstance = draw(lines(FlowInstance, step, **instance_fields))
    if draw(st.booleans()):
        instance.fork = draw(forks(step))
        instance.shelved = {"LEFT": draw(forks(visits))}
        instance.history.append(Past("GONE", True, {}, draw(forks(visits))))
    return instance


conversations = st.builds(
    Conversation,
    session=fields,
    stack=st.lists(instances(), max_size=2),
    aside=st.lists(instances(), max_size=1),
    alarm=times,
    parked=st.booleans(),
)


@settings(max_examples=40)
@given(conversations)
def test_a_conversation_comes_back_as_it_was(conversation: Conversation) -> None:
    """Lesson 26: everything round-trips: history, called flows, forks and their progress."""
    assert Conversation.decode("key", conversation.encode()) == conversation
