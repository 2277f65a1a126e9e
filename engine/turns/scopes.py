"""Which scope rows a turn reads and may write, and what it must be in order with.

State lives in rows: one for a person in a chat, which holds the session too, and one for each
other thing that a registered flow is keyed by and that the update has. All of it is pure: the
same update gives the same scopes, in every process and after every restart.

The keys of a person in a chat are those of ``ConversationKey``. The others begin with a word and
a colon, which no quoted text holds, so that no two kinds can ever meet in one row. In a private
chat, whose id is that of its person, the chat's row is the person's own.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from urllib.parse import quote, unquote

from flows.conversation import (
    CACHED,
    Address,
    ConversationKey,
    key_text,
    partition_of,
    person_id,
)
from flows.errors import InvalidKey
from flows.keys import USER_IN_CHAT, CustomKey, Key, name_of_key
from flows.records import record
from flows.routing.registry import AnyFlow
from flows.updates import BroadcastOrder, Order, SendFailed, TimerFired, Update

OF_A_USER = "user:"
"""What the key of a person in all chats begins with."""

OF_A_PERSON = 5
"""Parts that the key of a person in a chat has: channel, bot, chat, topic, person."""

LONGEST = 191
"""Characters of the longest key that every database can index."""

_ORDERED_BY_CHAT: tuple[Key, ...] = ("chat", "topic")


@record(frozen=True, slots=True)
class Scope:
    """A row of state.

    Attributes:
        key: its storage key.
        part: the partition that the row is filed under; it never changes. What fences a turn is
            the partition of its cause, which for a person's row may be another one.
        person: whom ``erase`` finds it by. None for what several people share, a chat, a topic
            or a custom key: there ``erase`` removes nothing, so what a person has said to a
            shared flow stays in the flow's data until the flow has ended and is swept.
    """

    key: str
    part: int
    person: str | None


def scopes_of(update: Update, keys: Collection[Key]) -> tuple[Scope, ...]:
    """The scopes that a turn of the update needs, each once, the person's own first.

    Empty for an update that belongs to nobody: one without chat and sender, or about a broadcast.
    A person's own comes even if no flow is keyed by it: it holds the session. A report that a
    message of ours was not delivered names its conversation, and no key function is asked about it.

    Args:
        keys: what the registered flows are keyed by.

    Raises:
        InvalidKey: a key function answered something that is no key.
        Exception: whatever a key function raises.
    """
    own = _own(update)
    if own is not None and (len(keys) == 0 or (len(keys) == 1 and USER_IN_CHAT in keys)):
        return (own,)  # what every turn of most bots needs
    if isinstance(update.content, BroadcastOrder):
        return ()
    if isinstance(update.content, SendFailed):
        declared: list[Key] = [key for key in keys if not callable(key)]
        keys = declared
    found: dict[str, Scope] = {own.key: own} if own is not None else {}
    for key in keys:
        scope = _scope(key, update)
        if scope is not None:
            found.setdefault(scope.key, scope)
    named = _named(update)
    if named is not None:
        found.setdefault(named.key, named)
    return tuple(found.values())


def _named(update: Update) -> Scope | None:
    """The scope that the update itself names: an alarm's, that of an order's instance, or of one
    whose message was not delivered. A key function need not find it: it is made for what people
    send.
    """
    match update.content:
        case TimerFired(body={"scope": str(key)}) | Order(scope=key) | SendFailed(scope=key) if key:
            part = update.address.partition if update.address is not None else 0
            return Scope(key, part, None)
    return None


def person_in(key: str) -> str | None:
    """The channel's id of the person whose key in a chat this is; None: it is another one's."""
    parts = key.split("/")
    if is_shared(key) or len(parts) != OF_A_PERSON or not all((*parts[:3], parts[4])):
        return None
    return unquote(parts[4])


def person_of(key: str) -> str | None:
    """The person whose key in a chat, or in all chats, this is, as ``erase`` takes them; None: it
    is another one's.
    """
    parts = key.removeprefix(OF_A_USER).split("/")
    if not key.startswith(OF_A_USER) and person_in(key) is None:
        return None
    return person_id(unquote(parts[0]), unquote(parts[-1]))


def is_shared(key: str) -> bool:
    """Whether the storage key is none of a person in a chat, so that it does not tell the chat."""
    return ":" in key


def scope_key_of(flow: AnyFlow, update: Update) -> str | None:
    """The storage key of the scope that the flow starts in; None: the update has none.

    Raises:
        InvalidKey: the flow's key function answered something that is no key.
        Exception: whatever it raises.
    """
    return scope_key(flow.key, update)


def scope_key(key: Key, update: Update) -> str | None:
    """The storage key of the scope that goes by this key; None: the update has none.

    Raises:
        InvalidKey: a key function answered something that is no key, or raised.
    """
    scope = _scope(key, update)
    return scope.key if scope is not None else None


def order_key(update: Update, keys: Collection[Key]) -> str | None:
    """What the update must be in order with: its chat, topics and people together, where a flow
    is keyed by chat or topic; else the person in the chat, and where there is no chat, the
    person, if a flow is keyed by user. None: nothing.
    """
    if update.address is None:
        scope = _user(update) if "user" in keys else None
        return scope.key if scope is not None else None
    for key in _ORDERED_BY_CHAT:
        if key in keys:
            return chat_key(update.address, update)
    return own_key(update)


def message_key(update: Update, scope: Scope | None = None) -> str | None:
    """What a message is filed under, so that later turns find it to edit it.

    It is the same for the turn that sends and the turn that edits, and never the same for two
    chats, whose references mean nothing to each other: for an instance in a shared scope, the
    chat, whoever writes; else the person in the chat.

    Args:
        scope: where the instance lives that sends or edits; None: no instance does.

    Returns:
        None where the update has no chat.
    """
    if update.address is None:
        return None
    own = own_key(update)
    if own is None or (scope is not None and scope.person is None):
        return chat_key(update.address, update)
    return own


def chat_key(address: Address, update: Update) -> str:
    """The storage key of a chat's scope, its topics left out."""
    user = update.user
    if user is not None and user.id == address.chat:
        return str(ConversationKey(Address(address.source, address.chat), user.id))
    return _text("chat", address.source, address.chat)


