"""What a message can bring besides its text: files, albums, places, polls and the like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, get_args

from pydantic import Discriminator

from flows.errors import DefinitionError
from flows.messages.input_file import FileSource, InputFile
from flows.messages.texts import Format, written
from flows.updates import ContactMessage, LocationMessage

MediaKind = Literal[
    "photo", "video", "animation", "audio", "voice", "document", "sticker", "video_note"
]

CAPTIONED = frozenset({"photo", "video", "animation", "audio", "voice", "document"})
"""What can have a text under it."""

ALBUM = range(2, 11)
"""How many files an album has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """A file that is shown as what it is. ``Media.of`` makes one of anything that is a file.

    Attributes:
        caption, format: the text under it. A text that the message itself is given goes before.
        spoiler: a photo, video or animation is hidden until it is touched.
        duration: seconds.
        width, height: pixels.
        title, performer: of an audio.
    """

    kind: MediaKind
    file: InputFile
    caption: str = ""
    format: Format = "plain"
    spoiler: bool = False
    duration: int | None = None
    width: int | None = None
    height: int | None = None
    title: str = ""
    performer: str = ""

    def __post_init__(self) -> None:
        caption, format = written(self.caption, self.format)
        object.__setattr__(self, "caption", caption)
        object.__setattr__(self, "format", format)

    @classmethod
    def of(
        cls,
        kind: MediaKind,
        file: FileSource,
        *,
        caption: str = "",
        format: Format = "plain",
        spoiler: bool = False,
        name: str = "",
    ) -> Media:
        """A file of this kind; see ``InputFile.of`` for what ``file`` and ``name`` may be.

        Raises:
            DefinitionError: the file is none that can be sent, or there is no such kind.
        """
        if kind not in get_args(MediaKind):
            known = ", ".join(get_args(MediaKind))
            raise DefinitionError(f"there is no kind of file {kind!r}. The kinds are {known}.")
        source = InputFile.of(file, name=name)
        return cls(kind=kind, file=source, caption=caption, format=format, spoiler=spoiler)


@dataclass(frozen=True, slots=True)
class Album:
    """2 to 10 files as one: photos and videos, or documents, or audios.

    Raises:
        DefinitionError: they are too few, too many, or do not go together.
    """

    media: tuple[Media, ...]
    kind: Literal["album"] = "album"

    def __post_init__(self) -> None:
        if len(self.media) not in ALBUM:
            raise DefinitionError(f"an album has 2 to 10 files, not {len(self.media)}")
        kinds = {one.kind for one in self.media}
        if not (kinds <= {"photo", "video"} or kinds in ({"document"}, {"audio"})):
            raise DefinitionError(
                f"an album cannot have {', '.join(sorted(kinds))} in it: it takes photos and "
                "videos, or documents alone, or audios alone"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class PollQuestion:
    """A poll that the service counts.

    Attributes:
        options: 2 to 12 answers to choose from.
        anonymous: nobody learns who answered what, the bot neither.
        multiple: several answers may be chosen.
        correct: the place of the right answer, from 0, which makes it a quiz.
        explanation: what is shown in a quiz to who was wrong.
        open_seconds: after so many seconds (5 to 600) it is closed.

    Raises:
        DefinitionError: there is no such poll.
    """

    question: str
    options: tuple[str, ...]
    anonymous: bool = True
    multiple: bool = False
    correct: int | None = None
    explanation: str = ""
    open_seconds: int | None = None
    kind: Literal["poll"] = "poll"

    def __post_init__(self) -> None:
        if not self.question.strip():
            raise DefinitionError("a poll needs a question")
        if not 2 <= len(self.options) <= 12:
            raise DefinitionError(f"a poll has 2 to 12 options, not {len(self.options)}")
        if self.correct is not None and not 0 <= self.correct < len(self.options):
            raise DefinitionError(
                f"the correct option {self.correct} of the poll is none of "
                f"0 to {len(self.options) - 1}"
            )
        if self.open_seconds is not None and not 5 <= self.open_seconds <= 600:
            raise DefinitionError(f"a poll is open 5 to 600 seconds, not {self.open_seconds}")


@dataclass(frozen=True, slots=True)
class Dice:
    """An emoji that comes to rest at a random value: 🎲 🎯 🏀 ⚽ 🎳 🎰.

    Raises:
        DefinitionError: it is another emoji.
    """

    emoji: str = "🎲"
    kind: Literal["dice"] = "dice"

    def __post_init__(self) -> None:
        if self.emoji not in ("🎲", "🎯", "🏀", "⚽", "🎳", "🎰"):
            raise DefinitionError(f"{self.emoji!r} cannot be thrown; 🎲 🎯 🏀 ⚽ 🎳 🎰 can")


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """A bill that is paid in the chat.

    Attributes:
        payload: what comes back with the payment, 1 to 128 bytes; people do not see it.
        currency: three letters; ``XTR`` are Telegram's stars.
        prices: label and amount of each item, in the smallest unit of the currency.
        provider_token: of who takes the payment; empty for stars.
        photo_url: a picture of what is sold.

    Raises:
        DefinitionError: there is no such bill.
    """

    title: str
    description: str
    payload: str
    currency: str
    prices: tuple[tuple[str, int], ...]
    provider_token: str = ""
    photo_url: str = ""
    kind: Literal["invoice"] = "invoice"

    def __post_init__(self) -> None:
        if not 1 <= len(self.payload.encode()) <= 128:
            raise DefinitionError(f"invoice {self.title!r}: the payload has 1 to 128 bytes")
        if not self.title.strip() or not self.description.strip():
            raise DefinitionError("an invoice needs a title and a description")
        if not self.prices:
            raise DefinitionError(f"invoice {self.title!r} has no prices")


Attachment = Annotated[
    Media | Album | LocationMessage | ContactMessage | PollQuestion | Dice | Invoice,
    Discriminator("kind"),
]
"""What a message brings."""


def described(attachment: Attachment) -> str:
    """What is brought, in a line for people to read: ``[photo cat.jpg]``."""
    match attachment:
        case Media():
            return f"[{attachment.kind.replace('_', ' ')} {attachment.file.shown}]"
        case Album():
            return "\n".join(map(described, attachment.media))
        case LocationMessage():
            about = " ".join(filter(None, (attachment.title, attachment.address)))
            where = f"{attachment.latitude:g} {attachment.longitude:g}"
            return f"[location {where} {about}".rstrip() + "]"
        case ContactMessage():
            return f"[contact {attachment.name} {attachment.phone}]".replace("  ", " ")
        case PollQuestion():
            options = "".join(f"\n( ) {option}" for option in attachment.options)
            return f"[poll] {attachment.question}{options}"
        case Dice():
            return f"[dice {attachment.emoji}]"
        case Invoice():
            total = sum(amount for _, amount in attachment.prices)
            return f"[invoice {attachment.title}: {total} {attachment.currency}]"


def inline_bytes(attachment: Attachment | None) -> int:
    """Bytes of the files in it that lie in the message itself."""
    media: Sequence[Media] = ()
    if isinstance(attachment, Album):
        media = attachment.media
    elif isinstance(attachment, Media):
        media = (attachment,)
    return sum(len(one.file.value) * 3 // 4 for one in media if one.file.source == "bytes")
