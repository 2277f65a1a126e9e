"""Broadcasts: everybody gets the message once, whatever happens, and it is told how many did."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from pydantic import BaseModel

from engine import App
from engine.broadcast.keys import recipient_key
from engine.broadcast.sweeping import sweep_broadcasts
from engine.cli import letters
from engine.cli.following import follow
from engine.clock import SystemClock
from engine.operate import BroadcastView
from engine.testing import Chat, CrashPoint, VirtualClock
from engine.testing.channel import SOURCE, TestChannel
from engine.testing.faults import Boundary
from flows import BadAddress, Button, Context, Media, Router, keyboard, prompt
from flows.errors import BroadcastRefused, SendLater, SendRefused, UnknownBroadcast
from flows.ports import Delivery, FlowStorage, Pause, Query
from flows.updates import TextMessage
from storage import MemoryStorage, SqlStorage

pytestmark = pytest.mark.anyio

BLOCKED = "blocked"
"""Chats whose names begin so are closed to the bot."""

LIMIT = 30
"""Messages that the service takes in a second."""


class Service(TestChannel):
    """A service with a limit, that some people have blocked the bot at."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: list[int] = []
        self.refusals = Counter[str]()

    def admit(self, chat: str) -> Pause | None:
        now = self.chat.clock.now()  # type: ignore[attr-defined]  # the Chat itself
        self.taken = [at for at in self.taken if at > now - 1000]
        if len(self.taken) >= LIMIT:
            return Pause((self.taken[0] + 1000 - now) / 1000, everybody=True)
        self.taken.append(now)
        return None

    async def send(self, delivery: Delivery) -> str | None:
        if delivery.chat.startswith(BLOCKED):
            raise SendRefused("Forbidden: bot was blocked by the user", blocked=True)
        if delivery.chat.startswith("broken"):
            raise SendRefused("Bad Request: something", blocked=False)
        if delivery.chat.startswith("busy") and self.refusals[delivery.chat] < 2:
            self.refusals[delivery.chat] += 1
            raise SendLater(30.0, "Too Many Requests")
        return await super().send(delivery)


class Reader(BaseModel):
    """Who is kept a session of is known."""

    letters: int = 0


async def echo(ctx: Context[Reader]) -> None:
    """Says again what somebody has said."""
    ctx.session.letters += 1
    ctx.reply(f"you said {ctx.payload}")


async def tell(ctx: Context) -> None:
    """Tells everybody, or the people named."""
    names = ctx.payload.split()
    ctx.reply(ctx.broadcast("news for all", to=names or None))


def bot() -> App:
    router = Router("newspaper")
    router.command("tell")(tell)
    router.text()(echo)
    return App(router, session=Reader)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture(params=["memory", "sqlite"])
async def storage(
    request: pytest.FixtureRequest, tmp_path: Path, clock: VirtualClock
) -> AsyncIterator[FlowStorage]:
    """A storage of each kind, not open."""
    if request.param == "memory":
        kept = MemoryStorage(clock.now)
        await kept.open()  # what one handle keeps open is not lost when the App closes its own
        yield MemoryStorage(database=kept.database)
        await kept.close()
    else:
        yield SqlStorage(f"sqlite:///{tmp_path / 'bot.db'}", clock=clock.now)


@pytest.fixture
def app() -> App:
    return bot()


@pytest.fixture
async def chat(app: App, storage: FlowStorage, clock: VirtualClock) -> AsyncIterator[Chat]:
    """The bot, at a service with a limit."""
    async with Chat(app, clock=clock, storage=storage, channel=Service) as running:
        yield running


def people(count: int) -> list[str]:
    return [f"p{number}" for number in range(count)]


def received(chat: Chat, text: str = "hello") -> Counter[str]:
    """How often each chat was shown the message."""
    return Counter(one.chat for one in chat.deliveries if one.text == text)


async def until(chat: Chat, app: App, name: str, state: str) -> BroadcastView:
    """Lets time pass until the broadcast is in a state."""
    for _ in range(1000):
        shown = await app.broadcasts.status(name)
        if shown.state == state and not shown.out:
            return shown
        await chat.advance(1)
    raise AssertionError(f"it never came to be {state}: {shown}")


