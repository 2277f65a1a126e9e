"""What a typed line means."""

from __future__ import annotations

import pytest

from engine.channels.console.lines import content_of, update_of
from flows.conversation import Address
from flows.updates import Command, DocumentMessage, Person, PhotoMessage, TextMessage


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("/start", Command("start")),
        ("/Start  deep link ", Command("start", "deep link")),
        ("/start@signup_bot now", Command("start", "now")),
    ],
)
def test_a_slash_and_a_name_is_a_command(line: str, command: Command) -> None:
    assert content_of(line) == command


@pytest.mark.parametrize("line", ["/", "//", "/no-name", "1/2", "@ada", "@photos", "hello"])
def test_everything_else_is_text_as_it_was_typed(line: str) -> None:
    assert content_of(line) == TextMessage(line)


@pytest.mark.parametrize("line", ["/start", "@photo", "!Yes", "\\"])
def test_a_backslash_keeps_a_line_as_text(line: str) -> None:
    assert content_of("\\" + line) == TextMessage(line)


def test_at_photo_sends_a_made_up_photo_with_its_caption() -> None:
    photo = content_of("@photo  my passport")
    assert isinstance(photo, PhotoMessage)
    assert photo.caption == "my passport"
    assert photo.file.mime == "image/jpeg"


def test_at_document_sends_a_made_up_document() -> None:
    document = content_of("@document")
    assert isinstance(document, DocumentMessage)
    assert document.caption == ""


def test_two_equal_lines_are_two_updates() -> None:
    address, user = Address("console:local", "local"), Person(id="local")
    first, second = (update_of(TextMessage("hi"), address=address, user=user) for _ in range(2))
    assert first.ext != second.ext
    assert first.content == second.content
