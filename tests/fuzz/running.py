"""Runs of targets under libFuzzer, each in a process of its own, told in a line or two."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz.targets import seeds

LONGEST = 4096
"""Bytes of an input; what they decide can be much longer."""

EACH_SECONDS = 60.0
"""Between two lines that say how far a run is."""

_TRIED = re.compile(r"#(\d+)\s")
_DONE = re.compile(r"Done (\d+) runs")
_COVERED = re.compile(r"cov: (\d+)")
_FOUND = re.compile(r"Test unit written to (.+)")


@dataclass
class Run:
    """What is known of a run.

    Attributes:
        tried: inputs so far.
        covered: places in our code that they reached.
        found: the file with the input at which the target failed; None: there is none.
        code: how its process ended; None: it runs.
    """

    target: str
    tried: int = 0
    covered: int = 0
    found: Path | None = None
    code: int | None = None
    seconds: float = 0.0

    @property
    def good(self) -> bool:
        """Whether it ran until its time was up."""
        return self.code == 0 and self.found is None

    def heed(self, line: str) -> None:
        """Takes what a line of libFuzzer's says."""
        if match := _TRIED.match(line) or _DONE.match(line):
            self.tried = max(self.tried, int(match[1]))
        if match := _COVERED.search(line):
            self.covered = int(match[1])
        if match := _FOUND.search(line):
            self.found = Path(match[1])


def run(target: str, folder: Path, *, seconds: int) -> Iterator[Run]:
    """Runs a target; answers how far it is now and then, and at its end.

    Args:
        folder: where its corpus is kept between runs, and what it finds.
    """
    corpus = folder / target
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds()):
        (corpus / f"seed-{number}").write_bytes(seed)
    begun = told = time.monotonic()
    running = Run(target)
    words: list[str] = []
    with subprocess.Popen(
        [
            sys.executable, "-m", "tests.fuzz.guided", target, str(corpus),
            f"-max_total_time={seconds}", f"-max_len={LONGEST}", "-timeout=30",
            "-rss_limit_mb=4096", f"-artifact_prefix={folder / target}-",
        ],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace",
    ) as process:  # fmt: skip
        assert process.stderr is not None
        for line in process.stderr:
            running.heed(line)
            words = [*words[-400:], line]
            if time.monotonic() - told >= EACH_SECONDS:
                told = time.monotonic()
                running.seconds = told - begun
                yield running
    running.code, running.seconds = process.returncode, time.monotonic() - begun
    if not running.good:
        sys.stderr.writelines(words[_where_it_failed(words) :])
    yield running


def _where_it_failed(words: list[str]) -> int:
    return next((at for at, line in enumerate(words) if "=== Uncaught" in line), -20)
