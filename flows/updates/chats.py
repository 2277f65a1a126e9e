"""What happens in a chat besides messages, and what belongs to no chat: nobody waits for an
answer to any of it, so that it goes to the handlers that name its kind, and else to nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from flows.updates.messages import Place, PollInfo
from flows.updates.people import Person


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """What somebody is in a chat.

    Attributes:
        status: the channel's word for it, such as ``administrator`` or ``left``.
        present: whether they are in the chat.
    """

    status: str
    present: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberChange:
    """What somebody is in a chat has changed. ``Update.user`` is who has changed it.

    Attributes:
        member: whose membership it is.
        link: the link of the invitation by which they came, where one was used.
    """

    member: Person
    old: Membership
    new: Membership
    link: str = ""

    @property
    def joined(self) -> bool:
        """They are in the chat now and were not before."""
        return self.new.present and not self.old.present

    @property
    def left(self) -> bool:
        """They were in the chat and are no more: they went, or were thrown out."""
        return self.old.present and not self.new.present


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatMember(MemberChange):
    """Somebody else than the bot has come or gone, or may do more or less."""

    kind: Literal["chat_member"] = "chat_member"


@dataclass(frozen=True, slots=True, kw_only=True)
class MyChatMember(MemberChange):
    """The bot itself was let in or thrown out, or a person has blocked it in their chat."""

    kind: Literal["my_chat_member"] = "my_chat_member"


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinRequest:
    """``Update.user`` would like to be let into the chat.

    Attributes:
        chat: the id of the chat in which the bot may write to them for now.
        bio: what they say of themselves.
        link: the link of the invitation that they used.
    """

    chat: str = ""
    bio: str = ""
    link: str = ""
    kind: Literal["chat_join_request"] = "chat_join_request"


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageReaction:
    """``Update.user`` reacts to the message ``Update.message`` otherwise than before.

    Attributes:
        old, new: the emoji; ``custom:`` and an id for one that is none of the usual ones, and
            ``paid`` for one that costs.
    """

    old: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    kind: Literal["message_reaction"] = "message_reaction"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReactionCount:
    """How often a message has a reaction; see ``MessageReaction`` for the words."""

    reaction: str
    count: int


@dataclass(frozen=True, slots=True)
class MessageReactionCount:
    """The reactions to a message in a chat where it is not told who has reacted."""

    counts: tuple[ReactionCount, ...] = ()
    kind: Literal["message_reaction_count"] = "message_reaction_count"


@dataclass(frozen=True, slots=True, kw_only=True)
class PollAnswer:
    """``Update.user`` has voted in a poll of the bot's that is not anonymous; it has no chat.

    Attributes:
        poll: the id of the poll.
        options: the indexes of what was chosen; empty: the vote was taken back.
    """

    poll: str
    options: tuple[int, ...] = ()
    kind: Literal["poll_answer"] = "poll_answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class PollState(PollInfo):
    """How a poll of the bot's stands now; nobody has sent it, and it has no chat."""

    kind: Literal["poll_state"] = "poll_state"


@dataclass(frozen=True, slots=True, kw_only=True)
class InlineQuery:
    """Somebody types the bot's name and some words in any chat; it has no chat.

    Attributes:
        id: what the channel needs for the answer, which is wanted within 30 seconds.
        query: the words.
        offset: what the bot gave for the results after those it has shown.
        chat: the type of the chat in which they type, where known.
        place: where they are, of a bot that asks for it.
    """

    id: str
    query: str
    offset: str = ""
    chat: str = ""
    place: Place | None = None
    kind: Literal["inline_query"] = "inline_query"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenInlineResult:
    """Somebody has chosen one of the bot's inline results.

    Attributes:
        result: the bot's own id of the result.
        query: the words that it was found by.
        message: the channel's reference of the message that was sent, where it may be edited.
        place: where they are, of a bot that asks for it.
    """

    result: str
    query: str = ""
    message: str = ""
    place: Place | None = None
    kind: Literal["chosen_inline_result"] = "chosen_inline_result"
