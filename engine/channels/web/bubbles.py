"""What stands in the chat: one bubble for each message, as the page gets it and as it is recorded.

Names are short where they come often: each is a row of the database and goes over the network.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import orjson

Style = Literal["b", "i", "u", "s", "code", "pre", "quote", "spoiler", "a"]
"""How a piece of a text looks."""


@dataclass(frozen=True, slots=True)
class Styled:
    """A piece of a text that has a style; ``href`` is where an ``a`` leads."""

    s: Style
    c: tuple[Styled | str, ...]
    href: str = ""


Rich = tuple[Styled | str, ...]
"""A text in pieces: nothing in them is markup any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Knob:
    """A button under a message: it sends ``data`` back, opens ``url``, or copies ``copy``. One
    that can do none of these is shown and cannot be pressed.
    """

    label: str
    data: str = ""
    url: str = ""
    copy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyCap:
    """A key in place of the person's keyboard; see ``flows.messages.keyboards.Key``."""

    label: str
    asks_for: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """What becomes of the person's keyboard.

    Attributes:
        kind: ``keys``, ``remove`` or ``force``.
        once: it goes away once it was used.
    """

    kind: str
    rows: tuple[tuple[KeyCap, ...], ...] = ()
    once: bool = False
    placeholder: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """A file in the chat.

    Attributes:
        kind: ``photo``, ``video``, ``audio`` or ``document``.
        file: the id of a file that is kept here; else ``url`` is where it lies.
    """

    kind: str
    file: str = ""
    url: str = ""
    name: str = ""
    size: int = 0
    width: int = 0
    height: int = 0
    spoiler: bool = False
    text: Rich = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """A place on the earth, in degrees."""

    latitude: float
    longitude: float
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bubble:
    """A message, or a change of one.

    Attributes:
        ref: its name, the same as everywhere else.
        mine: the person has said it, and not the bot.
        task: what is to be done: show it; give ``edit`` other ``buttons``; ``delete`` that one;
            say that it was ``refused``, with the reason as its text.
        edit: the name of the message that it replaces, or that its task is about.
    """

    ref: str
    mine: bool = False
    task: Literal["message", "buttons", "delete", "refused"] = "message"
    edit: str = ""
    text: Rich = ()
    media: tuple[Shot, ...] = ()
    spot: Spot | None = None
    knobs: tuple[tuple[Knob, ...], ...] = ()
    keys: Keys | None = None
    reply_to: str = ""

    def to_json(self) -> str:
        """The bubble as JSON text."""
        return orjson.dumps(self).decode()
