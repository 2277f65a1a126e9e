"""Files that people send, and albums of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRef:
    """A file that lies with the channel.

    Attributes:
        id: what the channel needs to fetch it.
        name: the name that the sender gave; untrusted, never a path.
        size: bytes, where known.
        mime: media type, where known.
        width, height: pixels, where known.
        duration: seconds, where known.
    """

    id: str
    name: str = ""
    size: int | None = None
    mime: str = ""
    width: int | None = None
    height: int | None = None
    duration: int | None = None


@dataclass(frozen=True, slots=True)
class PhotoMessage:
    """A photo, in the largest size that the channel has, with its caption."""

    file: FileRef
    caption: str = ""
    kind: Literal["photo"] = "photo"


@dataclass(frozen=True, slots=True)
class DocumentMessage:
    """A file of any type, with its caption."""

    file: FileRef
    caption: str = ""
    kind: Literal["document"] = "document"


@dataclass(frozen=True, slots=True)
class VoiceMessage:
    """Something that was spoken into the phone, with its caption."""

    file: FileRef
    caption: str = ""
    kind: Literal["voice"] = "voice"


@dataclass(frozen=True, slots=True)
class AudioMessage:
    """A piece of music or another sound, with its caption."""

    file: FileRef
    caption: str = ""
    kind: Literal["audio"] = "audio"


@dataclass(frozen=True, slots=True)
class VideoMessage:
    """A video, with its caption; a round one too."""

    file: FileRef
    caption: str = ""
    kind: Literal["video"] = "video"


@dataclass(frozen=True, slots=True)
class AnimationMessage:
    """A short film without sound, a GIF say, with its caption."""

    file: FileRef
    caption: str = ""
    kind: Literal["animation"] = "animation"


FileMessage = (
    PhotoMessage | DocumentMessage | VoiceMessage | AudioMessage | VideoMessage | AnimationMessage
)
"""What holds one file."""


@dataclass(frozen=True, slots=True)
class AlbumMessage:
    """Several files that were sent together: one update for all of them.

    Attributes:
        items: the messages, in their order; each has its own caption.
        caption: the first caption among them.
    """

    items: tuple[FileMessage, ...]
    caption: str = ""
    kind: Literal["album"] = "album"


@dataclass(frozen=True, slots=True, kw_only=True)
class StickerInfo:
    """A sticker.

    Attributes:
        emoji: what it stands for, where known.
        pack: the name of the set that it is from; empty where it is from none.
    """

    file: FileRef
    emoji: str = ""
    pack: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StickerMessage(StickerInfo):
    """A sticker that was sent."""

    kind: Literal["sticker"] = "sticker"
