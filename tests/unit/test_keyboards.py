"""Keyboards and files that cannot be are refused where they are made."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from flows.errors import DefinitionError
from flows.messages.attachments import Album, Dice, Invoice, Media, PollQuestion
from flows.messages.input_file import MAX_BYTES, InputFile
from flows.messages.keyboards import Button, ForceReply, Key, keyboard, reply_keyboard
from flows.messages.replies import Reply, SendOptions
from flows.turns.effects import Effects
from flows.updates import FileRef


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: Button.web_app("A", "http://x.y"), "https"),
        (lambda: Button.login("A", "x.y"), "https"),
        (lambda: Button.copy("A", ""), "0 characters"),
        (lambda: Button.copy("A", "x" * 257), "257 characters"),
        (lambda: Button.pay(" "), "label"),
        (lambda: Key(""), "label"),
        (lambda: Key("A", "contact", "https://x.y"), "both"),
        (lambda: Key("A", web_app="x.y"), "https"),
        (lambda: Key("A", "phone"), "'contact' and 'location'"),  # type: ignore[arg-type]
        (lambda: keyboard(["A", "B"]), "no keyboard"),  # type: ignore[list-item]
        (lambda: keyboard([("A", "a")]), "no keyboard"),  # type: ignore[list-item]
        (lambda: reply_keyboard(), "needs a key"),
        (lambda: reply_keyboard("A", placeholder="x" * 65), "65"),
        (lambda: ForceReply(placeholder="x" * 65), "65"),
        (lambda: Album((Media.of("photo", "a"),)), "not 1"),
        (lambda: Album((Media.of("photo", "a"), Media.of("audio", "b"))), "audio, photo"),
        (lambda: PollQuestion(question=" ", options=("a", "b")), "question"),
        (lambda: PollQuestion(question="?", options=("a",)), "2 to 12"),
        (lambda: PollQuestion(question="?", options=("a", "b"), correct=2), "none of"),
        (lambda: PollQuestion(question="?", options=("a", "b"), open_seconds=1), "5 to 600"),
        (lambda: Dice("🐈"), "thrown"),
        (lambda: Invoice(title="T", description="D", payload="", currency="EUR", prices=()),
         "payload"),
        (lambda: Invoice(title="T", description="D", payload="p", currency="EUR", prices=()),
         "no prices"),
        (lambda: Media.of("foto", "a"), "photo, video"),  # type: ignore[arg-type]
        (lambda: InputFile.of(" "), "no file"),
        (lambda: InputFile.of(None), "None is no file"),  # type: ignore[arg-type]
        (lambda: InputFile.of(b""), "without a byte"),
        (lambda: InputFile.of(io.StringIO("text")), "mode 'rb'"),  # type: ignore[arg-type]
        (lambda: InputFile.of(b"x" * (MAX_BYTES + 1)), "give its Path"),
        (lambda: InputFile.of(io.BytesIO(b"x" * (MAX_BYTES + 1))), "give its Path"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(make: object, reason: str) -> None:
    with pytest.raises(DefinitionError, match=reason):
        make()  # type: ignore[operator]


@pytest.mark.parametrize(
    ("file", "made"),
    [
        (FileRef(id="f1", name="../evil"), InputFile("id", "f1")),
        ("f1", InputFile("id", "f1")),
        ("HTTPS://x.y/a.png", InputFile("url", "HTTPS://x.y/a.png")),
        (Path("/a/b.png"), InputFile("path", "/a/b.png")),
        (b"ab", InputFile("bytes", "YWI=")),
        (io.BytesIO(b"ab"), InputFile("bytes", "YWI=")),
    ],
)
def test_a_file_may_be_given_in_many_ways(file: object, made: InputFile) -> None:
    assert InputFile.of(file) == made  # type: ignore[arg-type]


def test_a_relative_path_is_kept_as_an_absolute_one() -> None:
    assert InputFile.of(Path("a.png")).value == str(Path.cwd() / "a.png")


def test_buttons_and_a_keyboard_for_the_person_do_not_go_together() -> None:
    markup = SendOptions(markup=reply_keyboard("A"))
    both = Reply(text="a", keyboard=keyboard(Button("A", "a")), options=markup)
    with pytest.raises(DefinitionError, match="not both"):
        Effects().emit(both)


def test_files_of_an_album_have_to_fit_into_the_outbox_together() -> None:
    half = b"x" * (MAX_BYTES // 2 + 10)
    album = Album((Media.of("photo", half), Media.of("photo", half)))
    with pytest.raises(DefinitionError, match="together"):
        Effects().emit(Reply(text="", attachment=album))


def test_a_message_without_text_needs_an_attachment() -> None:
    with pytest.raises(ValueError, match="blank"):
        Effects().emit(Reply(text=" "))
    with pytest.raises(DefinitionError, match="not 5"):
        Effects().emit(Reply(text=5))  # type: ignore[arg-type]
    Effects().emit(Reply(text="", attachment=Dice()))
