"""The tables of bad input: each row has a test that exists."""

from __future__ import annotations

import re

import pytest

from tests.docs.tables import ROOT, check_tests
from tests.fuzz.targets import TARGETS

TEXT = (ROOT / "docs" / "bad-input.md").read_text(encoding="utf-8")
LINES = [line for line in TEXT.splitlines() if line.startswith("| ")]
HEADS = ("| what comes in |", "| target |")

_ROW = re.compile(r"\| (?P<input>[^|]+) \| (?P<response>[^|]+) \| (?P<test>[^|]+) \|")
_RUN = re.compile(r"\| `(\w+)` \|")


def rows() -> list[tuple[str, str]]:
    """(what comes in, the tests of it) of each row."""
    found = (_ROW.fullmatch(line) for line in LINES if not line.startswith(HEADS))
    return [(match["input"], match["test"]) for match in found if match is not None]


def runs() -> list[str]:
    """The targets whose runs are told."""
    return [match[1] for line in LINES if (match := _RUN.match(line)) and line.count("|") == 6]


def test_no_row_is_passed_over() -> None:
    heads = [line for line in LINES if line.startswith(HEADS)]
    assert len(rows()) + len(runs()) == len(LINES) - len(heads)
    assert len(rows()) >= 70


@pytest.mark.parametrize(("given", "test"), rows(), ids=lambda value: str(value)[:30])
def test_what_comes_in_has_a_test(given: str, test: str) -> None:
    check_tests(test)


def test_every_fuzz_target_is_told_with_its_run() -> None:
    assert runs() == list(TARGETS)
