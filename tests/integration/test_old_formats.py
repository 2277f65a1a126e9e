"""What older engines have stored is read, and goes on."""

from __future__ import annotations

import pytest

from engine.testing.chat import SOURCE, Chat
from flows import Action, Address, FlowBuilder, Turn
from flows.conversation import ConversationKey
from flows.ports import InboxRow, ScopeWrite, TurnCommit
from storage import MemoryStorage
from tests.support import Names, One, app_of

pytestmark = pytest.mark.anyio

KEY = ConversationKey(Address(SOURCE, "1"), "1")

FORMAT_1 = (
    '{"session":{},"stack":[{"visit":{"number":1,"step":"ONLY","base":0,"undone":0,"asked":true,'
    '"answers":[{"kind":"text","key":null,"value":"Ada"}],"once":{},"seen":{},"scene":{},'
    '"data":{},"session":{},"waiting":{"ordinal":1,"explicit":false,"inputs":[{"kind":"text"}],'
    '"key":null,"prompt":{"text":"Surname?","format":"plain","keyboard":[],"kind":"send"},'
    '"buttons":[],"failures":0,"slot":"","asked":0,"drafts":[],"people":[],"poll":null,'
    '"ticket":null,"deadline":null,"rungs":[]},"misfit":null,"origin":null,"given":null,'
    '"child":null,"escalated":null},"history":[],"id":"1-0","flow":"one","version":1,'
    '"secret":"588d6a8e2bc44967aaa33087bf6b59c2",'
    '"data":{"first":"","second":"","third":"","count":0},"started":1795309041833,"payload":"",'
    '"status":"active","visits":1,"inputs":1,"fork":null,"shelved":{},"spare":{},"silent":null,'
    '"oldest":null,"assignee":null}],"aside":[],"format":1}'
)
"""As the engine wrote it before flows were trees: one question answered, one asked."""

FORMAT_2 = (
    '{"session":{},"stack":[{"visit":{"number":1,"step":"ONLY","base":0,"undone":0,"asked":true,'
    '"answers":[{"kind":"text","key":null,"value":"Ada"}],"once":{},"seen":{},"scene":{},'
    '"data":{},"session":{},"waiting":{"ordinal":1,"explicit":false,"inputs":[{"kind":"text"}],'
    '"key":null,"prompt":{"text":"Surname?","format":"plain","keyboard":[],"kind":"send"},'
    '"buttons":[],"failures":0,"slot":"1-0.1.0.1","asked":1,"drafts":[null],"people":[],'
    '"poll":null,"ticket":null,"timeout":null,"deadline":null,"rungs":[]},"misfit":null,'
    '"origin":null,"given":null,"child":null,"call_key":null,"escalated":null,"new":false},'
    '"history":[],"id":"1-0","flow":"one","version":1,'
    '"secret":"588d6a8e2bc44967aaa33087bf6b59c2",'
    '"data":{"first":"","second":"","third":"","count":0},"started":1795309041833,"payload":"",'
    '"status":"active","visits":1,"inputs":1,"fork":null,"shelved":{},"spare":{},"silent":null,'
    '"oldest":null,"origin":"","assignee":null}],"aside":[],"alarm":null,"chat":null,"format":2}'
)
"""As the engine wrote it in full, before it left out what is as by default."""


async def stored(state: str) -> MemoryStorage:
    storage = MemoryStorage()
    await storage.open()
    part = KEY.address.partition
    fence = await storage.lease("test", 64, 15_000)
    row = InboxRow(source="test", ext="1", part=part, conv=str(KEY), kind="text", body="{}", at=0)
    (seq,) = await storage.accept([row])
    assert seq is not None
    scope = ScopeWrite(key=str(KEY), part=part, version=None, state=state)
    await storage.commit(fence, [TurnCommit(cause=seq, part=part, scopes=[scope])])
    await storage.release("test")
    return storage


@pytest.mark.parametrize("state", [FORMAT_1, FORMAT_2], ids=["1", "2"])
async def test_a_conversation_of_an_old_format_goes_on_where_it_was(state: str) -> None:
    async def step(turn: Turn[One, Names]) -> Action[One]:
        name = await turn.ask("Name?")
        turn.reply(f"{name} {await turn.ask('Surname?')}")
        return turn.complete()

    flow = FlowBuilder("one", One, Names).step(One.ONLY, step).build(initial=One.ONLY)
    async with Chat(app_of(flow), storage=await stored(state)) as chat:
        assert await chat.say("/start") == ("Surname?",)
        assert await chat.say("Lovelace") == ("Ada Lovelace",)