# --- what arrives, and what is counted ----------------------------------------------------


async def test_everybody_named_gets_it_once(chat: Chat, app: App) -> None:
    names = people(100)
    sent = await app.broadcast("hello", to=[*names, *names[:10], 4242])
    shown = await until(chat, app, sent, "done")
    assert received(chat) == Counter([*names, "4242"])
    assert (shown.total, shown.sent, shown.blocked, shown.failed) == (101, 101, 0, 0)
    assert shown.ended is not None


async def test_without_names_it_goes_to_every_private_chat(chat: Chat, app: App) -> None:
    for name in people(7):
        await chat.say("hi", by=name)
    await chat.say("hi", by="p1", chat="a group")
    assert await app.broadcasts.reach() == 7
    shown = await until(chat, app, await app.broadcast("hello"), "done")
    assert received(chat) == Counter(people(7))
    assert shown.total == 7


async def test_who_has_blocked_the_bot_is_counted_and_others_get_it(chat: Chat, app: App) -> None:
    closed = [f"{BLOCKED}{number}" for number in range(5)]
    names = [*people(20), *closed, "broken1", "broken2"]
    shown = await until(chat, app, await app.broadcast("hello", to=names), "done")
    assert (shown.sent, shown.blocked, shown.failed) == (20, 5, 2)
    assert shown.settled == shown.total == 27
    assert received(chat) == Counter(people(20))


async def test_who_is_known_to_have_blocked_it_is_not_tried_again(chat: Chat, app: App) -> None:
    name = f"{BLOCKED}1"
    await chat.say("hi", by=name)  # the answer is refused, which parks the conversation
    await chat.say("hi", by="p1")
    before = (await app.dead_letters()).rows
    shown = await until(chat, app, await app.broadcast("hello"), "done")
    assert (shown.sent, shown.blocked) == (1, 1)
    assert (await app.dead_letters()).rows == before


async def test_the_conversation_of_who_has_blocked_the_bot_is_parked(chat: Chat, app: App) -> None:
    gone = f"{BLOCKED}1"
    await chat.say("/tell", by=gone)  # known, by a message that is not answered at first
    first = await app.broadcast("hello", to=[gone])
    await until(chat, app, first, "done")
    letters = (await app.dead_letters()).rows
    again = await until(chat, app, await app.broadcast("hello", to=[gone]), "done")
    assert again.blocked == 1
    assert (await app.dead_letters()).rows == letters


async def test_who_is_to_be_tried_later_holds_up_nobody(chat: Chat, app: App) -> None:
    busy = [f"busy{number}" for number in range(40)]
    sent = await app.broadcast("hello", to=[*busy, *people(100)])
    await chat.advance(15)
    assert received(chat) == Counter(people(100))
    shown = await until(chat, app, sent, "done")
    assert shown.sent == 140
    assert received(chat) == Counter([*people(100), *busy])


async def test_nobody_known_is_no_error(chat: Chat, app: App) -> None:
    shown = await until(chat, app, await app.broadcast("hello"), "done")
    assert (shown.total, shown.sent) == (0, 0)


# --- beside it ----------------------------------------------------------------------------


async def test_an_answer_waits_a_second_at_the_most_behind_a_broadcast_of_ten_thousand(
    app: App, clock: VirtualClock
) -> None:
    """It is fed by the second; put there at once, it would hold answers up for five minutes."""
    async with Chat(app, clock=clock, channel=Service) as chat:
        sent = await app.broadcast("hello", to=people(10_000))
        await chat.advance(10)
        for number in range(5):
            await chat.hand_in([chat.update(_text(f"question {number}"), by="asker")])
            await chat.advance(1.1)
            assert received(chat, f"you said question {number}") == {"asker": 1}
        shown = await app.broadcasts.status(sent)
        assert shown.state == "running"
        assert 200 <= sum(received(chat).values()) <= 20 * 17


async def test_no_more_than_a_second_of_it_is_in_the_outbox(
    chat: Chat, app: App, storage: FlowStorage
) -> None:
    await app.broadcast("hello", to=people(300), rate=10)
    for _ in range(10):
        await chat.advance(0.7)
        page = await storage.inspect(Query(what="outbox", limit=1000))
        assert len(page.rows) <= 10


