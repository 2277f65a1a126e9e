"""Commands, presses, phrases and whole updates as answers."""

from __future__ import annotations

from typing import Any

import pytest

from flows.errors import DefinitionError, InvalidAnswer, UnboundedPattern
from flows.inputs import input_from_json
from flows.inputs.heard import CommandInput, HearsInput, PhotosInput, PressInput, UpdateInput
from flows.updates import (
    Command,
    FileRef,
    Opened,
    Other,
    PhotoMessage,
    Press,
    TextMessage,
    TimerFired,
    Update,
)


def test_a_command_of_these_names_is_the_answer() -> None:
    wanted = input_from_json(CommandInput(names=("/done", "more")).to_json())
    assert wanted.fits(Command("done"))
    assert not wanted.fits(Command("start"))
    assert wanted.load(wanted.parse(Command("done", "now"))) == Command("done", "now")
    assert wanted.hint() == "Please send /done, /more."


def test_any_command_is_the_answer_where_none_is_named() -> None:
    assert CommandInput().fits(Command("start"))
    assert not CommandInput().fits(TextMessage("start"))


def test_a_name_that_no_command_has_is_refused() -> None:
    with pytest.raises(DefinitionError, match="no command name"):
        CommandInput(names=("no name",))


def test_a_press_of_matching_data_is_the_answer() -> None:
    wanted = input_from_json(PressInput(pattern="size:*").to_json())
    press = Press(id="1", data="size:s", message="7")
    assert wanted.fits(press)
    assert not wanted.fits(Press(id="1", data="colour:red"))
    assert wanted.load(wanted.parse(press)) == press


def test_a_pattern_of_the_engines_own_buttons_is_refused() -> None:
    with pytest.raises(DefinitionError, match="belongs to the engine's own buttons"):
        PressInput(pattern="hr~*")


def test_a_text_in_which_the_pattern_is_found_is_the_answer() -> None:
    wanted = input_from_json(HearsInput(pattern="tea|coffee", wanted="a drink").to_json())
    assert wanted.fits(TextMessage("some tea"))
    assert not wanted.fits(TextMessage("milk"))
    assert wanted.parse(TextMessage(" some tea ")) == "some tea"
    assert wanted.hint() == "Please send a drink."


def test_a_pattern_that_has_no_bound_is_refused() -> None:
    with pytest.raises(UnboundedPattern):
        HearsInput(pattern=r"(a)\1")


@pytest.mark.parametrize(
    ("content", "fits"),
    [
        (TextMessage("x"), True),
        (Press(id="1", data="x"), True),
        (Other("sticker"), True),
        (Other("album", silent=True), False),
        (Command("start"), False),
        (Opened(), False),
        (TimerFired("alarm", {}), False),
    ],
)
def test_whatever_a_person_sends_is_the_answer(content: Any, fits: bool) -> None:
    assert UpdateInput().fits(content) is fits


def test_the_photo_of_a_message_is_the_answer() -> None:
    photo = PhotoMessage(FileRef(id="7", width=10), "caption")
    assert PhotosInput().fits(photo)
    assert PhotosInput().load(PhotosInput().parse(photo)) == [photo.file]
    assert not PhotosInput().fits(TextMessage("x"))
    assert PhotosInput().hint() == "Please send a photo."


def test_only_updates_of_these_kinds_are_answers() -> None:
    wanted = input_from_json(UpdateInput(kinds=("command",)).to_json())
    assert wanted.fits(Command("start"))
    assert not wanted.fits(TextMessage("x"))
    assert wanted.specific
    assert not UpdateInput().specific


def test_an_update_comes_back_whole() -> None:
    update = Update(source="test:1", ext="1", content=TextMessage("x"), at=1, message="5")
    assert UpdateInput().load(UpdateInput().dump(update)) == update


@pytest.mark.parametrize("wanted", [CommandInput(), PressInput()])
def test_what_is_not_of_the_kind_is_refused(wanted: Any) -> None:
    with pytest.raises(InvalidAnswer):
        wanted.parse(TextMessage("x"))
    with pytest.raises(ValueError, match="is no"):
        wanted.dump("x")
