"""Reading and playing transcripts."""

from __future__ import annotations

from enum import StrEnum, auto
from pathlib import Path

import pytest
from pydantic import BaseModel

from engine import App
from engine.testing import (
    Chat,
    TranscriptError,
    TranscriptMismatch,
    parse_transcript,
    play,
    read_transcript,
)
from engine.testing.transcript import Exchange, Expectation
from flows import Action, Choice, FlowBuilder, FlowRegistry, OnCommand, Photo, Router, Text, Turn
from storage import MemoryStorage


class Step(StrEnum):
    NAME = auto()
    PLAN = auto()
    PHOTO = auto()


class Data(BaseModel):
    name: str = ""
    plan: str = ""


def bot() -> App:
    flow = FlowBuilder("signup", Step, Data)
    flow.ask(Step.NAME, "What's your name?", Text(), into="name")
    flow.ask(Step.PLAN, "Which plan?", Choice(["Free", "Pro"]), into="plan")

    @flow.step(Step.PHOTO)
    async def photo(turn: Turn[Step, Data]) -> Action[Step]:
        await turn.ask("A photo, please.", Photo())
        turn.reply(f"Done, {turn.data.name}:\n{turn.data.plan}")
        return turn.complete()

    registry = FlowRegistry()
    registry.register(OnCommand("start"), flow.build(initial=Step.NAME))
    return App(Router("test"), registry=registry)


GOOD = """
# the whole way
> /start
< what's   YOUR name?
> Ada
< which plan
! pro
< photo
@ photo me
< Done
< Ada: Pro
"""


def test_a_transcript_is_read_into_exchanges() -> None:
    transcript = parse_transcript("> hi\n< a\n\n# no\n< b\n! Yes\n@ photo me\n")
    assert transcript.exchanges == (
        Exchange(1, "say", "hi", (Expectation(2, "a"), Expectation(5, "b"))),
        Exchange(6, "press", "Yes"),
        Exchange(7, "file", "photo me"),
    )


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("< hello", 1, "before anything was said"),
        ("> hi\nhello", 2, "not with 'h'"),
        ("> hi\n!", 2, "nothing stands after '!'"),
        ("@ story", 1, "there is no 'story' to send"),
        ("> hi\n@ location Paris", 2, "'Paris' is no place"),
        ("# only a comment", 1, "it says nothing"),
    ],
)
def test_a_mistake_is_named_with_its_line(text: str, line: int, reason: str) -> None:
    with pytest.raises(TranscriptError, match=reason) as error:
        parse_transcript(text, name="t.txt")
    assert (error.value.name, error.value.line) == ("t.txt", line)


def test_a_file_that_is_no_utf8_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "transcript.txt"
    path.write_bytes(b"> hi\n< caf\xe9\n")
    with pytest.raises(TranscriptError, match="line 2: this is no UTF-8"):
        read_transcript(path)


@pytest.mark.anyio
async def test_a_conversation_that_follows_its_transcript_passes() -> None:
    await play(bot(), parse_transcript(GOOD))


@pytest.mark.anyio
async def test_words_that_were_not_said_are_a_mismatch_with_what_was_said() -> None:
    with pytest.raises(TranscriptMismatch) as error:
        await play(bot(), parse_transcript("> /start\n< your name\n> Ada\n< e-mail\n"))
    assert error.value.line == 4
    assert error.value.expected == "'e-mail'"
    assert error.value.came == ("Which plan?",)
    assert "line 4: expected 'e-mail'. The bot said:\n  | Which plan?" in str(error.value)


@pytest.mark.anyio
async def test_words_in_another_order_are_a_mismatch() -> None:
    text = GOOD.replace("< Done\n< Ada: Pro", "< Pro\n< Done")
    with pytest.raises(TranscriptMismatch, match="'Done'"):
        await play(bot(), parse_transcript(text))


@pytest.mark.anyio
async def test_words_of_an_earlier_reply_do_not_count() -> None:
    with pytest.raises(TranscriptMismatch, match="What's your name"):
        await play(bot(), parse_transcript("> /start\n> Ada\n< What's your name\n"))


@pytest.mark.anyio
async def test_a_button_that_is_not_shown_is_a_mismatch_with_those_that_are() -> None:
    with pytest.raises(TranscriptMismatch, match=r"a button 'Gold' among \[Free\], \[Pro\]"):
        await play(bot(), parse_transcript("> /start\n> Ada\n! Gold\n"))


@pytest.mark.anyio
async def test_a_transcript_goes_on_where_the_storage_left_off() -> None:
    database = MemoryStorage()
    await play(bot(), parse_transcript("> /start\n> Ada\n< Which plan"), storage=database)
    again = MemoryStorage(database=database.database)
    await play(bot(), parse_transcript("> Pro\n< photo"), storage=again)


@pytest.mark.anyio
async def test_a_chat_reads_the_replies_and_deliveries_of_each_input() -> None:
    async with Chat(bot()) as chat:
        heard = [await chat.say("/start"), await chat.say("Ada"), await chat.press("Free")]
    assert heard == [("What's your name?",), ("Which plan?",), ("A photo, please.",)]
    assert [delivery.text for delivery in chat.deliveries] == [text for (text,) in heard]
