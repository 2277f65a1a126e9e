"""Transcripts in which more happens than talk, and talk that is disturbed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine.testing import (
    TimeIsReal,
    TranscriptError,
    TranscriptMismatch,
    VirtualClock,
    parse_transcript,
    play,
)
from engine.testing.transcript import Exchange
from examples.signup import app as signup
from flows import Action, Confirm, Flow, FlowBuilder, Turn
from storage import MemoryStorage
from tests.support import Names, One, app_of

pytestmark = pytest.mark.anyio


def counter(ttl: timedelta | None = None) -> Flow[One, Names]:
    async def step(turn: Turn[One, Names]) -> Action[One]:
        said = await turn.ask(f"Count {turn.data.count}?")
        turn.data.count += await turn.ask(f"{said!r}, sure?", Confirm())
        return turn.goto(One.ONLY)

    builder = FlowBuilder("counter", One, Names, ttl=ttl)
    return builder.step(One.ONLY, step).build(initial=One.ONLY)


WAYS = pytest.mark.parametrize(("restart", "twice"), [(True, False), (False, True), (True, True)])


@WAYS
async def test_a_transcript_holds_through_crashes_and_repeated_deliveries(
    restart: bool, twice: bool
) -> None:
    text = "> /start\n< count 0\n> a\n! Yes\n< count 1\n> b\n< b\n! No\n< count 1\n> c\n> yes\n< 2"
    await play(app_of(counter()), parse_transcript(text), restart=restart, twice=twice)


@WAYS
async def test_the_signup_example_holds_through_them_too(restart: bool, twice: bool) -> None:
    text = "> /start\n< name\n> Ada\n> ada@example.com\n< plan\n! Pro\n< Pro\n! Confirm\n< all set"
    await play(signup, parse_transcript(text), restart=restart, twice=twice)


async def test_time_passes_in_a_transcript() -> None:
    text = "> /start\n* wait 59m\n* wait 2m\n< expired\n* wait 3d\n> /start\n< count 0"
    await play(app_of(counter(timedelta(hours=1))), parse_transcript(text))


async def test_time_cannot_pass_on_a_real_clock_that_was_asked_for() -> None:
    real = app_of(counter()).clock
    with pytest.raises(TimeIsReal):
        await play(app_of(counter()), parse_transcript("> /start\n* wait 1s"), clock=real)


async def test_a_storage_is_kept_between_two_transcripts() -> None:
    clock = VirtualClock()
    storage = MemoryStorage(clock.now)
    app = app_of(counter())
    await play(app, parse_transcript("> /start\n> a"), storage=storage, clock=clock)
    await play(app, parse_transcript("> yes\n< count 1"), storage=storage, clock=clock)


async def test_updates_come_again_and_processes_come_and_go() -> None:
    text = (
        '> /start\n> a\n* again\n* crash\n* restart\n! Yes\n< count 1\n* say "x\\ny"\n'
        "< 'x\\ny', sure?\n* press 2 Yes\n< expired\n! Yes\n< count 2"
    )
    await play(app_of(counter()), parse_transcript(text))


async def test_several_people_talk_each_in_a_conversation_of_their_own() -> None:
    text = (
        "> /start\n> a\n! Yes\n< count 1\n* person 2\n> /start\n< count 0\n"
        "* person 3 group\n> /start\n< count 0\n> b\n* person 4 group\n! Yes\n< somebody else\n"
        "* person 1\n> c\n! Yes\n< count 2"
    )
    await play(app_of(counter()), parse_transcript(text))


async def test_what_comes_by_an_event_is_expected_too() -> None:
    with pytest.raises(TranscriptMismatch, match=r"'expired'\. The bot said nothing"):
        await play(app_of(counter()), parse_transcript("> /start\n* wait 1h\n< expired"))


def test_who_talks_stands_with_every_exchange() -> None:
    transcript = parse_transcript("> a\n* person 2 group\n! b\n* wait 10m")
    assert transcript.exchanges == (
        Exchange(1, "say", "a"),
        Exchange(3, "press", "b", by="2", chat="group"),
        Exchange(4, "event", "wait 10m", by="2", chat="group"),
    )
    assert [one.written for one in transcript.exchanges] == ["> a", "! b", "* wait 10m"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("* dance", "after '\\*' stands what happens .*, not 'dance'"),
        ("* wait", "not 'wait'"),
        ("* wait 5 minutes", "not 'wait 5 minutes'"),
        ("* press Yes", "not 'press Yes'"),
        ("* press 0 Yes", "not 'press 0 Yes'"),
        ('* say "a', "not 'say \"a'"),
        ('* say "\\q"', "is no text in JSON"),
        ("* person", "after '\\* person' stands who talks"),
        ("* person 1 2 3", "after '\\* person' stands who talks"),
        ("*", "nothing stands after"),
    ],
)
def test_an_event_that_cannot_be_read_is_an_error_with_its_line(line: str, reason: str) -> None:
    with pytest.raises(TranscriptError, match=f"transcript, line 2: .*{reason}"):
        parse_transcript(f"> hello\n{line}")
