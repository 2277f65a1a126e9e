"""Updates that are no messages: what happens in chats, and what belongs to none."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

from engine.channels.telegram.contents import poll_fields
from engine.channels.telegram.event_shapes import (
    Chosen,
    Counted,
    Inline,
    InviteLink,
    JoinAsked,
    Member,
    MemberUpdated,
    PreCheckout,
    Reacted,
    Reaction,
    Shipping,
    Voted,
)
from engine.channels.telegram.payments import customer, postal_address
from engine.channels.telegram.people import chat_person, person
from engine.channels.telegram.shapes import Chat, Location, Poll, User
from flows.updates import (
    ChatMember,
    ChosenInlineResult,
    Content,
    InlineQuery,
    JoinRequest,
    Membership,
    MessageReaction,
    MessageReactionCount,
    MyChatMember,
    Person,
    Place,
    PollAnswer,
    PollState,
    PreCheckoutQuery,
    ReactionCount,
    ShippingQuery,
)

_PRESENT = frozenset(("creator", "administrator", "member"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What such an update says.

    Attributes:
        date: seconds since the epoch; None: it is not said.
        message: the id of the message that it is about.
    """

    content: Content
    chat: Chat | None = None
    user: Person | None = None
    date: int | None = None
    message: int | None = None


def read_event(kind: str, body: object) -> Event | None:
    """What an update of this type says; None: there is no such type.

    Raises:
        ValidationError: it is malformed.
    """
    read = _READERS.get(kind)
    return None if read is None else read(body)


class _ChangeFields(TypedDict):
    """The fields of ``MemberChange``."""

    member: Person
    old: Membership
    new: Membership
    link: str


def _chat_member(body: object) -> Event:
    changed = MemberUpdated.model_validate(body)
    return _changed(changed, ChatMember(**_change(changed)))


def _my_chat_member(body: object) -> Event:
    changed = MemberUpdated.model_validate(body)
    return _changed(changed, MyChatMember(**_change(changed)))


def _changed(changed: MemberUpdated, content: Content) -> Event:
    return Event(content=content, chat=changed.chat, user=person(changed.sender), date=changed.date)


def _change(changed: MemberUpdated) -> _ChangeFields:
    return {
        "member": person(changed.new_chat_member.user),
        "old": _membership(changed.old_chat_member),
        "new": _membership(changed.new_chat_member),
        "link": _link(changed.invite_link),
    }


def _membership(member: Member) -> Membership:
    present = member.status in _PRESENT or (member.status == "restricted" and member.is_member)
    return Membership(status=member.status, present=present)


def _link(link: InviteLink | None) -> str:
    return link.invite_link if link is not None else ""


def _join_request(body: object) -> Event:
    asked = JoinAsked.model_validate(body)
    content = JoinRequest(
        chat="" if asked.user_chat_id is None else str(asked.user_chat_id),
        bio=asked.bio,
        link=_link(asked.invite_link),
    )
    return Event(content=content, chat=asked.chat, user=person(asked.sender), date=asked.date)


def _reaction(body: object) -> Event:
    reacted = Reacted.model_validate(body)
    return Event(
        content=MessageReaction(old=_words(reacted.old_reaction), new=_words(reacted.new_reaction)),
        chat=reacted.chat,
        user=_either(reacted.user, reacted.actor_chat),
        date=reacted.date,
        message=reacted.message_id,
    )


def _reaction_count(body: object) -> Event:
    counted = Counted.model_validate(body)
    counts = tuple(
        ReactionCount(reaction=_word(each.type), count=each.total_count)
        for each in counted.reactions
    )
    return Event(
        content=MessageReactionCount(counts),
        chat=counted.chat,
        date=counted.date,
        message=counted.message_id,
    )


def _words(reactions: Sequence[Reaction]) -> tuple[str, ...]:
    return tuple(_word(each) for each in reactions)


def _word(reaction: Reaction) -> str:
    if reaction.type == "custom_emoji":
        return f"custom:{reaction.custom_emoji_id}"
    return reaction.emoji or reaction.type


def _poll_answer(body: object) -> Event:
    voted = Voted.model_validate(body)
    content = PollAnswer(poll=voted.poll_id, options=tuple(voted.option_ids))
    return Event(content=content, user=_either(voted.user, voted.voter_chat))


def _poll(body: object) -> Event:
    return Event(content=PollState(**poll_fields(Poll.model_validate(body))))


def _inline_query(body: object) -> Event:
    query = Inline.model_validate(body)
    content = InlineQuery(
        id=query.id,
        query=query.query,
        offset=query.offset,
        chat=query.chat_type,
        place=_place(query.location),
    )
    return Event(content=content, user=person(query.sender))


def _chosen_inline_result(body: object) -> Event:
    chosen = Chosen.model_validate(body)
    content = ChosenInlineResult(
        result=chosen.result_id,
        query=chosen.query,
        message=chosen.inline_message_id,
        place=_place(chosen.location),
    )
    return Event(content=content, user=person(chosen.sender))


def _pre_checkout_query(body: object) -> Event:
    query = PreCheckout.model_validate(body)
    content = PreCheckoutQuery(
        id=query.id,
        currency=query.currency,
        amount=query.total_amount,
        payload=query.invoice_payload,
        shipping_option=query.shipping_option_id,
        customer=customer(query.order_info),
    )
    return Event(content=content, user=person(query.sender))


def _shipping_query(body: object) -> Event:
    query = Shipping.model_validate(body)
    content = ShippingQuery(
        id=query.id,
        payload=query.invoice_payload,
        address=postal_address(query.shipping_address),
    )
    return Event(content=content, user=person(query.sender))


def _place(location: Location | None) -> Place | None:
    if location is None:
        return None
    return Place(
        latitude=location.latitude,
        longitude=location.longitude,
        accuracy=location.horizontal_accuracy,
    )


def _either(user: User | None, chat: Chat | None) -> Person | None:
    # The user that is named beside a chat is a dummy.
    if chat is not None:
        return chat_person(chat)
    return None if user is None else person(user)


_READERS: Mapping[str, Callable[[object], Event]] = {
    "chat_member": _chat_member,
    "my_chat_member": _my_chat_member,
    "chat_join_request": _join_request,
    "message_reaction": _reaction,
    "message_reaction_count": _reaction_count,
    "poll_answer": _poll_answer,
    "poll": _poll,
    "inline_query": _inline_query,
    "chosen_inline_result": _chosen_inline_result,
    "pre_checkout_query": _pre_checkout_query,
    "shipping_query": _shipping_query,
}
TYPES = frozenset(_READERS)
"""The types of update that are read here."""
