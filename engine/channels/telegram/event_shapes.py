"""The parts of Telegram's updates that are no messages, as far as they are read; see ``shapes``."""

from __future__ import annotations

from pydantic import Field

from engine.channels.telegram.shapes import (
    Chat,
    Id,
    Location,
    OrderInfo,
    Seconds,
    Shape,
    ShippingAddress,
    Size,
    Text,
    User,
)


class InviteLink(Shape):
    invite_link: Text = ""


class Member(Shape):
    user: User
    status: Text
    is_member: bool = False


class MemberUpdated(Shape):
    chat: Chat
    sender: User = Field(alias="from")
    date: Seconds
    old_chat_member: Member
    new_chat_member: Member
    invite_link: InviteLink | None = None


class JoinAsked(Shape):
    chat: Chat
    sender: User = Field(alias="from")
    date: Seconds
    user_chat_id: Id | None = None
    bio: Text = ""
    invite_link: InviteLink | None = None


class Reaction(Shape):
    type: Text
    emoji: Text = ""
    custom_emoji_id: Text = ""


class Reacted(Shape):
    chat: Chat
    message_id: Id
    date: Seconds
    user: User | None = None
    actor_chat: Chat | None = None
    old_reaction: tuple[Reaction, ...] = ()
    new_reaction: tuple[Reaction, ...] = ()


class Count(Shape):
    type: Reaction
    total_count: Size


class Counted(Shape):
    chat: Chat
    message_id: Id
    date: Seconds
    reactions: tuple[Count, ...] = ()


class Voted(Shape):
    poll_id: Text
    user: User | None = None
    voter_chat: Chat | None = None
    option_ids: tuple[Size, ...] = ()


class Inline(Shape):
    id: Text
    sender: User = Field(alias="from")
    query: Text = ""
    offset: Text = ""
    chat_type: Text = ""
    location: Location | None = None


class Chosen(Shape):
    result_id: Text
    sender: User = Field(alias="from")
    query: Text = ""
    inline_message_id: Text = ""
    location: Location | None = None


class PreCheckout(Shape):
    id: Text
    sender: User = Field(alias="from")
    currency: Text
    total_amount: Size
    invoice_payload: Text
    shipping_option_id: Text = ""
    order_info: OrderInfo | None = None


class Shipping(Shape):
    id: Text
    sender: User = Field(alias="from")
    invoice_payload: Text
    shipping_address: ShippingAddress
