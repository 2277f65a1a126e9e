"""Everything about a conversation comes back from its JSON text as it was."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from engine.state import Conversation
from flows.instance import FlowInstance, Past, Status
from flows.replies import Button, Reply
from flows.visit import Answer, Given, OnceResult, Visit, WaitButton, Waiting

words = st.text(max_size=8)
names = st.text(min_size=1, max_size=8).filter(str.strip)
numbers = st.integers(0, 2**53)
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
    session=fields,
    waiting=st.none() | waitings,
    misfit=st.none() | words,
    origin=st.none() | words,
    given=st.none() | st.builds(Given, fields, json),
)
instances = st.builds(
    FlowInstance,
    id=words,
    flow=words,
    version=numbers,
    secret=words,
    data=fields,
    started=numbers,
    payload=words,
    status=st.sampled_from(Status),
    visits=numbers,
    inputs=numbers,
    visit=st.none() | visits,
    history=st.lists(st.builds(Past, words, st.booleans(), fields), max_size=2),
    spare=st.dictionaries(words, results, max_size=2),
)
conversations = st.builds(
    Conversation,
    session=fields,
    stack=st.lists(instances, max_size=2),
    aside=st.lists(instances, max_size=1),
)


@given(conversations)
def test_a_conversation_comes_back_as_it_was(conversation: Conversation) -> None:
    assert Conversation.decode("key", conversation.encode()) == conversation
