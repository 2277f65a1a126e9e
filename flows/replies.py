"""What goes out: messages, their keyboards, and edits of earlier messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import orjson
from pydantic import Discriminator, TypeAdapter

from flows.errors import DefinitionError

Format = Literal["plain", "html", "markdown"]
"""How a text is to be read. ``plain`` is shown as it is, whatever is in it."""

MAX_BUTTON_DATA = 64
"""Bytes (UTF-8) that a button's data may have, the least of what the channels take."""

BUTTON_PREFIX = "hr~"
"""What the data of an engine's own buttons starts with; no other data may."""


@dataclass(frozen=True, slots=True)
class Button:
    """A button under a message: it sends ``data`` back, or opens ``url``.

    Raises:
        DefinitionError: no label, neither or both of data and url, data over 64 bytes or
            with the prefix that the engine's own buttons bear.
    """

    label: str
    data: str | None = None
    url: str | None = None

    def __post_init__(self) -> None:
        if not self.label.strip():
            raise DefinitionError("a button needs a label")
        if (self.data is None) == (self.url is None):
            raise DefinitionError(f"button {self.label!r} needs either data or a url")
        if self.data is not None and not 1 <= len(self.data.encode()) <= MAX_BUTTON_DATA:
            raise DefinitionError(
                f"button {self.label!r} has {len(self.data.encode())} bytes of data; "
                f"1 to {MAX_BUTTON_DATA} are possible. Keep what is long in the flow's data."
            )


Keyboard = tuple[tuple[Button, ...], ...]
"""Rows of buttons, top to bottom."""


def keyboard(*rows: Sequence[Button] | Button) -> Keyboard:
    """Rows of buttons; a single button is a row of its own.

    Raises:
        DefinitionError: a button bears the prefix of the engine's own.
    """
    laid = tuple((row,) if isinstance(row, Button) else tuple(row) for row in rows)
    for button in (button for row in laid for button in row):
        if button.data is not None and button.data.startswith(BUTTON_PREFIX):
            raise DefinitionError(
                f"button {button.label!r}: data may not start with {BUTTON_PREFIX!r}, "
                "which marks the engine's own buttons"
            )
    return laid


@dataclass(frozen=True, slots=True)
class Message:
    """The handle of a message that was sent by a step; what ``turn.edit`` takes.

    Attributes:
        slot: its name, the same in every re-run of the step.
    """

    slot: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A new message."""

    text: str
    format: Format = "plain"
    keyboard: Keyboard = ()
    kind: Literal["send"] = "send"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """A new text for the message in ``slot``; sent anew where that message is not there."""

    slot: str
    text: str
    format: Format = "plain"
    keyboard: Keyboard = ()
    kind: Literal["edit"] = "edit"


Send = Reply | Edit
"""What the outbox holds."""


def send_to_json(send: Send) -> str:
    """The send as JSON text, for the outbox."""
    return orjson.dumps(send).decode()


def send_from_json(text: str) -> Send:
    """The send that ``send_to_json`` wrote. Raises ValueError when the text is none."""
    return _ADAPTER.validate_json(text)


_ADAPTER: TypeAdapter[Send] = TypeAdapter(Annotated[Send, Discriminator("kind")])
