"""Keys over the life of a database: none at first, then one, then another."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from engine.cli import main
from engine.composition import storage_of
from engine.settings import BadSetting
from engine.testing import Chat
from flows import Action, FlowBuilder, Turn
from flows.errors import CorruptState, SecretKeyMissing
from flows.ports import DeadLetter, FlowStorage, Query, TurnCommit
from storage import EncryptedStorage, Keyring, MemoryStorage, SqlStorage
from storage.crypto import marks
from storage.crypto.keys import is_sealed
from storage.crypto.rotating import rotate
from storage.testing.rows import cause
from tests.stored import at_step, store
from tests.support import Names, One, app_of

pytestmark = pytest.mark.anyio

FIRST, SECOND, THIRD = ("f" * 42 + "A", "s" * 42 + "A", "t" * 42 + "A")
WORDS = "the words that were said"

Run = Callable[..., tuple[int, str, str]]


def ids(*keys: str) -> list[str]:
    return [Keyring.parse(key).primary for key in keys]


def at(path: Path, *keys: str) -> FlowStorage:
    """The database as a bot with these keys opens it."""
    key = SecretStr(",".join(keys)) if keys else None
    return storage_of(f"sqlite:///{path}", key)


async def step(turn: Turn[One, Names]) -> Action[One]:
    turn.data.first = await turn.ask("A?")
    await turn.ask("B?")
    return turn.complete()


app = app_of(FlowBuilder("keeps", One, Names).step(One.ONLY, step).build(initial=One.ONLY))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "bot.db"


async def talk(path: Path, *keys: str, says: tuple[str, ...]) -> None:
    async with Chat(app, storage=at(path, *keys)) as chat:
        for text in says:
            await chat.say(text)


def texts(path: Path) -> list[str]:
    """Everything in the database that may hold words."""
    columns = {
        "conversations": "state",
        "instances": "result",
        "inbox": "body",
        "outbox": "body",
        "timers": "body",
        "dead_letters": "body",
        "messages": "ref",
    }
    connection = sqlite3.connect(path)
    try:
        return [
            str(text)
            for table, column in columns.items()
            for (text,) in connection.execute(
                f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL"  # noqa: S608
            )
        ]
    finally:
        connection.close()


# --- from none to one -----------------------------------------------------------------------


async def test_what_was_stored_without_a_key_goes_on_with_one(path: Path) -> None:
    await talk(path, says=("/start",))
    async with Chat(app, storage=at(path, FIRST)) as chat:
        assert await chat.say(WORDS) == ("B?",)
    assert not any(WORDS in text for text in texts(path))


async def test_what_never_was_encrypted_is_by_a_rotation(path: Path) -> None:
    await talk(path, says=("/start", WORDS))
    assert any(WORDS in text for text in texts(path))
    plain = SqlStorage(f"sqlite:///{path}")
    await plain.open()
    rotated = await rotate(plain, Keyring.parse(FIRST))
    assert rotated.rows > 0
    assert all(map(is_sealed, texts(path)))
    await plain.close()
    async with Chat(app, storage=at(path, FIRST)) as chat:
        assert "keeps" not in await chat.say("go on")


# --- the wrong keys -------------------------------------------------------------------------


@pytest.mark.parametrize("keys", [(), (SECOND,)])
async def test_a_database_is_not_opened_without_its_key(path: Path, keys: tuple[str, ...]) -> None:
    await talk(path, FIRST, says=("/start",))
    before = texts(path)
    with pytest.raises(SecretKeyMissing) as missing:
        await talk(path, *keys, says=("/start",))
    assert ids(FIRST)[0] in str(missing.value)
    assert not any(key in str(missing.value) for key in (FIRST, SECOND))
    assert texts(path) == before


async def test_a_state_of_a_key_that_nobody_has_is_left_as_it_is(path: Path) -> None:
    await talk(path, FIRST, says=("/start", WORDS))
    storage = at(path, FIRST)
    await storage.open()
    await marks.retire(storage, *ids(FIRST))
    await storage.close()
    before = texts(path)
    async with Chat(app, storage=at(path, SECOND)) as chat:
        assert await chat.say("who are you?") == ()
    assert set(before) <= set(texts(path))
    reader = at(path, SECOND)
    await reader.open()
    try:
        (letter,) = (await reader.inspect(Query(what="dead_letters"))).rows
        assert f"it is encrypted with the key {ids(FIRST)[0]}" in letter["error"]
        with pytest.raises(CorruptState, match="does not hold") as refusal:
            await reader.load([letter["conv"]])
        assert "'handrail replay'" in str(refusal.value)
        assert "remove that row" not in str(refusal.value)
    finally:
        await reader.close()


async def test_a_state_that_was_copied_to_somebody_else_is_not_read_to_them(path: Path) -> None:
    async with Chat(app, storage=at(path, FIRST)) as chat:
        await chat.say("/start", by="1")
        await chat.say(WORDS, by="1")
        await chat.say("/start", by="2")
    connection = sqlite3.connect(path, isolation_level=None)
    (own, other) = sorted(key for (key,) in connection.execute("SELECT key FROM conversations"))
    connection.execute(
        "UPDATE conversations SET state = (SELECT state FROM conversations WHERE key = ?) "
        "WHERE key = ?",
        (own, other),
    )
    connection.close()
    reader = at(path, FIRST)
    await reader.open()
    try:
        with pytest.raises(CorruptState, match="moved here from another conversation"):
            await reader.load([other])
        assert WORDS in (await reader.load([own]))[own].state
    finally:
        await reader.close()


async def test_an_update_under_a_lost_key_becomes_a_dead_letter_that_the_key_brings_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    inner = MemoryStorage()
    first = EncryptedStorage(inner, Keyring.parse(FIRST))
    await first.open()
    await first.accept([cause("1", body=f'"{WORDS}"')])
    await marks.retire(inner, *ids(FIRST))
    second = EncryptedStorage(inner, Keyring.parse(SECOND))
    await second.open()
    fence = await second.lease("second", 64, 15_000)
    (row,) = await second.pending(fence, (), 10)
    assert is_sealed(row.body)
    assert "add that key behind the others" in caplog.text
    letter = DeadLetter(conv=row.conv, origin="inbox", body=row.body, error="?", tries=1, at=1)
    await second.commit(fence, [TurnCommit(cause=row.seq, part=row.part, dead=letter)])
    both = EncryptedStorage(inner, Keyring.parse(f"{SECOND},{FIRST}"))
    await both.open()
    (dead,) = (await both.inspect(Query(what="dead_letters"))).rows
    await both.replay(dead["id"])
    (again,) = await both.pending(fence, (), 10)
    assert again.body == f'"{WORDS}"'


@pytest.mark.parametrize("text", ["", "abc", FIRST + ",", FIRST[:-4]])
def test_what_is_no_key_is_a_bad_setting(text: str) -> None:
    for url in ("memory://", "sqlite:///bot.db"):
        with pytest.raises(BadSetting, match="HANDRAIL_SECRET_KEY") as bad:
            storage_of(url, SecretStr(text))
        assert FIRST[:20] not in str(bad.value)


# --- from one to another --------------------------------------------------------------------


async def test_a_rotation_beside_a_running_bot_retires_the_old_key(path: Path) -> None:
    await talk(path, FIRST, says=("/start", WORDS))
    async with Chat(app, storage=at(path, SECOND, FIRST)) as chat:
        beside = SqlStorage(f"sqlite:///{path}")
        await beside.open()
        both = Keyring.parse(f"{SECOND},{FIRST}")
        rotated = await rotate(beside, both)
        assert rotated.rows > 0
        assert rotated.retired == tuple(ids(FIRST))
        assert (await rotate(beside, both)).rows == 0
        await beside.close()
        assert await chat.say("/start", by="2") == ("A?",)
    async with Chat(app, storage=at(path, SECOND)) as chat:
        assert await chat.say("/start", by="3") == ("A?",)
        assert "B?" not in await chat.say("done")


class Killed(Exception):
    """In place of a signal."""


async def test_a_rotation_that_was_cut_off_goes_on_the_next_time(path: Path) -> None:
    await talk(path, FIRST, says=("/start", WORDS))
    beside = SqlStorage(f"sqlite:///{path}")
    await beside.open()
    both = Keyring.parse(f"{SECOND},{FIRST}")
    looked = 0

    def cut() -> None:
        nonlocal looked
        looked += 1
        if looked == 3:
            raise Killed

    with pytest.raises(Killed):
        await rotate(beside, both, looked=cut)
    assert await marks.in_use(beside) == sorted(ids(FIRST, SECOND))
    rotated = await rotate(beside, both)
    await beside.close()
    assert rotated.retired == tuple(ids(FIRST))
    assert all(text.startswith(f'"h1:{ids(SECOND)[0]}:') for text in texts(path))


async def test_texts_of_an_unknown_key_are_left_and_counted(path: Path) -> None:
    await talk(path, FIRST, says=("/start", WORDS))
    before = [text for text in texts(path) if ids(FIRST)[0] in text]
    beside = SqlStorage(f"sqlite:///{path}")
    await beside.open()
    rotated = await rotate(beside, Keyring.parse(f"{SECOND},{THIRD}"))
    assert rotated.unread == {ids(FIRST)[0]: len(before)}
    assert rotated.retired == ()
    assert await marks.in_use(beside) == sorted(ids(FIRST, SECOND))
    await beside.close()
    assert set(before) <= set(texts(path))


async def test_a_bot_that_goes_on_with_the_old_key_is_noticed() -> None:
    inner = MemoryStorage()
    old = EncryptedStorage(inner, Keyring.parse(FIRST))
    await old.open()
    people = iter(range(100))

    class Busy(MemoryStorage):
        async def recode(self, change: Callable[[str], str]) -> int:
            person = next(people)
            await store(old, str(person), at_step("ONLY", id=f"{person}-0", flow="keeps"))
            return await super().recode(change)

    busy = Busy(database=inner.database)
    await busy.open()
    rotated = await rotate(busy, Keyring.parse(f"{SECOND},{FIRST}"))
    assert rotated.busy
    assert rotated.retired == ()


# --- the command ----------------------------------------------------------------------------


@pytest.fixture
def run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Run]:
    """Runs ``handrail key``; answers exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HANDRAIL_DATABASE_URL", "sqlite:///bot.db")
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str, keys: str = "") -> tuple[int, str, str]:
        monkeypatch.setenv("HANDRAIL_SECRET_KEY", keys)
        with pytest.raises(SystemExit) as leaving:
            main(["key", *arguments])
        code = leaving.value.code
        out, err = capsys.readouterr()
        return code if isinstance(code, int) else 0, out, err

    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield run
    root.handlers[:] = handlers
    root.setLevel(level)


