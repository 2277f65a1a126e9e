"""Flows that several people of a chat share, and flows that follow a person across chats."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import BaseModel

from engine import App
from engine.testing.chat import SOURCE, Chat
from engine.testing.clock import TURNS_OF_THE_LOOP
from flows import Action, Address, Command, Context, Flow, FlowBuilder, Text, TextMessage, Turn
from flows.errors import OutcomeUnknown
from flows.keys import Key
from flows.ports import FlowStorage, Query
from flows.updates import ChatMigrated, Update
from storage import MemoryStorage, SqlStorage, open_storage
from tests.faults import Crash, Fragile, HeldClock, doomed
from tests.support import Names, One, Three, app_of

pytestmark = pytest.mark.anyio

GROUP = "-100"
APOLOGY = "Sorry, something went wrong. Please try that again."

Step = Callable[[Turn[One, Names]], Awaitable[Action[One]]]

KINDS = pytest.mark.parametrize("kind", ["memory", "sqlite"])


def storages(folder: Path) -> dict[str, FlowStorage]:
    return {
        "memory": MemoryStorage(),
        "sqlite": open_storage(f"sqlite+aiosqlite:///{folder / 'test.db'}"),
    }


def three(
    name: str, key: Key = "user_in_chat", *, ttl: timedelta | None = None
) -> Flow[Three, Names]:
    builder = FlowBuilder(name, Three, Names, key=key, ttl=ttl)
    builder.ask(Three.FIRST, f"{name}: first?", Text(), into="first")
    builder.ask(Three.SECOND, f"{name}: second?", Text(), into="second")
    builder.ask(Three.THIRD, f"{name}: third?", Text(), into="third")
    return builder.build(initial=Three.FIRST)


def one_step(step: Step, key: Key, name: str = "counter") -> Flow[One, Names]:
    return FlowBuilder(name, One, Names, key=key).step(One.ONLY, step).build(initial=One.ONLY)


async def count_up(turn: Turn[One, Names]) -> Action[One]:
    turn.data.count += 1
    turn.reply(f"count {turn.data.count}")
    return turn.wait(Text())


def texts(*chats: Chat, to: str | None = None) -> list[str]:
    sent = [one for chat in chats for one in chat.deliveries]
    return [one.text for one in sent if to is None or one.chat == to]


def counts(upto: int) -> list[str]:
    return [f"count {number}" for number in range(1, upto + 1)]


async def instances(storage: FlowStorage) -> set[tuple[str, str, str]]:
    page = await storage.inspect(Query(what="instances"))
    return {(row["conv"], row["flow"], row["status"]) for row in page.rows}


# --- one chat, several people -----------------------------------------------------------


@KINDS
async def test_two_people_share_the_chats_flow_and_each_has_their_own(
    kind: str, tmp_path: Path
) -> None:
    storage = storages(tmp_path)[kind]
    async with Chat(app_of(three("ours", "chat"), three("mine")), storage=storage) as chat:
        assert await chat.say("/ours", by="7", chat=GROUP) == ("ours: first?",)
        assert await chat.say("/mine", by="8", chat=GROUP) == ("mine: first?",)
        assert await chat.say("b", by="8", chat=GROUP) == ("mine: second?",)
        assert await chat.say("a", by="7", chat=GROUP) == ("ours: second?",)
        assert await chat.say("c", by="9", chat=GROUP) == ("ours: third?",)
        assert await instances(storage) == {
            (f"chat:test/local/{GROUP}", "ours", "active"),
            (f"test/local/{GROUP}//8", "mine", "active"),
        }


@KINDS
async def test_after_a_restart_another_person_goes_on_where_the_chat_was(
    kind: str, tmp_path: Path
) -> None:
    storage = storages(tmp_path)[kind]
    async with Chat(app_of(three("ours", "chat")), storage=storage) as chat:
        await chat.say("/ours", by="7", chat=GROUP)
        await chat.say("a", by="7", chat=GROUP)
    async with Chat(app_of(three("ours", "chat")), storage=storage) as chat:
        assert await chat.say("b", by="8", chat=GROUP) == ("ours: third?",)
        await chat.say("c", by="9", chat=GROUP)
        (row,) = (await storage.inspect(Query(what="instances"))).rows
        assert row["status"] == "completed"
        assert '"first":"a","second":"b","third":"c"' in row["result"]


async def test_two_chats_have_a_flow_each() -> None:
    async with Chat(app_of(three("ours", "chat"))) as chat:
        for group in ("-1", "-2"):
            assert await chat.say("/ours", by="7", chat=group) == ("ours: first?",)
        assert await chat.say("a", by="7", chat="-1") == ("ours: second?",)
        assert await chat.say("a", by="7", chat="-2") == ("ours: second?",)


async def test_anybody_in_the_chat_may_end_its_flow() -> None:
    async with Chat(app_of(three("ours", "chat"))) as chat:
        await chat.say("/ours", by="7", chat=GROUP)
        assert await chat.say("/back", by="8", chat=GROUP) == (
            "This is the start, there is no question before it.",
            "ours: first?",
        )
        assert await chat.say("/cancel", by="8", chat=GROUP) == ("Cancelled.",)
        assert (await chat.say("a", by="7", chat=GROUP))[0].startswith("I did not understand")


async def test_each_topic_has_its_own_flow_of_all_people() -> None:
    async with Chat(app_of(three("ours", "topic"))) as chat:
        for topic in ("5", "6"):
            await said(chat, Command("ours"), topic=topic)
        await said(chat, TextMessage("a"), by="8", topic="5")
    assert [(one.topic, one.text) for one in chat.deliveries] == [
        ("5", "ours: first?"),
        ("6", "ours: first?"),
        ("5", "ours: second?"),
    ]


async def said(chat: Chat, content: Command | TextMessage, *, by: str = "7", topic: str) -> None:
    update = chat.update(content, by=by, chat=GROUP)
    await chat.hand_in([replace(update, address=Address(SOURCE, GROUP, topic))])
    await chat.settle()


async def test_what_nobody_has_sent_can_go_on_with_the_flow_of_its_chat() -> None:
    storage = MemoryStorage()
    async with Chat(app_of(three("ours", "chat")), storage=storage) as chat:
        for content in (Command("ours"), TextMessage("a")):
            await chat.hand_in([replace(chat.update(content, chat=GROUP), user=None)])
        await chat.settle()
    assert texts(chat) == ["ours: first?", "ours: second?"]
    assert set(storage.database.scopes) == {f"chat:test/local/{GROUP}"}


async def test_people_of_a_chat_keep_their_sessions_and_what_nobody_sent_has_none() -> None:
    class Session(BaseModel):
        seen: int = 0

    app = app_of(three("ours", "chat"), session=Session)

    @app.router.text("seen")
    async def seen(ctx: Context[Session]) -> None:
        ctx.session.seen += 1
        ctx.reply(f"seen {ctx.session.seen}")

    async with Chat(app) as chat:
        for by in ("7", "8", "7"):
            await chat.say("seen", by=by, chat=GROUP)
        nobody = [replace(chat.update(TextMessage("seen"), chat=GROUP), user=None)] * 2
        await chat.hand_in([replace(one, ext=str(n)) for n, one in enumerate(nobody)])
        await chat.settle()
    assert texts(chat) == ["seen 1", "seen 1", "seen 2", "seen 1", "seen 1"]


async def test_in_a_private_chat_both_kinds_of_flow_live_in_one_row() -> None:
    storage = MemoryStorage()
    app = app_of(three("ours", "chat"), three("mine"))
    async with Chat(app, storage=storage) as chat:
        await chat.say("/ours")
        assert await chat.say("/mine") == ("mine: first?",)
        assert await chat.say("/cancel") == ("Cancelled.", "ours: first?")
    assert set(storage.database.scopes) == {"test/local/1//1"}


async def test_a_flow_of_a_chat_goes_on_when_its_group_gets_another_id() -> None:
    storage = MemoryStorage()
    async with Chat(app_of(three("ours", "chat")), storage=storage) as chat:
        await chat.say("/ours", by="7", chat="-1")
        await chat.send(ChatMigrated("-1001"), by="7", chat="-1")
        assert await chat.say("a", by="8", chat="-1001") == ("ours: second?",)
    async with Chat(app_of(three("ours", "chat")), storage=storage) as chat:
        assert await chat.say("b", by="9", chat="-1001") == ("ours: third?",)


async def test_a_message_that_one_person_caused_is_edited_in_the_turn_of_another() -> None:
    async def step(turn: Turn[One, Names]) -> Action[One]:
        board = turn.reply("0 votes")
        await turn.ask("Vote!")
        turn.edit(board, "1 vote")
        await turn.ask("Vote again!")
        turn.edit(board, "2 votes")
        return turn.complete()

    storage = MemoryStorage()
    async with Chat(app_of(one_step(step, "chat")), storage=storage) as chat:
        await chat.say("/start", by="7", chat=GROUP)
        await chat.say("yes", by="8", chat=GROUP)
    async with Chat(app_of(one_step(step, "chat")), storage=storage) as again:
        await again.say("yes", by="9", chat=GROUP)
    edits = [(one.text, one.edit) for one in (*chat.deliveries, *again.deliveries) if one.edit]
    assert edits == [("1 vote", "m1"), ("2 votes", "m1")]


# --- order ------------------------------------------------------------------------------


async def test_messages_of_all_people_of_a_chat_are_handled_in_order() -> None:
    gate = asyncio.Event()

    async def step(turn: Turn[One, Names]) -> Action[One]:
        said = await turn.ask("Go on.")
        while said != "stop":
            if said == "m0":
                await gate.wait()
            said = await turn.ask(f"got {said}")
        return turn.complete()

    async with Chat(app_of(one_step(step, "chat"))) as chat:
        await chat.say("/start", by="7", chat=GROUP)
        page = [chat.update(TextMessage(f"m{n}"), by=str(7 + n % 3), chat=GROUP) for n in range(12)]
        await chat.hand_in(page)
        gate.set()
        await chat.settle()
    assert texts(chat) == ["Go on.", *(f"got m{n}" for n in range(12))]


async def test_what_waits_from_before_the_deploy_of_a_flow_for_chats_is_in_its_order() -> None:
    """The old rows name the person in the chat; the new ones the chat."""
    storage = MemoryStorage()
    fragile = Fragile(storage)
    old = Chat(app_of(three("mine")), storage=fragile.storage)
    fragile.fail("load", Crash())
    async with doomed(old, fragile):
        await old.hand_in([old.update(Command("start"), by=by, chat=GROUP) for by in ("7", "8")])
    order: list[str] = []

    async def slow(turn: Turn[One, Names]) -> Action[One]:
        order.append(f"{turn.user.id} begins")
        for _ in range(TURNS_OF_THE_LOOP):
            await asyncio.sleep(0)
        order.append(f"{turn.user.id} ends")
        return turn.complete()

    flows = one_step(slow, "user_in_chat", "mine"), three("ours", "chat")
    async with Chat(app_of(*flows), storage=storage) as new:
        await new.settle()
    assert order == ["7 begins", "7 ends", "8 begins", "8 ends"]


# --- one person, several chats ----------------------------------------------------------


@KINDS
async def test_a_persons_flow_goes_on_in_another_chat(kind: str, tmp_path: Path) -> None:
    storage = storages(tmp_path)[kind]
    app = app_of(three("profile", "user"), three("mine"))
    async with Chat(app, storage=storage) as chat:
        await chat.say("/profile", by="7", chat="-1")
        await chat.say("/mine", by="7", chat="-1")
        assert await chat.say("a", by="7", chat="-2") == ("profile: second?",)
        assert (await chat.say("x", by="8", chat="-2"))[0].startswith("I did not understand")
    async with Chat(app, storage=storage) as chat:
        assert await chat.say("b", by="7") == ("profile: third?",)
        assert await chat.say("c", by="7", chat="-1") == ("mine: second?",)


async def test_a_message_of_another_chat_is_not_edited_but_sent_anew() -> None:
    """Its reference would name some other message there."""

    async def step(turn: Turn[One, Names]) -> Action[One]:
        board = turn.reply("waiting")
        await turn.ask("Name?")
        turn.edit(board, "done")
        return turn.complete()

    async with Chat(app_of(one_step(step, "user"))) as chat:
        await chat.say("/start", by="7", chat="-1")
        await chat.say("Ada", by="7", chat="-2")
    assert [(one.chat, one.text, one.edit) for one in chat.deliveries][-1] == ("-2", "done", None)


@KINDS
async def test_a_person_who_writes_in_many_chats_at_once_loses_nothing(
    kind: str, tmp_path: Path
) -> None:
    async with Chat(app_of(one_step(count_up, "user")), storage=storages(tmp_path)[kind]) as chat:
        await chat.say("/start", by="7", chat="-1")
        await chat.hand_in(in_chats(chat, 40))
        await chat.settle()
    assert sorted(texts(chat), key=number) == counts(41)


def in_chats(chat: Chat, count: int, *, by: str = "7") -> list[Update]:
    return [chat.update(TextMessage("x"), by=by, chat=f"-{n % 5 + 1}") for n in range(count)]


def number(text: str) -> int:
    return int(text.removeprefix("count "))


@KINDS
async def test_two_handlers_that_await_at_the_same_time_run_again_rather_than_lose_a_count(
    kind: str, tmp_path: Path
) -> None:
    both, one, runs = asyncio.Barrier(2), asyncio.Event(), 0

    async def step(turn: Turn[One, Names]) -> Action[One]:
        nonlocal runs
        runs += 1
        if runs in (2, 3):
            one.set()
            await both.wait()
        return await count_up(turn)

    storage = storages(tmp_path)[kind]
    async with Chat(app_of(one_step(step, "user")), storage=storage) as chat:
        await chat.say("/start", by="7", chat="-1")
        for chat_id in ("-1", "-2"):
            await chat.hand_in([chat.update(TextMessage("x"), by="7", chat=chat_id)])
            await one.wait()  # a tick never begins both at once
        await chat.settle()
    assert (sorted(texts(chat)), runs) == (counts(3), 4)


@KINDS
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_a_crash_at_the_commit_of_a_race_loses_and_repeats_nothing(
    kind: str, after: bool, tmp_path: Path
) -> None:
    storage = storages(tmp_path)[kind]
    app = app_of(one_step(count_up, "user"))
    async with Chat(app, storage=storage) as first:
        await first.say("/start", by="7", chat="-1")
    fragile = Fragile(storage)
    second = Chat(app, storage=fragile.storage)
    fragile.fail("commit", Crash(), after=after, skip=2)
    async with doomed(second, fragile):
        await second.hand_in(in_chats(second, 10))
    async with Chat(app, storage=storage) as third:
        await third.settle()
        assert (await third.say("x", by="7"))[-1] == "count 12"
    assert sorted(set(texts(first, second, third)), key=number) == counts(12)


async def test_a_commit_whose_answer_is_lost_is_not_made_twice() -> None:
    fragile = Fragile(MemoryStorage())
    async with Chat(app_of(one_step(count_up, "user")), storage=fragile.storage) as chat:
        await chat.say("/start", by="7", chat="-1")
        fragile.fail("commit", OutcomeUnknown("cut"), after=True)
        assert await chat.say("x", by="7", chat="-2") == ("count 2",)
        assert await chat.say("x", by="7", chat="-1") == ("count 3",)


async def test_another_process_may_have_changed_what_is_in_memory() -> None:
    """As when the other chat's partition belongs to another worker."""
    storage = MemoryStorage()
    app = app_of(one_step(count_up, "user"))
    async with Chat(app, storage=storage) as chat:
        await chat.say("/start", by="7", chat="-1")
        key = "user:test/local/7"
        known = storage.database.scopes[key]
        state = known.snapshot.state.replace('"count":1', '"count":41')
        snapshot = replace(known.snapshot, version=known.snapshot.version + 1, state=state)
        storage.database.scopes[key] = replace(known, snapshot=snapshot)
        assert await chat.say("x", by="7", chat="-2") == ("count 42",)


