"""Logging for the command line, on stderr."""

from __future__ import annotations

import logging
import re
import sys
from datetime import UTC, datetime
from typing import Any

import orjson

from engine.settings import LogFormat

_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")


def set_up(*, level: str, format: LogFormat) -> None:
    """Sends every log record of that level and above to stderr, in one form."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if format == "json" else _Text())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    if level != "DEBUG":
        # The first two log every request with its URL, which on Telegram holds the token.
        for chatty in ("httpx", "httpcore", "alembic"):
            logging.getLogger(chatty).setLevel(logging.WARNING)


class _Text(logging.Formatter):
    """One line a record, whatever a person has put into their name."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (logging's own name)
        return _CONTROL.sub(_escaped, super().formatMessage(record))


class _Json(logging.Formatter):
    """One JSON object a record."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, tz=UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            entry["error"] = self.formatException(record.exc_info)
        return orjson.dumps(_storable(entry)).decode()


def _storable(entry: dict[str, Any]) -> dict[str, str]:
    # orjson refuses lone surrogates, and a log must never fail because of a name.
    return {key: str(value).encode(errors="replace").decode() for key, value in entry.items()}


def _escaped(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode()
