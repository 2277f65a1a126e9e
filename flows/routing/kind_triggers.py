"""Triggers by what kind of thing came in; what more it has to be, filters say."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from flows.filters import Condition, Filter, filter_of, text_of
from flows.updates import Content, Update

NO_MESSAGES = frozenset(
    ("press", "opened", "timer", "send_failed", "migrated", "other",
     "edited_message", "channel_post", "edited_channel_post",
     "inline_query", "chosen_inline_result", "pre_checkout_query", "shipping_query",
     "chat_member", "my_chat_member", "chat_join_request",
     "message_reaction", "message_reaction_count", "poll_answer", "poll_state")
)  # fmt: skip
"""Kinds of updates that are no message of a person to the chat."""

MESSAGES = frozenset(Update.kinds) - NO_MESSAGES
"""Kinds of messages."""


class OfKinds:
    """What triggers by kind have in common: the payload is the text or the caption."""

    __slots__ = ()

    kinds: ClassVar[frozenset[str]]

    def match(self, content: Content) -> str | None:
        """The text or the caption, possibly empty."""
        return text_of(content) if content.kind in self.kinds else None


@dataclass(frozen=True, slots=True)
class OnMessage(OfKinds):
    """Any message: a text, a command, a photo, a place ..."""

    kinds: ClassVar[frozenset[str]] = MESSAGES


@dataclass(frozen=True, slots=True)
class OnAnswer(OfKinds):
    """Any message but a command."""

    kinds: ClassVar[frozenset[str]] = MESSAGES - {"command"}


@dataclass(frozen=True, slots=True)
class OnAnyText(OfKinds):
    """Any text that is no command."""

    kinds: ClassVar[frozenset[str]] = frozenset(("text",))


@dataclass(frozen=True, slots=True)
class OnPhoto(OfKinds):
    """A photo, or an album."""

    kinds: ClassVar[frozenset[str]] = frozenset(("photo", "album"))


@dataclass(frozen=True, slots=True)
class OnVoice(OfKinds):
    """Something spoken into the phone."""

    kinds: ClassVar[frozenset[str]] = frozenset(("voice",))


@dataclass(frozen=True, slots=True)
class OnAudio(OfKinds):
    """A piece of music or another sound."""

    kinds: ClassVar[frozenset[str]] = frozenset(("audio",))


@dataclass(frozen=True, slots=True)
class OnVideo(OfKinds):
    """A video."""

    kinds: ClassVar[frozenset[str]] = frozenset(("video",))


@dataclass(frozen=True, slots=True)
class OnDocument(OfKinds):
    """A file of any type."""

    kinds: ClassVar[frozenset[str]] = frozenset(("document",))


@dataclass(frozen=True, slots=True)
class OnAny:
    """Every update, whatever it is; the payload is the text or the caption."""

    def match(self, content: Content) -> str | None:
        """The text or the caption, possibly empty."""
        return text_of(content)


@dataclass(frozen=True, slots=True)
class OnFiltered:
    """Every update that passes a filter; the payload is the text or the caption.

    Raises:
        DefinitionError: ``condition`` is no filter.
    """

    condition: Condition
    filter: Filter = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "filter", filter_of(self.condition))

    def match(self, content: Content) -> str | None:
        """The text or the caption; whether the filter passes is for whoever has the update."""
        return text_of(content)
