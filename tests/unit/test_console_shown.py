"""Which button a line means."""

from __future__ import annotations

import pytest

from engine.channels.console.shown import ShownButtons
from flows.messages.replies import Button, Keyboard

PLANS: Keyboard = ((Button("Free", "f"), Button("Pro", "p")), (Button("Docs", url="https://x.y"),))


@pytest.fixture
def shown() -> ShownButtons:
    buttons = ShownButtons()
    buttons.show("m1", PLANS)
    return buttons


@pytest.mark.parametrize("line", ["Pro", "pro", " PRO ", "2"])
def test_a_label_or_number_presses_the_button(shown: ShownButtons, line: str) -> None:
    pressed = shown.bare(line)
    assert pressed is not None
    assert (pressed.press().data, pressed.press().message) == ("p", "m1")


@pytest.mark.parametrize("line", ["0", "3", "٢", "²", "2.0", "Prop", "Docs", ""])
def test_what_names_no_button_presses_none(shown: ShownButtons, line: str) -> None:
    assert shown.bare(line) is None


def test_a_label_goes_before_a_number() -> None:
    shown = ShownButtons()
    shown.show("m1", ((Button("2", "two"), Button("1", "one")),))
    pressed = shown.bare("1")
    assert pressed is not None
    assert pressed.data == "one"


def test_a_label_that_two_buttons_share_is_text() -> None:
    shown = ShownButtons()
    shown.show("m1", ((Button("Yes", "a"), Button("YES", "b")),))
    assert shown.bare("yes") is None


def test_an_exact_label_goes_before_one_of_other_case() -> None:
    shown = ShownButtons()
    shown.show("m1", ((Button("Yes", "a"), Button("YES", "b")),))
    pressed = shown.bare("YES")
    assert pressed is not None
    assert pressed.data == "b"


def test_numbers_count_the_buttons_of_the_last_message(shown: ShownButtons) -> None:
    shown.show("m2", ((Button("Confirm", "c"),),))
    pressed = shown.bare("1")
    assert pressed is not None
    assert pressed.data == "c"


def test_to_the_next_question_a_number_is_an_answer_again(shown: ShownButtons) -> None:
    shown.turn_page()
    assert shown.bare("2") is None
    assert shown.bare("Pro") is None


def test_a_button_of_an_earlier_question_can_be_named(shown: ShownButtons) -> None:
    shown.turn_page()
    pressed = shown.named("pro")
    assert pressed is not None
    assert pressed.message == "m1"


def test_an_edit_replaces_the_buttons_of_its_message(shown: ShownButtons) -> None:
    shown.show("m1", ())
    assert shown.named("Pro") is None
    assert shown.labels() == ()


def test_buttons_of_very_old_messages_are_forgotten(shown: ShownButtons) -> None:
    for number in range(200):
        shown.show(f"later {number}", ((Button(f"Later {number}", "x"),),))
    assert shown.named("Pro") is None
    assert shown.named("Later 0") is not None
