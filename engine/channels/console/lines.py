"""What a typed line means."""

from __future__ import annotations

import re
import time
from uuid import uuid4

from flows.conversation import Address
from flows.updates import (
    Command,
    Content,
    DocumentMessage,
    FileRef,
    Person,
    PhotoMessage,
    TextMessage,
    Update,
)

_COMMAND = re.compile(r"/([A-Za-z0-9_]{1,32})(?:@\w+)?(?:\s+(.*))?", re.ASCII | re.DOTALL)
_FILE = re.compile(r"@(photo|document)(?:\s+(.*))?", re.DOTALL)


def content_of(line: str) -> Command | TextMessage | PhotoMessage | DocumentMessage:
    r"""A command, a made-up file (``@photo``, ``@document``, each with a caption), or a text.

    A backslash in front keeps the rest as text: ``\/start`` is no command.
    """
    if line.startswith("\\"):
        return TextMessage(line[1:])
    if command := _COMMAND.fullmatch(line):
        return Command(command[1].lower(), (command[2] or "").strip())
    if file := _FILE.fullmatch(line):
        return made_up_file(file[1], file[2] or "")
    return TextMessage(line)


FILE_KINDS = ("photo", "document")
"""The kinds of file that can be made up."""


def made_up_file(kind: str, caption: str = "") -> PhotoMessage | DocumentMessage:
    """A file that lies nowhere, for conversations that want one."""
    name = f"console-{kind}-{uuid4().hex}"
    if kind == "photo":
        photo = FileRef(
            id=name, name="photo.jpg", size=52_400, mime="image/jpeg", width=1280, height=960
        )
        return PhotoMessage(photo, caption.strip())
    document = FileRef(id=name, name="document.pdf", size=20_480, mime="application/pdf")
    return DocumentMessage(document, caption.strip())


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
