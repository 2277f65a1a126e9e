"""How the buttons of a question are laid out."""

from __future__ import annotations

from datetime import date
from typing import Any

from flows.inputs import AnyOf, Choice, Confirm, Date, Input, Json, MultiChoice
from flows.messages.replies import Reply
from flows.turns.questions import first_drafts, question, wait_buttons
from flows.turns.visit import WaitButton, Waiting

OPENS = date(2024, 2, 10)


def token(ordinal: int, index: int, value: Any) -> str:
    return f"{ordinal}.{index}"


def rows(*inputs: Input[Any], drafts: list[Json] | None = None, keep: str = "") -> list[list[str]]:
    """The labels as the person sees them, row by row."""
    known = first_drafts(inputs) if drafts is None else drafts
    waiting = Waiting(
        ordinal=3,
        explicit=False,
        inputs=[wanted.to_json() for wanted in inputs],
        key=None,
        prompt=Reply(text="?"),
        buttons=wait_buttons(inputs, known) + ([WaitButton(keep, None)] if keep else []),
        drafts=known,
    )
    keyboard = question(waiting, token).keyboard
    tokens = [button.data for row in keyboard for button in row]
    assert tokens == [f"3.{index}" for index in range(len(waiting.buttons))]
    return [[button.label for button in row] for row in keyboard]


def test_buttons_share_a_row_as_far_as_their_labels_leave_room() -> None:
    assert rows(Choice(["a", "b", "c", "d", "e"])) == [["a", "b", "c", "d"], ["e"]]
    assert rows(Choice(["a" * 20, "b" * 20])) == [["a" * 20], ["b" * 20]]


def test_buttons_of_several_inputs_share_rows() -> None:
    assert rows(Confirm(), Choice(["Maybe"])) == [["Yes", "No", "Maybe"]]


def test_columns_say_how_many_stand_in_a_row() -> None:
    assert rows(Choice(["a", "b", "c"], columns=2)) == [["a", "b"], ["c"]]


def test_a_calendar_stands_in_weeks_and_what_else_there_is_below_it() -> None:
    shown = rows(Date(picker=True, opens=OPENS, buttons=(("Now", OPENS),)), keep="Keep: then")
    assert [len(row) for row in shown] == [5, 7, 7, 7, 7, 7, 7, 2]
    assert shown[0][2] == "February 2024"
    assert shown[-1] == ["Now", "Keep: then"]


def test_a_calendar_follows_its_draft() -> None:
    wanted = Date(picker=True, opens=OPENS)
    assert [len(row) for row in rows(wanted, drafts=["2021-02"])] == [5, 7, 7, 7, 7, 7]


def test_buttons_before_and_after_an_interactive_input_keep_their_rows() -> None:
    shown = rows(Confirm(), MultiChoice(["a", "b"]), Choice(["x", "y"]), drafts=[None, ["b"], None])
    assert shown == [["Yes", "No"], ["a", "\u2713 b"], ["Done"], ["x", "y"]]


def test_any_of_puts_its_inputs_below_each_other() -> None:
    wanted = AnyOf(Confirm(), Date(picker=True, opens=OPENS), Choice(["a", "b", "c"], columns=2))
    assert [len(row) for row in rows(wanted)] == [2, 5, 7, 7, 7, 7, 7, 7, 2, 1]


def test_a_question_that_was_stored_without_drafts_still_shows_its_buttons() -> None:
    assert [label for row in rows(Confirm(), drafts=[None]) for label in row] == ["Yes", "No"]
    waiting = Waiting(0, False, [MultiChoice(["a"]).to_json()], None, None, [WaitButton("a", 1)])
    assert [[b.label for b in row] for row in question(waiting, token).keyboard] == [["a"]]
