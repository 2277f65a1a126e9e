"""What one turn of a broadcast wants to be true at once."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.broadcast.head import Head, Recipient
from engine.broadcast.keys import INDEX, INDEX_PART, head_key, recipient_key
from engine.broadcast.orders import FEED, feeding
from engine.intake.mailboxes import Item
from flows.conversation import Address, person_id
from flows.ports import OutboxRow, ScopeWrite, Snapshot, TimerDrop, TimerRow, TurnCommit


@dataclass(slots=True)
class Change:
    """A turn of a broadcast, in the making.

    Attributes:
        item: what has caused it.
        before: the broadcast as it was loaded; None: there was none.
        now: milliseconds since the epoch.
    """

    item: Item
    id: str
    before: Snapshot | None
    now: int
    scopes: list[ScopeWrite] = field(default_factory=list)
    timers: list[TimerRow | TimerDrop] = field(default_factory=list)
    outbox: list[OutboxRow] = field(default_factory=list)

    def add_recipients(self, head: Head, chats: list[str]) -> None:
        """New recipients, behind those that there are."""
        for number, chat in enumerate(chats, start=head.total):
            self._write(number, head.source, None, Recipient(chat))

    def keep(self, number: int, snapshot: Snapshot) -> None:
        """The recipient must still be there when this is committed: nobody may be written to who
        was erased meanwhile.
        """
        key = recipient_key(self.id, number)
        self.scopes.append(ScopeWrite(key, self.item.part, snapshot.version, None))

    def tell_apart(self, head: Head, number: int, old: Snapshot, recipient: Recipient) -> None:
        """What became of the recipient's message."""
        self._write(number, head.source, old.version, recipient)

    def send(self, source: str, number: int, chat: str, body: str) -> None:
        """The message to a recipient."""
        self._say(Address(source, chat), recipient_key(self.id, number), number, None, body)

    def show(self, head: Head, slot: str, body: str) -> None:
        """The message that shows how far it is, to the chat that wants to know."""
        self._say(Address(head.source, head.report_to or ""), head_key(self.id), 0, slot, body)

    def feed_at(self, tick: int, due: int) -> None:
        """The next messages are fed then."""
        self.timers.append(feeding(self.id, tick, due))

    def stop_feeding(self) -> None:
        """No more messages are fed."""
        self.timers.append(TimerDrop(conv=head_key(self.id), name=FEED))

    def list_in(self, index: Snapshot | None, state: str) -> None:
        """The names of all broadcasts."""
        version = index.version if index is not None else None
        self.scopes.append(ScopeWrite(INDEX, INDEX_PART, version, state))

    def committing(self, head: Head) -> TurnCommit:
        """The commit, with what the broadcast is from now on."""
        version = self.before.version if self.before is not None else None
        own = ScopeWrite(head_key(self.id), self.item.part, version, head.encode())
        return TurnCommit(
            cause=self.item.seq,
            part=self.item.part,
            scopes=[own, *self.scopes],
            timers=self.timers,
            outbox=self.outbox,
        )

    def unchanged(self) -> TurnCommit:
        """The commit of a turn that has nothing to do."""
        return TurnCommit(cause=self.item.seq, part=self.item.part)

    def _write(self, number: int, source: str, version: int | None, recipient: Recipient) -> None:
        key = recipient_key(self.id, number)
        person = person_id(source, recipient.chat)
        state = recipient.encode()
        self.scopes.append(ScopeWrite(key, self.item.part, version, state, person))

    def _say(self, address: Address, conv: str, n: int, slot: str | None, body: str) -> None:
        self.outbox.append(
            OutboxRow(address.partition, str(address), conv, self.item.seq, n, slot, body)
        )
