"""The table of what the Bot API does: each line has a test, and each such test a line."""

from __future__ import annotations

import re

import pytest

from tests.docs.tables import ROOT, check_tests, names_in, rows

FACTS = rows(ROOT / "docs" / "telegram.md")


def test_facts_are_numbered() -> None:
    assert [row[0] for row in FACTS] == [str(number) for number in range(1, len(FACTS) + 1)]
    assert len(FACTS) == 26


@pytest.mark.parametrize("row", FACTS, ids=lambda row: row[0])
def test_a_fact_has_a_test_of_its_number(row: list[str]) -> None:
    number, _, _, test = row
    check_tests(test)
    assert f"::test_fact_{number}_" in test


def test_a_test_of_a_fact_has_its_line() -> None:
    files = [path for kind in ("unit", "integration") for path in (ROOT / "tests" / kind).iterdir()]
    names = {
        name
        for path in files
        if path.suffix == ".py"
        for name in names_in(str(path.relative_to(ROOT)))
    }
    numbers = {number for name in names for number in re.findall(r"^test_fact_(\d+)_", name)}
    assert numbers <= {row[0] for row in FACTS}
    assert len(numbers) > 20
