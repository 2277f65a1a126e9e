"""A broadcast: one message for many people."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from flows.errors import BroadcastRefused
from flows.messages.replies import Reply, check

CHANNEL = "broadcast"
"""In place of a channel in the keys of what is kept of broadcasts; none has this name."""

RATE = 20
"""Messages a second, unless it is said otherwise: two thirds of what Telegram takes from a bot, so
that the answers to people go on beside them.
"""

FASTEST = 500
"""Messages a second, at the most: for services of one's own, which take more than Telegram."""

ID_CHARS = 8
"""Hexadecimal digits of the id of a broadcast."""

LONGEST_CHAT = 40
"""Characters of an id of a chat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Broadcast:
    """What is to be sent, and to whom.

    Attributes:
        id: its name for people and programs.
        source: channel and bot.
        chats: the channel's ids of the chats, each once; None: every private chat of the bot.
        rate: messages a second, at the most.
        report_to: the chat that is shown how far it is; None: none is.
        locale: that in which it is shown; None: the App's default one.

    Raises:
        BroadcastRefused: there is nothing to be sent, nobody to send it to, or no such rate.
        DefinitionError: no channel could send the message.
    """

    id: str
    source: str
    reply: Reply
    chats: tuple[str, ...] | None = None
    rate: int = RATE
    report_to: str | None = None
    locale: str | None = None

    def __post_init__(self) -> None:
        if self.reply.blank:
            raise BroadcastRefused("a broadcast needs a text or a file. Say what is to be sent.")
        check(self.reply)
        if not 1 <= self.rate <= FASTEST:
            raise BroadcastRefused(
                f"{self.rate} messages a second are not possible; 1 to {FASTEST} are."
            )
        if self.chats is not None and not self.chats:
            raise BroadcastRefused("the broadcast is for nobody: the list of chats is empty.")


def name_of_broadcast(source: str, ext: str, at: int, number: int) -> str:
    """The id of a broadcast that the handling of an update begins, the same in every run of it.

    Args:
        number: which of those that it begins.
    """
    text = f"{source}\0{ext}\0{at}\0{number}".encode()
    return sha256(text).hexdigest()[:ID_CHARS]


def chats_named(names: Iterable[str | int]) -> tuple[str, ...]:
    """The ids of chats, each once, in their order.

    Args:
        names: the channel's ids, as texts or numbers.

    Raises:
        BroadcastRefused: one of them is none; the message says which.
    """
    found: dict[str, None] = {}
    for place, name in enumerate(names, start=1):
        chat = str(name).strip()
        plain = chat.isascii() and chat.isprintable() and " " not in chat
        if not chat or len(chat) > LONGEST_CHAT or not plain:
            raise BroadcastRefused(
                f"entry {place} of the chats, {chat[:40]!r}, is no id of a chat. Write the "
                "channel's own, such as 4242 or -1001234567890. Nothing was sent."
            )
        found[chat] = None
    return tuple(found)
