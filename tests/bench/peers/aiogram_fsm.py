"""aiogram's finite state machine, in memory and in an SQL database by SQLAlchemy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

from aiogram import Bot, Dispatcher, Router
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.filters import CommandStart
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.fsm.storage.base import BaseStorage, DefaultKeyBuilder, StateType, StorageKey
from aiogram.fsm.storage.memory import MemoryStorage
from aiogram.methods import TelegramMethod
from aiogram.types import Message
from sqlalchemy import String, Text, event
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from tests.bench.peers.telegram import TOKEN, Outbox, update


class Form(StatesGroup):
    """The questions."""

    name = State()
    email = State()
    age = State()
    town = State()
    confirm = State()


def wizard() -> Router:
    """The handlers. A router belongs to one dispatcher, so each gets a new one."""
    router = Router()

    @router.message(CommandStart())
    async def start(message: Message, state: FSMContext) -> None:
        await state.set_state(Form.name)
        await message.answer("What's your name?")

    @router.message(Form.name)
    async def name(message: Message, state: FSMContext) -> None:
        await state.update_data(name=message.text)
        await state.set_state(Form.email)
        await message.answer(f"What's your e-mail, {message.text}?")

    @router.message(Form.email)
    async def email(message: Message, state: FSMContext) -> None:
        if "@" not in (message.text or ""):
            await message.answer("That is no e-mail.")
            return
        await state.update_data(email=message.text)
        await state.set_state(Form.age)
        await message.answer("How old are you?")

    @router.message(Form.age)
    async def age(message: Message, state: FSMContext) -> None:
        if not (message.text or "").isdigit():
            await message.answer("That is no number.")
            return
        await state.update_data(age=int(message.text or ""))
        await state.set_state(Form.town)
        await message.answer("Where do you live?")

    @router.message(Form.town)
    async def town(message: Message, state: FSMContext) -> None:
        data = await state.update_data(town=message.text)
        await state.set_state(Form.confirm)
        await message.answer(f"{data['name']}, {data['age']}, of {data['town']}: is that right?")

    @router.message(Form.confirm)
    async def confirm(message: Message, state: FSMContext) -> None:
        data = await state.get_data()
        await state.clear()
        await message.answer(f"Thank you, {data['name']}.")

    return router


class Session(AiohttpSession):
    """A session that stops short of HTTP."""

    def __init__(self, outbox: Outbox) -> None:
        super().__init__()
        self._outbox = outbox

    async def make_request(
        self, bot: Bot, method: TelegramMethod[Any], timeout: int | None = None
    ) -> Any:
        """Builds the request and reads the answer as usual."""
        self.build_form_data(bot=bot, method=method)
        params = method.model_dump(warnings=False)
        content = self._outbox.answer(method.__api_method__, params).decode()
        response = self.check_response(bot=bot, method=method, status_code=200, content=content)
        return response.result


class Base(DeclarativeBase):
    """The tables."""


class Kept(Base):
    """State and data of one person in a chat."""

    __tablename__ = "fsm"
    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    state: Mapped[str | None] = mapped_column(String(200))
    data: Mapped[str] = mapped_column(Text, default="{}")


class SqlStorage(BaseStorage):
    """A storage as people write it: a session and a commit a call."""

    def __init__(self, path: Path) -> None:
        self._engine = create_async_engine(f"sqlite+aiosqlite:///{path}")
        self._sessions = async_sessionmaker(self._engine, class_=AsyncSession)
        self._keys = DefaultKeyBuilder()
        event.listen(self._engine.sync_engine, "connect", _log_ahead)

    async def prepare(self) -> None:
        """Makes the table."""
        async with self._engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)

    async def set_state(self, key: StorageKey, state: StateType = None) -> None:
        """Writes the state."""
        value = state.state if isinstance(state, State) else state
        await self._write(key, state=value)

    async def get_state(self, key: StorageKey) -> str | None:
        """Reads the state."""
        found = await self._read(key)
        return found.state if found is not None else None

    async def set_data(self, key: StorageKey, data: Any) -> None:
        """Writes the data."""
        await self._write(key, data=json.dumps(dict(data)))

    async def get_data(self, key: StorageKey) -> dict[str, Any]:
        """Reads the data."""
        found = await self._read(key)
        return cast(dict[str, Any], json.loads(found.data)) if found is not None else {}

    async def close(self) -> None:
        """Closes the connections."""
        await self._engine.dispose()

    async def _read(self, key: StorageKey) -> Kept | None:
        async with self._sessions() as session:
            return await session.get(Kept, self._keys.build(key))

    async def _write(self, key: StorageKey, **values: Any) -> None:
        name = self._keys.build(key)
        upsert = insert(Kept).values(key=name, **{"data": "{}", **values})
        async with self._sessions() as session, session.begin():
            await session.execute(upsert.on_conflict_do_update(index_elements=["key"], set_=values))


def _log_ahead(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.close()


class Aiogram:
    """A dispatcher that is fed with updates."""

    def __init__(self, *, sql: bool) -> None:
        self._sql = sql

    async def open(self, folder: Path) -> None:
        """Builds bot and dispatcher."""
        storage: BaseStorage = MemoryStorage()
        if self._sql:
            storage = SqlStorage(folder / "aiogram.db")
            await storage.prepare()
        self._outbox = Outbox()
        self._bot = Bot(TOKEN, session=Session(self._outbox))
        self._dispatcher = Dispatcher(storage=storage)
        self._dispatcher.include_router(wizard())

    async def say(self, person: int, text: str) -> str:
        """By way of an update."""
        await self._dispatcher.feed_raw_update(self._bot, update(person, text))
        return self._outbox.taken(person)

    async def close(self) -> None:
        """Closes the storage."""
        await self._dispatcher.storage.close()
