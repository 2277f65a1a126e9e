"""Where the inspector looks: at the App that runs in this process, or at a storage of its own."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from engine.app import App
from engine.operate import Operator
from flows.ports import FlowStorage


class Source:
    """Hands out an Operator. Nothing is opened before somebody looks.

    Args:
        storage: a handle of its own on the bot's storage; None: the App runs in this process.
    """

    def __init__(self, app: App, storage: FlowStorage | None) -> None:
        self._app = app
        self._storage = storage
        self._opening = asyncio.Lock()
        self._open = AsyncExitStack()
        self._operator: Operator | None = None

    async def operator(self) -> Operator:
        """The Operator.

        Raises:
            NotRunning: the App does not run in this process.
            SchemaMismatch, SecretKeyMissing, StorageDown: as in ``App.operator``.
        """
        if self._storage is None:
            return self._app.running
        async with self._opening:
            if self._operator is None:
                beside = self._app.operator(self._storage)
                self._operator = await self._open.enter_async_context(beside)
            return self._operator

    async def close(self) -> None:
        """Lets the storage go. The next to look opens it again."""
        async with self._opening:
            self._operator = None
            await self._open.aclose()
            self._open = AsyncExitStack()
