"""What a typed line means."""

from __future__ import annotations

import re
import time
from uuid import uuid4

from engine.channels.console.made_up import KINDS, made_up
from flows.conversation import Address
from flows.updates import Command, Content, Person, TextMessage, Update

_COMMAND = re.compile(r"/([A-Za-z0-9_]{1,32})(?:@\w+)?(?:\s+(.*))?", re.ASCII | re.DOTALL)
_MADE_UP = re.compile(rf"@(?:({'|'.join(KINDS)})|\s+(\S+))(?:\s+(.*))?", re.DOTALL)


def content_of(line: str) -> Content:
    r"""A command, something made up (``@photo`` or ``@ photo`` with a caption, ``@location 48.85
    2.35``), or a text: to a person, ``@ada`` is one too.

    A backslash in front keeps the rest as text: ``\/start`` is no command.

    Raises:
        CannotSend: what should be made up cannot be; the message is for who typed it.
    """
    if line.startswith("\\"):
        return TextMessage(line[1:])
    if command := _COMMAND.fullmatch(line):
        return Command(command[1].lower(), (command[2] or "").strip())
    if wanted := _MADE_UP.fullmatch(line):
        return made_up(wanted[1] or wanted[2], wanted[3] or "")
    return TextMessage(line)


def update_of(content: Content, *, address: Address, user: Person) -> Update:
    """An update with an id that no other run of this program uses again."""
    return Update(
        source=address.source,
        ext=uuid4().hex,
        content=content,
        at=time.time_ns() // 1_000_000,
        address=address,
        user=user,
    )
