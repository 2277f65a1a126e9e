"""What the channel needs of whatever makes its calls: its own client, or another library's."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any, Protocol

from engine.channels.telegram.uploads import Progress
from flows.messages.input_file import InputFile


class Api(Protocol):
    """One bot's door to the Bot API."""

    @property
    def bot_id(self) -> str:
        """The bot's id, which its token begins with."""
        ...

    @property
    def where(self) -> str:
        """The service, for people to read."""
        ...

    async def call(self, method: str, params: Mapping[str, Any], *, seconds: float = ...) -> object:
        """Calls a method and answers its result, as JSON gives it.

        Args:
            method: as the Bot API spells it, such as ``sendMessage``.
            params: what JSON can hold.
            seconds: how long the answer may take.

        Raises:
            CallFailed: see ``engine.channels.telegram.client``.
            ChannelStopped: the token is revoked.
        """
        ...

    async def upload(
        self,
        method: str,
        params: Mapping[str, Any],
        files: Mapping[str, InputFile],
        *,
        go_on: Callable[[], bool] | None = None,
        progress: Progress | None = None,
    ) -> object:
        """Calls a method with files, which ``params`` name as ``attach://`` and their names, or
        which are parameters of these names.

        Args:
            go_on: to be asked every few seconds, at least each 4, whether to go on.
            progress: to be told how many bytes have gone out, where that can be known.

        Raises:
            SendRefused: a file cannot be read, or is too large.
            SendLater: it was not to go on; nothing was done.
            CallFailed, ChannelStopped: as ``call``.
        """
        ...

    def fetch(self, path: str) -> AsyncGenerator[bytes, None]:
        """The bytes of a file, piece by piece.

        Args:
            path: what ``getFile`` has answered.

        Raises:
            CallFailed, ChannelStopped: as ``call``.
        """
        ...

    async def close(self) -> None:
        """Lets go of what is the channel's own."""
        ...
