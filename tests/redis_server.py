"""Redis for tests: the server of this machine where it answers, or one that a test starts."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, RedisError
from redis.retry import Retry

from storage.redis.keys import KEYS, full_name

HOST, PORT = "127.0.0.1", 6379
SHARED = 9
"""The database of tests on the server of this machine."""


@dataclass
class RedisServer:
    """A server of our own, with settings that a shared one must not have."""

    folder: Path
    settings: dict[str, str]
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its first database."""
        return f"redis://{HOST}:{self.port}/0"

    def client(self) -> Redis:
        """A connection of the test's own."""
        return Redis(HOST, self.port)

    def start(self) -> None:
        """Starts it and waits until it takes commands."""
        options: list[str] = []
        for name, value in self.settings.items():
            options += [f"--{name}", *(value.split() or [""])]
        self.process = subprocess.Popen(
            [
                "redis-server",
                "--port",
                str(self.port),
                "--bind",
                HOST,
                "--dir",
                str(self.folder),
                *options,
            ],
            stdout=subprocess.DEVNULL,
        )
        for _ in range(500):
            if answers(self.port):
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise RuntimeError("the server did not start")

    def kill(self) -> None:
        """Ends it as a power cut would, as far as a process goes."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None


@contextmanager
def own_server(folder: Path, **settings: str) -> Iterator[RedisServer]:
    """A server of our own; skips the test where there is none to start."""
    if shutil.which("redis-server") is None:
        pytest.skip("no redis-server is installed that could be started with its own settings")
    with closing(socket.socket()) as free:
        free.bind((HOST, 0))
        port = free.getsockname()[1]
    dashed = {name.replace("_", "-"): value for name, value in settings.items()}
    server = RedisServer(folder, {"save": "", **dashed}, port)
    server.start()
    try:
        yield server
    finally:
        server.kill()


def answers(port: int = PORT) -> bool:
    """Whether a server takes commands there."""
    try:
        once = Retry(NoBackoff(), 0)
        with closing(Redis(HOST, port, socket_timeout=2, retry=once)) as client:
            return bool(client.ping())
    except AuthenticationError:
        return True
    except (RedisError, OSError):
        return False


@dataclass(frozen=True)
class RedisDatabase:
    """Keys of a test's own in a database that others may use, too."""

    port: int
    number: int
    prefix: str
    host: str = HOST

    @property
    def url(self) -> str:
        """For ``RedisStorage``."""
        return self.at(self.port)

    def at(self, port: int) -> str:
        """The same by way of another port."""
        return f"redis://{self.host}:{port}/{self.number}?prefix={self.prefix}"

    def client(self) -> Redis:
        """A connection of the test's own."""
        return Redis(self.host, self.port, self.number)

    def key(self, name: str) -> str:
        """A key by its name without the prefix."""
        return full_name(self.prefix, name)

    def traces(self, text: str) -> list[str]:
        """The keys that hold the text."""
        with closing(self.client()) as client:
            found = [str(key, "utf-8") for key in client.scan_iter(f"{{{self.prefix}}}:*", 1000)]
            return [key for key in found if text.encode() in _content(client, key)]

    def remove(self) -> None:
        """Removes the keys."""
        with closing(self.client()) as client:
            client.delete(*(self.key(name) for name in KEYS))


def _content(client: Redis, key: str) -> bytes:
    if client.type(key) == b"hash":
        pieces: list[Any] = [key.encode(), *client.hkeys(key), *client.hvals(key)]
    else:
        pieces = [key.encode(), *client.zrange(key, 0, -1)]
    return b"\n".join(pieces)


@contextmanager
def redis_database(folder: Path) -> Iterator[RedisDatabase]:
    """An empty database: on the server of this machine, or on one started for it."""
    prefix = f"test-{uuid.uuid4().hex}"
    if answers():
        database = RedisDatabase(PORT, SHARED, prefix)
        try:
            yield database
        finally:
            database.remove()
    else:
        with own_server(folder) as server:
            yield RedisDatabase(server.port, 0, prefix)
