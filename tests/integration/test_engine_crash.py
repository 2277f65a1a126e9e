"""What a crash, a lost answer or a storage in trouble leaves behind: nothing lost or repeated."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from engine.testing.chat import SOURCE, Chat
from flows import Action, Command, Flow, FlowBuilder, TextMessage, Turn
from flows.conversation import Address, ConversationKey
from flows.errors import BadRow, OutcomeUnknown, StorageDown
from flows.ports import Fence, FlowStorage, InboxRow, Query, ScopeWrite, TurnCommit
from storage import MemoryStorage, open_storage
from tests.faults import Crash, Fragile, HeldClock, doomed
from tests.support import Names, One, app_of

pytestmark = pytest.mark.anyio

ANNA = ConversationKey(Address(SOURCE, "1"), "1")
APOLOGY = "Sorry, something went wrong. Please try that again."

Step = Callable[[Turn[One, Names]], Awaitable[Action[One]]]


def one_step(step: Step) -> Flow[One, Names]:
    return FlowBuilder("one", One, Names).step(One.ONLY, step).build(initial=One.ONLY)


async def count_up(turn: Turn[One, Names]) -> Action[One]:
    turn.data.count += 1
    turn.reply(f"count {turn.data.count}")
    return turn.wait()


def counted(calls: list[str], call: str) -> int:
    """An effect on the world outside, which answers how often there was one."""
    calls.append(call)
    return len(calls)


def texts(*chats: Chat, by: str = "1") -> list[str]:
    return [sent.text for chat in chats for sent in chat.deliveries if sent.chat == by]


def storages(folder: Path) -> dict[str, FlowStorage]:
    return {
        "memory": MemoryStorage(),
        "sqlite": open_storage(f"sqlite+aiosqlite:///{folder / 'test.db'}"),
    }


KINDS = pytest.mark.parametrize("kind", ["memory", "sqlite"])


# --- crashes ----------------------------------------------------------------------------


@KINDS
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("method", ["load", "commit", "sent"])
async def test_a_crash_around_any_write_of_a_turn_loses_and_repeats_no_state(
    kind: str, method: str, after: bool, tmp_path: Path
) -> None:
    storage = storages(tmp_path)[kind]
    async with Chat(app_of(one_step(count_up)), storage=storage) as first:
        await first.say("/start")
    fragile = Fragile(storage)
    second = Chat(app_of(one_step(count_up)), storage=fragile.storage)
    fragile.fail(method, Crash(), after=after)
    async with doomed(second, fragile):
        await second.hand_in([second.update(TextMessage("a")), second.update(TextMessage("b"))])
    async with Chat(app_of(one_step(count_up)), storage=storage) as third:
        await third.settle()
        assert (await third.say("c"))[-1] == "count 4"
    said = texts(first, second, third)
    assert sorted(set(said)) == [f"count {n}" for n in range(1, 5)]
    # what was sent and not recorded is sent again, and nothing else
    repeated = {text for text in said if said.count(text) > 1}
    assert repeated <= ({"count 2", "count 3"} if method == "sent" else set())


@KINDS
async def test_a_crash_before_the_page_is_durable_leaves_it_to_the_channel(
    kind: str, tmp_path: Path
) -> None:
    storage = storages(tmp_path)[kind]
    fragile = Fragile(storage)
    first = Chat(app_of(one_step(count_up)), storage=fragile.storage)
    page = [first.update(TextMessage("/no")), first.update(TextMessage("/nor"))]
    fragile.fail("accept", Crash())
    async with first:
        with pytest.raises(Crash):
            await first.hand_in(page)
        fragile.dead.clear()
    async with Chat(app_of(one_step(count_up)), storage=storage) as second:
        await second.hand_in(page)
        await second.settle()
        assert len(texts(second)) == 2


async def test_a_note_of_once_survives_a_crash_and_its_function_is_not_called_again() -> None:
    paid: list[str] = []

    async def pay(turn: Turn[One, Names]) -> Action[One]:
        answer = await turn.ask("Pay?")
        number = await turn.once("pay", partial(counted, paid, answer))
        turn.reply(f"payment {number}")
        return turn.complete()

    storage = MemoryStorage()
    fragile = Fragile(storage)
    first = Chat(app_of(one_step(pay)), storage=fragile.storage)
    fragile.fail("commit", Crash(), skip=1)
    async with doomed(first, fragile):
        await first.say("/start")
        await first.hand_in([first.update(TextMessage("yes"))])
    async with Chat(app_of(one_step(pay)), storage=storage) as second:
        await second.settle()
        assert texts(second) == ["payment 1"]
    assert paid == ["yes"]


async def test_an_effect_whose_note_was_lost_in_a_crash_is_repeated_with_the_same_key() -> None:
    keys: list[str] = []

    async def pay(turn: Turn[One, Names]) -> Action[One]:
        await turn.ask("Pay?")
        key = turn.idempotency_key("pay")
        await turn.once("pay", lambda: keys.append(key))
        turn.reply("paid")
        return turn.complete()

    storage = MemoryStorage()
    fragile = Fragile(storage)
    first = Chat(app_of(one_step(pay)), storage=fragile.storage)
    fragile.fail("note", Crash())
    async with doomed(first, fragile):
        await first.say("/start")
        await first.hand_in([first.update(TextMessage("yes"))])
    async with Chat(app_of(one_step(pay)), storage=storage) as second:
        await second.settle()
        assert texts(second) == ["paid"]
    assert len(keys) == 2
    assert keys[0] == keys[1]


# --- lost answers -----------------------------------------------------------------------


@pytest.mark.parametrize("after", [False, True], ids=["rolled back", "committed"])
async def test_a_commit_whose_answer_was_lost_is_true_once(after: bool) -> None:
    fragile = Fragile(MemoryStorage())
    clock = HeldClock()
    async with Chat(app_of(one_step(count_up), clock=clock), storage=fragile.storage) as chat:
        await chat.say("/start")
        fragile.fail("commit", OutcomeUnknown("cut"), after=after)
        await chat.hand_in([chat.update(TextMessage(text)) for text in ("a", "b", "c")])
        await clock.advance(0.5)
        await chat.settle()
        assert texts(chat) == [f"count {n}" for n in range(1, 5)]


async def test_messages_whose_commit_was_lost_and_found_go_before_newer_ones_of_their_chat() -> (
    None
):
    """Two people of one group, in one commit whose answer is lost."""
    fragile = Fragile(MemoryStorage())
    clock = HeldClock()
    async with Chat(app_of(one_step(count_up), clock=clock), storage=fragile.storage) as chat:
        fragile.fail("commit", OutcomeUnknown("cut"), after=True)
        start = [chat.update(Command("start"), by=by, chat="group") for by in "12"]
        more = chat.update(TextMessage("more"), by="1", chat="group")
        await chat.hand_in([*start, more])
        await clock.advance(0.5)
        await chat.settle()
    assert texts(chat, by="group") == ["count 1", "count 1", "count 2"]


async def test_an_accept_whose_answer_was_lost_keeps_the_order() -> None:
    fragile = Fragile(MemoryStorage())
    async with Chat(app_of(one_step(echo)), storage=fragile.storage) as chat:
        await chat.say("/start")
        first, second = (chat.update(TextMessage(text)) for text in ("first", "second"))
        fragile.fail("accept", OutcomeUnknown("cut"), after=True)
        with pytest.raises(StorageDown):
            await chat.hand_in([first])
        await chat.hand_in([first, second])
        await chat.settle()
        assert texts(chat) == ["Go on.", "first", "second"]


async def echo(turn: Turn[One, Names]) -> Action[One]:
    said = await turn.ask("Go on.")
    while True:
        said = await turn.ask(said)


# --- conflicts --------------------------------------------------------------------------


async def test_a_conflict_is_retried_from_a_fresh_read_and_nobody_hears_of_it() -> None:
    database = MemoryStorage().database
    rival, storage = MemoryStorage(database=database), MemoryStorage(database=database)
    await rival.open()
    runs: list[int] = []

    async def step(turn: Turn[One, Names]) -> Action[One]:
        said = await turn.ask("Go on.")
        runs.append(turn.data.count)
        if len(runs) == 1:
            await _bump(rival, database.partitions[ANNA.address.partition].owner or "")
        turn.data.count += 1
        turn.reply(f"{said}, count {turn.data.count}")
        return turn.wait()

    async with Chat(app_of(one_step(step)), storage=storage) as chat:
        await chat.say("/start")
        assert await chat.say("once") == ("once, count 42",)
    assert runs == [0, 41]
    await rival.close()


async def _bump(rival: MemoryStorage, worker: str) -> None:
    """Another writer changes the conversation between the load and the commit of a turn."""
    key = str(ANNA)
    (seq,) = await rival.accept([_row("rival", ANNA)])
    assert seq is not None
    known = (await rival.load([key]))[key]
    state = known.state.replace('"count":0', '"count":41')
    assert state != known.state
    part = ANNA.address.partition
    epoch = rival.database.partitions[part].epoch
    write = ScopeWrite(key=key, part=part, version=known.version, state=state)
    commit = TurnCommit(cause=seq, part=part, scopes=(write,))
    await rival.commit(Fence(worker, {part: epoch}), [commit])


async def test_results_of_once_survive_a_conflict() -> None:
    database = MemoryStorage().database
    rival, storage = MemoryStorage(database=database), MemoryStorage(database=database)
    await rival.open()
    calls: list[str] = []

    async def step(turn: Turn[One, Names]) -> Action[One]:
        await turn.ask("Go on.")
        number = await turn.once("effect", partial(counted, calls, "called"))
        if turn.data.count == 0:
            await _bump(rival, database.partitions[ANNA.address.partition].owner or "")
        turn.reply(f"effect {number}")
        return turn.complete()

    async with Chat(app_of(one_step(step)), storage=storage) as chat:
        await chat.say("/start")
        assert await chat.say("x") == ("effect 1",)
    assert calls == ["called"]
    await rival.close()


# --- rows that cannot be stored ---------------------------------------------------------


async def grow(turn: Turn[One, Names]) -> Action[One]:
    said = await turn.ask("Go on.")
    turn.data.first = "x" * (1 << 20) if said == "grow" else said
    turn.reply(f"kept {said}")
    return turn.wait()


@KINDS
async def test_a_state_that_is_too_large_fails_its_own_turn_alone(
    kind: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with Chat(app_of(one_step(grow)), storage=storages(tmp_path)[kind]) as chat:
        for by in ("1", "2", "3"):
            await chat.say("/start", by=by)
        said = {"1": "a", "2": "grow", "3": "c"}
        await chat.hand_in([chat.update(TextMessage(text), by=by) for by, text in said.items()])
        await chat.settle()
        assert texts(chat, by="1")[1:] == ["kept a"]
        assert texts(chat, by="2")[1:] == [APOLOGY]
        assert texts(chat, by="3")[1:] == ["kept c"]
        assert await chat.say("small", by="2") == ("kept small",)
    assert "is the most; the largest part of it is field 'first'" in caplog.text


async def test_results_of_once_survive_a_state_that_is_too_large() -> None:
    calls: list[str] = []

    async def step(turn: Turn[One, Names]) -> Action[One]:
        said = await turn.ask("Go on.")
        await turn.once("effect", lambda: calls.append("called"))
        turn.data.first = "x" * (1 << 20) if said == "grow" else said
        turn.reply("kept")
        return turn.complete()

    async with Chat(app_of(one_step(step))) as chat:
        await chat.say("/start")
        assert await chat.say("grow") == (APOLOGY,)
        assert await chat.say("small") == ("kept",)
    assert calls == ["called"]


async def test_a_result_of_once_that_is_too_large_fails_the_step_and_the_person_goes_on() -> None:
    async def step(turn: Turn[One, Names]) -> Action[One]:
        said = await turn.ask("Go on.")
        await turn.once("effect", lambda: "x" * (1 << 20) if said == "grow" else said)
        turn.reply("kept")
        return turn.complete()

    async with Chat(app_of(one_step(step))) as chat:
        await chat.say("/start")
        assert await chat.say("grow") == (APOLOGY,)
        assert await chat.say("small") == ("kept",)


async def test_a_turn_whose_apology_cannot_be_stored_either_is_a_dead_letter() -> None:
    storage = MemoryStorage()
    fragile = Fragile(storage)
    async with Chat(app_of(one_step(count_up)), storage=fragile.storage) as chat:
        await chat.say("/start")
        fragile.fail("commit", BadRow(0, "no"), BadRow(0, "no"))
        assert await chat.say("lost") == ()
        assert await chat.say("next") == ("count 2",)
        (dead,) = (await storage.inspect(Query(what="dead_letters"))).rows
    assert (dead["conv"], dead["origin"]) == (str(ANNA), "inbox")
    assert "lost" in dead["body"]


# --- a storage that does not answer -----------------------------------------------------


@pytest.mark.parametrize("method", ["load", "commit", "sent", "pending", "outgoing", "fire"])
async def test_a_storage_that_is_down_for_a_while_loses_nothing(method: str) -> None:
    fragile = Fragile(MemoryStorage())
    clock = HeldClock()
    async with Chat(app_of(one_step(count_up), clock=clock), storage=fragile.storage) as chat:
        fragile.fail(method, *(StorageDown("busy") for _ in range(5)))
        await chat.hand_in([chat.update(Command("start"))])
        await chat.hand_in([chat.update(TextMessage(text)) for text in ("a", "b")])
        await clock.advance(30)
        await chat.settle()
        assert texts(chat) == ["count 1", "count 2", "count 3"]
        assert fragile.calls[method] > 5


async def test_a_page_that_cannot_be_kept_is_handed_in_again() -> None:
    fragile = Fragile(MemoryStorage())
    async with Chat(app_of(one_step(count_up)), storage=fragile.storage) as chat:
        page = [chat.update(Command("start"))]
        fragile.fail("accept", StorageDown("busy"))
        with pytest.raises(StorageDown):
            await chat.hand_in(page)
        await chat.hand_in(page)
        await chat.settle()
        assert texts(chat) == ["count 1"]


async def test_a_note_waits_for_the_storage() -> None:
    calls: list[str] = []

    async def step(turn: Turn[One, Names]) -> Action[One]:
        await turn.once("effect", lambda: calls.append("called"))
        turn.reply("done")
        return turn.complete()

    fragile = Fragile(MemoryStorage())
    clock = HeldClock()
    async with Chat(app_of(one_step(step), clock=clock), storage=fragile.storage) as chat:
        fragile.fail("note", StorageDown("busy"), OutcomeUnknown("cut"))
        await chat.hand_in([chat.update(Command("start"))])
        await clock.advance(1)
        await chat.settle()
        assert texts(chat) == ["done"]
    assert calls == ["called"]


async def test_a_lost_lease_renewal_is_tried_again() -> None:
    fragile = Fragile(MemoryStorage())
    clock = HeldClock()
    async with Chat(app_of(one_step(count_up), clock=clock), storage=fragile.storage) as chat:
        fragile.fail("lease", StorageDown("busy"), OutcomeUnknown("cut"))
        await clock.advance(16)
        assert fragile.calls["lease"] >= 4
        assert await chat.say("/start") == ("count 1",)


async def test_a_storage_that_is_broken_for_good_stops_the_app_loudly() -> None:
    fragile = Fragile(MemoryStorage())
    chat = Chat(app_of(one_step(count_up)), storage=fragile.storage)
    fragile.fail("commit", Crash("the disk is gone"))

    async def talk() -> None:
        async with chat:
            await chat.hand_in([chat.update(Command("start"))])
            await fragile.dead.wait()

    with pytest.raises(Crash, match="the disk is gone"):
        await talk()


# --- poison and damage ------------------------------------------------------------------


async def test_an_update_that_kills_the_process_ends_as_a_dead_letter_and_alone() -> None:
    """Its neighbours, who were in memory at every death, are handled."""
    storage = MemoryStorage()
    deaths = 0

    def bot(fragile: Fragile) -> Flow[One, Names]:
        async def step(turn: Turn[One, Names]) -> Action[One]:
            nonlocal deaths
            said = await turn.ask("Go on.")
            if said == "poison":
                deaths += 1
                fragile.dead.set()
                await asyncio.Event().wait()
            turn.reply(f"got {said}")
            return turn.wait()

        return one_step(step)

    fragile = Fragile(storage)
    chats = [Chat(app_of(bot(fragile), handler_timeout=1e9), storage=fragile.storage)]
    async with killed(chats[0], fragile):
        for by in ("1", "2"):
            await chats[0].say("/start", by=by)
        page = [("1", "poison"), ("1", "after it"), ("2", "neighbour")]
        await chats[0].hand_in([chats[0].update(TextMessage(text), by=by) for by, text in page])
    for _ in range(4):
        fragile = Fragile(storage)
        chats.append(Chat(app_of(bot(fragile), handler_timeout=1e9), storage=fragile.storage))
        async with killed(chats[-1], fragile):
            await fragile.dead.wait()
    async with Chat(app_of(bot(Fragile(storage))), storage=storage) as last:
        await last.settle()
        (dead,) = (await storage.inspect(Query(what="dead_letters"))).rows
        assert "poison" in dead["body"]
        assert deaths == 5
        assert texts(*chats, last)[1:] == ["got after it"]
        assert texts(*chats, last, by="2")[1:] == ["got neighbour"]


@asynccontextmanager
async def killed(chat: Chat, fragile: Fragile) -> AsyncIterator[None]:
    """An App that is cut off in the middle of a handler: its storage takes nothing more."""
    with pytest.MonkeyPatch.context() as patch, suppress(Crash):
        patch.setattr("engine.workers.worker.DRAIN", 0.001)
        async with chat:
            yield
            await fragile.dead.wait()


async def test_updates_that_only_waited_through_many_restarts_are_no_poison() -> None:
    storage = MemoryStorage()
    await storage.open()
    async with Chat(app_of(one_step(echo)), storage=storage) as chat:
        await chat.say("/start")
    await storage.open()
    await storage.accept([_row("waits", ANNA, _text(chat, "patience"))])
    for _ in range(6):
        fence = await storage.lease("gone", 64, 1)
        await storage.pending(fence, (), 10)
        await storage.release("gone")
    async with Chat(app_of(one_step(echo)), storage=storage) as again:
        await again.settle()
        assert texts(again) == ["patience"]


async def test_a_row_that_is_no_update_is_a_dead_letter_and_stops_nobody() -> None:
    storage = MemoryStorage()
    async with Chat(app_of(one_step(count_up)), storage=storage) as chat:
        await chat.say("/start")
    await storage.open()
    bodies = ["{", "[]", '{"source": 1}', "null"]
    await storage.accept([_row(f"bad{n}", ANNA, body) for n, body in enumerate(bodies)])
    async with Chat(app_of(one_step(count_up)), storage=storage) as again:
        await again.settle()
        assert await again.say("next") == ("count 2",)
        rows = (await storage.inspect(Query(what="dead_letters"))).rows
    assert [row["body"] for row in reversed(rows)] == bodies
    assert {row["conv"] for row in rows} == {str(ANNA)}


@pytest.mark.parametrize("state", ["{", '{"format": 1}', '{"format": 99, "session": {}}', "[]"])
async def test_a_state_that_cannot_be_read_stops_its_conversation_alone_and_is_left_as_it_is(
    state: str,
) -> None:
    storage = MemoryStorage()
    async with Chat(app_of(one_step(count_up)), storage=storage) as chat:
        for by in ("1", "2"):
            await chat.say("/start", by=by)
    known = storage.database.scopes[str(ANNA)]
    storage.database.scopes[str(ANNA)] = replace(
        known, snapshot=replace(known.snapshot, state=state)
    )
    async with Chat(app_of(one_step(count_up)), storage=storage) as again:
        await again.hand_in([again.update(TextMessage("x"), by=by) for by in ("1", "2")])
        await again.settle()
        assert texts(again, by="2") == ["count 2"]
        (dead,) = (await storage.inspect(Query(what="dead_letters"))).rows
    assert dead["conv"] == str(ANNA)
    assert storage.database.scopes[str(ANNA)].snapshot.state == state


# --- helpers ----------------------------------------------------------------------------


def _text(chat: Chat, text: str) -> str:
    return chat.update(TextMessage(text)).to_json()


def _row(ext: str, key: ConversationKey, body: str = "{}") -> InboxRow:
    return InboxRow(
        source="test",
        ext=ext,
        part=key.address.partition,
        conv=str(key),
        kind="text",
        body=body,
        at=0,
    )


@pytest.fixture(autouse=True)
def _levels(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "handrail")
