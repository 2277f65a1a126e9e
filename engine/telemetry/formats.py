"""The two forms of the log: a line for people, and a JSON object for machines."""

from __future__ import annotations

import logging
import re
from datetime import UTC, datetime

import orjson

from engine.telemetry.ids import ids_of

_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")


class TextLines(logging.Formatter):
    """One line a record, whatever a person has put into their name; the ids of the turn stand at
    its end.
    """

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (logging's own name)
        """The line, without what stands below it."""
        ids = " ".join(f"{name}={value}" for name, value in ids_of(record).items())
        line = super().formatMessage(record)
        return _CONTROL.sub(_escaped, f"{line} [{ids}]" if ids else line)


class JsonLines(logging.Formatter):
    """One JSON object a record, the ids of the turn as fields of their own."""

    def format(self, record: logging.LogRecord) -> str:
        """The object."""
        entry: dict[str, str | int] = {
            "at": datetime.fromtimestamp(record.created, tz=UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **ids_of(record),
        }
        if record.exc_info:
            entry["error"] = self.formatException(record.exc_info)
        return orjson.dumps({name: _storable(value) for name, value in entry.items()}).decode()


def _storable(value: str | int) -> str | int:
    # orjson refuses lone surrogates, and a log must never fail because of a name.
    return value if isinstance(value, int) else value.encode(errors="replace").decode()


def _escaped(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode()
