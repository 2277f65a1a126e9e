"""Deploys: stored instances of older versions go on, and those that cannot wait for help."""

from __future__ import annotations

import shutil
from datetime import timedelta
from enum import Enum, auto
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from engine import App
from engine.testing import Chat, VirtualClock
from flows import Action, Choice, Flow, FlowBuilder, FlowRegistry, Integer, Text, Turn
from flows.ports import FlowStorage, Query
from flows.routing.router import Router
from flows.updates import Order
from storage import MemoryStorage, SqlStorage
from tests.fixtures.enquiries.make import FILE
from tests.support import app_of

pytestmark = pytest.mark.anyio

QUARANTINED = (
    "Sorry, this conversation cannot go on right now. Nothing is lost; somebody has to look at it."
)

Data = dict[str, Any]


async def rows(storage: FlowStorage) -> dict[str, tuple[str, str]]:
    """Instance id to step and status."""
    page = await storage.inspect(Query(what="instances"))
    return {row["id"]: (row["step"], row["status"]) for row in page.rows}


async def only(storage: FlowStorage) -> str:
    """The id of the one instance there is."""
    (instance,) = await rows(storage)
    return instance


# --- the live database of version 1 ---------------------------------------------------------


class Step3(Enum):
    """Version 3: NAME is WHO, EMAIL is CONTACT, MORE is DETAILS, TOWN is PLACE; FAX is gone."""

    WHO = auto()
    CONTACT = auto()
    DETAILS = auto()
    AGE = auto()
    PLACE = auto()
    SURE = auto()


class Enquiry3(BaseModel):
    """Version 3: name is who since 2, email is contact and town is place since 3."""

    who: str
    contact: str = ""
    age: int = 0
    place: str = ""
    sure: str = ""

    model_config = {"extra": "forbid"}


def to_2(data: Data) -> Data:
    return {"who": data.pop("name"), **data}


def to_3(data: Data) -> Data:
    del data["fax"]
    return {"contact": data.pop("email"), "place": data.pop("town"), **data}


def enquiry() -> App:
    builder = FlowBuilder("enquiry", Step3, Enquiry3, version=3)

    async def who(turn: Turn[Step3, Enquiry3]) -> Action[Step3]:
        turn.data.who = await turn.ask("Who are you?")
        return turn.next()

    builder.step(Step3.WHO, who)
    builder.ask(Step3.CONTACT, "How do we reach you?", Text(), into="contact")
    builder.ask(Step3.AGE, "How old?", Integer(), into="age")
    builder.ask(Step3.PLACE, "Where?", Text(), into="place")
    builder.step(Step3.SURE, sure)
    builder.parallel(from_=Step3.DETAILS, steps=[Step3.AGE, Step3.PLACE], join=Step3.SURE)
    builder.migrate(
        from_=1, renamed={"NAME": "PERSON", "MORE": "DETAILS", "TOWN": "PLACE"}, data=to_2
    )
    builder.migrate(from_=2, renamed={"PERSON": Step3.WHO, "EMAIL": Step3.CONTACT}, data=to_3)
    registry = FlowRegistry()
    registry.register_callable(builder.build(initial=Step3.WHO))
    registry.back_command("back")
    return App(Router("enquiries"), registry=registry)


async def sure(turn: Turn[Step3, Enquiry3]) -> Action[Step3]:
    data = turn.data
    turn.reply(f"{data.who}, {data.contact}, {data.age}, {data.place}")
    await turn.ask("Are you sure?", Choice(["yes", "no"]))
    return turn.complete()


@pytest.fixture
def live(tmp_path: Path) -> SqlStorage:
    """A copy of the database that version 1 has left behind."""
    copy = tmp_path / "live.db"
    shutil.copyfile(FILE, copy)
    return SqlStorage(f"sqlite+aiosqlite:///{copy}", clock=VirtualClock().now)


def enquiries(live: SqlStorage) -> Chat:
    return Chat(enquiry(), storage=live, clock=VirtualClock())


