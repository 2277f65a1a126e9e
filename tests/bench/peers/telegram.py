"""Telegram for all that talk with it, stubbed below the libraries: no HTTP, the same JSON."""

from __future__ import annotations

import json
from itertools import count
from typing import Any

TOKEN = "42:TEST-token-of-the-benchmark-0123456789"
BOT = {"id": 42, "is_bot": True, "first_name": "Bench", "username": "bench_bot"}

_updates = count(1)


def update(person: int, text: str) -> dict[str, Any]:
    """What Telegram hands out when somebody writes in a private chat."""
    number = next(_updates)
    message: dict[str, Any] = {
        "message_id": number,
        "date": 1_700_000_000,
        "chat": {"id": person + 1000, "type": "private", "first_name": "Ada"},
        "from": {"id": person + 1000, "is_bot": False, "first_name": "Ada"},
        "text": text,
    }
    if text.startswith("/"):
        message["entities"] = [{"type": "bot_command", "offset": 0, "length": len(text)}]
    return {"update_id": number, "message": message}


class Outbox:
    """Answers the calls of a bot, and keeps the last text that was sent to each person."""

    def __init__(self) -> None:
        self.texts: dict[int, str] = {}

    def answer(self, method: str, params: dict[str, Any]) -> bytes:
        """The answer of the Bot API to a call, as bytes."""
        result: Any = True
        match method:
            case "getMe":
                result = BOT
            case "sendMessage":
                chat = int(params["chat_id"])
                self.texts[chat - 1000] = str(params["text"])
                result = {
                    "message_id": 7,
                    "date": 1_700_000_000,
                    "chat": {"id": chat, "type": "private"},
                    "from": BOT,
                    "text": params["text"],
                }
        return json.dumps({"ok": True, "result": result}).encode()

    def taken(self, person: int) -> str:
        """The text that the person has got."""
        return self.texts.pop(person)
