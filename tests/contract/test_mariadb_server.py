"""What is MariaDB's own: encryption that is not silently left out, and its settings."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.importorskip("aiomysql", reason="aiomysql is not installed")

from flows.errors import StorageDown
from storage import SqlStorage
from storage.sql import migrate
from storage.sql.dialects import Cursor
from storage.testing.rows import cause
from tests.contract.backends.server import empty
from tests.servers import database, run_on

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def whole_url() -> Iterator[str]:
    with database("mariadb") as url:
        migrate.upgrade(url)
        yield url


@pytest.fixture
async def url(whole_url: str) -> str:
    await empty(whole_url)
    return whole_url


def test_a_server_that_does_not_encrypt_is_not_spoken_to_in_plain_text(whole_url: str) -> None:
    ((_, support),) = run_on(whole_url, "SHOW VARIABLES LIKE 'have_ssl'")
    if support == "YES":
        pytest.skip("this server encrypts")
    with pytest.raises(StorageDown, match="does not encrypt its connections"):
        migrate.current(f"{whole_url}?ssl=true")


async def test_connections_are_set_as_the_tables_need_it(url: str) -> None:
    storage = SqlStorage(url, patience=3)

    def settings(cursor: Cursor) -> dict[str, str]:
        return dict(cursor.execute("SHOW SESSION VARIABLES").fetchall())

    await storage.open()
    found = await storage._opened.hot.write(settings)
    await storage.close()
    isolation = found.get("transaction_isolation") or found["tx_isolation"]
    wait, mode = found["innodb_lock_wait_timeout"], found["sql_mode"]
    collation = found["collation_connection"]
    assert (isolation, wait) == ("READ-COMMITTED", "3")
    assert mode == "STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION"
    assert collation in {"utf8mb4_nopad_bin", "utf8mb4_0900_bin"}


async def test_a_page_larger_than_a_statement_may_be_is_accepted_whole(url: str) -> None:
    storage = SqlStorage(url)
    await storage.open()
    page = [cause(f"{number}", body=f'"{"x" * (1 << 20)}"'[: 1 << 20]) for number in range(20)]
    seqs = [seq or 0 for seq in await storage.accept(page)]
    await storage.close()
    assert seqs == sorted(set(seqs))
    assert len(seqs) == 20