async def test_a_live_conversation_goes_on_two_versions_later(live: SqlStorage) -> None:
    async with enquiries(live) as chat:
        assert await chat.say("ada@example.com") == ("0/2",)
        await chat.say("36")
        await chat.say("London")
        chat.expect("Ada, ada@example.com, 36, London", "Are you sure?", buttons=["yes", "no"])
        await chat.press("yes")
        assert ("SURE", "completed") in (await rows(live)).values()


async def test_one_that_has_only_begun_goes_on_too(live: SqlStorage) -> None:
    async with enquiries(live) as chat:
        assert await chat.say("Bea", by="2") == ("How do we reach you?",)


async def test_back_leads_to_what_the_step_is_called_now(live: SqlStorage) -> None:
    async with enquiries(live) as chat:
        assert await chat.say("/back") == ("Who are you?",)
        assert await chat.say("Ada L.") == ("How do we reach you?",)


async def test_a_fork_goes_on_with_its_focus_and_what_is_done(live: SqlStorage) -> None:
    async with enquiries(live) as chat:
        chat.expect(chat="4")
        await chat.say("Paris", by="4")
        chat.expect("Eve, eve@example.com, 36, Paris", "Are you sure?", chat="4")


async def test_one_at_a_step_that_is_gone_is_set_aside_listed_and_moved(
    live: SqlStorage, caplog: pytest.LogCaptureFixture
) -> None:
    async with enquiries(live) as chat:
        said = await chat.say("555", by="3")
        assert said[0] == QUARANTINED
        (lost,) = [
            one for one, (_, status) in (await rows(live)).items() if status == "quarantined"
        ]
        assert "it is at step FAX, which version 3 does not have" in caplog.text
        move = Order(order="goto", instance=lost, step="DETAILS")
        assert await chat.send(move, by="3") == ("0/2",)
        await chat.say("40", by="3")
        await chat.say("Rome", by="3")
        chat.expect("Bob, bob@example.com, 40, Rome", chat="3")


# --- in one process after the other ---------------------------------------------------------


class Old(Enum):
    FIRST = auto()
    SECOND = auto()
    THIRD = auto()


class New(Enum):
    UN = auto()
    DEUX = auto()
    TROIS = auto()


class OldData(BaseModel):
    first: str = ""
    second: str = ""


class NewData(BaseModel):
    un: str = ""
    deux: str = ""


RENAMED = {"FIRST": New.UN, "SECOND": New.DEUX, "THIRD": New.TROIS}


def renamed_fields(data: Data) -> Data:
    return {"un": data["first"], "deux": data["second"]}


def old(version: int = 1) -> Flow[Any, Any]:
    builder = FlowBuilder("flow", Old, OldData, version=version)
    builder.ask(Old.FIRST, "First?", Text(), into="first")
    builder.ask(Old.SECOND, "Second?", Text(), into="second")
    builder.ask(Old.THIRD, "Third?", Text(), into="second")
    return builder.build(initial=Old.FIRST)


def new(version: int = 2, **migration: Any) -> Flow[Any, Any]:
    builder = FlowBuilder("flow", New, NewData, version=version)
    builder.ask(New.UN, "Un?", Text(), into="un")
    builder.ask(New.DEUX, "Deux?", Text(), into="deux")
    builder.step(New.TROIS, trois)
    if migration:
        builder.migrate(from_=1, **migration)
    return builder.build(initial=New.UN)


async def trois(turn: Turn[New, NewData]) -> Action[New]:
    turn.reply(f"{turn.data.un}, {turn.data.deux}")
    await turn.ask("Trois?")
    return turn.complete()


async def begun(storage: FlowStorage, flow: Flow[Any, Any], *texts: str) -> None:
    async with Chat(app_of(flow), storage=storage) as chat:
        for text in ("/start", *texts):
            await chat.say(text)


