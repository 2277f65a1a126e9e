"""The API of the service, in a test: it writes calls down, and answers what it was told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from engine.saving import harmless_suffix, save
from flows.errors import DownloadFailed, FileTooLarge
from flows.messages.downloads import Target, Told
from flows.updates import FileRef


class ApiDouble:
    """Answers calls of ``ctx.bot``, ``turn.bot`` and ``app.bot``.

    Attributes:
        calls: (method, parameters) of each call so far.
        answers: what a method answers, by its name; an exception is raised. True, unless said.
        files: what there is to fetch, by the id of the file.
        actions: (chat, action) of each block of ``typing`` so far.
    """

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.answers: dict[str, Any] = {}
        self.files: dict[str, bytes] = {}
        self.actions: list[tuple[str, str]] = []

    async def call(self, method: str, params: Mapping[str, Any]) -> Any:
        """Writes the call down, and answers."""
        self.calls.append((method, dict(params)))
        answer = self.answers.get(method, True)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def download(
        self,
        file: FileRef | str,
        to: Target,
        *,
        limit: int | None = None,
        progress: Told | None = None,
    ) -> Path | None:
        """Writes one of the files, as a service's channel does."""
        size = len(self._held(file, limit))
        pieces = self.chunks(file, limit=limit)
        return await save(pieces, to, suffix=harmless_suffix(file), size=size, progress=progress)

    async def chunks(
        self, file: FileRef | str, *, limit: int | None = None
    ) -> AsyncIterator[bytes]:
        """One of the files, in one piece."""
        yield self._held(file, limit)

    def _held(self, file: FileRef | str, limit: int | None) -> bytes:
        name = file.id if isinstance(file, FileRef) else file
        if name not in self.files:
            raise DownloadFailed(f"there is no file {name!r}. Put one into ApiDouble.files.")
        if limit is not None and len(self.files[name]) > limit:
            raise FileTooLarge(limit)
        return self.files[name]

    async def act(self, chat: str, topic: str | None, action: str) -> None:
        """Writes the action down; it lasts until it is cancelled."""
        self.actions.append((chat, action))
        await asyncio.get_running_loop().create_future()
