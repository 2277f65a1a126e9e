"""JSON with something wrong somewhere."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any

from tests.fuzz.samples import MARK
from tests.fuzz.tape import Tape

WRITTEN: Mapping[str, str] = {
    '"@nan"': "NaN",
    '"@infinite"': "-Infinity",
    '"@huge"': "1e400",
    '"@digits"': "1" * 5000,
    '"@deep"': "[" * 1100 + "]" * 1100,
    '"@abyss"': '{"a":' * 100_000,
    '"@half"': '"\\ud800"',
    '"@halves"': '"\\ud83d\\ude00"',
}
"""What no JSON value of Python's is written as, by what stands for it."""

ODD: Sequence[Any] = (
    None, True, False, -1, 0, 1, 1.5, -0.0, 2**31, 2**53, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1,
    2**64 - 1, 2**64, 10**30, 1e308, "", "7", "\0", "a\0b", "\u202e", "e\u0301" * 99, "/start",
    "/start@", "/" + "x" * 40, MARK, "\U0001f600" * 4096, [], {}, [[]], [None], {"id": 7},
    {"id": 2**63}, {"": {}}, "x" * 70_000, *(stand_in[1:-1] for stand_in in WRITTEN),
)  # fmt: skip


def mutated(tape: Tape, samples: Sequence[Mapping[str, Any]]) -> bytes:
    """A sample as JSON text, with up to seven changes to its values, and one to its bytes."""
    tree = deepcopy(dict(tape.choose(samples)))
    for _ in range(tape.below(8)):
        _change(tape, tree, samples)
    text = json.dumps(tree, ensure_ascii=bool(tape.below(2)))
    for stand_in, written in WRITTEN.items():
        text = text.replace(stand_in, written)
    body = text.encode("utf-8", "surrogatepass")
    if tape.below(4) < 3:
        return body
    at, length = tape.below(min(len(body), 65_536) + 1), tape.below(5)
    return body[:at] + tape.take(length) + body[at + length :]


def _change(tape: Tape, tree: dict[str, Any], samples: Sequence[Mapping[str, Any]]) -> None:
    places = list(_places(tree))
    if not places:
        return
    holder, key = tape.choose(places)
    match tape.below(5):
        case 0 | 1:
            holder[key] = deepcopy(tape.choose(ODD))
        case 2:
            del holder[key]
        case 3:
            holder[key] = tape.text()
        case _:
            other, name = tape.choose(list(_places(dict(tape.choose(samples)))))
            if isinstance(holder, dict) and isinstance(name, str):
                key = name  # a field of elsewhere, beside those that belong here
            holder[key] = deepcopy(other[name])


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Each place in a tree, as what holds it and its key or number there."""
    keys: list[Any] = list(value) if isinstance(value, dict) else []
    if isinstance(value, list):
        keys = list(range(len(value)))
    for key in keys:
        yield value, key
        yield from _places(value[key])
