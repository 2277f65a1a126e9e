"""What errors of servers mean, told in sentences, without anything secret."""

from __future__ import annotations

import pytest

pytest.importorskip("asyncpg", reason="asyncpg is not installed")
pytest.importorskip("aiomysql", reason="aiomysql is not installed")

import asyncpg
from pymysql import err
from sqlalchemy.exc import OperationalError

from flows.errors import OutcomeUnknown, SchemaMismatch, StorageDown, StorageError
from storage.sql.dialects import Race, Refused
from storage.sql.location import Server, locate
from storage.sql.servers.failures import Again, Failures
from storage.sql.servers.mysql import MysqlErrors
from storage.sql.servers.postgresql import PostgresqlErrors


def _failures(url: str) -> Failures:
    server = locate(url)
    assert isinstance(server, Server)
    errors = PostgresqlErrors() if server.kind == "postgresql" else MysqlErrors()
    return Failures(server, errors)


POSTGRESQL = _failures("postgresql://ada:s3cret@db.example/bot")
MYSQL = _failures("mysql://ada:s3cret@db.example/bot")


@pytest.mark.parametrize(
    ("failures", "error", "kind", "said"),
    [
        (POSTGRESQL, asyncpg.DiskFullError("no space"), StorageDown, "Its disk is full. Make room"),
        (POSTGRESQL, asyncpg.TooManyConnectionsError("many"), StorageDown, "Too many connections"),
        (POSTGRESQL, asyncpg.InvalidPasswordError("no"), StorageDown, "Look at user and password"),
        (POSTGRESQL, asyncpg.ReadOnlySQLTransactionError("no"), StorageDown, "takes no writes"),
        (POSTGRESQL, asyncpg.InsufficientPrivilegeError("no"), StorageDown, "Give this user"),
        (POSTGRESQL, asyncpg.UndefinedTableError("inbox"), SchemaMismatch, "handrail db upgrade"),
        (POSTGRESQL, asyncpg.DataCorruptedError("page 7"), StorageError, "It was left as it is"),
        (POSTGRESQL, asyncpg.CannotConnectNowError("starting"), StorageDown, "goes on by itself"),
        (
            POSTGRESQL,
            ConnectionRefusedError("refused"),
            StorageDown,
            "Look whether the server runs",
        ),
        (POSTGRESQL, TimeoutError(), StorageDown, "Look whether the server runs"),
        (MYSQL, err.OperationalError(1021, "disk"), StorageDown, "Its disk is full. Make room"),
        (MYSQL, err.OperationalError(1114, "full"), StorageDown, "Its disk is full. Make room"),
        (MYSQL, err.InternalError(1030, "Got error 28"), StorageDown, "Its disk is full"),
        (MYSQL, err.OperationalError(1040, "many"), StorageDown, "Too many connections"),
        (MYSQL, err.OperationalError(1045, "denied"), StorageDown, "Look at user and password"),
        (MYSQL, err.OperationalError(1290, "--read-only"), StorageDown, "It takes no writes"),
        (MYSQL, err.OperationalError(1142, "denied"), StorageDown, "Give this user the right"),
        (MYSQL, err.ProgrammingError(1146, "inbox"), SchemaMismatch, "handrail db upgrade"),
        (MYSQL, err.OperationalError(1194, "crashed"), StorageError, "It was left as it is"),
        (MYSQL, err.OperationalError(2003, "no"), StorageDown, "Look whether the server runs"),
    ],
)
def test_what_went_wrong_is_said_with_what_to_do(
    failures: Failures, error: Exception, kind: type[Exception], said: str
) -> None:
    for raised in (error, OperationalError("SELECT 1", {}, error)):
        translated = failures.translated(raised)
        assert type(translated) is kind
        assert "the database bot on db.example" in str(translated)
        assert said in str(translated)
        assert "s3cret" not in str(translated)


@pytest.mark.parametrize(
    ("failures", "error"),
    [
        (POSTGRESQL, asyncpg.DeadlockDetectedError("ring")),
        (POSTGRESQL, asyncpg.SerializationError("late")),
        (POSTGRESQL, asyncpg.LockNotAvailableError("lock")),
        (MYSQL, err.OperationalError(1213, "deadlock")),
        (MYSQL, err.OperationalError(1205, "lock wait")),
    ],
)
def test_what_may_work_the_next_time(failures: Failures, error: Exception) -> None:
    assert isinstance(failures.translated(error), Again)
    assert isinstance(failures.of_commit(error), Again)


@pytest.mark.parametrize(
    ("failures", "error", "is_duplicate"),
    [
        (POSTGRESQL, asyncpg.UniqueViolationError("there"), True),
        (POSTGRESQL, asyncpg.StringDataRightTruncationError("long"), False),
        (MYSQL, err.IntegrityError(1062, "Duplicate entry"), True),
        (MYSQL, err.DataError(1406, "Data too long"), False),
    ],
)
def test_rows_that_cannot_be_stored(
    failures: Failures, error: Exception, is_duplicate: bool
) -> None:
    refused = failures.translated(error)
    assert isinstance(refused, Refused)
    assert refused.is_duplicate is is_duplicate


@pytest.mark.parametrize(
    ("failures", "error"),
    [
        (POSTGRESQL, asyncpg.ConnectionDoesNotExistError("closed in the middle")),
        (POSTGRESQL, asyncpg.AdminShutdownError("terminating")),
        (POSTGRESQL, ConnectionResetError("reset")),
        (POSTGRESQL, TimeoutError()),
        (MYSQL, err.OperationalError(2013, "Lost connection during query")),
        (MYSQL, ConnectionResetError("reset")),
    ],
)
def test_a_connection_lost_at_the_commit_leaves_it_unknown(
    failures: Failures, error: Exception
) -> None:
    assert isinstance(failures.of_commit(error), OutcomeUnknown)
    assert isinstance(failures.translated(error), StorageDown)


def test_a_full_disk_at_the_commit_is_known_to_have_written_nothing() -> None:
    assert type(POSTGRESQL.of_commit(asyncpg.DiskFullError("no space"))) is StorageDown


def test_what_is_ours_already_stays_as_it_is() -> None:
    for ours in (Race("late"), Refused("long"), Again("ring"), StorageDown("away")):
        assert POSTGRESQL.translated(ours) is ours