# --- paused, resumed, cancelled -----------------------------------------------------------


async def test_paused_it_stands_still_and_goes_on_where_it_was(chat: Chat, app: App) -> None:
    sent = await app.broadcast("hello", to=people(200))
    await chat.advance(3)
    await app.broadcasts.pause(sent)
    shown = await until(chat, app, sent, "paused")
    stood = received(chat)
    assert 0 < shown.sent == stood.total() < 200
    await chat.advance(60)
    assert received(chat) == stood
    with pytest.raises(BroadcastRefused, match="is paused already"):
        await app.broadcasts.pause(sent)
    await app.broadcasts.resume(sent)
    await until(chat, app, sent, "done")
    assert received(chat) == Counter(people(200))


async def test_paused_it_stays_so_over_a_restart(chat: Chat, app: App) -> None:
    sent = await app.broadcast("hello", to=people(100))
    await chat.advance(2)
    await app.broadcasts.pause(sent)
    await until(chat, app, sent, "paused")
    stood = received(chat)
    await chat.restart()
    await chat.advance(30)
    assert received(chat) == stood
    await app.broadcasts.resume(sent)
    await until(chat, app, sent, "done")
    assert received(chat) == Counter(people(100))


async def test_cancelled_it_ends_and_what_was_sent_stays_counted(chat: Chat, app: App) -> None:
    sent = await app.broadcast("hello", to=people(200))
    await chat.advance(3)
    await app.broadcasts.cancel(sent)
    shown = await until(chat, app, sent, "cancelled")
    await chat.advance(30)
    assert shown.sent == received(chat).total() < 200
    assert (await app.broadcasts.status(sent)).ended is not None
    for act in (app.broadcasts.pause, app.broadcasts.resume, app.broadcasts.cancel):
        with pytest.raises(BroadcastRefused, match="is over"):
            await act(sent)


async def test_it_may_be_cancelled_while_its_people_are_looked_up(
    app: App, storage: FlowStorage, clock: VirtualClock
) -> None:
    """The orders are read in their order: all of it lies there before the bot runs."""
    await storage.open()
    async with app.operator(storage, sources=[SOURCE]) as operator:
        sent = await operator.broadcasts.send("hello", to=people(1200))
    async with Chat(app, clock=clock, storage=storage, channel=Service) as chat:
        await app.broadcasts.cancel(sent)
        shown = await until(chat, app, sent, "cancelled")
        await chat.advance(5)
        assert shown.listed
        assert received(chat).total() < 50


# --- who is shown how far it is -----------------------------------------------------------


async def test_who_wants_to_know_is_shown_in_one_message_how_far_it_is(
    chat: Chat, app: App
) -> None:
    sent = await app.broadcast("hello", to=people(200), report_to="editor")
    await until(chat, app, sent, "done")
    await chat.advance(2)
    told = [one for one in chat.deliveries if one.chat == "editor"]
    assert told[0].edit is None
    assert len(told) > 2
    assert len({one.edit for one in told[1:]}) == 1
    assert "200 of 200, 200 sent" in told[-1].text
    assert "done" in told[-1].text


async def test_a_handler_begins_one_with_its_turn_and_is_shown_how_far_it_is(
    chat: Chat, app: App
) -> None:
    (name,) = await chat.say("/tell p1 p2", by="editor")
    shown = await until(chat, app, name, "done")
    await chat.advance(2)
    assert shown.sent == 2
    assert received(chat, "news for all") == Counter(people(3)[1:])
    assert "2 of 2, 2 sent" in [one for one in chat.deliveries if one.chat == "editor"][-1].text


async def test_a_photo_with_buttons_arrives_as_such(chat: Chat, app: App) -> None:
    more = keyboard([Button("More", data="more")])
    message = prompt("look", attachment=Media.of("photo", "f1"), keyboard=more)
    await until(chat, app, await app.broadcast(message, to=["p1"]), "done")
    (arrived,) = [one for one in chat.deliveries if one.chat == "p1"]
    assert arrived.text == "look"
    assert arrived.attachment is not None
    assert chat.labels("p1") == ("More",)


# --- removed ------------------------------------------------------------------------------


