"""Handlers fetch files through the bot, from a service and from a test's double."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine import App
from engine.testing import Chat
from flows import Action, Context, Document, DocumentMessage, FileRef, FlowBuilder, Router, Turn
from flows.errors import DownloadFailed, FileTooLarge, NoApi
from flows.messages.bot import Bot
from tests.support import Names, One, app_of

pytestmark = pytest.mark.anyio

FILE = FileRef(id="f1", name="../../x.pdf", mime="application/pdf")


def fetching(folder: Path, **how: Any) -> App:
    router = Router("papers")

    @router.kind("document")
    async def keep(ctx: Context) -> None:
        try:
            path = await ctx.bot.download(FILE, folder, **how)
        except (DownloadFailed, FileTooLarge) as error:
            ctx.reply(type(error).__name__)
        else:
            ctx.reply(path.suffix if path is not None else "")

    return App(router)


async def test_a_handler_keeps_a_file_under_a_new_name(tmp_path: Path) -> None:
    async with Chat(fetching(tmp_path)) as chat:
        chat.api.files["f1"] = b"hello"
        assert await chat.send(DocumentMessage(FILE)) == (".pdf",)
    (path,) = _listed(tmp_path)
    assert path.read_bytes() == b"hello"


async def test_what_is_not_there_or_too_large_is_told(tmp_path: Path) -> None:
    async with Chat(fetching(tmp_path, limit=4)) as chat:
        assert await chat.send(DocumentMessage(FILE)) == ("DownloadFailed",)
        chat.api.files["f1"] = b"hello"
        assert await chat.send(DocumentMessage(FILE)) == ("FileTooLarge",)
    assert _listed(tmp_path) == []


async def test_a_step_takes_a_file_piece_by_piece() -> None:
    builder = FlowBuilder("count", One, Names)

    @builder.step(One.ONLY)
    async def count(turn: Turn[One, Names]) -> Action[One]:
        file = await turn.ask("A file, please.", Document())
        turn.reply(str(sum([len(piece) async for piece in turn.bot.chunks(file)])))
        return turn.complete()

    async with Chat(app_of(builder.build(initial=One.ONLY))) as chat:
        chat.api.files["f1"] = b"hello"
        await chat.say("/start")
        assert await chat.send(DocumentMessage(FILE)) == ("5",)


async def test_a_channel_without_an_api_has_no_files(tmp_path: Path) -> None:
    bot = Bot("console:local", None)
    with pytest.raises(NoApi):
        await bot.download(FILE, tmp_path)
    with pytest.raises(NoApi):
        bot.chunks(FILE)


def _listed(folder: Path) -> list[Path]:
    return list(folder.iterdir())
