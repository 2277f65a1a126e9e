"""Keyboards: buttons under a message, and those in place of a person's own keyboard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Discriminator, Field

from flows.errors import DefinitionError

MAX_BUTTON_DATA = 64
"""Bytes (UTF-8) that a button's data may have, the least of what the channels take."""

MAX_COPIED = 256
"""Characters that a button may copy."""

BUTTON_PREFIX = "hr~"
"""What the data of an engine's own buttons starts with; no other data may."""

ButtonAction = Literal["web_app", "login", "inline", "inline_here", "copy", "pay"]


@dataclass(frozen=True, slots=True)
class Button:
    """A button under a message: it sends ``data`` back, or opens ``url``. The methods make those
    that do something else.

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

    @staticmethod
    def web_app(label: str, url: str) -> Button:
        """Opens a web app in the chat. In private chats only; the address is https."""
        return ActionButton(label, action="web_app", value=url)

    @staticmethod
    def login(label: str, url: str) -> Button:
        """Opens an address and signs the person in there."""
        return ActionButton(label, action="login", value=url)

    @staticmethod
    def inline(label: str, query: str = "", *, here: bool = False) -> Button:
        """Lets the person choose a chat, or takes this one, and writes the bot's name and the
        query there.
        """
        return ActionButton(label, action="inline_here" if here else "inline", value=query)

    @staticmethod
    def copy(label: str, text: str) -> Button:
        """Copies a text of 1 to 256 characters."""
        return ActionButton(label, action="copy", value=text)

    @staticmethod
    def pay(label: str) -> Button:
        """Pays the invoice above; it is the first button of the message."""
        return ActionButton(label, action="pay")


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionButton(Button):
    """A button that neither sends data back nor opens an address as such; the methods of
    ``Button`` make it.

    Raises:
        DefinitionError: no label, or not the value that the action needs.
    """

    action: ButtonAction
    value: str = ""

    def __post_init__(self) -> None:
        if not self.label.strip():
            raise DefinitionError("a button needs a label")
        if self.action in ("web_app", "login") and not self.value.startswith("https://"):
            raise DefinitionError(
                f"button {self.label!r}: {self.value!r} is no address that begins with https://"
            )
        if self.action == "copy" and not 1 <= len(self.value) <= MAX_COPIED:
            raise DefinitionError(
                f"button {self.label!r} copies {len(self.value)} characters; "
                f"1 to {MAX_COPIED} are possible"
            )


Keyboard = tuple[
    tuple[Annotated[ActionButton | Button, Field(union_mode="left_to_right")], ...], ...
]
"""Rows of buttons under a message, top to bottom."""


def keyboard(*rows: Sequence[Button] | Button) -> Keyboard:
    """Rows of buttons; a single button is a row of its own.

    Raises:
        DefinitionError: something is no button, or bears the prefix of the engine's own.
    """
    laid = checked(tuple((row,) if isinstance(row, Button) else tuple(row) for row in rows))
    for button in (button for row in laid for button in row):
        if button.data is not None and button.data.startswith(BUTTON_PREFIX):
            raise DefinitionError(
                f"button {button.label!r}: data may not start with {BUTTON_PREFIX!r}, "
                "which marks the engine's own buttons"
            )
    return laid


def checked(rows: object) -> Keyboard:
    """The rows as they are. Raises DefinitionError for what is none, as ``keyboard`` makes them."""
    if not isinstance(rows, tuple) or not all(map(_is_row, rows)):
        raise DefinitionError(
            f"{rows!r} is no keyboard. Write keyboard([Button('Yes', 'yes'), ...], ...) with a "
            "list for each row, or reply_keyboard(...)."
        )
    return rows


def _is_row(row: object) -> bool:
    return isinstance(row, tuple) and all(isinstance(button, Button) for button in row)


# --- in place of the person's keyboard --------------------------------------------------


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a ``ReplyKeyboard``: it writes its label, or asks for what it is named after.

    Attributes:
        asks_for: ``contact``: the person's own; ``location``: where they are; both in private
            chats only.
        web_app: an https address that it opens; what the app sends back comes in as an update.

    Raises:
        DefinitionError: no label, or two things at once.
    """

    label: str
    asks_for: Literal["contact", "location"] | None = None
    web_app: str = ""

    def __post_init__(self) -> None:
        if not self.label.strip():
            raise DefinitionError("a key of a keyboard needs a label")
        if self.asks_for not in (None, "contact", "location"):
            raise DefinitionError(
                f"key {self.label!r} cannot ask for {self.asks_for!r}; it can for 'contact' and "
                "'location'"
            )
        if self.asks_for and self.web_app:
            raise DefinitionError(f"key {self.label!r} cannot both ask and open a web app")
        if self.web_app and not self.web_app.startswith("https://"):
            raise DefinitionError(
                f"key {self.label!r}: {self.web_app!r} is no address that begins with https://"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyKeyboard:
    """Keys in place of the person's own keyboard; ``reply_keyboard`` makes one.

    Attributes:
        one_time: it goes away once it was used.
        resize: it is as small as its keys allow.
        persistent: it cannot be hidden.
        placeholder: up to 64 characters in the empty line above it.
        selective: in groups, only for whom the message replies to or mentions.

    Raises:
        DefinitionError: no keys, or a placeholder that is too long.
    """

    rows: tuple[tuple[Key, ...], ...]
    one_time: bool = False
    resize: bool = True
    persistent: bool = False
    placeholder: str = ""
    selective: bool = False
    kind: Literal["keys"] = "keys"

    def __post_init__(self) -> None:
        if not any(self.rows):
            raise DefinitionError("a reply keyboard needs a key. RemoveKeyboard() takes one away.")
        _check_placeholder(self.placeholder)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveKeyboard:
    """Takes a reply keyboard away again; ``selective`` as there."""

    selective: bool = False
    kind: Literal["remove"] = "remove"


@dataclass(frozen=True, slots=True, kw_only=True)
class ForceReply:
    """Opens the line to write in as if the person had chosen to reply to the message.

    Raises:
        DefinitionError: a placeholder of more than 64 characters.
    """

    placeholder: str = ""
    selective: bool = False
    kind: Literal["force"] = "force"

    def __post_init__(self) -> None:
        _check_placeholder(self.placeholder)


ReplyMarkup = Annotated[ReplyKeyboard | RemoveKeyboard | ForceReply, Discriminator("kind")]
"""What becomes of the person's own keyboard."""


def reply_keyboard(
    *rows: Sequence[Key | str] | Key | str,
    one_time: bool = False,
    resize: bool = True,
    persistent: bool = False,
    placeholder: str = "",
    selective: bool = False,
) -> ReplyKeyboard:
    """Rows of keys; a single one is a row of its own, and a text is a key that writes it.

    Raises:
        DefinitionError: see ``ReplyKeyboard`` and ``Key``.
    """
    return ReplyKeyboard(
        rows=tuple(tuple(map(_key, (row,) if isinstance(row, Key | str) else row)) for row in rows),
        one_time=one_time,
        resize=resize,
        persistent=persistent,
        placeholder=placeholder,
        selective=selective,
    )


def _key(key: Key | str) -> Key:
    return Key(key) if isinstance(key, str) else key


def _check_placeholder(text: str) -> None:
    if len(text) > 64:
        raise DefinitionError(f"a placeholder has up to 64 characters, not {len(text)}")
