"""Tokens of buttons: those that were issued, and everything that pretends to be one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

from engine.routes.buttons import genuine, minting, owner, read_token
from flows.messages.replies import BUTTON_PREFIX
from flows.turns.instance import FlowInstance
from tests.fuzz.tape import Tape

VALUES: tuple[object, ...] = ("tea", 5, None, {"a": [1]})
"""What the buttons of a question stand for."""

OURS = FlowInstance(id="a-0", flow="f", version=1, secret="s" * 32, data={}, started=0)
SAME_ID = replace(OURS, secret="t" * 32)
"""An instance in the database of another bot."""

SAME_KEY = replace(OURS, id="a-00")
PEOPLE = ("7", "8", "")
ALPHABET = "-_.~0123456789aAzZ\0é\ud800\U0001f600\u0661"


def issued(
    instance: FlowInstance, people: tuple[str, ...] = PEOPLE
) -> Iterator[tuple[str, object]]:
    """Tokens of an instance with what their buttons stand for."""
    for person, visit, ordinal in product(people, (1, 12), (0, 3)):
        mint = minting(instance, visit, person)
        for button, value in enumerate(VALUES):
            yield mint(ordinal, button, value), value


OWN = tuple(issued(OURS))
FOREIGN = (*issued(SAME_ID), *issued(SAME_KEY), *issued(OURS, ("9",)))
"""Of other bots, of other instances, and of a person to whom nothing was shown."""

GENUINE = {(text, repr(value)) for text, value in (*OWN, *issued(OURS, ("9",)))}


def tokens(data: bytes) -> None:
    """Only what was issued is accepted, for the button and the person it was issued for."""
    tape = Tape(data)
    text = _drawn(tape)
    token = read_token(text)
    if token is None:
        assert text not in {token for token, _ in (*OWN, *FOREIGN)}
        return
    accepted = [value for value in VALUES if genuine(token, OURS, value)]
    assert len(accepted) <= 1
    for value in accepted:
        assert (text, repr(value)) in GENUINE
        minted = minting(OURS, token.visit, _person(token.owner))
        assert text == minted(token.ordinal, token.button, value)


def _drawn(tape: Tape) -> str:
    text, _ = tape.choose((*OWN, *FOREIGN))
    match tape.below(4):
        case 0:
            return tape.rest().decode("utf-8", "surrogateescape")
        case 1:
            return BUTTON_PREFIX + ".".join(tape.text(24) for _ in range(4 + tape.below(4)))
        case 2:
            parts, other = text.split("."), tape.choose((*OWN, *FOREIGN))[0].split(".")
            for place in range(len(parts)):  # parts of two tokens
                parts[place] = tape.choose((parts[place], other[place]))
            return ".".join(parts)
        case _:
            for _ in range(tape.below(4)):
                text = _touched(tape, text)
            return text


def _touched(tape: Tape, text: str) -> str:
    at = tape.below(len(text) + 1)
    match tape.below(4):
        case 0:
            return text[:at] + tape.choose(ALPHABET) + text[at + 1 :]
        case 1:
            return text[:at] + tape.choose(ALPHABET) + text[at:]
        case 2:
            return text[:at] + text[at + 1 :]
        case _:
            return text[:at]


def _person(digest: str) -> str:
    return next(person for person in (*PEOPLE, "9") if owner(person) == digest)
