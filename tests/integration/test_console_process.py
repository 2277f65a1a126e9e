"""The demo as a process of its own: piped, at a terminal, killed and stopped."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO

import pexpect
import pytest
from pexpect.fdpexpect import fdspawn

DEMO = [sys.executable, "-m", "engine.cli", "demo"]
INPUT = "/start\nAda\nada@example.com\n2\nConfirm\n"


def environment() -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("HANDRAIL_")}
    return {**kept, "TERM": "xterm", "COLUMNS": "80", "LINES": "40"}


def piped(folder: Path, lines: str) -> str:
    """What the demo says to these lines; it must end well and quietly."""
    done = subprocess.run(
        DEMO,
        cwd=folder,
        input=lines,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def read_until(words: bytes, stream: IO[bytes]) -> None:
    """Reads until the words are shown; the process must not end before."""
    shown = b""
    while words not in shown:
        chunk = os.read(stream.fileno(), 65536)
        assert chunk, f"the process ended after {shown!r}"
        shown += chunk


class Terminal:
    """The demo at a pseudo-terminal."""

    def __init__(self, folder: Path) -> None:
        self._master, slave = pty.openpty()
        self.process = subprocess.Popen(
            DEMO, cwd=folder, env=environment(), stdin=slave, stdout=slave, stderr=slave
        )
        os.close(slave)
        self._shown = fdspawn(self._master, timeout=60)

    def read_until(self, words: bytes) -> None:
        """Reads on until the words are shown behind those that were waited for before."""
        self._shown.expect_exact(words)

    def type(self, keys: bytes) -> None:
        self._shown.send(keys)

    def finish(self) -> tuple[int, bytes]:
        """Reads to the end and answers the exit code, and what was shown last."""
        self._shown.expect(pexpect.EOF)
        os.close(self._master)
        return self.process.wait(timeout=60), self._shown.before


def test_a_piped_conversation_reaches_its_end(tmp_path: Path) -> None:
    said = piped(tmp_path, INPUT)
    assert "all set" in said
    assert "\x1b" not in said


def test_a_conversation_goes_on_at_the_same_question(tmp_path: Path) -> None:
    piped(tmp_path, "/start\nAda\n")
    said = piped(tmp_path, "ada@example.com\n")
    assert said.startswith("bot> What's your e-mail?\n")
    assert "Which plan" in said


def test_a_killed_conversation_goes_on_at_the_same_question(tmp_path: Path) -> None:
    process = subprocess.Popen(
        DEMO, cwd=tmp_path, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"/start\nAda\n")
    process.stdin.flush()
    read_until(b"e-mail?", process.stdout)
    process.kill()
    process.communicate(timeout=60)
    assert "bot> What's your e-mail?\nyou> ada@example.com\n" in piped(
        tmp_path, "ada@example.com\n"
    )


def test_output_that_nobody_reads_any_more_ends_the_chat_with_a_sentence(tmp_path: Path) -> None:
    process = subprocess.Popen(
        DEMO,
        cwd=tmp_path,
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"/start\n")
    process.stdin.flush()
    read_until(b"name?", process.stdout)
    process.stdout.close()
    process.stdin.write(b"Ada\n")
    process.stdin.flush()
    assert process.stderr is not None
    told = process.stderr.read()
    assert process.wait(timeout=60) == 1
    assert told == b"error: nobody reads the output any more. Start again to go on.\n"
    process.stdin.close()
    process.stderr.close()
    assert piped(tmp_path, "") == "bot> What's your name?\n"


def test_a_closed_standard_input_is_told_with_a_sentence(tmp_path: Path) -> None:
    closed = ["sh", "-c", 'exec "$@" <&-', "sh", *DEMO]
    done = subprocess.run(
        closed, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: standard input is closed")
    assert "Traceback" not in done.stderr


def test_at_a_terminal_the_chat_is_prompted_and_left_with_ctrl_d(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    asked = [b"/start", b"name?", b"e-mail?", b"[1]", b"Confirm"]
    for question, line in zip(asked, INPUT.splitlines(), strict=True):
        terminal.read_until(question)
        terminal.read_until(b"you> ")
        terminal.type(f"{line}\n".encode())
    terminal.read_until(b"all set")
    terminal.read_until(b"you> ")
    terminal.type(b"\x04")
    code, farewell = terminal.finish()
    assert code == 0
    assert b"Your place is kept" in farewell


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_chat_with_exit_code_0(tmp_path: Path, number: signal.Signals) -> None:
    terminal = Terminal(tmp_path)
    terminal.read_until(b"you> ")
    terminal.process.send_signal(number)
    code, shown = terminal.finish()
    assert code == 0
    assert b"Traceback" not in shown