# --- keys of one's own ------------------------------------------------------------------


def by_table(update: Update) -> str | None:
    """Chats -1 and -11 sit at the table 1."""
    return update.address.chat[:2] if update.address is not None else None


@KINDS
async def test_whoever_has_the_same_key_shares_the_flow(kind: str, tmp_path: Path) -> None:
    storage = storages(tmp_path)[kind]
    async with Chat(app_of(three("game", by_table)), storage=storage) as chat:
        await chat.say("/game", by="7", chat="-1")
        assert await chat.say("a", by="8", chat="-11") == ("game: second?",)
        assert await instances(storage) == {("custom:test/local/-1", "game", "active")}


async def test_many_people_with_one_key_are_counted_one_by_one() -> None:
    runs = 0

    async def step(turn: Turn[One, Names]) -> Action[One]:
        nonlocal runs
        runs += 1
        return await count_up(turn)

    async with Chat(app_of(one_step(step, lambda update: "all"))) as chat:
        await chat.say("/start")
        await chat.hand_in([chat.update(TextMessage("x"), by=str(n)) for n in range(100)])
        await chat.settle()
    assert sorted(texts(chat), key=number) == counts(101)
    assert runs == 101


async def test_a_key_function_that_fails_fails_its_own_turn_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fragile(update: Update) -> str | None:
        if update.content == TextMessage("break"):
            raise RuntimeError("no table")
        return "x" * 200 if update.content == TextMessage("long") else None

    async with Chat(app_of(three("game", fragile), three("mine"))) as chat:
        await chat.say("/mine")
        assert await chat.say("break") == (APOLOGY,)
        assert await chat.say("long") == (APOLOGY,)
        assert await chat.say("a") == ("mine: second?",)
    assert "no table" in caplog.text
    assert "which takes" in caplog.text


