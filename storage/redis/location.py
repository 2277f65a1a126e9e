"""Database URLs of Redis, such as ``redis://127.0.0.1:6379/0?prefix=mybot``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from flows.errors import StorageError

SCHEMES: Final = ("redis", "rediss")
TLS: Final = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
"""Settings of ``rediss`` URLs: files with the authorities' certificates, ours, and its key."""

EXAMPLE: Final = "Write it like redis://127.0.0.1:6379/0."


@dataclass(frozen=True, slots=True)
class Location:
    """A database on a Redis server.

    Attributes:
        prefix: the hash tag of all keys: several bots may share a database under several.
        tls: whether the connection is encrypted, and ``files`` of its settings.
    """

    host: str
    port: int = 6379
    db: int = 0
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    prefix: str = "handrail"
    tls: bool = False
    files: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, url: str) -> Location:
        """The database that a URL names. Raises StorageError when it names none."""
        try:
            parsed = urlsplit(url)
            port = parsed.port or 6379
        except ValueError:
            # Its own message may show a part of the password.
            raise StorageError(f"the database URL cannot be read. {EXAMPLE}") from None
        if parsed.scheme not in SCHEMES or not parsed.hostname:
            raise StorageError(f"the database URL names no Redis server. {EXAMPLE}")
        settings = _settings(parsed)
        return cls(
            parsed.hostname,
            port,
            _database(parsed.path),
            _text(parsed.username),
            _text(parsed.password),
            _prefix(settings.pop("prefix", "handrail")),
            parsed.scheme == "rediss",
            settings,
        )

    def __str__(self) -> str:
        """For messages: without name and password."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        scheme = "rediss" if self.tls else "redis"
        prefix = "" if self.prefix == "handrail" else f"?prefix={self.prefix}"
        return f"{scheme}://{host}:{self.port}/{self.db}{prefix}"


def _text(quoted: str | None) -> str | None:
    return unquote(quoted) if quoted else None


def _database(path: str) -> int:
    number = path.strip("/")
    if not number:
        return 0
    if not number.isdecimal():
        raise StorageError(
            f"the database URL names the database {number!r}, but Redis numbers them. {EXAMPLE}"
        )
    return int(number)


def _prefix(prefix: str) -> str:
    if not prefix or "{" in prefix or "}" in prefix or "\0" in prefix:
        raise StorageError(
            f"prefix={prefix} cannot begin a key. Use letters, digits, and signs other than braces."
        )
    return prefix


def _settings(parsed: SplitResult) -> dict[str, str]:
    settings = dict(parse_qsl(parsed.query, keep_blank_values=True))
    allowed = ("prefix", *TLS) if parsed.scheme == "rediss" else ("prefix",)
    for name in settings:
        if name not in allowed:
            raise StorageError(
                f"the database URL has the setting {name!r}, which there is not. "
                f"There are {', '.join(allowed)}."
                if len(allowed) > 1
                else f"the database URL has the setting {name!r}, which there is not. "
                "The only one is prefix."
            )
    return settings
