from typing import Any

import pytest

from flows.errors import DefinitionError, InvalidAnswer
from flows.inputs import Document, Photo
from flows.updates import DocumentMessage, FileRef, PhotoMessage, TextMessage

PICTURE = FileRef(id="p1", size=1200, mime="image/jpeg", width=10, height=20)
PAPER = FileRef(id="d1", name="../../x.pdf", size=2_000_000, mime="application/pdf")


def test_a_photo_gives_its_file() -> None:
    wanted = Photo()
    assert wanted.load(wanted.parse(PhotoMessage(PICTURE, caption="me"))) == PICTURE


def test_a_file_gives_its_reference_with_the_name_as_it_was_sent() -> None:
    wanted = Document()
    assert wanted.load(wanted.parse(DocumentMessage(PAPER))) == PAPER


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


@pytest.mark.parametrize("stored", ["p1", {}, {"id": 5}, None])
def test_a_stored_file_must_be_one(stored: Any) -> None:
    with pytest.raises(ValueError, match="validation error"):
        Photo().load(stored)
