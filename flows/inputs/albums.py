"""Several photos that are sent together."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import ClassVar

from pydantic import TypeAdapter

from flows.inputs.base import Input, Json
from flows.inputs.files import size_in_words
from flows.messages.translations import nphrase, phrase
from flows.updates import AlbumMessage, Content, FileRef, PhotoMessage

_FILES: TypeAdapter[list[FileRef]] = TypeAdapter(list[FileRef])

_MOST = 10
"""Photos that an album has at the most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Photos(Input[list[FileRef]]):
    """The photos of an album, in their order; a photo that is sent alone is a list of one.

    Attributes:
        min_count, max_count: how many are taken, 1 to 10.
        max_size: the most bytes of each; what the channel does not tell the size of is taken.
    """

    kind: ClassVar[str] = "photos"

    min_count: int = 1
    max_count: int = _MOST
    max_size: int | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.min_count <= self.max_count <= _MOST:
            raise self._cannot(
                f"min_count is {self.min_count} and max_count {self.max_count}; an album has 1 to "
                f"{_MOST} photos"
            )
        if self.max_size is not None and self.max_size < 1:
            raise self._cannot(f"max_size is {self.max_size}; at least 1 byte is possible")
        Input.__post_init__(self)

    def fits(self, content: Content) -> bool:
        """Whether there is a photo in it."""
        return bool(photos_in(content))

    def parse(self, content: Content) -> Json:
        """The references of the photos, if they are within the limits."""
        files = photos_in(content)
        if not files:
            raise self.refused(self.hint())
        if not self.min_count <= len(files) <= self.max_count:
            raise self.refused(
                phrase("That is {photos}. {wish}", photos=_counted(len(files)), wish=self._wish())
            )
        if any((file.size or 0) > (self.max_size or file.size or 0) for file in files):
            most = size_in_words(self.max_size or 0)
            raise self.refused(
                phrase("A photo is too big. Each may have at most {most}.", most=most)
            )
        return self.dump(files)

    def load(self, value: Json) -> list[FileRef]:
        """The references of their JSON form."""
        return _FILES.validate_python(value)

    def dump(self, value: list[FileRef]) -> Json:
        """The references as a list of JSON objects."""
        if not isinstance(value, list) or not all(isinstance(each, FileRef) for each in value):
            raise ValueError(f"{value!r} is no list of FileRefs")
        return [asdict(each) for each in value]

    def hint(self) -> str:
        """Asks for photos."""
        return self.retry or self._wish()

    def shown(self, value: Json) -> str:
        """How many there are."""
        return _counted(len(self.load(value)))

    def _wish(self) -> str:
        least, most = self.min_count, self.max_count
        if least == most:
            if least == 1:
                return phrase("Please send {photos}.", photos=_counted(least))
            return phrase("Please send {photos}, together.", photos=_counted(least))
        return phrase(
            "Please send {least} to {photos}, together.", least=least, photos=_counted(most)
        )


def photos_in(content: Content) -> list[FileRef]:
    """The photos of an album, or a photo that is alone; none where there is none."""
    items = content.items if isinstance(content, AlbumMessage) else (content,)
    return [item.file for item in items if isinstance(item, PhotoMessage)]


def _counted(count: int) -> str:
    return nphrase("{n} photo", "{n} photos", count)
