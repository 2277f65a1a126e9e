"""What Telegram sends, turned into updates."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from engine.channels.telegram.contents import shown_content
from engine.channels.telegram.recent import Recent
from engine.channels.telegram.shapes import (
    Anything,
    CallbackQuery,
    Chat,
    Message,
    Received,
    User,
)
from flows.conversation import Address
from flows.updates import (
    Command,
    Content,
    Other,
    Person,
    Press,
    TextMessage,
    Update,
)

log = logging.getLogger("handrail.telegram")

ALBUM = "album"
"""The name of the second and later messages of an album."""

_COMMAND = re.compile(r"/([A-Za-z0-9_]{1,32})(?:@([A-Za-z0-9_]+))?(?:\s+(.*))?", re.DOTALL)
_TYPE_NAME = re.compile(r"[a-z][a-z_]{0,63}")
_MESSAGE_TYPES = frozenset(
    ("edited_message", "channel_post", "edited_channel_post",
     "business_message", "edited_business_message", "guest_message")
)  # fmt: skip
_KNOWN_TYPES = _MESSAGE_TYPES | {"message", "callback_query"}
_ALBUMS = 1024


@dataclass(frozen=True, slots=True)
class Page:
    """What one answer of ``getUpdates`` holds.

    Attributes:
        updates: what is to be handed in, in order.
        next_offset: what acknowledges all of the page; None: nothing there can be acknowledged.
    """

    updates: tuple[Update, ...]
    next_offset: int | None


class UpdateReader:
    """Turns Telegram's objects into updates. What is malformed is skipped, logged and counted.

    Attributes:
        username: the bot's own name without ``@``; None: not known, so no command is foreign.
        skipped: how often what was skipped, by reason.
    """

    def __init__(self, source: str, *, username: str | None = None) -> None:
        self.username = username
        self.skipped: Counter[str] = Counter()
        self._source = source
        self._albums: Recent[tuple[int, str], int] = Recent(_ALBUMS)

    def page(self, raw: Sequence[object], *, now: int) -> Page:
        """Reads the updates of a page; ``now`` (milliseconds) is given to those without a date."""
        updates: list[Update] = []
        last: int | None = None
        for item in raw:
            number = _update_id(item)
            if number is None or not isinstance(item, dict):
                self._skip("update_id", "an update without a valid update_id")
                continue
            last = number if last is None else max(last, number)
            update = self._read(number, item, now)
            if update is not None:
                updates.append(update)
        return Page(tuple(updates), None if last is None else last + 1)

    def read(self, raw: dict[str, Any], *, now: int) -> Update | None:
        """Reads one update; None when it was skipped."""
        page = self.page([raw], now=now)
        return page.updates[0] if page.updates else None

    def _read(self, number: int, raw: dict[str, Any], now: int) -> Update | None:
        kind = _kind(raw)
        body = raw.get(kind)
        try:
            match kind:
                case "message":
                    return self._message(number, Message.model_validate(body), set(body or ()))
                case "callback_query":
                    return self._press(number, CallbackQuery.model_validate(body), now)
                case _ if kind in _MESSAGE_TYPES:
                    content = Other(kind, silent=True)
                    return self._from_message(number, Message.model_validate(body), content)
        except ValidationError as error:
            self._skip("malformed", f"update {number}, a {kind} that is malformed: {_where(error)}")
            return None
        return self._other(number, kind, body, now)

    def _message(self, number: int, message: Message, fields: set[str]) -> Update | None:
        if message.text is not None:
            content = self._spoken(message.text)
            if content is None:
                self._skip("foreign", f"update {number}, a command for another bot", logging.DEBUG)
                return None
        else:
            content = self._shown(message, fields)
        return self._from_message(number, message, content)

    def _spoken(self, text: str) -> Content | None:
        match = _COMMAND.fullmatch(text)
        if match is None:
            return TextMessage(text)
        name, addressee, args = match.groups()
        if addressee and self.username and addressee.lower() != self.username.lower():
            return None
        return Command(name.lower(), (args or "").strip())

    def _shown(self, message: Message, fields: set[str]) -> Content:
        if self._continues_album(message):
            return Other(ALBUM, silent=True)
        return shown_content(message, fields)

    def _continues_album(self, message: Message) -> bool:
        # An album comes as one message per picture. The first stands for it; known by its
        # message id, it stays the first when its page has to be read again.
        if message.media_group_id is None:
            return False
        album = (message.chat.id, message.media_group_id)
        return self._albums.get_or_put(album, lambda: message.message_id) != message.message_id

    def _from_message(self, number: int, message: Message, content: Content) -> Update:
        return Update(
            source=self._source,
            ext=str(number),
            content=content,
            at=(message.edit_date or message.date) * 1000,
            address=self._address(message),
            user=_author(message),
            message=str(message.message_id),
            reply_to=_reply_to(message),
            private=message.chat.type == "private",
        )

    def _press(self, number: int, press: CallbackQuery, now: int) -> Update:
        held = press.message
        # Telegram dates a message that the bot can no longer see 0; it cannot be edited.
        reference = str(held.message_id) if held is not None and held.date else None
        return Update(
            source=self._source,
            ext=str(number),
            content=Press(id=press.id, data=press.data, message=reference),
            at=now,
            address=self._address(held) if held is not None else None,
            user=_person(press.sender),
            message=reference,
            private=held is None or held.chat.type == "private",
        )

    def _other(self, number: int, kind: str, body: object, now: int) -> Update:
        try:
            known = Anything.model_validate(body)
        except ValidationError:
            # Of a type that we do not know, nothing can be said to be wrong.
            known = Anything.model_validate({})
        user = known.sender or known.user
        return Update(
            source=self._source,
            ext=str(number),
            content=Other(kind if _TYPE_NAME.fullmatch(kind) else "unknown", silent=True),
            at=now if known.date is None else known.date * 1000,
            address=None if known.chat is None else Address(self._source, str(known.chat.id)),
            user=None if user is None else _person(user),
            private=known.chat is None or known.chat.type == "private",
        )

    def _address(self, message: Message) -> Address:
        # Without is_topic_message the number is only a thread of replies, no place to send to.
        topic = message.message_thread_id if message.is_topic_message else None
        return Address(self._source, str(message.chat.id), None if topic is None else str(topic))

    def _skip(self, reason: str, what: str, level: int = logging.WARNING) -> None:
        self.skipped[reason] += 1
        log.log(level, "skipped %s (%d skipped so far)", what, self.skipped.total())


def _update_id(item: object) -> int | None:
    try:
        return Received.model_validate(item).update_id
    except ValidationError:
        return None


def _kind(raw: dict[str, Any]) -> str:
    """The name of the update's one type; a type that we know, should fields stand beside it."""
    names = [name for name in raw if name != "update_id"]
    return next((name for name in names if name in _KNOWN_TYPES), names[0] if names else "")


def _where(error: ValidationError) -> str:
    """Which fields were at fault, without what they held."""
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    return ", ".join(
        f"{'.'.join(map(str, fault['loc']))} ({fault['type']})" for fault in faults[:3]
    )


def _author(message: Message) -> Person | None:
    # Anonymous admins and channels write as a chat; the user named beside it is a dummy.
    if message.sender_chat is not None:
        return _chat_person(message.sender_chat)
    return None if message.sender is None else _person(message.sender)


def _chat_person(chat: Chat) -> Person:
    return Person(id=str(chat.id), name=chat.title, username=chat.username)


def _person(user: User) -> Person:
    return Person(
        id=str(user.id),
        name=f"{user.first_name} {user.last_name}".strip(),
        username=user.username,
        language=user.language_code,
    )


def _reply_to(message: Message) -> str | None:
    if message.reply_to_message is None:
        return None
    replied = message.reply_to_message.message_id
    # In a topic every message that replies to nothing replies to the topic's first message.
    if message.is_topic_message and replied == message.message_thread_id:
        return None
    return str(replied)