async def test_who_is_erased_in_the_middle_gets_nothing_and_is_counted(
    chat: Chat, app: App
) -> None:
    await chat.say("hi", by="p150")
    sent = await app.broadcast("hello", to=people(200))
    await chat.advance(3)
    erased = await app.erase("test/p150")
    assert erased.scopes == 1, "that they are a recipient is no conversation"
    shown = await until(chat, app, sent, "done")
    assert (shown.sent, shown.gone) == (199, 1)
    assert received(chat) == Counter(people(200)) - Counter(["p150"])


async def test_it_is_swept_with_its_recipients_and_no_other_is(
    chat: Chat, app: App, storage: FlowStorage, clock: VirtualClock
) -> None:
    old = await app.broadcast("hello", to=people(30))
    await until(chat, app, old, "done")
    await chat.advance(10)
    between = clock.now()
    new = await app.broadcast("hello", to=people(30))
    await until(chat, app, new, "done")
    await sweep_broadcasts(storage, SystemClock(), between, breath=0.0, may_go_on=lambda: True)
    with pytest.raises(UnknownBroadcast):
        await app.broadcasts.status(old)
    assert [one.id for one in await app.broadcasts.list()] == [new]
    rows = await storage.load([recipient_key(one, 0) for one in (old, new)])
    assert list(rows) == [recipient_key(new, 0)]


async def test_a_bot_sweeps_it_when_its_time_is_over(
    app: App, clock: VirtualClock, kept: MemoryStorage
) -> None:
    database = MemoryStorage(database=kept.database)
    async with Chat(app, clock=clock, storage=database, channel=Service) as chat:
        sent = await app.broadcast("hello", to=people(30))
        await until(chat, app, sent, "done")
        await chat.advance(47 * 3600)
        assert (await app.broadcasts.status(sent)).sent == 30
        await chat.advance(2 * 3600)
        for _ in range(700):  # it is swept in pieces with pauses, which a long leap passes over
            await chat.advance(1)
        with pytest.raises(UnknownBroadcast):
            await app.broadcasts.status(sent)


async def test_no_conversation_is_counted_of_it(chat: Chat, app: App) -> None:
    await until(chat, app, await app.broadcast("hello", to=people(30)), "done")
    assert (await app.running.instances(live=None)).rows == ()
    assert await app.broadcasts.reach() == 0


# --- from the command line ----------------------------------------------------------------


async def test_all_dead_letters_are_replayed_but_those_of_broadcasts(
    app: App, kept: MemoryStorage, clock: VirtualClock
) -> None:
    database = MemoryStorage(database=kept.database)
    async with Chat(app, clock=clock, storage=database, channel=Service) as chat:
        await chat.say("hi", by=f"{BLOCKED}1")
        await until(chat, app, await app.broadcast("hello", to=[f"{BLOCKED}2", "broken1"]), "done")
        (answer,) = [
            row.id
            for row in (await app.dead_letters()).rows
            if row.conversation is not None and not row.conversation.startswith("broadcast/")
        ]
        assert len((await app.dead_letters()).rows) == 3
        assert [letter async for letter in letters._all(app.running)] == [answer]


async def test_it_is_followed_in_lines_to_its_end(
    chat: Chat, app: App, clock: VirtualClock, capsys: pytest.CaptureFixture[str]
) -> None:
    sent = await app.broadcast("hello", to=people(500))
    following = asyncio.ensure_future(follow(app.broadcasts, sent, clock))
    await chat.advance(40)
    assert (await following).sent == 500
    told = capsys.readouterr().out.splitlines()
    assert 2 <= len(told) <= 5
    assert any(re.match(r"running, [1-9]\d* of 500: [1-9]\d* sent", line) for line in told)


async def test_it_is_followed_with_a_bar_at_a_terminal(
    chat: Chat,
    app: App,
    clock: VirtualClock,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "200")
    sent = await app.broadcast("hello", to=people(100))
    following = asyncio.ensure_future(follow(app.broadcasts, sent, clock))
    await chat.advance(20)
    assert (await following).sent == 100
    assert "\u2501" in capsys.readouterr().out


# --- killed -------------------------------------------------------------------------------

CALLS: tuple[Boundary, ...] = ("accept", "pending", "load", "commit", "fire", "sent", "send")


