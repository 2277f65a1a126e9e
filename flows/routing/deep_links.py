"""Deep links: addresses that open the chat with the bot and bring it a small value."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from hmac import compare_digest, digest

from flows.errors import DefinitionError
from flows.updates import Command, Content

MAX_PAYLOAD = 64
"""Characters that Telegram gives the payload of a link."""

_NAME = re.compile(r"[A-Za-z0-9]{1,16}", re.ASCII)
_USERNAME = re.compile(r"@?([A-Za-z0-9_]{3,32})", re.ASCII)
_PAYLOAD = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_PLAIN = re.compile(r"[A-Za-z0-9-][A-Za-z0-9_-]*|", re.ASCII)
_ENCODED = "_"
"""What a value begins with that is not written as it is."""

_TAG_BYTES = 9
_TAG = 12
"""Characters of a tag: 72 bits, which nobody guesses through a chat."""

_LEAST_KEY = 16
_PURPOSE = b"handrail deep link\0"
"""Keeps the tags apart from whatever else the key is used for."""


@dataclass(frozen=True, slots=True)
class DeepLink:
    """A kind of link, such as an invitation, whose value comes back with ``/start``.

    With a key the links are signed: nobody but the bot can make one, or change the value of one.
    Anybody may still read the value, and pass the link on.

    Args:
        name: what its payloads begin with, 1 to 16 of ``A-Z``, ``a-z`` and ``0-9``.
        key: a secret of 16 bytes or more, the same as long as the links are to work.

    Raises:
        DefinitionError: the name or the key cannot be used.
    """

    name: str
    key: str | bytes | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise DefinitionError(
                f"{self.name!r} is no name of a deep link. Take 1 to 16 of A-Z, a-z and 0-9."
            )
        if self.key is not None and len(_bytes(self.key)) < _LEAST_KEY:
            raise DefinitionError(
                f"the key of the deep link {self.name!r} has under {_LEAST_KEY} bytes and could be "
                "guessed. Take what 'handrail key new' prints."
            )

    def payload(self, value: str | int = "") -> str:
        """The payload that stands for a value: up to 64 of ``A-Za-z0-9_-``.

        Raises:
            ValueError: the value is too long for a link.
        """
        unsigned = f"{self.name}_{_written(str(value))}"
        payload = unsigned + self._tag(unsigned)
        if len(payload) > MAX_PAYLOAD:
            raise ValueError(
                f"the payload of the deep link {self.name!r} would have {len(payload)} characters, "
                f"and {MAX_PAYLOAD} are possible. Store the value, and link to its number."
            )
        return payload

    def url(self, bot: str, value: str | int = "", *, group: bool = False) -> str:
        """The link.

        Args:
            bot: the bot's username, as ``App.username`` gives it while the App runs.
            group: it adds the bot to a group that the person chooses; the value comes from there.

        Raises:
            ValueError: that is no username, or the value is too long.
        """
        match = _USERNAME.fullmatch(bot)
        if match is None:
            raise ValueError(f"{bot!r} is no username of a bot")
        parameter = "startgroup" if group else "start"
        return f"https://t.me/{match[1]}?{parameter}={self.payload(value)}"

    def read(self, payload: str) -> str | None:
        """The value of a payload; None: it is no payload of this link, or somebody made it up."""
        if not _PAYLOAD.fullmatch(payload) or not payload.startswith(f"{self.name}_"):
            return None
        end = len(payload) - (_TAG if self.key is not None else 0)
        unsigned, tag = payload[:end], payload[end:]
        if not compare_digest(tag.encode(), self._tag(unsigned).encode()):
            return None
        value = _read(unsigned[len(self.name) + 1 :])
        if value is None or unsigned != f"{self.name}_{_written(value)}":
            return None  # one spelling for each value
        return value

    def _tag(self, unsigned: str) -> str:
        if self.key is None:
            return ""
        full = digest(_bytes(self.key), _PURPOSE + unsigned.encode(), sha256)
        return urlsafe_b64encode(full[:_TAG_BYTES]).decode()


@dataclass(frozen=True, slots=True)
class OnDeepLink:
    """``/start`` with a payload of ``link``; the payload for the flow or handler is its value.

    It goes before what takes ``/start`` itself, wherever it is registered. A payload that was made
    up, or cut, is none: it is for whoever takes ``/start``.
    """

    link: DeepLink

    def match(self, content: Content) -> str | None:
        """The value of the link."""
        if isinstance(content, Command) and content.name == "start":
            return self.link.read(content.args)
        return None


def _written(value: str) -> str:
    if _PLAIN.fullmatch(value):
        return value
    return _ENCODED + urlsafe_b64encode(value.encode()).decode().rstrip("=")


def _read(written: str) -> str | None:
    if not written.startswith(_ENCODED):
        return written
    encoded = written[1:]
    try:
        return urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()
    except ValueError:  # no base64, or no UTF-8
        return None


def _bytes(key: str | bytes) -> bytes:
    return key.encode() if isinstance(key, str) else key
