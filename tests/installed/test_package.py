"""The wheel and the sdist: built, looked into, installed and used."""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from tests.installed.packing import ROOT, build, call

INPUT = "/start\nAda\nada@example.com\nPro\nConfirm\n"


def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.mark.parametrize(
    "name",
    [
        "flows/py.typed",
        "engine/py.typed",
        "storage/py.typed",
        "storage/sql/migrations/env.py",
        "engine/demo/examples/signup/__init__.py",
    ],
)
def test_the_wheel_holds(wheel: Path, name: str) -> None:
    assert name in names(wheel)


def test_the_wheel_holds_every_migration(wheel: Path) -> None:
    versions = {path.name for path in (ROOT / "alembic" / "versions").glob("*.py")}
    assert versions
    assert {f"storage/sql/migrations/versions/{name}" for name in versions} <= names(wheel)


def test_the_wheel_brings_nothing_else_to_the_top_level(wheel: Path) -> None:
    tops = {name.partition("/")[0] for name in names(wheel)}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"flows", "engine", "storage"}


def test_the_sdist_makes_the_same_wheel(
    wheel: Path, unpacked: Path, workplace: Path, hatchling: Path
) -> None:
    again = build(unpacked, "wheel", workplace / "again", hatchling)
    assert names(again) == names(wheel)


@pytest.mark.parametrize("name", ["Makefile", "README.md", "LICENSE", "CHANGELOG.md", "tests"])
def test_the_sdist_holds(unpacked: Path, name: str) -> None:
    assert (unpacked / name).exists()


def test_the_installed_command_is_not_that_of_the_sources(installed: Path, tmp_path: Path) -> None:
    where: list[str | Path] = [
        installed / "python",
        "-c",
        "import engine, storage; print(engine.__file__)",
    ]
    assert call(where, folder=tmp_path).startswith(str(installed.parent))


def test_the_installed_command_tells_its_version(installed: Path, tmp_path: Path) -> None:
    assert call([installed / "handrail", "--version"], folder=tmp_path).startswith("handrail ")


def test_an_installed_handrail_makes_a_bot_that_runs_and_keeps_its_place(
    installed: Path, tmp_path: Path
) -> None:
    handrail = installed / "handrail"
    call([handrail, "new", "pizza_bot"], folder=tmp_path)
    assert "1 passed, 0 failed" in call([handrail, "test", "pizza_bot"], folder=tmp_path)
    chat: list[str | Path] = [handrail, "run", "pizza_bot:app"]
    assert "how old are you" in call(chat, folder=tmp_path, stdin="/start\nAda\n")
    assert "Welcome, Ada! 36" in call(chat, folder=tmp_path, stdin="36\n")


def test_an_installed_handrail_has_the_demo(installed: Path, tmp_path: Path) -> None:
    assert "all set" in call([installed / "handrail", "demo"], folder=tmp_path, stdin=INPUT)


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make")
def test_make_says_what_to_do_where_no_python_is_new_enough(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shim = tmp_path / "shim"
    shim.write_text("#!/bin/sh\necho 'pyenv: python3.12: command not found' >&2\nexit 127\n")
    shim.chmod(0o755)
    done = subprocess.run(
        ["make", "demo", f"PYTHONS={shim} no-such-python"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "Handrail needs Python 3.11, 3.12, 3.13 or 3.14" in done.stderr
    assert "pyenv" not in done.stdout + done.stderr
    assert not (tmp_path / ".venv").exists()
