"""What comes in. A channel turns its raw input into these; all of it is JSON at rest."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

import orjson
from pydantic import Discriminator, TypeAdapter

from flows.conversation import Address, ConversationKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who wrote. ``id`` is the channel's own id as text; the rest may be empty.

    Attributes:
        language: an IETF language tag such as ``en`` or ``pt-br``.
    """

    id: str
    name: str = ""
    username: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class TextMessage:
    """A text that is no command."""

    text: str
    kind: Literal["text"] = "text"


@dataclass(frozen=True, slots=True)
class Command:
    """``/name args``. ``name`` is lower case, without slash and bot name; ``args`` may be empty."""

    name: str
    args: str = ""
    kind: Literal["command"] = "command"

    @property
    def text(self) -> str:
        """The command as it was typed, more or less."""
        return f"/{self.name} {self.args}".rstrip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """A button was pressed.

    Attributes:
        id: what the channel needs to answer the press.
        data: the button's data: one of our tokens, or the user's own.
        message: reference of the message that holds the button; None when it is inaccessible.
    """

    id: str
    data: str
    message: str | None = None
    kind: Literal["press"] = "press"


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


FileMessage = PhotoMessage | DocumentMessage | VoiceMessage | AudioMessage | VideoMessage
"""What holds one file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place on the earth.

    Attributes:
        latitude, longitude: degrees (WGS 84), north and east positive.
        accuracy: metres, the radius in which it lies, where known.
        title, address: of a venue; else empty.

    Raises:
        ValueError: there is no such place on the earth.
    """

    latitude: float
    longitude: float
    accuracy: float | None = None
    title: str = ""
    address: str = ""

    def __post_init__(self) -> None:
        if not (abs(self.latitude) <= 90 and abs(self.longitude) <= 180):
            raise ValueError(f"latitude {self.latitude}, longitude {self.longitude} is no place")


@dataclass(frozen=True, slots=True, kw_only=True)
class LocationMessage(Place):
    """A place that was shared."""

    kind: Literal["location"] = "location"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactCard:
    """How somebody can be reached.

    Attributes:
        phone: the number as the channel gave it.
        user: who it is, by the channel's id, where it knows.
        own: whether the channel vouches that it is the card of who sent it.
    """

    phone: str
    name: str = ""
    user: str | None = None
    own: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactMessage(ContactCard):
    """A contact that was shared."""

    kind: Literal["contact"] = "contact"


@dataclass(frozen=True, slots=True)
class WebAppMessage:
    """What a web app that the chat opened has sent; anybody can make such data up.

    Attributes:
        data: its own text, often JSON.
        button: the label of the button that opened it.
    """

    data: str
    button: str = ""
    kind: Literal["web_app"] = "web_app"


@dataclass(frozen=True, slots=True)
class Opened:
    """The person opened the chat again (the console started, a page was reloaded).

    It asks for the current prompt, if there is one, and never counts as an answer.
    """

    kind: Literal["opened"] = "opened"


@dataclass(frozen=True, slots=True)
class TimerFired:
    """A timer of ours is due; ``name`` and ``body`` are what the turn that set it wrote."""

    name: str
    body: dict[str, Any]
    kind: Literal["timer"] = "timer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Somebody outside of the conversation, an operator or a program, acts on it.

    Attributes:
        order: ``start`` a flow; ``resume`` what waits for an outside event or an operator;
            ``goto`` a step; ``cancel`` an instance; ``cancel_all`` of the conversation.
        instance: the id of the instance, but for ``start`` and ``cancel_all``.
        scope: the storage key of the state that it is kept in, but for ``start``.
        flow: the flow to start.
        data: the arguments to start it with.
        step: the name of the step to go to.
        token: the ticket of an outside event; empty for an operator's ``resume``.
        payload: what the event brings, or the operator's answer: JSON.
        reason: why it is cancelled.
    """

    order: Literal["start", "resume", "goto", "cancel", "cancel_all"]
    instance: str = ""
    scope: str = ""
    flow: str = ""
    data: dict[str, Any] = field(default_factory=dict)
    step: str = ""
    token: str = ""
    payload: Any = None
    reason: str = "cancelled"
    kind: Literal["order"] = "order"


@dataclass(frozen=True, slots=True, kw_only=True)
class SendFailed:
    """A message of ours will never arrive. ``blocked``: nor will any other to this chat."""

    slot: str | None
    reason: str
    blocked: bool
    kind: Literal["send_failed"] = "send_failed"


@dataclass(frozen=True, slots=True)
class ChatMigrated:
    """The chat goes by another id from now on; its conversations go on."""

    to: str
    kind: Literal["migrated"] = "migrated"


@dataclass(frozen=True, slots=True)
class Other:
    """Something that has no type of its own yet.

    Attributes:
        name: the channel's word for it.
        silent: nobody waits for an answer to it: an edit, a service message, an album's rest.
    """

    name: str
    silent: bool = False
    kind: Literal["other"] = "other"


Content = (
    TextMessage | Command | Press | PhotoMessage | DocumentMessage
    | VoiceMessage | AudioMessage | VideoMessage | LocationMessage | ContactMessage | WebAppMessage
    | Opened | TimerFired | Order | SendFailed | ChatMigrated | Other
)  # fmt: skip
"""What an update holds; ``kind`` tells which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """One thing that came in: the cause of one turn.

    Attributes:
        address: the chat it came from; None for what has no chat.
        ext: the channel's own id of the update: (source, ext) is accepted once.
        source: channel and bot, such as ``telegram:110201543``.
        user: who sent it; None for what has no sender.
        at: when it was sent, milliseconds since the epoch (UTC).
        message: reference of the message in the channel, where there is one.
        reply_to: reference of the message that this one replies to.
        private: whether the chat is a private one, of one person and the bot.
        raw: the channel's own object, where it keeps it.
    """

    source: str
    ext: str
    content: Annotated[Content, Discriminator("kind")]
    at: int
    address: Address | None = None
    user: Person | None = None
    message: str | None = None
    reply_to: str | None = None
    private: bool = True
    raw: dict[str, Any] | None = field(default=None, repr=False)

    kinds: ClassVar[tuple[str, ...]] = (
        "text", "command", "press", "photo", "document",
        "voice", "audio", "video", "location", "contact", "web_app",
        "opened", "timer", "send_failed", "migrated", "other",
    )  # fmt: skip

    @property
    def conversation(self) -> ConversationKey | None:
        """The conversation that this update belongs to; None without a chat or a sender."""
        if self.address is None or self.user is None:
            return None
        return ConversationKey(self.address, self.user.id)

    def to_json(self) -> str:
        """The update as JSON text, for the inbox."""
        return orjson.dumps(self).decode()

    @classmethod
    def from_json(cls, text: str) -> Update:
        """The update that ``to_json`` wrote. Raises ValueError when the text is none."""
        return _ADAPTER.validate_json(text)


_ADAPTER: TypeAdapter[Update] = TypeAdapter(Update)
