"""Archives of the project, and programs that are run in a folder of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]


def call(
    words: Sequence[str | Path], *, folder: Path, stdin: str = "", path: Path | None = None
) -> str:
    """Runs a program to its end and answers its output; it must succeed."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("HANDRAIL_")}
    environment["PYTHONPATH"] = str(path) if path else ""
    done = subprocess.run(
        words, cwd=folder, input=stdin, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{words} failed:\n{done.stdout}\n{done.stderr}"
    return done.stdout


def build(folder: Path, kind: str, into: Path, hatchling: Path) -> Path:
    """The archive of that kind, built from the sources in a folder."""
    call(
        [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", into],
        folder=folder,
        path=hatchling,
    )
    [archive] = into.iterdir()
    return archive
