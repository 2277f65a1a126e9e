"""What else may happen in a transcript, in the lines that begin with ``*``.

``wait 90s`` (or ``10m``, ``2h``, ``3d``) lets time pass, ``again`` delivers the last update once
more, ``crash`` kills the process and starts another, ``restart`` does so in good order,
``press 2 Yes`` presses the last button but one of that label, gone or not, and ``say "a\\nb"``
says a text that does not fit into a line, written as a JSON string.
"""

from __future__ import annotations

import re
from datetime import timedelta

import orjson

from engine.testing.chat import Chat
from flows.updates import TextMessage

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_FORMS = {
    "again": re.compile(r"again"),
    "crash": re.compile(r"crash"),
    "restart": re.compile(r"restart"),
    "wait": re.compile(r"wait ([0-9]{1,6})([smhd])"),
    "press": re.compile(r"press ([1-9][0-9]{0,2}) (.+)", re.DOTALL),
    "say": re.compile(r'say (".*")', re.DOTALL),
}


def check_event(text: str) -> str | None:
    """Why this is no event, for an error; None: it is one."""
    found = _read(text)
    if found is None:
        known = 'again, crash, restart, wait 1h, press 2 LABEL, say "TEXT" and person ID'
        return f"after '*' stands what happens ({known}), not {text!r}"
    if found[0] == "say" and _text(found[1]) is None:
        return f"{found[1][0]} is no text in JSON"
    return None


def needs_clock(text: str) -> bool:
    """Whether the event moves the clock."""
    return text.startswith("wait ")


async def happen(chat: Chat, text: str, *, by: str, where: str | None) -> tuple[str, ...]:
    """Lets it happen, and answers what the bot says then in that person's chat.

    Raises:
        NoSuchButton: the button is not there.
        TimeIsReal: the clock cannot be moved.
        ValueError: it is no event.
    """
    found = _read(text)
    if found is None:
        raise ValueError(check_event(text))
    name, groups = found
    place = where or by
    match name:
        case "again":
            return await chat.again()
        case "crash" | "restart":
            return await _restart(chat, place, crash=name == "crash")
        case "wait":
            span = timedelta(seconds=int(groups[0]) * _SECONDS[groups[1]])
            return await chat.advance(span, chat=place)
        case "press":
            button = chat.button(groups[1], chat=place, back=int(groups[0]))
            return await chat.send(button.press(), by=by, chat=where)
        case _:
            return await chat.send(TextMessage(_text(groups) or ""), by=by, chat=where)


async def _restart(chat: Chat, place: str, *, crash: bool) -> tuple[str, ...]:
    before = len(chat.replies(place))
    if crash:
        await chat.crash()
    await chat.restart()
    return chat.replies(place)[before:]


def _read(text: str) -> tuple[str, tuple[str, ...]] | None:
    form = _FORMS.get(text.partition(" ")[0])
    found = form.fullmatch(text) if form is not None else None
    return (text.partition(" ")[0], found.groups()) if found is not None else None


def _text(groups: tuple[str, ...]) -> str | None:
    try:
        text = orjson.loads(groups[0])
    except orjson.JSONDecodeError:
        return None
    return text if isinstance(text, str) else None
