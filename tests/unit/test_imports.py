"""Which package may look into which: ``engine -> flows <- storage``."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = {"flows", "engine", "storage"}
FLOWS_MAY_USE = {
    "email_validator",
    "orjson",
    "phonenumbers",
    "pydantic",
    "pydantic_core",
    "re2",
    "statemachine",
    "typing_extensions",
}


@dataclass(frozen=True)
class Import:
    """One import: where it stands, the top-level package, and whether a function holds it."""

    file: str
    line: int
    package: str
    in_function: bool

    def __str__(self) -> str:
        return f"{self.file}:{self.line} imports {self.package}"


def imports_in(source: str, file: str) -> Iterator[Import]:
    """Every import of a module, those in functions and type-checking blocks included."""

    def walk(node: ast.AST, in_function: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                for alias in child.names:
                    yield Import(file, child.lineno, alias.name.partition(".")[0], in_function)
            if isinstance(child, ast.ImportFrom):
                # A relative import stays inside its own package.
                name = file.split("/")[0] if child.level else child.module or ""
                yield Import(file, child.lineno, name.partition(".")[0], in_function)
            function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from walk(child, in_function or function)

    yield from walk(ast.parse(source), False)


def imports_under(*folders: str) -> list[Import]:
    """Every import of every module below these folders of the project."""
    found: list[Import] = []
    for folder in folders:
        paths = sorted((ROOT / folder).rglob("*.py"))
        assert paths, f"there is nothing in {folder}"
        for path in paths:
            file = path.relative_to(ROOT).as_posix()
            found += imports_in(path.read_text(encoding="utf-8"), file)
    return found


def test_the_reader_sees_imports_wherever_they_stand() -> None:
    source = (
        "import a.b, c\nif x:\n    from d.e import f\ndef g():\n    import h\nfrom . import i\n"
    )
    found = [(one.package, one.in_function) for one in imports_in(source, "engine/x.py")]
    assert found == [("a", False), ("c", False), ("d", False), ("h", True), ("engine", False)]


def test_flows_imports_neither_engine_nor_storage_nor_what_it_does_not_need() -> None:
    allowed = FLOWS_MAY_USE | {"flows"} | sys.stdlib_module_names
    assert [str(one) for one in imports_under("flows") if one.package not in allowed] == []


def test_storage_does_not_know_the_engine() -> None:
    assert [
        str(one) for one in imports_under("storage", "alembic") if one.package == "engine"
    ] == []


def test_the_engine_meets_a_storage_only_inside_the_functions_of_composition_roots() -> None:
    roots = ("engine/composition.py", "engine/cli/", "engine/testing/")
    wrong = [
        str(one)
        for one in imports_under("engine")
        if one.package == "storage" and not (one.in_function and one.file.startswith(roots))
    ]
    assert wrong == []


@pytest.mark.parametrize("package", ["httpx", "httpcore"])
def test_http_is_spoken_under_the_telegram_channel_only(package: str) -> None:
    users = [one for one in imports_under(*OURS) if one.package == package]
    wrong = [str(one) for one in users if not one.file.startswith("engine/channels/telegram/")]
    assert wrong == []


@pytest.mark.parametrize("package", ["aiogram", "telegram"])
def test_other_bot_libraries_are_imported_by_the_adapters_only(package: str) -> None:
    users = [one for one in imports_under(*OURS) if one.package == package]
    wrong = [str(one) for one in users if not one.file.startswith("engine/adapters/")]
    assert users
    assert wrong == []


@pytest.mark.parametrize("package", ["sqlalchemy", "alembic", "aiosqlite", "sqlite3"])
def test_databases_are_spoken_to_under_storage_only(package: str) -> None:
    users = [one for one in imports_under("flows", "engine") if one.package == package]
    assert [str(one) for one in users] == []


def test_no_folder_of_tests_or_examples_hides_a_package_of_ours() -> None:
    folders = [path for top in ("tests", "examples") for path in (ROOT / top).rglob("*")]
    hiding = [path for path in folders if path.stem in OURS and path.suffix in {"", ".py"}]
    assert [str(path) for path in hiding if path.parent.name != "__pycache__"] == []


def test_the_folder_of_migrations_does_not_hide_the_alembic_library() -> None:
    assert not (ROOT / "alembic" / "__init__.py").exists()
