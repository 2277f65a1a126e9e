"""The wire between a storage under test and its server: it passes on, holds, loses and cuts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from storage.testing.wire import Wire

pytestmark = pytest.mark.anyio


@dataclass
class Server:
    """Answers each line with itself in upper case, and remembers what it got."""

    heard: list[bytes] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            self.heard.append(line)
            writer.write(line.upper())
        writer.close()


@dataclass
class Client:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def say(self, words: bytes) -> bytes:
        """The answer; nothing where the connection was cut."""
        self.writer.write(words)
        try:
            return await self.reader.readline()
        except ConnectionError:
            return b""


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
async def wire(server: Server) -> AsyncIterator[Wire]:
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    wire = Wire(host="127.0.0.1", port=port, commit=b"commit", committed=b"COMMIT")
    yield wire
    await wire.close()
    listening.close()
    await listening.wait_closed()


@pytest.fixture
async def client(wire: Wire) -> AsyncIterator[Client]:
    client = Client(*await asyncio.open_connection("127.0.0.1", await wire.open()))
    yield client
    client.writer.transport.abort()


async def test_everything_is_passed_on(client: Client) -> None:
    assert await client.say(b"hello\n") == b"HELLO\n"
    assert await client.say(b"commit\n") == b"COMMIT\n"


async def test_a_held_commit_waits_and_goes_on(wire: Wire, client: Client, server: Server) -> None:
    async with wire.hold() as arrived:
        assert await client.say(b"select\n") == b"SELECT\n"
        answer = asyncio.ensure_future(client.say(b"commit\n"))
        await arrived.wait()
        assert server.heard == [b"select\n"]
    assert await answer == b"COMMIT\n"


@pytest.mark.parametrize("applied", [False, True])
async def test_a_lost_answer_was_applied_or_not(
    wire: Wire, client: Client, server: Server, applied: bool
) -> None:
    wire.lose_answer(applied=applied)
    assert await client.say(b"select\n") == b"SELECT\n"
    assert await client.say(b"commit\n") == b""
    assert (b"commit\n" in server.heard) is applied


async def test_a_cut_ends_what_is_open_and_nothing_new(wire: Wire, client: Client) -> None:
    await client.say(b"hello\n")
    wire.cut()
    assert await client.say(b"hello\n") == b""
    address = client.writer.get_extra_info("peername")
    other = Client(*await asyncio.open_connection(*address))
    assert await other.say(b"hello\n") == b"HELLO\n"
    other.writer.transport.abort()


async def test_a_server_that_is_gone_takes_the_client_along(server: Server) -> None:
    gone = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    port = gone.sockets[0].getsockname()[1]
    gone.close()
    await gone.wait_closed()
    wire = Wire(host="127.0.0.1", port=port, commit=b"commit")
    client = Client(*await asyncio.open_connection("127.0.0.1", await wire.open()))
    assert await client.say(b"hello\n") == b""
    await wire.close()
    client.writer.transport.abort()
