"""Claims of pre-handlers where two processes handle what one person sends."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine import App
from engine.state.conversation import Conversation
from engine.testing.chat import SOURCE, Chat
from flows import Context, Continue, PreContext, Router, Stop, TextMessage
from flows.conversation import Address, ConversationKey
from flows.plain.marks import Marks
from flows.ports import Fence, InboxRow, ScopeWrite, TurnCommit
from flows.updates import Update
from storage import MemoryStorage

pytestmark = pytest.mark.anyio

ANNA = ConversationKey(Address(SOURCE, "1"), "1")
SPAN = timedelta(minutes=1)


async def test_of_two_processes_that_see_a_claim_free_one_gets_it() -> None:
    database = MemoryStorage().database
    rival, storage = MemoryStorage(database=database), MemoryStorage(database=database)
    await rival.open()
    claimed: list[bool] = []
    router = Router("bot")

    @router.pre_handler
    async def once(ctx: PreContext) -> Continue | Stop:
        claimed.append(ctx.once_within("pay", SPAN))
        if len(claimed) == 1:
            await _claim(rival, ctx.update, database.partitions[ANNA.address.partition].owner or "")
        return Continue() if claimed[-1] else Stop()

    @router.fallback
    async def pay(ctx: Context) -> None:
        ctx.reply("paid")

    async with Chat(App(router), storage=storage) as chat:
        assert await chat.say("pay") == ()
    assert claimed == [True, False]
    await rival.close()


async def _claim(rival: MemoryStorage, update: Update, worker: str) -> None:
    """Another process commits the claim between the load and the commit of this turn."""
    part = ANNA.address.partition
    double = Update(source=SOURCE, ext="rival", content=TextMessage("pay"), at=update.at)
    row = InboxRow(SOURCE, "rival", part, str(ANNA), "text", double.to_json(), update.at)
    (seq,) = await rival.accept([row])
    assert seq is not None
    marks = Marks({}, update.at)
    marks.claim("once pay", SPAN // timedelta(milliseconds=1))
    state = Conversation(marks=marks.until).encode()
    write = ScopeWrite(key=str(ANNA), part=part, version=None, state=state)
    commit = TurnCommit(cause=seq, part=part, scopes=(write,))
    epoch = rival.database.partitions[part].epoch
    await rival.commit(Fence(worker, {part: epoch}), [commit])
