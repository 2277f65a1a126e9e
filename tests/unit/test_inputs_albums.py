"""Several photos as one answer."""

from __future__ import annotations

from typing import Any

import pytest

from flows.errors import DefinitionError, InvalidAnswer
from flows.inputs import Photos
from flows.updates import AlbumMessage, Content, FileRef, PhotoMessage, TextMessage, VideoMessage


def photo(number: int, size: int | None = None) -> PhotoMessage:
    return PhotoMessage(FileRef(id=f"p{number}", size=size))


def album(count: int) -> AlbumMessage:
    return AlbumMessage(tuple(photo(n) for n in range(count)))


def ids(wanted: Photos, content: Content) -> list[str]:
    return [file.id for file in wanted.load(wanted.parse(content))]


def test_an_album_is_the_list_of_its_photos_in_order() -> None:
    assert ids(Photos(), album(3)) == ["p0", "p1", "p2"]


def test_a_photo_alone_is_a_list_of_one() -> None:
    assert ids(Photos(), photo(7)) == ["p7"]


def test_videos_in_between_are_left_out() -> None:
    mixed = AlbumMessage((photo(1), VideoMessage(FileRef(id="v")), photo(2)))
    assert ids(Photos(), mixed) == ["p1", "p2"]


@pytest.mark.parametrize(
    "content", [TextMessage("x"), AlbumMessage((VideoMessage(FileRef(id="v")),))]
)
def test_what_holds_no_photo_does_not_fit(content: Content) -> None:
    assert not Photos().fits(content)


@pytest.mark.parametrize(("count", "said"), [(1, "1 photo"), (4, "4 photos")])
def test_too_few_and_too_many_are_told_how_many(count: int, said: str) -> None:
    with pytest.raises(InvalidAnswer, match=f"That is {said}. Please send 2 to 3 photos, together"):
        Photos(min_count=2, max_count=3).parse(album(count))


def test_one_that_is_too_big_is_told_the_limit() -> None:
    content = AlbumMessage((photo(1, 10), photo(2, 11), photo(3)))
    with pytest.raises(InvalidAnswer, match="at most 10 bytes"):
        Photos(max_size=10).parse(content)
    assert len(ids(Photos(max_size=11), content)) == 3


@pytest.mark.parametrize(
    ("wanted", "hint"),
    [
        (Photos(), "Please send 1 to 10 photos, together."),
        (Photos(max_count=1), "Please send 1 photo."),
        (Photos(min_count=2, max_count=2), "Please send 2 photos, together."),
    ],
)
def test_a_hint_says_how_many_are_wanted(wanted: Photos, hint: str) -> None:
    assert wanted.hint() == hint


def test_kept_photos_are_shown_by_their_number() -> None:
    assert Photos().shown(Photos().dump([FileRef(id="1"), FileRef(id="2")])) == "2 photos"


@pytest.mark.parametrize(
    "settings",
    [{"min_count": 0}, {"max_count": 11}, {"min_count": 3, "max_count": 2}, {"max_size": 0}],
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(DefinitionError, match="Photos"):
        Photos(**settings)
