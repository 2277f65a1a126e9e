"""The tables of promises: each of them has tests that exist."""

from __future__ import annotations

import pytest

from tests.docs.tables import ROOT, check_tests, rows

MEANS = 5
"""Rows of the table that says how promises are tested."""

PROMISES = rows(ROOT / "docs" / "promises.md")[MEANS:]


def test_there_are_many() -> None:
    assert len(PROMISES) > 30


@pytest.mark.parametrize("row", PROMISES, ids=lambda row: row[0][:40])
def test_a_promise_has_tests(row: list[str]) -> None:
    promise, how, tests = row
    assert promise
    assert how
    check_tests(tests)
