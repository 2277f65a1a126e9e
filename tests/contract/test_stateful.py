"""SQLite and memory, driven side by side by the same calls, never differ."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Coroutine
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from flows.errors import BadRow
from flows.ports import (
    DeadLetter,
    Fence,
    FlowStorage,
    OutgoingRow,
    Query,
    SendResult,
    TimerDrop,
    TurnCommit,
)
from storage import MemoryStorage, SqlStorage
from storage.testing import ManualClock
from storage.testing.rows import (
    NOWHERE,
    cause,
    conv,
    instance,
    message,
    move,
    part,
    person,
    scope,
    timer,
)

Answer = TypeVar("Answer")

USERS = ["ada", "bob"]
users = st.sampled_from(USERS)
LISTINGS = (
    Query(what="instances"),
    Query(what="transitions"),
    Query(what="dead_letters"),
    Query(what="inbox"),
    Query(what="outbox"),
)


class BothStorages(RuleBasedStateMachine):
    """Every rule makes one call on both and compares what they answer."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="handrail-"))
        self.clock = ManualClock()
        # One loop for the whole machine: connections belong to theirs.
        self.loop = asyncio.new_event_loop()
        self.both: list[FlowStorage] = [
            MemoryStorage(self.clock),
            SqlStorage(f"sqlite:///{self.folder / 'state.db'}", clock=self.clock),
        ]
        for storage in self.both:
            self.run(storage.open())
        self.fence: Fence = self.same("lease", "me", 64, 60_000)
        self.stale = self.fence
        self.names = 0

    def teardown(self) -> None:
        for storage in self.both:
            self.run(storage.close())
        self.run(self.loop.shutdown_default_executor())
        self.loop.close()
        shutil.rmtree(self.folder)

    def run(self, call: Coroutine[Any, Any, Answer]) -> Answer:
        return self.loop.run_until_complete(call)

    def same(self, method: str, *arguments: Any) -> Any:
        """Makes the call on both; the answer, if it is the same."""
        memory, sqlite = (
            self.run(self._answer(storage, method, arguments)) for storage in self.both
        )
        assert memory == sqlite, f"{method}{arguments}"
        return memory

    async def _answer(self, storage: FlowStorage, method: str, arguments: Any) -> Any:
        try:
            answer = await getattr(storage, method)(*arguments)
        except BadRow as refusal:
            return ("bad row", refusal.index)
        return list(answer) if isinstance(answer, list | tuple) else answer

    def undone(self) -> list[dict[str, Any]]:
        page = self.run(self.both[0].inspect(Query(what="inbox")))
        return [dict(row) for row in page.rows]

    @rule(who=st.lists(users, max_size=4), again=st.booleans())
    def accept(self, who: list[str], again: bool) -> None:
        rows = [cause(f"{self.names + place}", user) for place, user in enumerate(who)]
        self.names += 0 if again else len(who)
        self.same("accept", rows)

    @rule(limit=st.integers(1, 4), skipped=st.integers(0, 2))
    def pending(self, limit: int, skipped: int) -> None:
        skip = {row["seq"] for row in self.undone()[:skipped]}
        self.same("pending", self.fence, skip, limit)

    @rule(seq=st.integers(1, 8), fenced=st.booleans())
    def note(self, seq: int, fenced: bool) -> None:
        self.same("note", self.stale if fenced else self.fence, seq, f'"{seq}"')

    @rule(data=st.data(), size=st.integers(1, 3), fenced=st.booleans())
    def commit(self, data: st.DataObject, size: int, fenced: bool) -> None:
        turns = [self._turn(data) for _ in range(size)]
        self.same("commit", self.stale if fenced else self.fence, turns)

    def _turn(self, data: st.DataObject) -> TurnCommit:
        known = [row["seq"] for row in self.undone()]
        seq = data.draw(st.sampled_from([*known, *known, 1, 2, 99]), "cause")
        user = data.draw(users, "user")
        version = self._version(user) if data.draw(st.integers(0, 3), "fresh") else 12
        wanted = data.draw(st.integers(0, 6), "rows")
        ended = data.draw(st.sampled_from([None, 7]), "ended")
        due = self.clock() + data.draw(st.integers(-5, 50), "due")
        state = data.draw(st.sampled_from(['{"n": 1}', "[]", None]), "state")
        turn = TurnCommit(cause=seq, part=part(user), scopes=[scope(user, version, state)])
        more: dict[int, dict[str, Any]] = {
            1: {"instances": [instance(user, name=f"i{seq % 3}", ended=ended)]},
            2: {"timers": [timer(user, due=due, name=f"t{seq % 2}")]},
            3: {"timers": [TimerDrop(conv=conv(user), name="t0")]},
            4: {"outbox": [message(seq, user), message(seq, user, n=1)]},
            5: {"transitions": [move(seq, user, name=f"i{seq % 3}")]},
            6: {"dead": DeadLetter(
                conv=conv(user), origin="inbox", body='"b"', error="e", tries=5, at=9
            )},
        }  # fmt: skip
        return replace(turn, **more.get(wanted, {}))

    def _version(self, user: str) -> int | None:
        found = self.run(self.both[0].load([conv(user)]))
        return found[conv(user)].version if found else None

    @rule(limit=st.integers(0, 3))
    def fire(self, limit: int) -> None:
        self.same("fire", self.fence, limit)

    @rule(
        state=st.sampled_from(["sent", "later", "dead"]),
        wait=st.integers(0, 20),
        twice=st.booleans(),
        fenced=st.booleans(),
    )
    def send(self, state: Any, wait: int, twice: bool, fenced: bool) -> None:
        waiting: list[OutgoingRow] = self.same("outgoing", self.fence, NOWHERE, 3)
        results = [self._result(row, state, wait) for row in waiting]
        fence = self.stale if fenced else self.fence
        self.same("sent", fence, results * 2 if twice else results)

    def _result(self, row: OutgoingRow, state: Any, wait: int) -> SendResult:
        result = SendResult(conv=row.conv, turn=row.turn, n=row.n, state=state)
        match state:
            case "sent":
                return replace(result, slot=row.slot, ref=f"{row.seq}")
            case "later":
                return replace(result, due=self.clock() + wait)
        return replace(result, error="no", inform=cause(f"failed-{row.turn}-{row.n}"))

    @rule(milliseconds=st.integers(0, 60))
    def advance(self, milliseconds: int) -> None:
        self.clock.advance(milliseconds)

    @rule(want=st.sampled_from([0, 32, 64]))
    def lease(self, want: int) -> None:
        self.stale = self.fence
        self.same("lease", "me", want, 60_000)
        self.fence = self.same("lease", "me", 64, 60_000)

    @rule()
    def release(self) -> None:
        self.stale = self.fence
        self.same("release", "me")
        self.fence = self.same("lease", "me", 64, 60_000)

    @rule(ago=st.integers(-5, 30), limit=st.integers(1, 5))
    def sweep(self, ago: int, limit: int) -> None:
        memory, sqlite = (
            self.run(storage.sweep(self.clock() - ago, limit)) for storage in self.both
        )
        assert asdict(memory) == asdict(sqlite)

    @precondition(lambda self: self.names > 6)
    @rule(user=users)
    def erase(self, user: str) -> None:
        self.same("erase", person(user))

    @rule(dead=st.integers(1, 4))
    def replay(self, dead: int) -> None:
        self.same("replay", dead)

    @rule(user=users, chat=st.sampled_from(["1", "2"]))
    def alias(self, user: str, chat: str) -> None:
        self.same("alias", "contract:bot", chat, user)

    @invariant()
    def both_hold_the_same(self) -> None:
        self.same("load", [conv(user) for user in USERS])
        self.same("aliases")
        for query in LISTINGS:
            self.same("inspect", query)
        for user in USERS:
            self.same("refs", conv(user), [f"{seq}.{n}" for seq in range(1, 9) for n in (0, 1)])


TestBothStorages = BothStorages.TestCase
TestBothStorages.settings = settings(
    max_examples=8,
    stateful_step_count=25,
    deadline=None,
    # Without shrinking, which would take minutes: a failure names its seed.
    phases=[Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
