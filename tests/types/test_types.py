"""Wrong steps, fields and answers are type errors, in mypy and in pyright.

The files in ``ok`` are accepted as they stand. In ``wrong`` every line with the mark
``# error: mypy=CODE,... pyright=RULE,...`` is refused for just that, and no other line is.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
OK = sorted((HERE / "ok").glob("*.py"))
WRONG = sorted((HERE / "wrong").glob("*.py"))

Place = tuple[str, int]
"""The name of a file and a line, from 1."""

Findings = Mapping[Place, set[str]]
"""What a checker has against which lines, by its own codes."""

_MARK = re.compile(r"# error: mypy=([\w,-]+) pyright=([\w,]+)$")
_MYPY = re.compile(r"^(.+?):(\d+): error: .*\[([\w-]+)\]$")


def marks(checker: str) -> Findings:
    """What the marks promise of a checker."""
    promised: dict[Place, set[str]] = {}
    for path in WRONG:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if "# error:" not in line:
                continue
            found = _MARK.search(line)
            assert found, f"{path.name}, line {number}: this mark cannot be read"
            codes = found[1] if checker == "mypy" else found[2]
            promised[path.name, number] = set(codes.split(","))
    return promised


@pytest.fixture(scope="module")
def by_mypy(pytestconfig: pytest.Config) -> Findings:
    """What mypy, strict, finds in all files. What it knows of the rest is kept between runs."""
    assert pytestconfig.cache is not None
    cache = pytestconfig.cache.mkdir("mypy")
    done = _run(
        "mypy", "--strict", "--config-file=", "--no-error-summary", "--hide-error-context",
        "--ignore-missing-imports", "--no-pretty", f"--cache-dir={cache}", *map(str, OK + WRONG),
    )  # fmt: skip
    findings: defaultdict[Place, set[str]] = defaultdict(set)
    for line in done.splitlines():
        if ": note: " in line:
            continue
        found = _MYPY.match(line)
        assert found, f"mypy said: {line}"
        findings[Path(found[1]).name, int(found[2])].add(found[3])
    return findings


@pytest.fixture(scope="module")
def by_pyright(tmp_path_factory: pytest.TempPathFactory) -> Findings:
    """What pyright finds in all files, copied away from the project's settings for itself."""
    folder = tmp_path_factory.mktemp("pyright")
    for path in OK + WRONG:
        shutil.copy(path, folder)
    settings = {"include": ["."], "extraPaths": [str(ROOT)], "pythonVersion": "3.11"}
    (folder / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    interpreter = f"--pythonpath={sys.executable}"
    done = _run("pyright", "--outputjson", interpreter, f"--project={folder}")
    report = json.loads(done[done.index("{") :])  # it may tell of a newer version first
    assert report["summary"]["filesAnalyzed"] == len(OK + WRONG)
    findings: defaultdict[Place, set[str]] = defaultdict(set)
    for finding in report["generalDiagnostics"]:
        place = Path(finding["file"]).name, finding["range"]["start"]["line"] + 1
        findings[place].add(finding["rule"])
    return findings


def _run(tool: str, *arguments: str) -> str:
    """What a checker prints; it must have run, whatever it has found."""
    done = subprocess.run(
        [sys.executable, "-m", tool, *arguments],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return done.stdout


def test_there_are_files_of_both_kinds() -> None:
    assert OK
    assert len(marks("mypy")) > 30


def test_mypy_refuses_exactly_the_marked_lines(by_mypy: Findings) -> None:
    assert dict(by_mypy) == marks("mypy")


def test_pyright_refuses_exactly_the_marked_lines(by_pyright: Findings) -> None:
    assert dict(by_pyright) == marks("pyright")
