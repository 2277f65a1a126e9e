"""Fetching files that people have sent: what a channel's API is asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import BinaryIO, Protocol

from flows.updates import FileRef

Target = Path | str | BinaryIO
"""A folder that is there, the path of a file, or a stream to write into."""

Told = Callable[[int, int | None], object]
"""Is told how many bytes are there, and how many there will be, where that is known."""


class Downloads(Protocol):
    """Who fetches files."""

    async def download(
        self,
        file: FileRef | str,
        to: Target,
        *,
        limit: int | None = None,
        progress: Told | None = None,
    ) -> Path | None:
        """Fetches a file and answers where it is; None where it was written into a stream.

        Args:
            file: the reference that came with a message, or its id.
            to: a folder that is there, in which the file gets a new name: what its sender has
                called it is not looked at, and its ending is that of its type, where that is a
                harmless one. Or the path of the file itself; what is there is replaced once all
                has come. Or a stream of bytes to write into.
            limit: the most bytes to take; None: what the service allows.
            progress: is called after each piece with the bytes so far, and with all, where known.

        Raises:
            FileTooLarge: it has more bytes; no more than these were fetched.
            DownloadFailed: it could not be fetched. There is no file then; a stream may hold a
                part.
            OSError: it could not be written.
        """
        ...

    def chunks(self, file: FileRef | str, *, limit: int | None = None) -> AsyncIterator[bytes]:
        """The bytes of a file, piece by piece.

        Raises:
            FileTooLarge: it has more than ``limit`` bytes.
            DownloadFailed: it could not be fetched, or not to its end.
        """
        ...
