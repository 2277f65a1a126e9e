"""Who is measured, and what each keeps when its process is killed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench.peers.wizard import Peer, Result, measure

PEOPLE = 50
"""Who talk at the same time."""


def _ours(url: str) -> Callable[[], Peer]:
    def made() -> Peer:
        from tests.bench.peers.ours import Ours

        return Ours(url)

    return made


def _aiogram(*, sql: bool) -> Callable[[], Peer]:
    def made() -> Peer:
        from tests.bench.peers.aiogram_fsm import Aiogram

        return Aiogram(sql=sql)

    return made


def _telegram_bot() -> Peer:
    from tests.bench.peers.telegram_bot import TelegramBot

    return TelegramBot()


def _lang_graph() -> Peer:
    from tests.bench.peers.lang_graph import LangGraph

    return LangGraph()


def _burr() -> Peer:
    from tests.bench.peers.burr_app import Burr

    return Burr()


PEERS: dict[str, tuple[str, Callable[[], Peer]]] = {
    "Handrail, SQLite": (
        "every turn, on the disk; replies at least once; no update lost",
        _ours("sqlite+aiosqlite:///{folder}/ours.db"),
    ),
    "Handrail, SQLite NORMAL": (
        "every turn; a power cut may take the last ones",
        _ours("sqlite+aiosqlite:///{folder}/ours.db?synchronous=NORMAL"),
    ),
    "Handrail, memory": ("nothing", _ours("memory://")),
    "aiogram FSM, memory": ("nothing", _aiogram(sql=False)),
    "aiogram FSM, SQLAlchemy": (
        "state and data, each by itself; not the update, not the reply",
        _aiogram(sql=True),
    ),
    "python-telegram-bot, pickle": (
        "what was written at the last flush, every 60 s by default",
        _telegram_bot,
    ),
    "LangGraph, SqliteSaver": ("every step of the graph; no messages", _lang_graph),
    "Burr, SQLitePersister": ("the state after every action; no messages", _burr),
}
"""By name: what a killed process has kept, and how it is made."""


def run(name: str, seconds: float) -> Result:
    """Measures one of them, in this process."""
    logging.disable(logging.WARNING)
    peer = PEERS[name][1]()
    with TemporaryDirectory(prefix="handrail-peers-") as folder:
        return asyncio.run(measure(peer, Path(folder), people=PEOPLE, seconds=seconds))
