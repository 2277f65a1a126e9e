"""The quickstart, word for word, as a newcomer goes through it with what was installed.

Commands in ``console`` blocks are run, and what they print is compared; files are compared with
what ``handrail new`` has made, or written. What installs Handrail is done by the fixture instead.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urljoin

import httpx

from tests.docs.blocks import Said, blocks, session
from tests.installed.packing import ROOT

QUICKSTART = ROOT / "docs" / "quickstart.md"
WEB = ["handrail", "web", "guestbook:app"]


def environment(installed: Path) -> dict[str, str]:
    """That of a shell in which the virtual environment is active."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("HANDRAIL_", "PYTHON"))}
    path = f"{installed}{os.pathsep}{inherited.get('PATH', '')}"
    return {**inherited, "PATH": path, "COLUMNS": "100"}


def run(said: Said, *, folder: Path, environment: dict[str, str]) -> tuple[str, int]:
    """Runs a command of the document; what stands after ``you>`` there is written to it."""
    written = re.findall(r"^you> (.*)$", said.shown, re.MULTILINE)
    done = subprocess.run(
        shlex.split(said.command),
        cwd=folder,
        env=environment,
        input="".join(f"{line}\n" for line in written),
        capture_output=True,
        text=True,
        check=False,
    )
    assert not done.stderr
    return done.stdout, done.returncode


@contextmanager
def serving(folder: Path, environment: dict[str, str]) -> Iterator[str]:
    """The link that ``handrail web`` prints while it runs."""
    process = subprocess.Popen(
        [*WEB, "--listen", "127.0.0.1:0"],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        link = re.search(r"http://\S+", line)
        assert link, line + process.stdout.read()
        yield link[0]
    finally:
        process.terminate()
        process.communicate(timeout=30)


def test_a_newcomer_follows_the_quickstart_word_for_word(installed: Path, tmp_path: Path) -> None:
    shell = environment(installed)
    ran: list[str] = []
    looked = False
    files: set[str] = set()
    for block in blocks(QUICKSTART):
        words = block.info.split()
        match block.language:
            case "console":
                for said in session(block):
                    shown, code = run(said, folder=tmp_path, environment=shell)
                    assert shown == said.shown, f"line {block.line}: {said.command}"
                    assert code == (1 if "FAIL" in shown else 0)
                    ran.append(said.command)
            case "python" if words and words[-1] not in files:
                assert (tmp_path / words[-1]).read_text("utf-8") == block.text
                files.add(words[-1])
            case "python" | "transcript" if words:
                (tmp_path / words[-1]).write_text(block.text, encoding="utf-8")
            case "sh" if shlex.split(block.text) == WEB:
                with serving(tmp_path, shell) as link:
                    look(link)
                looked = True
    assert looked
    assert ran.count("handrail run guestbook:app") == 3
    assert ran.count("handrail test guestbook") == 2


def look(link: str) -> None:
    """What the quickstart says of the inspector: the overview, the one at AGE, what may be done."""
    with httpx.Client(follow_redirects=True) as browser:
        overview = browser.get(link)
        assert overview.status_code == 200
        assert "AGE: 2 came here, 1 are here" in overview.text
        asked = {"flow": "welcome", "step": "AGE"}
        found = browser.get(urljoin(link, "/instances"), params=asked)
        [instance] = set(re.findall(r'href="(/instances/[^"/?]+)"', found.text))
        page = browser.get(urljoin(link, instance)).text
    for words in ("And how old are you?", "Grace", "Repeat the prompt", "Go to a step"):
        assert words in page
