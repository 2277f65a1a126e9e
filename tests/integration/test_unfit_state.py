"""What is stored and fits no code, or cannot be read, is kept and never overwritten."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel

from engine.testing.chat import SOURCE, Chat
from flows import Flow, FlowBuilder, Text
from flows.conversation import Address, ConversationKey
from flows.ports import InboxRow, Query, ScopeWrite, TurnCommit
from flows.updates import Other
from storage import MemoryStorage
from tests.support import Names, One, app_of

pytestmark = pytest.mark.anyio

KEY = ConversationKey(Address(SOURCE, "1"), "1")


class Wanting(BaseModel):
    """Names of a newer day, which wants a number that older data does not have."""

    first: int = 0


def asking(*, name: str = "one", version: int = 1, data: type[BaseModel] = Names) -> Flow[Any, Any]:
    builder = FlowBuilder(name, One, data, version=version)
    builder.ask(One.ONLY, "First?", Text(), into="first")
    return builder.build(initial=One.ONLY)


async def statuses(storage: MemoryStorage) -> list[str]:
    page = await storage.inspect(Query(what="instances"))
    return [row["status"] for row in page.rows]


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        (asking(version=2), asking(version=1), "it is of version 2, the code of version 1"),
        (asking(name="gone"), asking(), "no flow 'gone' is registered"),
    ],
    ids=["newer version", "flow is gone"],
)
async def test_an_instance_that_fits_no_code_is_set_aside_with_its_data(
    before: Flow[Any, Any],
    after: Flow[Any, Any],
    reason: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Lesson 9: what fits no code is quarantined, with its data, and said."""
    storage = MemoryStorage()
    async with Chat(app_of(before), storage=storage) as chat:
        await chat.say("/start")
    async with Chat(app_of(after), storage=storage) as chat:
        said = await chat.say("x")
        assert "Nothing is lost" in said[0]
        assert await statuses(storage) == ["quarantined"]
        assert "Nothing is lost" not in (await chat.say("y"))[0], "it is said once"
    assert reason in caplog.text
    async with Chat(app_of(before), storage=storage) as chat:
        assert (await chat.say("/help"))[-1] == "First?"
        assert await statuses(storage) == ["active"]


async def test_data_that_validates_no_more_is_set_aside(caplog: pytest.LogCaptureFixture) -> None:
    builder = FlowBuilder("one", One, Names)

    async def step(turn: Any) -> Any:
        if not turn.data.first:
            turn.data.first = await turn.ask("First?")
            return turn.goto(One.ONLY)
        await turn.ask("Second?")
        return turn.complete()

    flow = builder.step(One.ONLY, step).build(initial=One.ONLY)
    storage = MemoryStorage()
    async with Chat(app_of(flow), storage=storage) as chat:
        await chat.say("/start")
        await chat.say("a")
    async with Chat(app_of(asking(data=Wanting)), storage=storage) as chat:
        await chat.say("x")
        assert await statuses(storage) == ["quarantined"]
    assert "its data does not validate: field 'first'" in caplog.text


DEEP = '{"visit":{"child":' * 400 + "{}" + "}}" * 400


@pytest.mark.parametrize(
    "state",
    [
        '{"format":1}',
        "[]",
        '{"format":99}',
        '{"session":{},"stack":[{"spare":{"1":[5]}}],"format":3}',
        f'{{"session":{{}},"stack":[{DEEP}],"format":3}}',
    ],
    ids=["no fields", "list", "newer", "list where names belong", "deep"],
)
async def test_a_state_that_cannot_be_read_is_never_overwritten(
    state: str, caplog: pytest.LogCaptureFixture
) -> None:
    storage = MemoryStorage()
    await store(storage, state)
    async with Chat(app_of(asking()), storage=storage) as chat:
        assert await chat.say("/start") == ()
        assert "cannot be read" in caplog.text
        assert (await storage.load([str(KEY)]))[str(KEY)].state == state
        page = await storage.inspect(Query(what="dead_letters"))
        assert len(page.rows) == 1


async def store(storage: MemoryStorage, state: str) -> None:
    """Puts a text where the state of the conversation belongs."""
    await storage.open()
    part = KEY.address.partition
    fence = await storage.lease("test", 64, 15_000)
    row = InboxRow(source="test", ext="1", part=part, conv=str(KEY), kind="text", body="{}", at=0)
    (seq,) = await storage.accept([row])
    assert seq is not None
    scope = ScopeWrite(key=str(KEY), part=part, version=None, state=state)
    await storage.commit(fence, [TurnCommit(cause=seq, part=part, scopes=[scope])])
    await storage.release("test")


async def test_an_edited_message_or_the_rest_of_an_album_is_no_answer() -> None:
    async with Chat(app_of(asking())) as chat:
        await chat.say("/start")
        assert await chat.send(Other("edited_message", silent=True)) == ()
        assert await chat.send(Other("album", silent=True)) == ()
        assert (await chat.send(Other("voice")))[-1].endswith("First?")