async def test_steps_and_data_are_renamed_in_one_migration() -> None:
    storage = MemoryStorage()
    await begun(storage, old(), "a")
    async with Chat(app_of(new(renamed=RENAMED, data=renamed_fields)), storage=storage) as chat:
        assert await chat.say("b") == ("a, b", "Trois?")


async def test_a_button_from_before_the_deploy_still_answers() -> None:
    storage = MemoryStorage()
    builder = FlowBuilder("flow", Old, OldData)
    builder.ask(Old.FIRST, "First?", Choice(["a", "b"]), into="first", to=[Old.SECOND])
    builder.ask(Old.SECOND, "Second?", Text(), into="second")
    builder.ask(Old.THIRD, "Third?", Text(), into="second")
    async with Chat(app_of(builder.build(initial=Old.FIRST)), storage=storage) as chat:
        await chat.say("/start")
        press = chat.button("a").press()
    later = FlowBuilder("flow", New, NewData, version=2)
    later.ask(New.UN, "Un?", Choice(["a", "b", "c"]), into="un")
    later.ask(New.DEUX, "Deux?", Text(), into="deux").step(New.TROIS, trois)
    later.migrate(from_=1, renamed=RENAMED, data=renamed_fields)
    async with Chat(app_of(later.build(initial=New.UN)), storage=storage) as chat:
        assert await chat.send(press) == ("Deux?",)


async def test_a_data_function_that_fails_sets_aside_with_the_reason_and_the_data_as_it_was(
    caplog: pytest.LogCaptureFixture,
) -> None:
    storage = MemoryStorage()
    await begun(storage, old(), "a")

    def broken(data: Data) -> Data:
        del data["first"]
        raise KeyError("no such field")

    async with Chat(app_of(new(renamed=RENAMED, data=broken)), storage=storage) as chat:
        assert (await chat.say("b"))[0] == QUARANTINED
        assert list((await rows(storage)).values()) == [("SECOND", "quarantined")]
    assert "the migration from version 1 failed: KeyError: 'no such field'" in caplog.text
    async with Chat(app_of(new(renamed=RENAMED, data=renamed_fields)), storage=storage) as chat:
        assert (await chat.say("b")) == ("a, b", "Trois?"), "a corrected deploy takes it back"


async def test_what_cannot_be_migrated_is_not_moved_and_stays_as_it_was(
    caplog: pytest.LogCaptureFixture,
) -> None:
    storage = MemoryStorage()
    await begun(storage, old(), "a")

    def broken(data: Data) -> Data:
        raise ValueError("never")

    async with Chat(app_of(new(renamed=RENAMED, data=broken)), storage=storage) as chat:
        await chat.say("b")
        move = Order(order="goto", instance=await only(storage), step="UN")
        assert await chat.send(move) == ()
    assert "cannot be moved: the migration from version 1 failed" in caplog.text
    async with Chat(app_of(old()), storage=storage) as chat:
        assert await chat.say("b") == ("Third?",), "the old code goes on with it"


async def test_an_order_to_a_step_that_is_not_leaves_what_is_set_aside_as_it_was(
    caplog: pytest.LogCaptureFixture,
) -> None:
    storage = MemoryStorage()
    await begun(storage, old(), "a")
    async with Chat(app_of(new(data=renamed_fields)), storage=storage) as chat:
        await chat.say("b")
        move = Order(order="goto", instance=await only(storage), step="QUATRE")
        assert await chat.send(move) == ()
        assert list((await rows(storage)).values()) == [("SECOND", "quarantined")]
    assert "QUATRE" in caplog.text
    async with Chat(app_of(old()), storage=storage) as chat:
        assert await chat.say("b") == ("Third?",)


async def test_what_is_moved_has_the_data_of_the_version_of_now() -> None:
    storage = MemoryStorage()
    await begun(storage, old(), "a", "b")
    async with Chat(app_of(new(data=renamed_fields)), storage=storage) as chat:
        assert (await chat.say("x"))[0] == QUARANTINED
        move = Order(order="goto", instance=await only(storage), step="TROIS")
        assert await chat.send(move) == ("a, b", "Trois?")


