"""Logging on stderr."""

from __future__ import annotations

import logging

import orjson
import pytest

from engine.cli import logs


def test_a_name_with_line_ends_stays_on_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up(level="INFO", format="text")
    logging.getLogger("handrail").info("hello %s", "Ada\r\n2026 ERROR forged\x1b[2J")
    logged = capsys.readouterr().err
    assert logged.count("\n") == 1
    assert "hello Ada\\r\\n2026 ERROR forged\\x1b[2J" in logged


def test_json_logs_are_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up(level="INFO", format="json")
    try:
        raise ValueError("no\nway \ud800")
    except ValueError:
        logging.getLogger("handrail").exception("it failed for %s", "A\nB")
    [line] = capsys.readouterr().err.splitlines()
    entry = orjson.loads(line)
    assert (entry["level"], entry["logger"]) == ("ERROR", "handrail")
    assert entry["message"] == "it failed for A\nB"
    assert "ValueError: no\nway" in entry["error"]


def test_what_is_below_the_level_is_not_logged(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up(level="WARNING", format="text")
    logging.getLogger("handrail").info("hello")
    assert capsys.readouterr().err == ""


def test_the_http_library_does_not_log_its_urls(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up(level="INFO", format="text")
    logging.getLogger("httpx").info("GET https://api.telegram.org/bot123:secret/getMe")
    assert capsys.readouterr().err == ""
