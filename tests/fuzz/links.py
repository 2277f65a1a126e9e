"""Payloads of ``/start``, which anybody can type."""

from __future__ import annotations

import re

from flows import DeepLink, OnDeepLink
from flows.updates import Command
from tests.fuzz.tape import Tape

SIGNED = DeepLink("ref", key="0123456789abcdef" * 2)
OTHER = DeepLink("ref", key="fedcba9876543210" * 2)
PLAIN = DeepLink("ref")
VALUES = ("", "42", "summer-sale", "é", "_x", "\0", "x" * 40)
ISSUED = {link: {link.payload(value): value for value in VALUES} for link in (SIGNED, OTHER, PLAIN)}
LETTERS = "_-.=0Aa\0é\ud800\n "


def links(data: bytes) -> None:
    """A payload is one that would be written so, and a signed one is one that was made here."""
    text = _drawn(Tape(data))
    signed = SIGNED.read(text)
    assert signed == ISSUED[SIGNED].get(text)
    plain = PLAIN.read(text)
    if plain is not None:
        assert PLAIN.payload(plain) == text
        assert re.fullmatch(r"ref_[A-Za-z0-9_-]{0,60}", text, re.ASCII)
    assert OnDeepLink(PLAIN).match(Command("start", text)) == plain


def _drawn(tape: Tape) -> str:
    payloads = sorted(payload for issued in ISSUED.values() for payload in issued)
    text = tape.choose(payloads)
    match tape.below(3):
        case 0:
            return tape.rest().decode("utf-8", "surrogateescape")
        case 1:
            return "ref_" + tape.rest().decode("latin-1")
        case _:
            for _ in range(tape.below(4)):
                at = tape.below(len(text) + 1)
                text = text[:at] + tape.choose(LETTERS) + text[at + tape.below(2) :]
            return text
