"""Secret keys: their text form, their ids, and the one object that seals and opens texts."""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Sequence
from hashlib import sha256
from secrets import token_bytes

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 16

MARK = '"h1:'
"""What a sealed text begins with. It is a JSON string, so that it may stand wherever JSON does."""

_SHAPE = re.compile(r'"h1:([0-9a-f]{8}):([A-Za-z0-9+/=]+)"')
_HEAD = len(MARK) + 8 + 1  # the mark, the key's id, a colon
_ALPHABET = re.compile("[A-Za-z0-9_+/-]+={0,2}", re.ASCII)
_STANDARD = str.maketrans("-_", "+/")

Change = Callable[[str], str]

ANYWHERE = ""
"""The place of a text of which only the text is known. It opens in every place."""


class BadKey(ValueError):
    """A text that is no secret key. It never holds the text itself."""


class CannotOpen(ValueError):
    """A sealed text that none of the keys opens, or not in this place.

    Attributes:
        key: the id of the key that it was sealed with.
        missing: that key is not at hand; else the text was changed or moved.
    """

    def __init__(self, key: str, *, missing: bool) -> None:
        self.key = key
        self.missing = missing
        super().__init__(
            f"it is encrypted with the key {key}, which HANDRAIL_SECRET_KEY does not hold; "
            "add that key behind the others"
            if missing
            else f"it is encrypted with the key {key}, and was changed, or moved here from "
            "another conversation, by somebody who does not have the key"
        )


def new_key() -> str:
    """A fresh key from the system's source of randomness: 32 bytes in base64url."""
    return urlsafe_b64encode(token_bytes(KEY_BYTES)).decode().rstrip("=")


class _Key:
    """One key. What encrypts is derived from it, so that it can serve other ends as well."""

    def __init__(self, secret: bytes) -> None:
        self.id = sha256(b"handrail key id:" + secret).hexdigest()[:8]
        derived = HKDF(SHA256(), KEY_BYTES, salt=None, info=b"handrail storage").derive(secret)
        self.cipher = AESGCM(derived)
        self.head = f"{MARK}{self.id}:"
        self.bound = self.head.encode()


class Keyring:
    """The keys of a process: the first one seals, all of them open.

    A text is sealed together with its place, which is its conversation, and opens there alone:
    who can write to the database, and has no key, cannot have it read out to somebody else.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        made = [_Key(key) for key in keys]
        if not made:
            raise BadKey("there is no key")
        self._keys = {key.id: key for key in reversed(made)}
        self._first = made[0]
        self.ids = tuple(dict.fromkeys(key.id for key in made))

    @classmethod
    def parse(cls, text: str) -> Keyring:
        """The keys of HANDRAIL_SECRET_KEY: base64url of 32 bytes each, with commas between.

        Raises:
            BadKey: one of them is none; the message says which, and not what it is.
        """
        parts = [part.strip() for part in text.split(",")]
        return cls([_decoded(place, part) for place, part in enumerate(parts, 1)])

    @property
    def primary(self) -> str:
        """The id of the key that seals."""
        return self._first.id

    def seal(self, text: str, place: str) -> str:
        """The text, sealed, as a JSON string.

        One that is sealed already is one that could not be opened: it stays as it is, so that
        nothing is lost until its key is back. An empty one says nothing.
        """
        if not text or text.startswith(MARK):
            return text
        return self._sealed(f"{place}\0{text}".encode())

    def open(self, text: str, place: str) -> str:
        """The text that was sealed; one that never was, as it is.

        Raises:
            CannotOpen: its key is not at hand, or it was changed or moved.
        """
        if not text.startswith(MARK):
            return text
        key, plain = self._opened(text)
        found, _, rest = plain.partition("\0")
        if found not in (place, ANYWHERE):
            raise CannotOpen(key, missing=False)
        return rest

    def reseal(self, text: str, change: Change | None = None) -> str:
        """The text under the first key, where it stays bound to its place; ``change`` is
        applied to what it says. What nobody has sealed yet is sealed for any place.

        Raises:
            CannotOpen: as in ``open``.
        """
        if not text.startswith(MARK):
            return self.seal(change(text) if change else text, ANYWHERE)
        key, plain = self._opened(text)
        place, _, said = plain.partition("\0")
        changed = change(said) if change else said
        if key == self._first.id and changed == said:
            return text
        return self._sealed(f"{place}\0{changed}".encode())

    def _sealed(self, plain: bytes) -> str:
        key, nonce = self._first, token_bytes(NONCE_BYTES)
        sealed = nonce + key.cipher.encrypt(nonce, plain, key.bound)
        return f'{key.head}{b2a_base64(sealed, newline=False).decode()}"'

    def _opened(self, text: str) -> tuple[str, str]:
        """The id of its key, and the text with its place in front."""
        shape = _SHAPE.fullmatch(text)
        if shape is None:
            raise CannotOpen(text[len(MARK) : _HEAD - 1], missing=False)
        key = self._keys.get(shape[1])
        if key is None:
            raise CannotOpen(shape[1], missing=True)
        try:
            sealed = a2b_base64(shape[2], strict_mode=True)
            plain = key.cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], key.bound)
            return key.id, plain.decode()
        except (InvalidTag, ValueError) as error:
            raise CannotOpen(key.id, missing=False) from error


def is_sealed(text: object) -> bool:
    """Whether some key has sealed it."""
    return isinstance(text, str) and text.startswith(MARK)


def room(size: int, place: int) -> int:
    """How many bytes a text may have that must not be longer than ``size`` when it is sealed.

    Args:
        place: the longest place, in bytes.
    """
    sealed = (size - _HEAD - 1) // 4 * 3
    return max(sealed - NONCE_BYTES - TAG_BYTES - place - 1, 0)


def _decoded(place: int, text: str) -> bytes:
    which = f"key {place}" if place > 1 else "the key"
    advice = "'handrail key new' makes one."
    if _ALPHABET.fullmatch(text) is None:
        raise BadKey(f"{which} is no base64url. {advice}")
    plain = text.rstrip("=").translate(_STANDARD)
    try:
        key = a2b_base64(plain + "=" * (-len(plain) % 4))
    except ValueError:
        raise BadKey(f"{which} is no base64url: a part of it is missing. {advice}") from None
    if len(key) != KEY_BYTES:
        raise BadKey(f"{which} has {len(key)} bytes, and {KEY_BYTES} are needed. {advice}")
    return key
