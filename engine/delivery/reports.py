"""Reports to conversations: a message of theirs will never arrive."""

from __future__ import annotations

from engine.broadcast.keys import broadcast_in, head_key, partition_of_broadcast
from engine.delivery.letters import Row
from engine.turns.conversations import root_id
from engine.turns.scopes import is_shared, person_in
from flows.conversation import Address
from flows.errors import SendRefused
from flows.ports import Clock, FlowStorage, InboxRow, Query
from flows.updates import Person, SendFailed, Update

SOURCE = "outbox"
"""Source of the inbox rows that tell of messages which will never arrive."""


class Reports:
    """Makes the inbox rows that tell conversations."""

    def __init__(self, storage: FlowStorage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock

    async def of(self, address: Address, row: Row, refusal: SendRefused) -> InboxRow:
        """The row that tells the conversation which has sent the message.

        Raises:
            StorageDown: it cannot be found out which one that is.
        """
        if (told := self.to_broadcast(row, refusal)) is not None:
            return told
        user = person_in(row.conv)
        update = Update(
            source=address.source,
            ext=f"{row.turn}.{row.n}",
            content=SendFailed(
                slot=row.slot,
                reason=refusal.reason,
                blocked=refusal.blocked,
                scope=await self._scope(row, user),
            ),
            at=self._clock.now(),
            address=address,
            user=Person(id=user) if user is not None else None,
            private=user == address.chat,
        )
        return InboxRow(
            source=SOURCE,
            ext=f"{row.conv}:{row.turn}.{row.n}.{update.at}",
            part=row.part,
            conv=row.conv,
            kind=update.content.kind,
            body=update.to_json(),
            at=update.at,
        )

    def to_broadcast(self, row: Row, refusal: SendRefused) -> InboxRow | None:
        """The row that tells the broadcast which has sent the message; None: none has. The ``ext``
        of its update ends with the number of the recipient.
        """
        broadcast = broadcast_in(row.conv)
        if broadcast is None:
            return None
        update = Update(
            source=SOURCE,
            ext=f"{row.turn}.{row.n}",
            content=SendFailed(slot=row.slot, reason=refusal.reason, blocked=refusal.blocked),
            at=self._clock.now(),
        )
        return InboxRow(
            source=SOURCE,
            ext=f"{row.conv}:{row.turn}.{row.n}.{update.at}",
            part=partition_of_broadcast(broadcast),
            conv=head_key(broadcast),
            kind=update.content.kind,
            body=update.to_json(),
            at=update.at,
        )

    async def _scope(self, row: Row, user: str | None) -> str:
        """Where the instance lives that has sent the message: what is said in a chat is filed
        under the chat, whatever the flow is keyed by.
        """
        if row.slot is not None:
            instance = root_id(row.slot.partition(".")[0])
            found = await self._storage.inspect(Query(what="instances", instance=instance, limit=1))
            if found.rows:
                return str(found.rows[0]["conv"])
        return row.conv if user is not None or is_shared(row.conv) else ""
