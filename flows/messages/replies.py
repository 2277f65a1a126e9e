"""What goes out: messages, edits of earlier ones, and their end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Annotated, Any, Literal

import orjson
from pydantic import Discriminator, TypeAdapter

from flows.errors import DefinitionError
from flows.messages.attachments import Attachment, inline_bytes
from flows.messages.input_file import MAX_BYTES
from flows.messages.keyboards import (
    BUTTON_PREFIX,
    MAX_BUTTON_DATA,
    Button,
    Keyboard,
    ReplyMarkup,
    keyboard,
)
from flows.messages.texts import Format, written

__all__ = [
    "BUTTON_PREFIX",
    "MAX_BUTTON_DATA",
    "Button",
    "Delete",
    "Edit",
    "Format",
    "Keyboard",
    "LinkPreview",
    "Message",
    "Reply",
    "Send",
    "SendOptions",
    "check",
    "edited",
    "keyboard",
    "packed",
    "reply_from_json",
    "send_from_json",
    "send_to_json",
]


NAMED = "~"
"""What the slot of a message with a name of the user's own starts with; no other does."""

MAX_NAME = 64
"""Characters of such a name."""


@dataclass(frozen=True, slots=True)
class Message:
    """The handle of a message: of one that was sent by a step, or of any that the channel knows.

    Attributes:
        slot: its name, the same in every re-run of the step; empty for any other.
        ref: the channel's reference of another message, such as Telegram's message id.
    """

    slot: str = ""
    ref: str | None = None

    @classmethod
    def named(cls, name: str) -> Message:
        """The newest message that a plain handler has posted under this name in this conversation
        (see ``Context.post``). After 48 hours (``App(keep=...)``) it may be known no longer.

        Raises:
            DefinitionError: it is no name of 1 to 64 visible characters.
        """
        if not (1 <= len(name) <= MAX_NAME and name.isprintable() and name.strip()):
            raise DefinitionError(
                f"{name!r} is no name of a message; 1 to {MAX_NAME} visible characters are"
            )
        return cls(f"{NAMED}{name}")


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkPreview:
    """What is shown of an address in the text.

    Attributes:
        disabled: nothing.
        url: the address to show; empty: the first in the text.
        small, large: the picture in it.
        above: it stands above the text.
    """

    disabled: bool = False
    url: str = ""
    small: bool = False
    large: bool = False
    above: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SendOptions:
    """How a message is sent.

    Attributes:
        silent: without a sound.
        protect: it can be neither forwarded nor saved.
        reply_to: the message that it answers; sent all the same where that is gone.
        preview: of an address in the text; None: as the channel likes.
        markup: what becomes of the person's own keyboard.
    """

    silent: bool = False
    protect: bool = False
    reply_to: Message | None = None
    preview: LinkPreview | None = None
    markup: ReplyMarkup | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A new message.

    Attributes:
        text: of an attachment, what stands under it.
        keyboard: the buttons under it; not together with ``options.markup``.
    """

    text: str
    format: Format = "plain"
    keyboard: Keyboard = ()
    attachment: Attachment | None = None
    options: SendOptions | None = None
    kind: Literal["send"] = "send"

    def __post_init__(self) -> None:
        if self.text.__class__ is not str:  # quicker than isinstance, and asked in every turn
            _write_out(self)

    @property
    def blank(self) -> bool:
        """Whether there is nothing to be seen in it."""
        return self.attachment is None and not self.text.strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """A new text for the message in ``slot``, or of the reference ``ref``; sent anew where that
    message is not there.

    Attributes:
        attachment: a file in place of the one that is there.
        buttons_only: the keyboard is new, and nothing else; not sent anew.
    """

    slot: str = ""
    text: str = ""
    format: Format = "plain"
    keyboard: Keyboard = ()
    ref: str | None = None
    attachment: Attachment | None = None
    options: SendOptions | None = None
    buttons_only: bool = False
    kind: Literal["edit"] = "edit"

    def __post_init__(self) -> None:
        if self.text.__class__ is not str:  # quicker than isinstance, and asked in every turn
            _write_out(self)

    @property
    def blank(self) -> bool:
        """Whether there would be nothing to be seen in it."""
        return not (self.buttons_only or self.attachment is not None or self.text.strip())


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete:
    """Takes the message in ``slot``, or of the reference ``ref``, away, if it is there."""

    slot: str = ""
    ref: str | None = None
    kind: Literal["delete"] = "delete"

    text = ""
    blank = False
    attachment = options = None


Send = Reply | Edit | Delete
"""What the outbox holds."""


def edited(slot: str, reply: Reply) -> Edit:
    """The edit that makes the message in the slot say what the reply does. A file in it stays."""
    return Edit(
        slot=slot,
        text=reply.text,
        format=reply.format,
        keyboard=reply.keyboard,
        options=reply.options,
        buttons_only=not reply.text.strip(),
    )


def check(send: Reply | Edit) -> None:
    """What no channel could send.

    Raises:
        DefinitionError: buttons under the message and a keyboard for the person at once, or more
            bytes of files than the outbox keeps.
    """
    if send.keyboard and send.options is not None and send.options.markup is not None:
        raise DefinitionError(
            "a message has either buttons under it or a keyboard for the person, not both. "
            "Send the one of them with a message of its own."
        )
    if inline_bytes(send.attachment) > MAX_BYTES:
        raise DefinitionError(
            f"the files of a message are more than {MAX_BYTES} bytes together, which the outbox "
            "cannot keep. Write them to files and give their Paths."
        )


def send_to_json(send: Send) -> str:
    """The send as JSON text, for the outbox; what is as by default is left out."""
    if isinstance(send, Delete):
        return orjson.dumps(packed(send)).decode()
    data: dict[str, object] = {"kind": send.kind, "text": send.text}
    if send.format != "plain":
        data["format"] = send.format
    if send.keyboard:
        data["keyboard"] = send.keyboard
    if send.attachment is not None:
        data["attachment"] = packed(send.attachment)
    if send.options is not None:
        data["options"] = packed(send.options)
    if isinstance(send, Edit):
        data["slot"] = send.slot
        if send.ref is not None:
            data["ref"] = send.ref
        if send.buttons_only:
            data["buttons_only"] = True
    return orjson.dumps(data).decode()


def send_from_json(text: str) -> Send:
    """The send that ``send_to_json`` wrote. Raises ValueError when the text is none."""
    return _ADAPTER.validate_json(text)


def reply_from_json(data: Mapping[str, Any]) -> Reply:
    """The message whose parts ``packed`` wrote. Raises ValueError when it is none."""
    return _REPLY.validate_python(data)


def packed(value: Any) -> Any:
    """A dataclass as JSON; what is as by default is left out."""
    if isinstance(value, tuple):
        return [packed(each) for each in value]
    if not is_dataclass(value):
        return value
    return {
        field.name: packed(getattr(value, field.name))
        for field in fields(value)
        if field.name == "kind" or getattr(value, field.name) != field.default
    }


def _write_out(send: Reply | Edit) -> None:
    text, format = written(send.text, send.format)
    object.__setattr__(send, "text", text)
    object.__setattr__(send, "format", format)


_ADAPTER: TypeAdapter[Send] = TypeAdapter(Annotated[Send, Discriminator("kind")])

_REPLY: TypeAdapter[Reply] = TypeAdapter(Reply)