def _scope(key: Key, update: Update) -> Scope | None:
    match key:
        case "user_in_chat":
            return _own(update)
        case "chat":
            return _chat(update)
        case "topic":
            return _topic(update)
        case "user":
            return _user(update)
    return _custom(key, update)


def own_key(update: Update) -> str | None:
    """The storage key of the person in the chat, as ``str(update.conversation)`` is."""
    address, user = update.address, update.user
    if address is None or user is None:
        return None
    return key_text(address.source, address.chat, address.topic, user.id)


def _own(update: Update) -> Scope | None:
    address, user = update.address, update.user
    if address is None or user is None:
        return None
    return _own_scope(address.source, address.chat, address.topic, user.id)


@lru_cache(maxsize=CACHED)
def _own_scope(source: str, chat: str, topic: str | None, user: str) -> Scope:
    """The same for the same person in the same chat: one object for all of their turns."""
    return Scope(
        key_text(source, chat, topic, user), partition_of(source, chat), person_id(source, user)
    )


def _chat(update: Update) -> Scope | None:
    address = update.address
    if address is None:
        return None
    return Scope(chat_key(address, update), address.partition, _only_person(update))


def _topic(update: Update) -> Scope | None:
    """A message outside of all topics belongs to one of its own."""
    address = update.address
    if address is None:
        return None
    if _only_person(update) is not None:
        return _own(update)
    key = _text("topic", address.source, address.chat, address.topic or "")
    return Scope(key, address.partition, None)


def _user(update: Update) -> Scope | None:
    user = update.user
    if user is None:
        return None
    key = _text("user", update.source, user.id)
    return Scope(key, partition_of(update.source, user.id), person_id(update.source, user.id))


def _custom(key: CustomKey, update: Update) -> Scope | None:
    try:
        name = key(update)
    except Exception as error:  # whatever the user's code raises
        raise InvalidKey(name_of_key(key), f"raised {error!r}") from error
    if name is None:
        return None
    if not isinstance(name, str) or not name:
        raise InvalidKey(name_of_key(key), f"answered {name!r}")
    try:
        text = _text("custom", update.source, name)
    except UnicodeEncodeError:
        raise InvalidKey(name_of_key(key), f"answered {name!r}: no Unicode text") from None
    if len(text) > LONGEST:
        longest = f"answered {name[:40]!r}..., which takes {len(text)} characters of {LONGEST}"
        raise InvalidKey(name_of_key(key), longest)
    return Scope(text, partition_of(update.source, name), None)


def _only_person(update: Update) -> str | None:
    """Who is alone with the bot in the chat: channels give a private chat the id of its person."""
    address, user = update.address, update.user
    if address is None or user is None or user.id != address.chat:
        return None
    return person_id(address.source, user.id)


@lru_cache(maxsize=CACHED)
def _text(kind: str, source: str, *parts: str) -> str:
    channel, _, bot = source.partition(":")
    return f"{kind}:" + "/".join(quote(part, safe="") for part in (channel, bot, *parts))
