"""Telegram's sending limits, kept from our side so that it need not refuse us."""

from __future__ import annotations

from aiolimiter import AsyncLimiter

from engine.channels.telegram.recent import Recent

_CHATS = 4096
"""Chats whose limiters are kept. One that is dropped starts with a full burst again."""


class SendLimits:
    """At most 30 sends a second overall, 20 a minute in a group, 1 a second in a chat.

    The limiters are leaky buckets, which let a whole bucket through at once and then leak
    on. So overall and in groups bucket and leak together make the limit: 10 + 20 in any
    second, 5 + 15 in any minute. In a chat, where Telegram lets short bursts pass, three
    messages go at once.
    """

    def __init__(self) -> None:
        self._overall = AsyncLimiter(10, 0.5)
        self._chats: Recent[str, AsyncLimiter] = Recent(_CHATS)
        self._groups: Recent[str, AsyncLimiter] = Recent(_CHATS)

    async def wait(self, chat: str) -> None:
        """Returns when one more message may go to this chat."""
        if chat.startswith("-"):
            await self._groups.get_or_put(chat, _group_limiter).acquire()
        await self._chats.get_or_put(chat, _chat_limiter).acquire()
        # Last, so that a chat that has to wait holds nothing that another could use.
        await self._overall.acquire()


def _group_limiter() -> AsyncLimiter:
    return AsyncLimiter(5, 20)


def _chat_limiter() -> AsyncLimiter:
    return AsyncLimiter(3, 3)
