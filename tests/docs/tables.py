"""The tables of documents that name tests."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]

_TEST = re.compile(r"`([\w/]+\.py)::(\w+)`")


def rows(path: Path) -> list[list[str]]:
    """The cells of each row of a document's tables, as they are written, without the heads."""
    lines = path.read_text(encoding="utf-8").splitlines()
    heads = {number - 1 for number, line in enumerate(lines) if line.startswith("|---")}
    return [
        [cell.strip() for cell in line.strip("|").split(" | ")]
        for number, line in enumerate(lines)
        if line.startswith("| ") and number not in heads
    ]


def check_tests(cell: str) -> None:
    """Fails where a cell names no test, or one that does not exist."""
    named = _TEST.findall(cell)
    assert named, f"{cell} names no test"
    for file, name in named:
        assert (ROOT / file).is_file(), f"there is no {file}"
        assert name in names_in(file), f"{file} has no {name}"


@cache
def names_in(file: str) -> frozenset[str]:
    """The names of the test functions of a file, those of its classes too."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    functions = (
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    return frozenset(one.name for one in functions if one.name.startswith("test_"))
