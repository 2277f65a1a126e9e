"""The survey: a form with a question that depends on another, and the counts of all answers."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from engine.testing import Chat, CrashPoint
from examples.survey import app
from examples.survey.results import Results
from storage import MemoryStorage

pytestmark = pytest.mark.anyio

THANKS = "That was all, thank you! /results shows what people say."


@pytest.fixture(autouse=True)
def file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A file of results for every test."""
    path = tmp_path / "results.db"
    monkeypatch.setenv("SURVEY_RESULTS", str(path))
    return path


async def answer(chat: Chat, satisfied: str = "4", recommend: str = "Yes", by: str = "1") -> str:
    """Answers all questions that are asked then; answers what is said last."""
    await chat.say("/survey", by=by)
    await chat.press(satisfied, by=by)
    await chat.say("Speed", by=by)
    return (await chat.press(recommend, by=by))[-1]


async def test_who_recommends_is_not_asked_what_to_improve() -> None:
    async with Chat(app) as chat:
        assert await answer(chat, recommend="Yes") == THANKS
        assert await answer(chat, recommend="No") == "What should we improve?"
        assert await chat.press("Skip") == (THANKS,)


async def test_the_rating_is_asked_with_buttons() -> None:
    async with Chat(app) as chat:
        await chat.say("/survey")
        assert chat.buttons() == ("1", "2", "3", "4", "5")
        assert "1 to 5" in (await chat.say("6"))[0]


async def test_back_offers_the_old_answer_to_keep() -> None:
    async with Chat(app) as chat:
        await answer(chat, recommend="No")
        assert await chat.say("/back") == ("Would you recommend us?",)
        assert "Keep: No" in chat.buttons()
        assert await chat.say("/back") == ("What do you like most?",)
        assert await chat.press("Keep: Speed") == ("Would you recommend us?",)
        assert await chat.press("Yes") == (THANKS,)


async def test_the_results_are_bars_of_everybodys_answers() -> None:
    async with Chat(app) as chat:
        for person, satisfied in enumerate(("5", "5", "5", "5", "2")):
            await answer(chat, satisfied, by=str(person))
        (said,) = await chat.say("/results")
    bar = "\u2588"
    assert said.splitlines()[:2] == ["Answers so far: 5", ""]
    assert said.splitlines()[3:8] == [f"5 {bar * 10} 4", "4 0", "3 0", f"2 {bar * 2} 1", "1 0"]
    assert said.splitlines()[-2:] == [f"Yes {bar * 10} 5", "No 0"]


async def test_results_before_any_answer_are_empty_bars() -> None:
    async with Chat(app) as chat:
        (said,) = await chat.say("/results")
    assert said.splitlines()[0] == "Answers so far: 0"


async def test_results_in_the_middle_of_a_survey_leave_it_where_it_is() -> None:
    async with Chat(app) as chat:
        await chat.say("/survey")
        assert "Answers so far" in (await chat.say("/results"))[0]
        assert await chat.say("3") == ("What do you like most?",)


async def test_the_results_outlive_the_process() -> None:
    async with Chat(app) as chat:
        await answer(chat)
        await chat.crash()
        await chat.restart()
        assert "Answers so far: 1" in (await chat.say("/results"))[0]


async def test_nobody_counts_twice_when_the_process_dies_before_the_turn_is_stored() -> None:
    async with Chat(app, storage=MemoryStorage()) as chat:
        await chat.say("/survey")
        await chat.press("4")
        await chat.say("Speed")
        chat.crash_at(CrashPoint("commit"))
        assert await chat.press("Yes") == ()
        await chat.restart()
        assert chat.replies() == (THANKS,)
        assert "Answers so far: 1" in (await chat.say("/results"))[0]


async def test_an_answer_whose_counting_failed_is_given_again_and_counts_once(file: Path) -> None:
    async with Chat(app) as chat:
        await chat.say("/survey")
        await chat.press("4")
        await chat.say("Speed")
        with sqlite3.connect(file) as other:
            other.execute("ALTER TABLE feedback RENAME TO elsewhere")
            assert "Sorry" in (await chat.press("Yes"))[0]
            other.execute("ALTER TABLE elsewhere RENAME TO feedback")
        assert await chat.press("No") == ("What should we improve?",)
        assert await chat.say("the database") == (THANKS,)
        assert "Answers so far: 1" in (await chat.say("/results"))[0]
    other.close()


async def test_the_same_key_counts_once() -> None:
    results = Results()
    async with results.opened(app):
        await results.add("a", 1, recommended=False)
        await results.add("a", 5, recommended=True)
        assert (await results.shown()).splitlines()[0] == "Answers so far: 1"
