"""Photos and files: a reference to them, which the channel can fetch by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from typing import Any, ClassVar, Self

from pydantic import TypeAdapter

from flows.inputs.base import Input, Json, decoded
from flows.updates import Content, DocumentMessage, FileRef, PhotoMessage

_FILE: TypeAdapter[FileRef] = TypeAdapter(FileRef)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileInput(Input[FileRef]):
    """The base of inputs whose value is a file that lies with the channel."""

    def load(self, value: Json) -> FileRef:
        """The reference of its JSON form."""
        return _FILE.validate_python(value)

    def dump(self, value: FileRef) -> Json:
        """The reference as a JSON object."""
        if not isinstance(value, FileRef):
            raise ValueError(f"{value!r} is no FileRef")
        return asdict(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Photo(FileInput):
    """A photo, sent as one; its caption is no part of the answer."""

    kind: ClassVar[str] = "photo"

    def fits(self, content: Content) -> bool:
        """Whether it is a photo."""
        return isinstance(content, PhotoMessage)

    def parse(self, content: Content) -> Json:
        """The reference of the photo."""
        if not isinstance(content, PhotoMessage):
            raise self.refused(self.hint())
        return self.dump(content.file)

    def hint(self) -> str:
        """Asks for a photo."""
        return self.retry or "Please send a photo."


@dataclass(frozen=True, slots=True, kw_only=True)
class Document(FileInput):
    """A file of any type, sent as one.

    Size and type are what the sender's side claims: they spare people a useless upload and
    guard nothing. A file whose size the channel does not tell is taken.

    Attributes:
        max_size: the most bytes.
        mime: the media types that are taken, such as ``application/pdf`` or ``image/*``; none:
            all of them.
    """

    kind: ClassVar[str] = "document"

    max_size: int | None = None
    mime: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.max_size is not None and self.max_size < 1:
            raise self._cannot(f"max_size is {self.max_size}; at least 1 byte is possible")
        strange = [each for each in self.mime if "/" not in each]
        if isinstance(self.mime, str) or strange:
            raise self._cannot(
                f"mime is {self.mime!r}; give a tuple of types such as ('application/pdf',)"
            )
        FileInput.__post_init__(self)

    def fits(self, content: Content) -> bool:
        """Whether it is a file."""
        return isinstance(content, DocumentMessage)

    def parse(self, content: Content) -> Json:
        """The reference of the file, if its size and type are right."""
        if not isinstance(content, DocumentMessage):
            raise self.refused(self.hint())
        file = content.file
        if self.max_size is not None and file.size is not None and file.size > self.max_size:
            raise self.refused(f"That file is too big. It may have at most {_size(self.max_size)}.")
        if self.mime and not any(fnmatchcase(file.mime.lower(), each) for each in self.mime):
            raise self.refused(
                f"That type of file is not taken here. Please send one of: {', '.join(self.mime)}."
            )
        return self.dump(file)

    def hint(self) -> str:
        """Asks for a file."""
        return self.retry or "Please send a file."

    def stored(self) -> dict[str, Json]:
        """The media types as a list."""
        data = FileInput.stored(self)
        if self.mime:
            data["mime"] = list(self.mime)
        return data

    @classmethod
    def restored(cls, data: Mapping[str, Any]) -> Self:
        """Reads the media types from a list."""
        return cls(**decoded(data, tuple, "mime"))


def _size(size: int) -> str:
    for unit, factor in (("MB", 1_000_000), ("kB", 1_000)):
        if size >= factor:
            return f"{size / factor:g} {unit}"
    return f"{size} bytes"