async def test_what_is_set_aside_can_be_cancelled() -> None:
    storage = MemoryStorage()
    await begun(storage, old(), "a")
    async with Chat(app_of(new(data=renamed_fields)), storage=storage) as chat:
        await chat.say("b")
        await chat.send(Order(order="cancel", instance=await only(storage)))
        assert list((await rows(storage)).values()) == [("SECOND", "cancelled")]


async def test_cancelling_all_ends_what_is_set_aside_too() -> None:
    storage = MemoryStorage()
    await begun(storage, old(), "a")
    async with Chat(app_of(new(data=renamed_fields)), storage=storage) as chat:
        await chat.say("b")
        await chat.send(Order(order="cancel_all"))
        assert list((await rows(storage)).values()) == [("SECOND", "cancelled")]


async def test_a_version_without_a_migration_is_tried_as_it_is() -> None:
    storage = MemoryStorage()
    await begun(storage, old(1), "a")
    async with Chat(app_of(old(4)), storage=storage) as chat:
        assert await chat.say("b") == ("Third?",)


async def test_a_migration_is_made_once() -> None:
    storage = MemoryStorage()
    await begun(storage, old(), "a")
    made: list[Data] = []

    def counted(data: Data) -> Data:
        made.append(data)
        return renamed_fields(data)

    for text in ("b", "c"):
        flow = new(renamed=RENAMED, data=counted)
        async with Chat(app_of(flow), storage=storage) as chat:
            await chat.say(text)
    assert len(made) == 1


@pytest.mark.parametrize("clock_of", ["ttl", "max_age"])
async def test_a_clock_that_a_deploy_takes_away_runs_no_more(clock_of: str) -> None:
    clock = VirtualClock()
    storage = MemoryStorage(clock.now)
    for minutes in (1, None):
        async with Chat(app_of(timed(clock_of, minutes)), storage=storage, clock=clock) as chat:
            assert await chat.say("/start") == ("First?",)
    async with Chat(app_of(timed(clock_of, None)), storage=storage, clock=clock) as chat:
        assert await chat.advance(600) == ()
        assert await chat.say("a") == ()


@pytest.mark.parametrize("clock_of", ["ttl", "max_age"])
async def test_a_clock_that_a_deploy_brings_runs_from_the_next_turn(clock_of: str) -> None:
    clock = VirtualClock()
    storage = MemoryStorage(clock.now)
    for minutes in (None, 1):
        async with Chat(app_of(timed(clock_of, minutes)), storage=storage, clock=clock) as chat:
            assert await chat.say("/start") == ("First?",)
    async with Chat(app_of(timed(clock_of, 1)), storage=storage, clock=clock) as chat:
        assert await chat.advance(59) == ()
        assert await chat.advance(1) == ("This conversation has expired.",)


def timed(clock_of: str, minutes: int | None) -> Flow[Any, Any]:
    times: Any = {clock_of: timedelta(minutes=minutes) if minutes is not None else None}
    builder = FlowBuilder("flow", Single, OldData, **times)
    builder.ask(Single.ONLY, "First?", Text(), into="first")
    return builder.build(initial=Single.ONLY)


async def test_what_a_flow_has_called_migrates_by_itself() -> None:
    def calling(child: Flow[Any, Any]) -> Flow[Any, Any]:
        async def step(turn: Turn[Any, Any]) -> Action[Any]:
            result = await turn.call(child)
            turn.reply(f"result: {result.un}")
            return turn.complete()

        builder = FlowBuilder("caller", Single, OldData)
        return builder.step(Single.ONLY, step).build(initial=Single.ONLY)

    storage = MemoryStorage()
    await begun(storage, calling(old()), "a", "b")
    app = app_of(calling(new(renamed=RENAMED, data=renamed_fields)))
    async with Chat(app, storage=storage) as chat:
        assert await chat.say("c") == ("result: a",)


class Single(Enum):
    ONLY = auto()
