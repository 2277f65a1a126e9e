"""Files of this machine that Telegram has already: they are not uploaded twice."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.channels.telegram.attached import METHODS, Call
from engine.channels.telegram.recent import Recent
from flows.messages.input_file import InputFile

KEPT = 1024
"""Files whose ids are remembered."""

_ATTACHED = "attach://"

Key = tuple[str, str, int, int]
"""Kind, path, size, and when it was changed (nanoseconds): another of them is another file."""


class KnownFiles:
    """Remembers the ids that Telegram has given to files, while the process runs."""

    def __init__(self) -> None:
        self._ids: Recent[Key, str] = Recent(KEPT)

    def recalled(self, call: Call) -> Call:
        """The call with ids in place of the files that are known."""
        known: dict[str, str] = {}
        for kind, name in _places(call.params):
            key = _key(kind, call.files.get(name))
            found = self._ids.get(key) if key is not None else None
            if found is not None:
                known[f"{_ATTACHED}{name}"] = found
        if not known:
            return call
        files = {
            name: file for name, file in call.files.items() if f"{_ATTACHED}{name}" not in known
        }
        return replace(call, params=_replaced(call.params, known), files=files)

    def forget(self, call: Call) -> None:
        """Forgets the files of a call: Telegram knows the ids no longer."""
        for kind, name in _places(call.params):
            if (key := _key(kind, call.files.get(name))) is not None:
                self._ids.discard(key)

    def learn(self, call: Call, result: object) -> None:
        """Remembers the ids of what was sent."""
        sent = result if isinstance(result, list) else [result]
        places = _places(call.params)
        if len(places) != len(sent):
            return  # of an album, some were known: which is which is not worth finding out
        for (kind, name), message in zip(places, sent, strict=True):
            key, file_id = _key(kind, call.files.get(name)), _file_id(message, kind)
            if key is not None and file_id is not None:
                self._ids.put(key, file_id)


def _places(params: dict[str, Any]) -> list[tuple[str, str]]:
    """Kind and name of each file that goes along."""
    media = params.get("media", [])
    items = media if isinstance(media, list) else [media]
    named = [(item["type"], item["media"]) for item in items]
    named += [(kind, params[kind]) for kind in METHODS if kind in params]
    return [
        (kind, value.removeprefix(_ATTACHED))
        for kind, value in named
        if value.startswith(_ATTACHED)
    ]


def _replaced(value: Any, known: dict[str, str]) -> Any:
    """The parameters with ids where they name files; what people have written stays."""
    if isinstance(value, list):
        return [_replaced(each, known) for each in value]
    if isinstance(value, dict):
        return {
            name: _replaced(each, known) if name == "media" or name in METHODS else each
            for name, each in value.items()
        }
    return known.get(value, value)


def _key(kind: str, file: InputFile | None) -> Key | None:
    if file is None or file.source != "path":
        return None
    try:
        status = Path(file.value).stat()
    except OSError:
        return None  # it is gone, which the upload finds out
    return kind, file.value, status.st_size, status.st_mtime_ns


def _file_id(message: object, kind: str) -> str | None:
    found = message.get(kind) if isinstance(message, dict) else None
    if isinstance(found, list) and found:  # of a photo, the sizes, the largest last
        found = found[-1]
    file_id = found.get("file_id") if isinstance(found, dict) else None
    return file_id if isinstance(file_id, str) else None