async def test_a_silent_bot_with_the_old_key_let_that_key_be_dropped() -> None:
    inner = MemoryStorage()
    storage = EncryptedStorage(inner, Keyring.parse(FIRST))
    await storage.open()
    await marks.retire(inner, *ids(FIRST))
    assert await marks.in_use(inner) == []
    await storage.lease("silent", 64, 15_000)
    assert await marks.in_use(inner) == ids(FIRST)
    await storage.close()


def test_a_new_key_is_one(run: Run) -> None:
    code, out, err = run("new")
    assert (code, err) == (0, "")
    assert Keyring.parse(out.strip()).ids
    assert run("new")[1] != out


def test_keys_are_rotated_listed_and_forgotten(run: Run, path: Path) -> None:
    asyncio.run(talk(path, FIRST, says=("/start", WORDS)))
    first, second = ids(FIRST, SECOND)
    assert run("list", keys=f"{SECOND},{FIRST}")[1].splitlines() == [
        f"{second}, encrypts, the database does not need it",
        f"{first}, decrypts, the database needs it",
    ]
    code, out, err = run("rotate", keys=f"{SECOND},{FIRST}")
    assert (code, err) == (0, "")
    assert f"Encrypted anew with the key {second}: " in out
    assert f"Nothing is encrypted with the key {first} any more: take it out." in out
    assert run("list", keys=SECOND)[1] == f"{second}, encrypts, the database needs it\n"
    assert run("list")[1] == f"{second}, MISSING in HANDRAIL_SECRET_KEY, the database needs it\n"
    assert run("forget", second, "--yes", keys=FIRST)[0] == 0
    assert "the database needs no key" in run("forget", second, "--yes", keys=FIRST)[2]


def test_a_rotation_with_a_wrong_key_locked_out_the_bot_with_the_right_one(
    run: Run, path: Path
) -> None:
    asyncio.run(talk(path, FIRST, says=("/start", WORDS)))
    first, second = ids(FIRST, SECOND)
    code, _, err = run("rotate", keys=SECOND)
    assert code == 1
    assert f"encrypted with the key {first}, which HANDRAIL_SECRET_KEY does not hold" in err
    assert run("list", keys=FIRST)[1] == f"{first}, encrypts, the database needs it\n"
    assert run("forget", first, "--yes", keys=SECOND)[0] == 0
    assert f"Encrypted anew with the key {second}" in run("rotate", keys=SECOND)[1]


@pytest.mark.parametrize(
    ("command", "keys", "sentence"),
    [
        (("rotate",), "", "HANDRAIL_SECRET_KEY is not set"),
        (("rotate",), "short", "cannot be used: the key"),
        (("list",), "", "there is no database"),
    ],
)
def test_what_cannot_be_done_is_a_sentence(
    run: Run, command: tuple[str, ...], keys: str, sentence: str
) -> None:
    code, out, err = run(*command, keys=keys)
    assert (code, out) == (1, "")
    assert sentence in err
    assert "Traceback" not in err
