"""Files on their way out: where a file lies that is to be sent."""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from flows.errors import DefinitionError
from flows.updates import FileRef

MAX_BYTES = 256 * 1024
"""Bytes of a file that is handed over as bytes: they are kept in the outbox itself."""


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file to be sent; see ``InputFile.of``.

    Attributes:
        source: ``id``: it lies with the channel; ``url``: the channel fetches it; ``path``: it
            lies on this machine, and is read when it is sent; ``bytes``: here it is.
        value: the id, address or path; of bytes, their base64 text.
        name: what the person sees as the name of the file; empty: that of the path.
    """

    source: Literal["id", "url", "path", "bytes"]
    value: str
    name: str = ""

    @classmethod
    def of(cls, file: FileSource, *, name: str = "") -> InputFile:
        """The file that is meant.

        Args:
            file: a ``FileRef`` that came in, or its id as a text; an ``http`` address; a ``Path``;
                bytes, or a binary file that is read at once.
            name: as above.

        Raises:
            DefinitionError: it is empty, no binary file, or more bytes than the outbox keeps.
        """
        match file:
            case InputFile():
                return file if not name else cls(file.source, file.value, name)
            case FileRef():
                return cls("id", file.id, name)
            case Path():
                # absolute: the message may go out after a restart in another folder
                return cls("path", str(file.absolute()), name)
            case str() if file.strip():
                known = file.lower().startswith(("http://", "https://"))
                return cls("url" if known else "id", file, name)
            case str():
                raise DefinitionError("an empty text is no file, neither an id nor an address")
            case bytes() | bytearray():
                return cls._inline(bytes(file), name)
            case _ if not hasattr(file, "read"):
                raise DefinitionError(
                    f"{file!r} is no file. Give a FileRef, an id, an address, a Path, bytes or an "
                    "open binary file."
                )
            case _:
                read = file.read(MAX_BYTES + 1)
                if not isinstance(read, bytes):
                    raise DefinitionError(f"{file!r} is open for text. Open it with mode 'rb'.")
                return cls._inline(read, name or Path(str(getattr(file, "name", ""))).name)

    @classmethod
    def _inline(cls, data: bytes, name: str) -> InputFile:
        if not data:
            raise DefinitionError("a file without a byte in it cannot be sent")
        if len(data) > MAX_BYTES:
            raise DefinitionError(
                f"a file of more than {MAX_BYTES} bytes cannot be kept in the outbox. Write it "
                "to a file and give its Path, which is read when the message is sent."
            )
        return cls("bytes", b64encode(data).decode(), name)

    @property
    def data(self) -> bytes:
        """The bytes, where the source is ``bytes``."""
        return b64decode(self.value)

    @property
    def shown(self) -> str:
        """The file in a word or two, for people to read."""
        if self.name:
            return self.name
        match self.source:
            case "path":
                return Path(self.value).name
            case "bytes":
                return f"{len(self.data)} bytes"
            case _:
                return self.value


FileSource = InputFile | FileRef | str | Path | bytes | bytearray | BinaryIO
"""What a file to be sent may be given as."""
