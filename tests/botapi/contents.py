"""What messages of the bot hold besides a text, as Telegram shows it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Json = dict[str, Any]

FILES = {"sendPhoto": "photo", "sendVideo": "video", "sendDocument": "document",
         "sendSticker": "sticker", "sendAudio": "audio", "sendVoice": "voice",
         "sendAnimation": "animation", "sendVideoNote": "video_note"}  # fmt: skip
"""What each method that sends a file shows."""

_SIZED: Json = {"width": 640, "height": 480}
_FACTS: dict[str, Json] = {
    "photo": _SIZED,
    "video": {**_SIZED, "duration": 12},
    "animation": {**_SIZED, "duration": 3},
    "sticker": {"width": 512, "height": 512, "type": "regular", "is_animated": False,
                "is_video": False},
    "audio": {"duration": 194},
    "voice": {"duration": 4},
    "video_note": {"length": 240, "duration": 4},
    "document": {},
}  # fmt: skip


def shown_file(kind: str, number: int) -> Json:
    """The field of a message that holds a file of this kind."""
    file: Json = {"file_id": f"{kind}-{number}", "file_unique_id": f"u{number}", **_FACTS[kind]}
    return {kind: [file] if kind == "photo" else file}


def _poll(params: Json) -> Json:
    options = params["options"]
    return {"poll": a_poll(str(params["question"]), [option["text"] for option in options])}


def a_poll(question: str, options: list[str], *, id: str = "1") -> Json:
    """A poll that nobody has answered."""
    return {
        "id": id,
        "question": question,
        "options": [
            {"persistent_id": f"o{at}", "text": text, "voter_count": 0}
            for at, text in enumerate(options)
        ],
        "total_voter_count": 0,
        "is_closed": False,
        "is_anonymous": True,
        "type": "regular",
        "allows_multiple_answers": False,
        "allows_revoting": False,
        "members_only": False,
    }


def _dice(params: Json) -> Json:
    return {"dice": {"emoji": params.get("emoji", "🎲"), "value": 4}}


def _location(params: Json) -> Json:
    return {"location": _picked(params, "latitude", "longitude", "horizontal_accuracy")}


def _venue(params: Json) -> Json:
    place = _location(params)
    return place | {"venue": place | _picked(params, "title", "address")}


def _contact(params: Json) -> Json:
    return {"contact": _picked(params, "phone_number", "first_name", "last_name")}


def _invoice(params: Json) -> Json:
    prices = params["prices"]
    told = _picked(params, "title", "description", "currency")
    total = sum(price["amount"] for price in prices)
    return {"invoice": told | {"start_parameter": "", "total_amount": total}}


def _picked(params: Json, *names: str) -> Json:
    return {name: params[name] for name in names if name in params}


OTHERS: dict[str, Callable[[Json], Json]] = {
    "sendPoll": _poll,
    "sendDice": _dice,
    "sendLocation": _location,
    "sendVenue": _venue,
    "sendContact": _contact,
    "sendInvoice": _invoice,
}
"""The field of a message that shows what each of these methods sends."""
