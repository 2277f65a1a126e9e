"""An update at which the reader fails is kept, and holds up no other."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from engine.channels.telegram import TelegramChannel, oddities
from engine.channels.telegram.updates import UpdateReader
from flows.errors import StorageDown
from flows.updates import TextMessage, Update
from tests.botapi import BotApiServer
from tests.botapi.doubles import Inbox, QuickClock

ADA = 1001


@pytest.fixture(autouse=True)
def _broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader fails at the word "poison"."""
    read = UpdateReader._from_message

    def broken(self: UpdateReader, *args: Any, **more: Any) -> Update:
        update = read(self, *args, **more)
        if update.content == TextMessage("poison"):
            raise KeyError("a bug")
        return update

    monkeypatch.setattr(UpdateReader, "_from_message", broken)


def raw(number: int, text: str) -> dict[str, Any]:
    chat = {"id": ADA, "type": "private"}
    body = {"message_id": number, "date": 1, "chat": chat, "from": {"id": ADA}, "text": text}
    return {"update_id": number, "message": body}


@pytest.mark.parametrize("place", [0, 1, 2])
def test_the_rest_of_a_page_is_read_and_all_of_it_is_acknowledged(place: int) -> None:
    page = [raw(number, "fine") for number in (5, 6, 7)]
    page[place]["message"]["text"] = "poison"
    read, odd = oddities.read_page(UpdateReader("telegram:42"), page, now=0)
    assert (len(read.updates), odd, read.next_offset) == (2, [page[place]], 8)


def test_a_page_without_any_valid_id_acknowledges_nothing() -> None:
    page = [raw(5, "poison") | {"update_id": -1}]
    read, odd = oddities.read_page(UpdateReader("telegram:42"), page, now=0)
    assert (read.updates, odd, read.next_offset) == ((), [], None)


@pytest.mark.anyio
async def test_polling_goes_on_behind_it_once_it_is_kept() -> None:
    async with BotApiServer() as server:
        channel = TelegramChannel(server.token, api_url=server.url, clock=QuickClock())
        server.text(ADA, "poison")
        server.text(ADA, "fine")
        inbox = Inbox(StorageDown("the disk is full"))
        polling = asyncio.ensure_future(channel.receive(inbox))
        await server.until(lambda: not server.updates)
        polling.cancel()
        await asyncio.wait((polling,))
        await channel.close()
    assert {update.content for update in inbox.updates} == {TextMessage("fine")}
    assert ["poison" in text for _, text in inbox.letters] == [True]


@pytest.mark.anyio
async def test_what_is_kept_twice_has_one_name_and_lone_surrogates_are_no_hindrance() -> None:
    inbox = Inbox()
    for text in (oddities.as_json({"a": "\ud800"}), oddities.as_json({"a": "\ud800"})):
        await oddities.keep(inbox, "telegram:42", text, at=0)
    assert inbox.letters[0] == inbox.letters[1]
    assert json.loads(inbox.letters[0][1]) == {"a": "\ud800"}
