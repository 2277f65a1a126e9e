"""Lines from pipes, files, terminals and memory."""

from __future__ import annotations

import asyncio
import io
import os
from pathlib import Path

import pytest

from engine.channels.console.reader import MAX_LINE, LineReader, reader_of

pytestmark = pytest.mark.anyio


async def lines(reader: LineReader) -> list[str]:
    found: list[str] = []
    while (line := await reader.read_line()) is not None:
        found.append(line)
    return found


async def test_a_pipe_gives_its_lines_and_then_the_end() -> None:
    read, write = os.pipe()
    os.write(write, "one\r\nzw\u00f6lf\n\nlast".encode())
    os.close(write)
    with os.fdopen(read) as stream:
        assert await lines(reader_of(stream)) == ["one", "zwölf", "", "last"]


async def test_a_regular_file_gives_its_lines(tmp_path: Path) -> None:
    path = tmp_path / "input.txt"
    path.write_text("one\ntwo\n")
    with path.open() as stream:
        assert await lines(reader_of(stream)) == ["one", "two"]


async def test_a_text_in_memory_gives_its_lines() -> None:
    assert await lines(reader_of(io.StringIO("one\ntwo"))) == ["one", "two"]


async def test_bytes_that_are_no_utf8_are_replaced() -> None:
    read, write = os.pipe()
    os.write(write, b"caf\xe9\n")
    os.close(write)
    with os.fdopen(read) as stream:
        assert await lines(reader_of(stream)) == ["caf\ufffd"]


async def test_a_line_of_any_length_is_cut() -> None:
    assert await lines(reader_of(io.StringIO("x" * (MAX_LINE + 7)))) == ["x" * MAX_LINE]


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="this system has no /dev/zero")
async def test_input_without_an_end_is_bounded_and_lets_others_work() -> None:
    descriptor = os.open("/dev/zero", os.O_RDONLY)
    with os.fdopen(descriptor) as stream:
        reader = reader_of(stream)
        reading = asyncio.create_task(reader.read_line())
        for _ in range(50):
            await asyncio.sleep(0)
        assert len(reader._buffer) < 10 * MAX_LINE  # type: ignore[attr-defined]  # what it keeps
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading


async def test_a_wait_for_input_can_be_cancelled() -> None:
    read, write = os.pipe()
    with os.fdopen(read) as stream, os.fdopen(write, "w") as writer:
        reader = reader_of(stream)
        waiting = asyncio.create_task(reader.read_line())
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        writer.write("after\n")
        writer.flush()
        assert await reader.read_line() == "after"


async def test_a_terminal_gives_a_line_at_a_time_and_ends_with_ctrl_d() -> None:
    master, slave = os.openpty()
    with os.fdopen(slave) as stream, os.fdopen(master, "wb", buffering=0) as keyboard:
        reader = reader_of(stream)
        keyboard.write(b"hello\n")
        assert await reader.read_line() == "hello"
        keyboard.write(b"\x04")
        assert await reader.read_line() is None
