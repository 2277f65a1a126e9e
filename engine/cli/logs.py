"""Logging for the command line, on stderr."""

from __future__ import annotations

import logging
import sys

from engine.privacy.redaction import REDACTION
from engine.settings import LogFormat
from engine.telemetry.formats import JsonLines, TextLines
from engine.telemetry.ids import TurnIds


def set_up(*, level: str, format: LogFormat) -> None:
    """Sends every log record of that level and above to stderr, in one form."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(REDACTION)  # for what handlers log in their own names
    handler.addFilter(TurnIds())
    handler.setFormatter(JsonLines() if format == "json" else TextLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # It logs the parameters of statements: all that people have said.
    logging.getLogger("aiosqlite").setLevel(logging.INFO)
    if level != "DEBUG":
        # The first two log every request with its URL, which on Telegram holds the token.
        for chatty in ("httpx", "httpcore", "alembic"):
            logging.getLogger(chatty).setLevel(logging.WARNING)
