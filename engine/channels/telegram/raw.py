"""Telegram's own object, as it is kept with an update."""

from __future__ import annotations

from typing import Any

import orjson

from engine.channels.telegram.cleaning import clean

RAW_BYTES = 64 << 10
"""The most that is kept, as JSON: a message has a few hundred bytes, a long one with a long one
that it replies to some 40,000. What is larger is left out, so that no row grows without bound.
"""

DEEPEST = 64
"""How deep it may be nested: what is read back from a storage has a limit, too."""

_DIGITS = 1 << 63


def kept_raw(raw: dict[str, Any]) -> dict[str, Any] | None:
    """The object as any storage takes it, which is nearly always as it is: NUL is left out, half
    characters are replaced. None where it is too large, or nested too deep.
    """
    text = _dumped(raw)
    # a backslash and these digits may also have been typed; then cleaning changes nothing
    if text is None or b"\\u0000" in text:
        try:
            raw = {clean(str(name)): _cleaned(value, 1) for name, value in raw.items()}
        except _TooDeep:
            return None
        text = _dumped(raw)
    if text is None or len(text) > RAW_BYTES:
        return None
    # where there are fewer brackets than that, nothing is nested so deep
    if text.count(b"{") + text.count(b"[") > DEEPEST and _is_too_deep(raw):
        return None
    return raw


class _TooDeep(Exception):
    """It is nested deeper than ``DEEPEST``."""


def _dumped(raw: dict[str, Any]) -> bytes | None:
    try:
        return orjson.dumps(raw)
    except orjson.JSONEncodeError:  # half characters, numbers beyond 64 bits, or too deep
        return None


def _cleaned(value: Any, depth: int) -> Any:
    if depth > DEEPEST:
        raise _TooDeep
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {clean(str(name)): _cleaned(each, depth + 1) for name, each in value.items()}
    if isinstance(value, list):
        return [_cleaned(each, depth + 1) for each in value]
    if isinstance(value, int) and not -_DIGITS <= value < _DIGITS:
        return None  # such a number is no id of Telegram's, and is not read either
    return value


def _is_too_deep(raw: dict[str, Any]) -> bool:
    try:
        _cleaned(raw, 0)
    except _TooDeep:
        return True
    return False
