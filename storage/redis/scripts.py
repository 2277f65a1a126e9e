"""The Lua scripts: each is put together from the pieces that it needs, and runs atomically.

A script reads and checks everything first and writes then: Redis takes back nothing of a
script that fails. What comes to its append-only file and to its replicas is the writes of a
script as one transaction.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

from storage.redis.keys import KEYS, WAKES, full_name

PIECES: Final[dict[str, tuple[str, ...]]] = {
    "open": (),
    "lease": (),
    "release": (),
    "accept": ("causes",),
    "pending": (),
    "note": (),
    "load": (),
    "commit": ("causes", "messages", "letters", "turns"),
    "fire": ("causes",),
    "outgoing": (),
    "waiting": ("messages",),
    "chats": (),
    "sent": ("causes", "messages", "letters"),
    "record": (),
    "lines": (),
    "sweep": ("messages", "turns", "drops"),
    "erase": ("messages", "turns", "drops"),
    "audit": (),
    "replay": ("causes", "messages", "turns", "drops"),
    "inspect": ("messages", "turns"),
    "recode_read": ("messages",),
    "recode_write": (),
}
"""Each script, and what it needs besides the prelude."""


@dataclass(frozen=True, slots=True)
class Script:
    """A script over the keys of one database, as the beginnings of two commands.

    Attributes:
        known: EVALSHA, for a server that has it.
        whole: EVAL with its text, which any server takes and then has.
    """

    name: str
    known: tuple[bytes, ...]
    whole: tuple[bytes, ...]


def scripts_of(prefix: str) -> dict[str, Script]:
    """All scripts for the keys of a prefix."""
    keys = [full_name(prefix, name).encode() for name in KEYS]
    return {name: _script(name, keys) for name in PIECES}


def _script(name: str, keys: list[bytes]) -> Script:
    text = source_of(name).encode()
    sha = hashlib.sha1(text, usedforsecurity=False).hexdigest().encode()
    numbered = (str(len(keys)).encode(), *keys)
    return Script(name, (b"EVALSHA", sha, *numbered), (b"EVAL", text, *numbered))


def source_of(name: str) -> str:
    """The text of a script."""
    return "\n".join([_names(), *map(_read, ("prelude", *PIECES[name], name))])


def _names() -> str:
    return (
        f"local {', '.join(KEYS)} = unpack(KEYS)\n"
        f"local KINDS = '{''.join(KEYS.values())}'\n"
        f"local wakes = string.sub(meta, 1, -5) .. '{WAKES}'\n"
    )


def _read(piece: str) -> str:
    return files("storage.redis").joinpath("lua", f"{piece}.lua").read_text(encoding="utf-8")
