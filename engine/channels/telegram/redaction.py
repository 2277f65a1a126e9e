"""Keeps the bot's token out of logs and errors: Telegram makes it a part of every URL."""

from __future__ import annotations

import logging
import re

_TOKEN = re.compile(r"\bbot\d+(?::|%3A)[A-Za-z0-9_-]+", re.IGNORECASE)

_HTTP_LOGGERS = (
    "httpx",
    "httpcore.connection",
    "httpcore.http11",
    "httpcore.http2",
    "httpcore.proxy",
    "httpcore.socks",
)
"""Filters are not inherited, so each logger that may name a URL is listed."""


def redact(text: str) -> str:
    """The text with each ``bot<id>:<secret>`` of a URL replaced by ``bot<token>``."""
    return _TOKEN.sub("bot<token>", text)


class _Redaction(logging.Filter):
    """Redacts a record instead of dropping it."""

    def filter(self, record: logging.LogRecord) -> bool:
        plain = record.getMessage()
        redacted = redact(plain)
        if redacted != plain:
            record.msg, record.args = redacted, None
        return True


_REDACTION = _Redaction()


def guard_http_logs() -> None:
    """Makes the loggers of the HTTP client redact tokens. Calling it again changes nothing."""
    for name in _HTTP_LOGGERS:
        logging.getLogger(name).addFilter(_REDACTION)
