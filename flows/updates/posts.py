"""What holds a message that is no new word of a person's: an edit, or a post of a channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Discriminator

from flows.updates.files import (
    AlbumMessage,
    AnimationMessage,
    AudioMessage,
    DocumentMessage,
    PhotoMessage,
    StickerMessage,
    VideoMessage,
    VoiceMessage,
)
from flows.updates.messages import (
    Command,
    ContactMessage,
    DiceMessage,
    LocationMessage,
    PollMessage,
    TextMessage,
    WebAppMessage,
)
from flows.updates.own import ChatMigrated, Other
from flows.updates.payments import PaymentMessage

MessageContent = (
    TextMessage | Command | PhotoMessage | DocumentMessage | VoiceMessage | AudioMessage
    | VideoMessage | AnimationMessage | AlbumMessage | StickerMessage | LocationMessage
    | ContactMessage | WebAppMessage | PollMessage | DiceMessage | PaymentMessage | ChatMigrated
    | Other
)  # fmt: skip
"""What a message may hold."""

_Held = Annotated[MessageContent, Discriminator("kind")]


@dataclass(frozen=True, slots=True)
class EditedMessage:
    """Somebody has changed a message; it is no answer to what was asked since.

    Attributes:
        content: what the message holds now. ``Update.message`` says which one it is.
    """

    content: _Held
    kind: Literal["edited_message"] = "edited_message"


@dataclass(frozen=True, slots=True)
class ChannelPost:
    """A message in a channel that the bot is in.

    Attributes:
        content: what it holds.
    """

    content: _Held
    kind: Literal["channel_post"] = "channel_post"


@dataclass(frozen=True, slots=True)
class EditedChannelPost:
    """A message in a channel was changed.

    Attributes:
        content: what it holds now.
    """

    content: _Held
    kind: Literal["edited_channel_post"] = "edited_channel_post"
