"""Operators: what they may ask for, what it becomes in the inbox, and what they see."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from engine import Operator
from engine.operate.dry_run import dry_run
from engine.testing import Chat
from flows import (
    Action,
    BadAddress,
    FlowBuilder,
    Integer,
    NotRunning,
    NotWaiting,
    PayloadRefused,
    StartRefused,
    Status,
    Turn,
    UnknownConversation,
    UnknownFlow,
    UnknownInstance,
    UnknownStep,
    UnknownToken,
)
from flows.errors import CorruptState
from flows.ports import FlowStorage, Query
from flows.updates import Order, Update
from storage import MemoryStorage, SqlStorage
from tests.stored import SOURCE, at_step, awaiting, escalated, key_of, store
from tests.support import Names, Three, app_of

pytestmark = pytest.mark.anyio

SCOPE = "test/local/7//7"
"""The key of the person that most tests are about."""

builder = FlowBuilder("one", Three, Names)


@builder.step(Three.FIRST)
@builder.step(Three.SECOND)
@builder.step(Three.THIRD)
async def asking(turn: Turn[Three, Names]) -> Action[Three]:
    """A step that only asks."""
    await turn.ask(f"{turn.step.name}?")
    return turn.next()


flow = builder.build(initial=Three.FIRST)
app = app_of(flow)


@pytest.fixture(params=["memory", "sqlite"])
async def storage(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[FlowStorage]:
    """An open storage of each kind."""
    made = MemoryStorage() if request.param == "memory" else _sqlite(tmp_path)
    await made.open()
    yield made
    await made.close()


def _sqlite(folder: Path) -> SqlStorage:
    return SqlStorage(f"sqlite:///{folder / 'bot.db'}")


@pytest.fixture
async def operator(storage: FlowStorage) -> Operator:
    """An operator beside a bot that does not run."""
    return Operator(storage, app._bot, sources=[SOURCE])


async def inbox(storage: FlowStorage) -> list[dict[str, Any]]:
    """What waits in the inbox, without what ``store`` left there."""
    page = await storage.inspect(Query(what="inbox"))
    return [dict(row) for row in page.rows]


async def ordered(storage: FlowStorage) -> Order:
    """The only order in the inbox."""
    (row,) = await inbox(storage)
    content = Update.from_json(row["body"]).content
    assert isinstance(content, Order)
    return content


# --- orders -------------------------------------------------------------------------------


async def test_an_order_is_a_row_for_its_conversation(
    storage: FlowStorage, operator: Operator
) -> None:
    receipt = await operator.start("one", user=7, data={"first": "Ada"})
    (row,) = await inbox(storage)
    assert (row["seq"], row["conv"]) == (receipt.seq, receipt.conversation)
    assert (row["source"], row["kind"], row["part"]) == (
        "order",
        "order",
        key_of("7").address.partition,
    )
    update = Update.from_json(row["body"])
    assert update.content == Order(order="start", scope=SCOPE, flow="one", data={"first": "Ada"})
    assert str(update.conversation) == row["conv"] == str(key_of("7"))
    assert update.private


async def test_a_start_names_flow_chat_and_topic(storage: FlowStorage, operator: Operator) -> None:
    await operator.start(flow, user="7", chat="-100", topic=3)
    (row,) = await inbox(storage)
    update = Update.from_json(row["body"])
    assert update.address is not None
    assert (update.address.chat, update.address.topic, update.private) == ("-100", "3", False)


async def test_a_start_goes_to_the_chat_under_its_old_id(
    storage: FlowStorage, operator: Operator
) -> None:
    await storage.alias(SOURCE, "-100", "-5")
    receipt = await operator.start(flow, user="7", chat="-100")
    assert receipt.conversation == "test/local/-5//7"


async def test_each_order_is_one_of_its_own(storage: FlowStorage, operator: Operator) -> None:
    receipts = [await operator.start(flow, user=7) for _ in range(3)]
    assert [row["seq"] for row in await inbox(storage)] == [one.seq for one in receipts]


async def test_what_cannot_start_is_refused_at_once(
    storage: FlowStorage, operator: Operator
) -> None:
    with pytest.raises(UnknownFlow, match="Did you mean 'one'"):
        await operator.start("ones", user=7)
    with pytest.raises(StartRefused, match="Names has no such field"):
        await operator.start("one", user=7, data={"nick": "Ada"})
    with pytest.raises(StartRefused, match="'count'"):
        await operator.start("one", user=7, data={"count": "many"})
    with pytest.raises(BadAddress, match="does not run here, only test:local"):
        await operator.start("one", user=7, source="telegram:1")
    with pytest.raises(BadAddress, match="is empty"):
        await operator.start("one", user="")
    assert await inbox(storage) == []


async def test_a_start_says_which_bot_where_that_is_not_known(storage: FlowStorage) -> None:
    operator = Operator(storage, app._bot)
    with pytest.raises(BadAddress, match="Say source="):
        await operator.start("one", user=7)
    receipt = await operator.start("one", user=7, source="telegram:1")
    assert receipt.conversation == "telegram/1/7//7"


async def test_data_may_be_a_model(storage: FlowStorage, operator: Operator) -> None:
    await operator.start("one", user=7, data=Names(first="Ada", count=2))
    assert (await ordered(storage)).data == {"first": "Ada", "second": "", "third": "", "count": 2}


async def test_goto_names_a_step_of_the_flow(storage: FlowStorage, operator: Operator) -> None:
    await store(storage, "7", at_step("FIRST"))
    with pytest.raises(UnknownStep, match="Its steps are FIRST, SECOND, THIRD"):
        await operator.goto("a-0", "FOURTH")
    await operator.goto("a-0", Three.THIRD)
    assert await ordered(storage) == Order(order="goto", scope=SCOPE, instance="a-0", step="THIRD")


async def test_cancel_has_a_reason(storage: FlowStorage, operator: Operator) -> None:
    await store(storage, "7", at_step("FIRST"))
    await operator.cancel("a-0", reason="on the phone")
    assert await ordered(storage) == Order(
        order="cancel", scope=SCOPE, instance="a-0", reason="on the phone"
    )


async def test_what_is_set_aside_can_be_moved_and_ended(
    storage: FlowStorage, operator: Operator
) -> None:
    broken = at_step("GONE")
    broken.status = Status.QUARANTINED
    await store(storage, "7", aside=(broken,))
    await operator.goto("a-0", "FIRST")
    await operator.cancel("a-0")
    assert len(await inbox(storage)) == 2
    with pytest.raises(NotWaiting, match="it is set aside"):
        await operator.decide("a-0")


async def test_a_whole_conversation_is_cancelled(storage: FlowStorage, operator: Operator) -> None:
    key = await store(storage, "7", at_step("FIRST"), at_step("SECOND", id="b-0"))
    receipt = await operator.cancel_conversation(key)
    assert receipt.conversation == key
    assert (await ordered(storage)).order == "cancel_all"
    with pytest.raises(UnknownConversation, match="nothing runs in it"):
        await operator.cancel_conversation(key_of("8"))
    with pytest.raises(UnknownConversation, match="it is no key"):
        await operator.cancel_conversation("everything")


async def test_an_unknown_instance_is_told_with_what_looks_alike(
    storage: FlowStorage, operator: Operator
) -> None:
    with pytest.raises(UnknownInstance, match="none does at all"):
        await operator.cancel("abc-0")
    await store(storage, "7", at_step("FIRST", id="abd-0"))
    for act in (operator.cancel, operator.decide, operator.show):
        with pytest.raises(UnknownInstance, match="Did you mean 'abd-0'"):
            await act("abc-0")
    with pytest.raises(UnknownInstance, match="'handrail ps' lists"):
        await operator.goto("zzz", "FIRST")


async def test_an_unreadable_conversation_is_told_and_left_alone(
    storage: FlowStorage, operator: Operator
) -> None:
    await store(storage, "7", at_step("FIRST"), state='{"format": 99}')
    with pytest.raises(CorruptState, match="newer Handrail"):
        await operator.cancel("a-0")
    assert await inbox(storage) == []


# --- resuming -------------------------------------------------------------------------------


async def test_an_operator_answers_an_escalated_step(
    storage: FlowStorage, operator: Operator
) -> None:
    await store(storage, "7", escalated("SECOND", Integer(ge=1).to_json()))
    with pytest.raises(PayloadRefused, match="0 is not what the step wants"):
        await operator.decide("a-0", 0)
    await operator.decide("a-0", "5")
    assert await ordered(storage) == Order(order="resume", scope=SCOPE, instance="a-0", payload="5")


async def test_what_waits_for_no_operator_is_told_with_what_it_does(
    storage: FlowStorage, operator: Operator
) -> None:
    await store(storage, "7", at_step("FIRST"))
    await store(storage, "8", awaiting("SECOND", "b-0.secret", id="b-0"))
    with pytest.raises(NotWaiting, match="at step FIRST it waits for its person"):
        await operator.decide("a-0")
    with pytest.raises(NotWaiting, match="an outside event, by its ticket") as refusal:
        await operator.decide("b-0")
    assert "secret" not in str(refusal.value)


async def test_an_escalation_that_this_code_cannot_read_is_told(
    storage: FlowStorage, operator: Operator
) -> None:
    await store(storage, "7", escalated("SECOND", {"kind": "never-heard-of"}))
    with pytest.raises(NotWaiting, match="'never-heard-of' is no kind of input"):
        await operator.decide("a-0", "5")


async def test_a_ticket_brings_its_event(storage: FlowStorage, operator: Operator) -> None:
    await store(storage, "7", awaiting("FIRST", "a-0.secret"))
    receipt = await operator.resume("a-0.secret", {"paid": 5})
    (row,) = await inbox(storage)
    assert row["seq"] == receipt.seq
    assert (await ordered(storage)).payload == {"paid": 5}


async def test_a_ticket_that_was_used_is_refused(storage: FlowStorage, operator: Operator) -> None:
    await store(storage, "7", awaiting("FIRST", "a-0.next"))
    with pytest.raises(UnknownToken, match="was used already") as refusal:
        await operator.resume("a-0.secret", {"paid": 5})
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize(
    "ticket", ["a-0.other", "a-0.", "b-0.secret", ".", "a-0.s\ud800t", "a-0.é"]
)
async def test_a_ticket_that_nothing_waits_for_is_refused(
    storage: FlowStorage, operator: Operator, ticket: str
) -> None:
    await store(storage, "7", awaiting("FIRST", "a-0.secret"))
    with pytest.raises(UnknownToken):
        await operator.resume(ticket)
    assert await inbox(storage) == []


async def test_a_ticket_of_a_called_flow_is_known_by_its_root(
    storage: FlowStorage, operator: Operator
) -> None:
    root = at_step("FIRST")
    assert root.visit is not None
    root.visit.child = awaiting("SECOND", "a-0.secret", id="a-0.child")
    await store(storage, "7", root)
    await operator.resume("a-0.secret")
    assert (await ordered(storage)).instance == "a-0"


async def test_a_payload_that_is_no_json_is_refused(
    storage: FlowStorage, operator: Operator
) -> None:
    await store(storage, "7", awaiting("FIRST", "a-0.secret"))
    with pytest.raises(PayloadRefused, match="it is no JSON"):
        await operator.resume("a-0.secret", object())
    await operator.resume("a-0.secret", Names(first="Ada"))


# --- looking --------------------------------------------------------------------------------


async def test_instances_are_listed_by_pages(storage: FlowStorage, operator: Operator) -> None:
    for number in range(5):
        await store(storage, str(number), at_step("FIRST", id=f"{number}-0"))
    first = await operator.instances(limit=3)
    rest = await operator.instances(limit=3, after=first.next)
    assert [row.id for row in (*first.rows, *rest.rows)] == ["4-0", "3-0", "2-0", "1-0", "0-0"]
    assert (len(first.rows), rest.next) == (3, None)
    (one,) = (await operator.instances(person="test/3", status=Status.ACTIVE, live=True)).rows
    assert (one.id, one.step) == ("3-0", "FIRST")
    assert (await operator.instances(flow="two")).rows == ()


async def test_one_instance_is_shown_closely() -> None:
    storage = MemoryStorage()
    async with Chat(app, storage=storage) as chat:
        await chat.say("/start")
        await chat.say("Ada")
        operator = Operator(storage, app._bot)
        (row,) = (await operator.instances()).rows
        shown = await operator.show(row.id)
        assert shown.instance is not None
        assert shown.instance.step == "SECOND"
        assert [(move.source, move.target) for move in shown.moves] == [
            ("FIRST", "SECOND"),
            (None, "FIRST"),
        ]
        await chat.say("/cancel")
        over = await operator.show(row.id)
        assert (over.instance, over.row.status) == (None, "cancelled")
        with pytest.raises(UnknownInstance, match=r"is over \(cancelled\)"):
            await operator.cancel(row.id)


async def test_a_dry_run_judges_all_that_lives_and_writes_nothing(storage: FlowStorage) -> None:
    await store(storage, "1", at_step("FIRST", id="1-0"), at_step("GONE", id="1-1"))
    await store(storage, "2", at_step("FIRST", id="2-0", flow="two"))
    await store(storage, "3", at_step("FIRST", id="3-0"), state='{"format": 99}')
    before = await storage.load([str(key_of(user)) for user in "123"])
    found = {one.instance: one.fault async for one in dry_run(storage, app.registry.flows)}
    assert found["1-0"] is None
    assert found["1-1"] == "it is at step GONE, which version 1 does not have"
    assert found["2-0"] == "no flow 'two' is registered"
    assert "newer Handrail" in str(found[str(key_of("3"))])
    assert await storage.load(before.keys()) == before
    assert await inbox(storage) == []


async def test_a_dry_run_goes_through_every_page() -> None:
    storage = MemoryStorage()
    await storage.open()
    for number in range(1100):
        await store(storage, str(number), at_step("FIRST", id=f"{number}-0"))
    found = [one async for one in dry_run(storage, app.registry.flows)]
    assert len({one.instance for one in found}) == len(found) == 1100


# --- erasing --------------------------------------------------------------------------------


async def test_a_person_is_erased_without_a_bot_too(
    storage: FlowStorage, operator: Operator, caplog: pytest.LogCaptureFixture
) -> None:
    key = await store(storage, "7", at_step("FIRST"))
    await store(storage, "8", at_step("FIRST", id="b-0"))
    erased = await operator.erase("test/7", patience=0)
    assert (erased.scopes, erased.ended, erased.unheard) == (1, 0, 1)
    assert "removed without their hooks" in caplog.text
    assert await storage.load([key]) == {}
    assert await inbox(storage) == []
    assert [row.id for row in (await operator.instances()).rows] == ["b-0"]


async def test_a_person_whose_conversation_cannot_be_read_is_erased_too(
    storage: FlowStorage, operator: Operator
) -> None:
    key = await store(storage, "7", at_step("FIRST"), state='{"format": 99}')
    erased = await operator.erase("test/7", patience=0)
    assert (erased.scopes, erased.unheard) == (1, 1)
    assert await storage.load([key]) == {}


async def test_a_bot_ends_what_runs_before_it_is_erased() -> None:
    storage = MemoryStorage()
    async with Chat(app, storage=storage) as chat:
        await chat.say("/start")
        erased = await app.erase("test/1")
        assert (erased.scopes, erased.ended, erased.unheard) == (1, 1, 0)
        assert await storage.load([str(key_of("1"))]) == {}
        assert (await chat.say("/start"))[-1] == "FIRST?"


async def test_erasing_somebody_unknown_does_nothing(operator: Operator) -> None:
    assert (await operator.erase("test/7")).scopes == 0
    for nobody in ("", "7", "test/", "/7"):
        with pytest.raises(BadAddress, match="names nobody"):
            await operator.erase(nobody)


# --- in a running App -----------------------------------------------------------------------


async def test_an_app_that_does_not_run_says_what_to_do() -> None:
    with pytest.raises(NotRunning, match=r"async with app\.operator\(storage\)"):
        await app.start("one", user=7)
    async with Chat(app):
        await app.start("one", user=7)
    for call in (app.decide("a-0"), app.cancel("a-0"), app.erase("test/7")):
        with pytest.raises(NotRunning):
            await call


async def test_a_running_app_takes_an_order_at_once() -> None:
    storage = MemoryStorage()
    async with Chat(app, storage=storage) as chat:
        await app.start("one", user="1")
        await chat.settle()
        assert await inbox(storage) == []


async def test_an_operator_of_another_process_leaves_orders_for_the_bot(tmp_path: Path) -> None:
    async with Chat(app, storage=_sqlite(tmp_path)), app.operator(_sqlite(tmp_path)) as operator:
        receipt = await operator.start("one", user="1", source=SOURCE)
        assert await operator.until_done(receipt, seconds=30)


async def test_an_order_without_a_bot_waits_for_it(storage: FlowStorage) -> None:
    operator = Operator(storage, app._bot, sources=[SOURCE])
    receipt = await operator.start("one", user="1")
    assert not await operator.until_done(receipt, seconds=0)
    async with Chat(app, storage=storage) as chat:
        await chat.settle()
        assert await operator.until_done(receipt, seconds=0)