async def test_a_flow_whose_key_the_update_has_not_does_not_start(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with Chat(app_of(three("game", lambda update: None))) as chat:
        assert await chat.say("/game") == (APOLOGY,)
    assert "flow 'game' cannot start here: it is keyed by" in caplog.text


# --- what goes wrong --------------------------------------------------------------------


async def test_a_failed_turn_leaves_the_shared_flow_as_it_was_but_for_results_of_once() -> None:
    calls: list[str] = []

    async def step(turn: Turn[One, Names]) -> Action[One]:
        said = await turn.ask("Pay?")
        await turn.once("pay", lambda: calls.append(said))
        if said == "break":
            raise RuntimeError("broken")
        turn.reply(f"paid once, {said}")
        return turn.complete()

    async with Chat(app_of(one_step(step, "chat"))) as chat:
        await chat.say("/start", by="7", chat=GROUP)
        assert await chat.say("break", by="8", chat=GROUP) == (APOLOGY,)
        assert await chat.say("yes", by="7", chat=GROUP) == ("paid once, yes",)
    assert calls == ["break"]


async def test_a_shared_state_that_cannot_be_read_is_left_as_it_is_and_stops_its_chat_only() -> (
    None
):
    storage = MemoryStorage()
    app: App = app_of(three("ours", "chat"))
    async with Chat(app, storage=storage) as chat:
        await chat.say("/ours", by="7", chat=GROUP)
    key = f"chat:test/local/{GROUP}"
    known = storage.database.scopes[key]
    broken = replace(known, snapshot=replace(known.snapshot, state="{"))
    storage.database.scopes[key] = broken
    async with Chat(app, storage=storage) as again:
        pair: Sequence[str] = (GROUP, "-2")
        await again.hand_in([again.update(Command("ours"), by="8", chat=one) for one in pair])
        await again.settle()
        assert texts(again) == ["ours: first?"]
        (dead,) = (await storage.inspect(Query(what="dead_letters"))).rows
    assert dead["conv"] == f"test/local/{GROUP}//8"
    assert storage.database.scopes[key] == broken


# --- erasing ----------------------------------------------------------------------------


@KINDS
async def test_erasing_a_person_takes_their_flows_everywhere_and_leaves_the_chats(
    kind: str, tmp_path: Path
) -> None:
    storage = storages(tmp_path)[kind]
    app = app_of(three("profile", "user"), three("ours", "chat"), three("mine"))
    async with Chat(app, storage=storage) as chat:
        await chat.say("/profile", by="7", chat=GROUP)
        await chat.say("/ours", by="7", chat=GROUP)
        await chat.say("/mine", by="7", chat="-2")
        await storage.erase("test/7")
        left = {(f"chat:test/local/{GROUP}", "ours", "active")}
        assert await instances(storage) == left
        assert (await chat.say("x", by="7", chat="-2"))[0].startswith("I did not understand")
        assert await chat.say("a", by="7", chat=GROUP) == ("ours: second?",)


# --- time -------------------------------------------------------------------------------


@KINDS
async def test_a_flow_of_a_chat_expires_once_whoever_wrote_last(kind: str, tmp_path: Path) -> None:
    clock = HeldClock()
    storages: dict[str, Callable[[], FlowStorage]] = {
        "memory": lambda: MemoryStorage(clock.now),
        "sqlite": lambda: SqlStorage(f"sqlite+aiosqlite:///{tmp_path / 't.db'}", clock=clock.now),
    }
    app = app_of(three("ours", "chat", ttl=timedelta(minutes=1)), clock=clock)
    async with Chat(app, storage=storages[kind]()) as chat:
        await chat.say("/ours", by="7", chat=GROUP)
        await clock.advance(50)
        assert await chat.say("a", by="8", chat=GROUP) == ("ours: second?",)
        await clock.advance(50)
        await chat.settle()
        assert texts(chat)[2:] == []
        await clock.advance(120)
        await chat.settle()
        assert texts(chat)[2:] == ["This conversation has expired."]


async def test_the_timer_of_a_chats_flow_goes_when_another_person_ends_it() -> None:
    storage = MemoryStorage()
    app = app_of(three("ours", "chat", ttl=timedelta(minutes=1)))
    async with Chat(app, storage=storage) as chat:
        await chat.say("/ours", by="7", chat=GROUP)
        assert len(storage.database.timers) == 1
        await chat.say("/cancel", by="8", chat=GROUP)
        assert storage.database.timers == {}
