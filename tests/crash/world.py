"""The world around the bots, which outlives them: Telegram's updates, and every send that arrived.

Updates are handed out as Telegram does it: a page of up to 100, the same again until a higher
offset acknowledges them, and to one poller at a time.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal

from tests.crash.people import Person

Json = dict[str, Any]

PAGE = 100
FIRST_USER = 1001


class Conflict(Exception):
    """Somebody else polls now."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A send that arrived.

    Attributes:
        at: by the monotonic clock, which all processes of the machine share.
        process: the name of the process that sent it.
        first: nothing of this text had arrived in this chat before.
    """

    at: float
    process: str
    chat: int
    text: str
    kind: Literal["sent", "edited"]
    first: bool


class World:
    """People, what they send, and what arrives.

    Args:
        people: how many.
        count: how many numbers each of them sends.
        pause: seconds for which a person thinks before the next message.

    Attributes:
        seen: the processes that have called, each with the time of its first call.
        sends: all arrivals, in order.
    """

    def __init__(self, people: int, count: int, *, pause: float = 0.0) -> None:
        self._pause = pause
        users = range(FIRST_USER, FIRST_USER + people)
        self.people = {user: Person(user, count) for user in users}
        self.seen: dict[str, float] = {}
        self.sends: list[Arrival] = []
        self.answered = 0
        self.changed_at = time.monotonic()
        self._updates: dict[int, Json] = {}
        self._next_update = 1
        self._messages = 0
        self._poll: asyncio.Future[None] | None = None
        self._waiting: asyncio.Future[None] | None = None
        self._changed = asyncio.Event()

    @property
    def total(self) -> int:
        """How many messages there are to be answered."""
        return sum(person.count + 1 for person in self.people.values())

    @property
    def sent(self) -> int:
        """How many messages people have sent so far."""
        return sum(person.sent + 1 for person in self.people.values())

    @property
    def done(self) -> bool:
        """Everybody has sent everything and was answered."""
        return all(person.done for person in self.people.values())

    def begin(self) -> None:
        """Everybody sends their first message."""
        for person in self.people.values():
            self._let_send(person)

    async def until(self, condition: Callable[[], object], *, patience: float) -> bool:
        """Returns True when the condition holds; False when nothing has arrived for so many
        seconds.
        """
        while not condition():
            rest = self.changed_at + patience - time.monotonic()
            if rest <= 0:
                return False
            await self.change(min(rest, 1.0))
        return True

    async def change(self, seconds: float) -> None:
        """Returns when something has happened here, or after so many seconds."""
        self._changed.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            return

    # --- the Bot API --------------------------------------------------------------------

    async def call(self, process: str, method: str, params: Mapping[str, Any]) -> Any:
        """What a method answers. Raises LookupError for those that there are not here."""
        if process not in self.seen:
            self.seen[process] = time.monotonic()
            self._changed.set()
        match method:
            case "getUpdates":
                return await self._get_updates(params.get("offset", 0), params.get("timeout", 0))
            case "sendMessage":
                self._messages += 1
                self._arrives(process, params, "sent")
                return {"message_id": self._messages, "chat": {"id": params["chat_id"]}}
            case "editMessageText":
                self._arrives(process, params, "edited")
                return {"message_id": params["message_id"], "chat": {"id": params["chat_id"]}}
            case "getMe":
                return {"id": 42, "is_bot": True, "first_name": "Ledger", "username": "ledger_bot"}
            case "setMyCommands":
                return True
        raise LookupError(method)

    async def _get_updates(self, offset: int, seconds: float) -> list[Json]:
        for known in [number for number in self._updates if number < offset]:
            del self._updates[known]
        if self._poll is not None and not self._poll.done():
            self._poll.set_result(None)
        mine = self._poll = asyncio.get_running_loop().create_future()
        if not self._updates:
            self._waiting = asyncio.get_running_loop().create_future()
            await asyncio.wait(
                {mine, self._waiting}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED
            )
        if mine.done():
            raise Conflict
        self._poll = None
        return list(islice(self._updates.values(), PAGE))

    # --- people -------------------------------------------------------------------------

    def _arrives(
        self, process: str, params: Mapping[str, Any], kind: Literal["sent", "edited"]
    ) -> None:
        chat, text = int(params["chat_id"]), str(params["text"])
        person = self.people[chat]
        before = person.answered
        first = person.arrives(text)
        self.sends.append(Arrival(time.monotonic(), process, chat, text, kind, first))
        if first:
            self.answered += person.answered - before
            self.changed_at = time.monotonic()
            self._changed.set()
            if self._pause:
                asyncio.get_running_loop().call_later(self._pause, self._let_send, person)
            else:
                self._let_send(person)

    def _let_send(self, person: Person) -> None:
        for text in person.sends():
            number = self._next_update
            self._next_update += 1
            self._updates[number] = _update(number, person.user, text)
        if self._updates and self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)


def _update(number: int, user: int, text: str) -> Json:
    person = {"id": user, "is_bot": False, "first_name": f"P{user}"}
    message = {
        "message_id": number,
        "date": int(time.time()),
        "chat": {"id": user, "type": "private", "first_name": f"P{user}"},
        "from": person,
        "text": text,
    }
    return {"update_id": number, "message": message}
