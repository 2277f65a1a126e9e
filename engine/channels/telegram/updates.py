"""What Telegram sends, turned into updates."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from engine.channels.telegram.contents import shown_content
from engine.channels.telegram.events import TYPES, Event, read_event
from engine.channels.telegram.people import chat_person, person
from engine.channels.telegram.raw import kept_raw
from engine.channels.telegram.shapes import Anything, CallbackQuery, Chat, Message, Received
from flows.conversation import Address
from flows.records import record
from flows.updates import (
    ChannelPost,
    Command,
    Content,
    EditedChannelPost,
    EditedMessage,
    FileMessage,
    MessageContent,
    Other,
    Person,
    Press,
    TextMessage,
    Update,
)

log = logging.getLogger("handrail.telegram")

_COMMAND = re.compile(r"/([A-Za-z0-9_]{1,32})(?:@([A-Za-z0-9_]+))?(?:\s+(.*))?", re.DOTALL)
_TYPE_NAME = re.compile(r"[a-z][a-z_]{0,63}")
_HOLDERS: Mapping[str, Callable[[MessageContent], Content]] = {
    "message": lambda content: content,
    "edited_message": EditedMessage,
    "channel_post": ChannelPost,
    "edited_channel_post": EditedChannelPost,
}
"""What a message of each type is held by."""

_GATHERED = frozenset(("message", "channel_post"))
"""Of these types an album comes as one message per picture; of an edit, only what has changed."""

_OTHER_MESSAGES = frozenset(("business_message", "edited_business_message", "guest_message"))
_KNOWN_TYPES = frozenset((*_HOLDERS, *_OTHER_MESSAGES, *TYPES, "callback_query"))


@dataclass(frozen=True, slots=True)
class Page:
    """What one answer of ``getUpdates`` holds.

    Attributes:
        updates: what is to be handed in, in order.
        next_offset: what acknowledges all of the page; None: nothing there can be acknowledged.
    """

    updates: tuple[Update, ...]
    next_offset: int | None


@record(frozen=True, slots=True)
class _Item:
    """One object of Telegram's: its ``update_id`` and type, when it is read, what is kept of it."""

    number: int
    kind: str
    now: int
    raw: dict[str, Any] | None


class UpdateReader:
    """Turns Telegram's objects into updates. What is malformed is skipped, logged and counted.

    Attributes:
        username: the bot's own name without ``@``; None: not known, so no command is foreign.
        skipped: how often what was skipped, by reason.

    Args:
        raw: whether updates hold Telegram's own objects.
    """

    def __init__(self, source: str, *, username: str | None = None, raw: bool = True) -> None:
        self.username = username
        self.skipped: Counter[str] = Counter()
        self._source = source
        self._raw = raw

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
            kept = kept_raw(item) if self._raw else None
            update = self._read(_Item(number, _kind(item), now, kept), item)
            if update is not None:
                updates.append(update)
        return Page(tuple(updates), None if last is None else last + 1)

    def read(self, raw: dict[str, Any], *, now: int) -> Update | None:
        """Reads one update; None when it was skipped."""
        page = self.page([raw], now=now)
        return page.updates[0] if page.updates else None

    def _read(self, item: _Item, given: Mapping[str, Any]) -> Update | None:
        kind = item.kind
        body = given.get(kind)
        try:
            if kind in _HOLDERS:
                return self._message(item, Message.model_validate(body), set(body or ()))
            if kind == "callback_query":
                return self._press(item, CallbackQuery.model_validate(body))
            if kind in _OTHER_MESSAGES:
                content = Other(kind, silent=True)
                return self._from_message(item, Message.model_validate(body), content)
            if (event := read_event(kind, body)) is not None:
                return self._event(item, event)
        except ValidationError as error:
            self._skip(
                "malformed", f"update {item.number}, a {kind} that is malformed: {_where(error)}"
            )
            return None
        return self._other(item, body)

    def _message(self, item: _Item, message: Message, fields: Collection[str]) -> Update | None:
        content: MessageContent | None
        if message.text is not None:
            content = self._spoken(message.text)
        else:
            content = shown_content(message, fields)
        if content is None:
            self._skip("foreign", f"update {item.number}, a command for another bot", logging.DEBUG)
            return None
        album = message.media_group_id
        if album is not None and not (item.kind in _GATHERED and isinstance(content, FileMessage)):
            album = None
        return self._from_message(item, message, _HOLDERS[item.kind](content), album=album)

    def _spoken(self, text: str) -> TextMessage | Command | None:
        match = _COMMAND.fullmatch(text)
        if match is None:
            return TextMessage(text)
        name, addressee, args = match.groups()
        if addressee and self.username and addressee.lower() != self.username.lower():
            return None
        return Command(name.lower(), (args or "").strip())

    def _from_message(
        self, item: _Item, message: Message, content: Content, *, album: str | None = None
    ) -> Update:
        return Update(
            source=self._source,
            ext=str(item.number),
            content=content,
            at=(message.edit_date or message.date) * 1000,
            address=self._address(message),
            user=_author(message),
            message=str(message.message_id),
            reply_to=_reply_to(message),
            private=message.chat.type == "private",
            album=album,
            raw=item.raw,
        )

    def _event(self, item: _Item, event: Event) -> Update:
        return Update(
            source=self._source,
            ext=str(item.number),
            content=event.content,
            at=item.now if event.date is None else event.date * 1000,
            address=self._place(event.chat),
            user=event.user,
            message=None if event.message is None else str(event.message),
            private=event.chat is None or event.chat.type == "private",
            raw=item.raw,
        )

    def _press(self, item: _Item, press: CallbackQuery) -> Update:
        held = press.message
        # Telegram dates a message that the bot can no longer see 0; it cannot be edited.
        reference = str(held.message_id) if held is not None and held.date else None
        return Update(
            source=self._source,
            ext=str(item.number),
            content=Press(id=press.id, data=press.data, message=reference),
            at=item.now,
            address=self._address(held) if held is not None else None,
            user=person(press.sender),
            message=reference,
            private=held is None or held.chat.type == "private",
            raw=item.raw,
        )

    def _other(self, item: _Item, body: object) -> Update:
        try:
            known = Anything.model_validate(body)
        except ValidationError:
            # Of a type that we do not know, nothing can be said to be wrong.
            known = Anything.model_validate({})
        user = known.sender or known.user
        return Update(
            source=self._source,
            ext=str(item.number),
            content=Other(item.kind if _TYPE_NAME.fullmatch(item.kind) else "unknown", silent=True),
            at=item.now if known.date is None else known.date * 1000,
            address=self._place(known.chat),
            user=None if user is None else person(user),
            private=known.chat is None or known.chat.type == "private",
            raw=item.raw,
        )

    def _address(self, message: Message) -> Address:
        # Without is_topic_message the number is only a thread of replies, no place to send to.
        topic = message.message_thread_id if message.is_topic_message else None
        return Address(self._source, str(message.chat.id), None if topic is None else str(topic))

    def _place(self, chat: Chat | None) -> Address | None:
        return None if chat is None else Address(self._source, str(chat.id))

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
        return chat_person(message.sender_chat)
    return None if message.sender is None else person(message.sender)


def _reply_to(message: Message) -> str | None:
    if message.reply_to_message is None:
        return None
    replied = message.reply_to_message.message_id
    # In a topic every message that replies to nothing replies to the topic's first message.
    if message.is_topic_message and replied == message.message_thread_id:
        return None
    return str(replied)
