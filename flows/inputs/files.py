"""Photos, sounds, videos and files: a reference to them, which the channel can fetch by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from typing import Any, ClassVar, Self

from pydantic import TypeAdapter

from flows.inputs.base import Input, Json, decoded, without_article
from flows.messages.translations import gettext, nphrase, phrase
from flows.updates import (
    AlbumMessage,
    AnimationMessage,
    AudioMessage,
    Content,
    DocumentMessage,
    FileMessage,
    FileRef,
    PhotoMessage,
    VideoMessage,
    VoiceMessage,
)

_FILE: TypeAdapter[FileRef] = TypeAdapter(FileRef)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileInput(Input[FileRef]):
    """The base of inputs whose value is a file that lies with the channel.

    Of an album, it is the first such file.

    What is known of a file is what the sender's side claims: limits spare people a useless
    upload and guard nothing. A file of which the channel does not tell the size is taken.

    Attributes:
        message: the content that holds such a file.
        wanted: its name in a sentence.
        max_size: the most bytes.
    """

    message: ClassVar[type[FileMessage]]
    wanted: ClassVar[str]

    max_size: int | None = None

    def __post_init__(self) -> None:
        if self.max_size is not None and self.max_size < 1:
            raise self._cannot(f"max_size is {self.max_size}; at least 1 byte is possible")
        Input.__post_init__(self)

    def fits(self, content: Content) -> bool:
        """Whether it is such a file, or an album with one."""
        return self._held(content) is not None

    def parse(self, content: Content) -> Json:
        """The reference of the file, if it is within the limits; a caption is no part of it."""
        held = self._held(content)
        if held is None:
            raise self.refused(self.hint())
        reason = self._against(held.file)
        if reason is not None:
            raise self.refused(reason)
        return self.dump(held.file)

    def load(self, value: Json) -> FileRef:
        """The reference of its JSON form."""
        return _FILE.validate_python(value)

    def dump(self, value: FileRef) -> Json:
        """The reference as a JSON object."""
        if not isinstance(value, FileRef):
            raise ValueError(f"{value!r} is no FileRef")
        return asdict(value)

    def hint(self) -> str:
        """Asks for such a file."""
        return self.retry or phrase("Please send {wanted}.", wanted=self.wanted)

    def shown(self, value: Json) -> str:
        """The name of the file, or what it is."""
        return self.load(value).name or without_article(self.wanted)

    def _held(self, content: Content) -> FileMessage | None:
        """What holds the file; None: nothing does."""
        if isinstance(content, AlbumMessage):
            return next((item for item in content.items if isinstance(item, self.message)), None)
        return content if isinstance(content, self.message) else None

    def _against(self, file: FileRef) -> str | None:
        """What the limits have against a file, for the person; None: it is fine."""
        if self.max_size is None or file.size is None or file.size <= self.max_size:
            return None
        most = size_in_words(self.max_size)
        return phrase("That file is too big. It may have at most {most}.", most=most)


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedFileInput(FileInput):
    """The base of inputs for files that bear a media type.

    Attributes:
        mime: the media types that are taken, such as ``application/pdf`` or ``image/*``; none:
            all of them.
    """

    mime: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        strange = [each for each in self.mime if "/" not in each]
        if isinstance(self.mime, str) or strange:
            raise self._cannot(
                f"mime is {self.mime!r}; give a tuple of types such as ('application/pdf',)"
            )
        FileInput.__post_init__(self)

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

    def _against(self, file: FileRef) -> str | None:
        if self.mime and not any(fnmatchcase(file.mime.lower(), each) for each in self.mime):
            known = ", ".join(self.mime)
            return phrase(
                "That type of file is not taken here. Please send one of: {types}.", types=known
            )
        return FileInput._against(self, file)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingInput(TypedFileInput):
    """The base of inputs for files that take time to play.

    Attributes:
        max_seconds: the longest duration; one that the channel does not tell is taken.
    """

    max_seconds: int | None = None

    def __post_init__(self) -> None:
        if self.max_seconds is not None and self.max_seconds < 1:
            raise self._cannot(f"max_seconds is {self.max_seconds}; at least 1 is possible")
        TypedFileInput.__post_init__(self)

    def _against(self, file: FileRef) -> str | None:
        if self.max_seconds is not None and (file.duration or 0) > self.max_seconds:
            return nphrase(
                "That is too long. It may last at most {n} second.",
                "That is too long. It may last at most {n} seconds.",
                self.max_seconds,
            )
        return TypedFileInput._against(self, file)


@dataclass(frozen=True, slots=True, kw_only=True)
class Photo(FileInput):
    """A photo, sent as one."""

    kind: ClassVar[str] = "photo"
    message: ClassVar[type[FileMessage]] = PhotoMessage
    wanted: ClassVar[str] = gettext("a photo")


@dataclass(frozen=True, slots=True, kw_only=True)
class Document(TypedFileInput):
    """A file of any type, sent as one; an animation too, which apps make of some files."""

    kind: ClassVar[str] = "document"
    message: ClassVar[type[FileMessage]] = DocumentMessage
    wanted: ClassVar[str] = gettext("a file")

    def _held(self, content: Content) -> FileMessage | None:
        if isinstance(content, AnimationMessage):
            return content
        return TypedFileInput._held(self, content)


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice(RecordingInput):
    """Something that is spoken into the phone."""

    kind: ClassVar[str] = "voice"
    message: ClassVar[type[FileMessage]] = VoiceMessage
    wanted: ClassVar[str] = gettext("a voice message")


@dataclass(frozen=True, slots=True, kw_only=True)
class Audio(RecordingInput):
    """A piece of music or another sound, sent as one."""

    kind: ClassVar[str] = "audio"
    message: ClassVar[type[FileMessage]] = AudioMessage
    wanted: ClassVar[str] = gettext("an audio file")


@dataclass(frozen=True, slots=True, kw_only=True)
class Video(RecordingInput):
    """A video, sent as one; a round one too."""

    kind: ClassVar[str] = "video"
    message: ClassVar[type[FileMessage]] = VideoMessage
    wanted: ClassVar[str] = gettext("a video")


@dataclass(frozen=True, slots=True, kw_only=True)
class Animation(RecordingInput):
    """A short film without sound, a GIF say."""

    kind: ClassVar[str] = "animation"
    message: ClassVar[type[FileMessage]] = AnimationMessage
    wanted: ClassVar[str] = gettext("an animation")


def size_in_words(size: int) -> str:
    """A size in bytes for a person."""
    if size >= 1_000_000:
        return phrase("{size} MB", size=f"{size / 1_000_000:g}")
    if size >= 1_000:
        return phrase("{size} kB", size=f"{size / 1_000:g}")
    return nphrase("{n} byte", "{n} bytes", size)
