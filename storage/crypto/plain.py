"""What stands before a database for which no key is set."""

from __future__ import annotations

from collections.abc import Mapping

from flows.ports import Limits
from storage.crypto import marks
from storage.crypto.forwarding import Forwarding


class UnencryptedStorage(Forwarding):
    """Keeps texts as they are, and refuses a database that was written with a key."""

    async def open(self) -> Limits:
        limits = await self.inner.open()
        await marks.check(self.inner, ())
        return limits

    async def aliases(self) -> Mapping[tuple[str, str], str]:
        return marks.without(await self.inner.aliases())
