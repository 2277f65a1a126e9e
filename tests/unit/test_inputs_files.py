from typing import Any

import pytest

from flows.errors import DefinitionError, InvalidAnswer
from flows.inputs import Animation, Audio, Document, Input, Photo, Video, Voice
from flows.updates import (
    AlbumMessage,
    AnimationMessage,
    AudioMessage,
    DocumentMessage,
    FileMessage,
    FileRef,
    PhotoMessage,
    TextMessage,
    VideoMessage,
    VoiceMessage,
)

PICTURE = FileRef(id="p1", size=1200, mime="image/jpeg", width=10, height=20)
PAPER = FileRef(id="d1", name="../../x.pdf", size=2_000_000, mime="application/pdf")


def test_a_photo_gives_its_file() -> None:
    wanted = Photo()
    assert wanted.load(wanted.parse(PhotoMessage(PICTURE, caption="me"))) == PICTURE


def test_a_file_gives_its_reference_with_the_name_as_it_was_sent() -> None:
    wanted = Document()
    assert wanted.load(wanted.parse(DocumentMessage(PAPER))) == PAPER


CLIP = FileRef(id="c1", size=900, mime="audio/ogg", duration=61)

RECORDINGS = pytest.mark.parametrize(
    ("kind", "message"), [(Voice, VoiceMessage), (Audio, AudioMessage), (Video, VideoMessage)]
)


@RECORDINGS
def test_a_recording_gives_its_file(kind: type[Voice], message: type[VoiceMessage]) -> None:
    wanted = kind(max_seconds=61, max_size=900, mime=("audio/*",))
    assert wanted.load(wanted.parse(message(CLIP, caption="la"))) == CLIP


@RECORDINGS
def test_a_recording_that_is_too_long_is_told_the_limit(
    kind: type[Voice], message: type[VoiceMessage]
) -> None:
    with pytest.raises(InvalidAnswer, match="at most 60 seconds"):
        kind(max_seconds=60).parse(message(CLIP))
    with pytest.raises(InvalidAnswer, match="at most 899 bytes"):
        kind(max_seconds=61, max_size=899).parse(message(CLIP))


def test_a_recording_of_unknown_length_is_taken() -> None:
    file = FileRef(id="c2")
    assert Voice(max_seconds=1).load(Voice(max_seconds=1).parse(VoiceMessage(file))) == file


@pytest.mark.parametrize("wanted", [Photo(), Document(), Voice(), Audio(), Video()], ids=repr)
def test_each_kind_of_file_fits_itself_alone(wanted: Input[FileRef]) -> None:
    messages: tuple[type[FileMessage], ...] = (
        PhotoMessage, DocumentMessage, VoiceMessage, AudioMessage, VideoMessage,
    )  # fmt: skip
    fitting = [message.__name__ for message in messages if wanted.fits(message(CLIP))]
    assert fitting == [f"{type(wanted).__name__}Message"]


def test_of_an_album_a_question_takes_the_first_file_of_its_kind() -> None:
    album = AlbumMessage(
        (VideoMessage(CLIP), PhotoMessage(PICTURE), PhotoMessage(FileRef(id="p2")))
    )
    wanted = Photo()
    assert wanted.fits(album)
    assert wanted.load(wanted.parse(album)) == PICTURE
    assert not Document().fits(album)


def test_an_animation_is_a_file_too() -> None:
    assert Document().load(Document().parse(AnimationMessage(CLIP))) == CLIP
    assert Animation().load(Animation().parse(AnimationMessage(CLIP))) == CLIP
    assert not Animation().fits(DocumentMessage(CLIP))


def test_a_photo_that_is_too_big_is_told_the_limit() -> None:
    with pytest.raises(InvalidAnswer, match="at most 1 kB"):
        Photo(max_size=1000).parse(PhotoMessage(PICTURE))


def test_a_kept_file_is_shown_by_its_name_or_what_it_is() -> None:
    assert Document().shown(Document().dump(FileRef(id="1", name="a.pdf"))) == "a.pdf"
    assert Photo().shown(Photo().dump(PICTURE)) == "photo"


@pytest.mark.parametrize("content", [TextMessage("photo"), DocumentMessage(PAPER)])
def test_what_is_no_photo_does_not_fit(content: Any) -> None:
    assert not Photo().fits(content)


@pytest.mark.parametrize("content", [TextMessage("file"), PhotoMessage(PICTURE)])
def test_what_is_no_file_does_not_fit(content: Any) -> None:
    assert not Document().fits(content)


def test_a_hint_says_what_is_wanted() -> None:
    assert (Photo().hint(), Document().hint()) == ("Please send a photo.", "Please send a file.")


def test_a_file_that_is_too_big_is_told_the_limit() -> None:
    with pytest.raises(InvalidAnswer, match=r"at most 1\.5 MB"):
        Document(max_size=1_500_000).parse(DocumentMessage(PAPER))


def test_a_file_of_unknown_size_is_taken() -> None:
    file = FileRef(id="d2")
    wanted = Document(max_size=1)
    assert wanted.load(wanted.parse(DocumentMessage(file))) == file


@pytest.mark.parametrize("mime", ["application/pdf", "application/*"])
def test_a_file_of_a_type_that_is_taken_is_taken(mime: str) -> None:
    wanted = Document(mime=("text/plain", mime))
    assert wanted.load(wanted.parse(DocumentMessage(PAPER))) == PAPER


@pytest.mark.parametrize("file", [PAPER, FileRef(id="unknown")])
def test_a_file_of_another_type_is_told_the_types(file: FileRef) -> None:
    with pytest.raises(InvalidAnswer, match=r"one of: image/\*"):
        Document(mime=("image/*",)).parse(DocumentMessage(file))


@pytest.mark.parametrize("settings", [{"max_size": 0}, {"mime": ("pdf",)}, {"mime": "a/b"}])
def test_settings_that_cannot_work_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(DefinitionError, match="Document"):
        Document(**settings)


def test_a_recording_must_be_allowed_to_last_at_all() -> None:
    with pytest.raises(DefinitionError, match="max_seconds is 0"):
        Voice(max_seconds=0)


@pytest.mark.parametrize("stored", ["p1", {}, {"id": 5}, None])
def test_a_stored_file_must_be_one(stored: Any) -> None:
    with pytest.raises(ValueError, match="validation error"):
        Photo().load(stored)