@pytest.fixture
async def kept(clock: VirtualClock) -> AsyncIterator[MemoryStorage]:
    """A storage that outlives the processes of the bot, and can be looked into beside them."""
    storage = MemoryStorage(clock.now)
    await storage.open()
    yield storage
    await storage.close()


@pytest.mark.parametrize("skip", range(4))
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", CALLS)
async def test_killed_anywhere_it_reaches_everybody_and_nobody_twice_but_what_was_being_sent(
    app: App, clock: VirtualClock, kept: MemoryStorage, at: Boundary, after: bool, skip: int
) -> None:
    closed = [f"{BLOCKED}{number}" for number in range(2)]
    database, kills = MemoryStorage(database=kept.database), 0
    async with (
        app.operator(MemoryStorage(database=kept.database), sources=[SOURCE]) as operator,
        Chat(app, clock=clock, storage=database, channel=Service) as chat,
    ):
        sent = await operator.broadcasts.send("hello", to=[*people(45), *closed])
        chat.crash_at(CrashPoint(at, after=after, skip=skip))
        for second in range(15):
            await chat.advance(1)
            await chat.hand_in([chat.update(_text(f"question {second}"), by="reader")])
            if chat.crashed:
                kills += 1
                await chat.restart()
        await chat.advance(5)
        shown = await operator.broadcasts.status(sent)
        assert kills == 1
        assert (shown.state, shown.total, shown.out) == ("done", 47, 0)
        assert (shown.sent, shown.blocked, shown.failed, shown.gone) == (45, 2, 0, 0)
        times = received(chat)
        assert times.keys() == set(people(45))
        assert max(times.values()) <= (2 if at in ("sent", "send") else 1)
        assert received(chat, "you said question 14")["reader"] >= 1


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_killed_while_it_is_begun_it_begins_whole_or_not_at_all(
    app: App, clock: VirtualClock, kept: MemoryStorage, after: bool
) -> None:
    database = MemoryStorage(database=kept.database)
    async with Chat(app, clock=clock, storage=database, channel=Service) as chat:
        chat.crash_at(CrashPoint("accept", after=after))
        beginning = asyncio.ensure_future(app.broadcast("hello", to=people(1200)))
        await asyncio.sleep(0)
        await chat.settle()
        beginning.cancel()  # whoever called has died with the process
        assert chat.crashed
        await chat.restart()
        for _ in range(70):
            await chat.advance(1)
        shown = await app.broadcasts.list()
        assert [(one.state, one.sent) for one in shown] == ([("done", 1200)] if after else [])
        assert received(chat) == (Counter(people(1200)) if after else Counter())


# --- bad input ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "to", "rate", "reason"),
    [
        ("  ", ["1"], 20, "needs a text or a file"),
        ("hello", [], 20, "the list of chats is empty"),
        ("hello", ["1", ""], 20, "entry 2 of the chats"),
        ("hello", ["a b"], 20, "'a b', is no id of a chat"),
        ("hello", ["x" * 41], 20, "entry 1"),
        ("hello", ["caf\u00e9"], 20, "entry 1"),
        ("hello", ["1"], 0, "0 messages a second"),
        ("hello", ["1"], 501, "501 messages a second"),
    ],
)
async def test_what_cannot_be_sent_is_refused_with_the_reason(
    chat: Chat, app: App, message: str, to: Sequence[str], rate: int, reason: str
) -> None:
    with pytest.raises(BroadcastRefused, match=reason):
        await app.broadcasts.send(message, to=to, rate=rate)
    assert await app.broadcasts.list() == []


async def test_unknown_ones_are_refused(chat: Chat, app: App) -> None:
    sent = await app.broadcast("hello", to=["p1"])
    await chat.settle()
    wrong = sent[:-1] + ("0" if sent[-1] != "0" else "1")
    with pytest.raises(UnknownBroadcast, match=f"Did you mean '{sent}'"):
        await app.broadcasts.status(wrong)
    with pytest.raises(UnknownBroadcast, match="no broadcast 'nothing'"):
        await app.broadcasts.pause("nothing")
    with pytest.raises(BadAddress, match="does not run here"):
        await app.broadcasts.send("hello", source="telegram:1")


def _text(words: str) -> TextMessage:
    return TextMessage(words)
