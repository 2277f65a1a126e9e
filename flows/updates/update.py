"""What comes in: one update, and its JSON text."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

import orjson
from pydantic import Discriminator, TypeAdapter

from flows.conversation import Address, ConversationKey
from flows.updates.chats import (
    ChatMember,
    ChosenInlineResult,
    InlineQuery,
    JoinRequest,
    MessageReaction,
    MessageReactionCount,
    MyChatMember,
    PollAnswer,
    PollState,
)
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
    Press,
    TextMessage,
    WebAppMessage,
)
from flows.updates.own import (
    BroadcastOrder,
    ChatMigrated,
    Opened,
    Order,
    Other,
    SendFailed,
    TimerFired,
)
from flows.updates.payments import PaymentMessage, PreCheckoutQuery, ShippingQuery
from flows.updates.people import Person
from flows.updates.posts import ChannelPost, EditedChannelPost, EditedMessage

Content = (
    TextMessage | Command | Press | PhotoMessage | DocumentMessage
    | VoiceMessage | AudioMessage | VideoMessage | AnimationMessage | AlbumMessage | StickerMessage
    | LocationMessage | ContactMessage | WebAppMessage | PollMessage | DiceMessage | PaymentMessage
    | EditedMessage | ChannelPost | EditedChannelPost | InlineQuery | ChosenInlineResult
    | PreCheckoutQuery | ShippingQuery | ChatMember | MyChatMember | JoinRequest
    | MessageReaction | MessageReactionCount | PollAnswer | PollState
    | Opened | TimerFired | Order | BroadcastOrder | SendFailed | ChatMigrated | Other
)  # fmt: skip
"""What an update holds; ``kind`` tells which."""

_UNANSWERED = (
    EditedMessage, ChannelPost, EditedChannelPost, InlineQuery, ChosenInlineResult,
    PreCheckoutQuery, ShippingQuery, ChatMember, MyChatMember, JoinRequest,
    MessageReaction, MessageReactionCount, PollAnswer, PollState,
)  # fmt: skip


def is_silent(content: Content) -> bool:
    """Whether nobody waits for an answer to it in the chat: an edit, a post, a member who comes
    or goes. What no handler takes of it is passed over without a word.
    """
    if isinstance(content, Other):
        return content.silent
    return isinstance(content, _UNANSWERED)


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
        album: names the album that the message is a part of, by the channel's own name. Handlers
            never see it: the parts come to them as one update.
        raw: the channel's own object, as far as the channel has one and keeps it; of an album, of
            its first part.
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
    album: str | None = None
    raw: dict[str, Any] | None = field(default=None, repr=False)

    kinds: ClassVar[tuple[str, ...]] = (
        "text", "command", "press", "photo", "document",
        "voice", "audio", "video", "animation", "album", "sticker",
        "location", "contact", "web_app", "poll", "dice", "payment",
        "edited_message", "channel_post", "edited_channel_post",
        "inline_query", "chosen_inline_result", "pre_checkout_query", "shipping_query",
        "chat_member", "my_chat_member", "chat_join_request",
        "message_reaction", "message_reaction_count", "poll_answer", "poll_state",
        "opened", "timer", "send_failed", "migrated", "other",
    )  # fmt: skip

    @property
    def conversation(self) -> ConversationKey | None:
        """The conversation that this update belongs to; None without a chat or a sender."""
        if self.address is None or self.user is None:
            return None
        return ConversationKey(self.address, self.user.id)

    def to_json(self) -> str:
        """The update as JSON text, for the inbox; what is as by default is left out."""
        data: dict[str, object] = {
            "source": self.source,
            "ext": self.ext,
            "content": self.content,
            "at": self.at,
        }
        if self.address is not None:
            data["address"] = self.address
        if self.user is not None:
            data["user"] = self.user
        if self.message is not None:
            data["message"] = self.message
        if self.reply_to is not None:
            data["reply_to"] = self.reply_to
        if not self.private:
            data["private"] = False
        if self.album is not None:
            data["album"] = self.album
        if self.raw is not None:
            data["raw"] = self.raw
        return orjson.dumps(data).decode()

    @classmethod
    def from_json(cls, text: str) -> Update:
        """The update that ``to_json`` wrote. Raises ValueError when the text is none."""
        return _ADAPTER.validate_json(text)


_ADAPTER: TypeAdapter[Update] = TypeAdapter(Update)
