"""The table of features: each of them has a page and a test that exist."""

from __future__ import annotations

import re

import pytest

from tests.docs.tables import ROOT, check_tests, rows

FEATURES = rows(ROOT / "docs" / "features.md")


def test_there_are_many() -> None:
    assert len(FEATURES) > 140


@pytest.mark.parametrize("row", FEATURES, ids=lambda row: row[0])
def test_a_feature_has_a_page_and_a_test(row: list[str]) -> None:
    _, page, test = row
    assert re.fullmatch(r"\[[^\]]+\]\([^)]+\.md(#[\w-]+)?\)", page)
    check_tests(test)
