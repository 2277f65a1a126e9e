"""A storage beside the one in memory: the same calls at random, and never another answer.

What a storage may choose for itself is not compared: numbers, versions and epochs. So each side
has names for its numbers, given in the order in which they were seen. It needs ``hypothesis``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from flows.ports import (
    DeadLetter,
    OutboxRow,
    OutgoingRow,
    Query,
    SendResult,
    TimerDrop,
    TurnCommit,
)
from storage.memory import MemoryStorage
from storage.testing import sides
from storage.testing.backend import EVERYTHING, HALF, TTL, Backend
from storage.testing.rows import (
    NOWHERE,
    SOURCE,
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
from storage.testing.sides import NAMES, NEVER, READS, USERS, Call, Read, Shape, Side, State

users = st.sampled_from(USERS)


class BesideMemory(RuleBasedStateMachine):
    """Every rule makes one call on both and compares what they answer.

    ``begin`` gives the backend to be compared with memory; ``end`` lets it go.
    """

    __test__: ClassVar[bool] = False

    async def begin(self) -> Backend:
        """A new backend, empty."""
        raise NotImplementedError

    async def end(self, backend: Backend) -> None:
        """Lets the backend go."""
        raise NotImplementedError

    def __init__(self) -> None:
        super().__init__()
        # One loop for the whole machine: connections belong to theirs.
        self.loop = asyncio.new_event_loop()
        self.backend = self.run(self.begin())
        memory = MemoryStorage(self.backend.now)
        self.run(memory.open())
        self.sides = (Side(memory), Side(self.run(self.backend.open())))
        self.ids = 0
        self.take_all()

    def teardown(self) -> None:
        self.run(self.sides[0].storage.close())
        self.run(self.end(self.backend))
        self.run(self.loop.shutdown_asyncgens())
        self.run(self.loop.shutdown_default_executor())
        self.loop.close()

    def run(self, call: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(call)

    def both(self, call: Call, shape: Shape = sides.as_it_is) -> None:
        """Makes the call on both and compares the answers, and all that is to be seen then."""
        memory, other = (self.run(self._answer(side, call, shape)) for side in self.sides)
        assert memory == other, f"memory answers {memory}, the other {other}"

    async def _answer(self, side: Side, call: Call, shape: Shape) -> object:
        answer = await call(side)
        seen = await side.look()
        return shape(side, answer), seen

    def take_all(self) -> None:
        for side in self.sides:
            side.stale = side.fence
            side.fence = self.run(side.storage.lease("me", EVERYTHING, TTL * 1000))

    def unique(self) -> int:
        self.ids += 1
        return self.ids

    @rule(who=st.lists(users, max_size=4), again=st.booleans())
    def accept(self, who: list[str], again: bool) -> None:
        first = max(0, self.ids - 2) if again else self.ids
        rows = [cause(f"{first + place}", user) for place, user in enumerate(who)]
        self.ids = max(self.ids, first + len(who))
        self.both(lambda side: side.storage.accept(rows), sides.names)

    @rule(skipped=st.sets(st.sampled_from(NAMES), max_size=3))
    def pending(self, skipped: set[int]) -> None:
        self.both(
            lambda side: side.storage.pending(side.fence, {*map(side.cause, skipped)}, 100),
            sides.pending,
        )

    @rule(name=st.sampled_from(NAMES), fenced=st.booleans())
    def note(self, name: int, fenced: bool) -> None:
        self.both(
            lambda side: side.storage.note(
                side.stale if fenced else side.fence, side.cause(name), f'"{name}"'
            )
        )

    @rule(data=st.data(), size=st.integers(1, 3), fenced=st.integers(0, 3))
    def commit(self, data: st.DataObject, size: int, fenced: int) -> None:
        turns = [self._turn(data) for _ in range(size)]
        self.both(
            lambda side: side.storage.commit(
                side.fence if fenced else side.stale, [turn(side) for turn in turns]
            ),
            sides.outcomes,
        )

    def _turn(self, data: st.DataObject) -> Callable[[Side], TurnCommit]:
        undone = self.run(self.sides[0].storage.inspect(Query(what="inbox", limit=1000))).rows
        known = [self.sides[0].name(row["seq"]) or 0 for row in undone]
        name = data.draw(st.sampled_from([*known, *known, *known, 1, 2, 99]), "cause")
        user = data.draw(users, "user")
        read: Read = data.draw(st.sampled_from(READS), "read")
        kind = data.draw(st.integers(0, 6), "rows")
        ended = data.draw(st.sampled_from([None, 7]), "ended")
        # No two are due at the same time: their order would be anybody's.
        due = self.backend.now() + 1000 * data.draw(st.integers(-5, 50), "due") + self.unique()
        state = data.draw(st.sampled_from(['{"n": 1}', "[]", None]), "state")

        def turn(side: Side) -> TurnCommit:
            seq = side.cause(name)
            write = scope(user, side.version(conv(user), read), state)
            more: dict[int, dict[str, Any]] = {
                1: {"instances": [instance(user, name=f"i{name % 3}", ended=ended)]},
                2: {"timers": [timer(user, due=due, name=f"t{name % 2}")]},
                3: {"timers": [TimerDrop(conv=conv(user), name="t0")]},
                4: {"outbox": [_message(seq, name, user, n) for n in range(2)]},
                5: {"transitions": [move(seq, user, name=f"i{name % 3}")]},
                6: {"dead": DeadLetter(
                    conv=conv(user), origin="inbox", body='"b"', error="e", tries=5, at=9
                )},
            }  # fmt: skip
            whole = TurnCommit(cause=seq, part=part(user), scopes=[write])
            return replace(whole, **more.get(kind, {}))

        return turn

    @rule()
    def remember(self) -> None:
        """Turns that began here and end much later have read these versions."""
        for side in self.sides:
            side.before = side.versions

    @rule(limit=st.integers(0, 3))
    def fire(self, limit: int) -> None:
        self.both(lambda side: side.storage.fire(side.fence, limit), sides.fired)

    @rule(
        state=st.sampled_from(["sent", "later", "dead"]),
        wait=st.integers(0, 20),
        twice=st.booleans(),
        fenced=st.integers(0, 3),
    )
    def send(self, state: State, wait: int, twice: bool, fenced: int) -> None:
        async def call(side: Side) -> object:
            rows = await side.storage.outgoing(side.fence, NOWHERE, 100)
            results = [self._result(side, row, state, wait) for row in rows]
            fence = side.fence if fenced else side.stale
            outcomes = await side.storage.sent(fence, results * 2 if twice else results)
            return rows, list(outcomes)

        self.both(call, lambda side, answer: (sides.outgoing(side, answer[0]), answer[1]))

    def _result(self, side: Side, row: OutgoingRow, state: State, wait: int) -> SendResult:
        result = SendResult(conv=row.conv, turn=row.turn, n=row.n, state=state)
        name = f"{side.name(row.turn)}-{row.n}"
        match state:
            case "sent":
                return replace(result, slot=row.slot, ref=name)
            case "later":
                return replace(result, due=self.backend.now() + 1000 * wait)
        return replace(result, error="no", inform=cause(f"failed-{name}"))

    @rule(seconds=st.integers(0, 60))
    def advance(self, seconds: int) -> None:
        self.backend.advance(1000 * seconds)

    @rule(want=st.sampled_from([0, HALF, EVERYTHING]))
    def lease(self, want: int) -> None:
        self.both(lambda side: side.storage.lease("me", want, TTL * 1000), sides.parts)
        self.take_all()

    @rule()
    def release(self) -> None:
        self.both(lambda side: side.storage.release("me"))
        self.take_all()

    @rule(ago=st.integers(-5, 30))
    def sweep(self, ago: int) -> None:
        before = self.backend.now() - 1000 * ago
        self.both(lambda side: side.storage.sweep(before, 1000), lambda _, swept: dict(swept.rows))

    @precondition(lambda self: self.ids > 6)
    @rule(user=users)
    def erase(self, user: str) -> None:
        self.both(lambda side: side.storage.erase(person(user)))

    @rule(name=st.integers(1, 4))
    def replay(self, name: int) -> None:
        async def call(side: Side) -> object:
            return await side.storage.replay(side.letters.get(name, NEVER))

        self.both(call, lambda side, number: side.name(number))

    @rule(user=users, chat=st.sampled_from(["1", "2"]))
    def alias(self, user: str, chat: str) -> None:
        self.both(lambda side: side.storage.alias(SOURCE, chat, user))

    @rule(words=st.sampled_from(["hi", "hello", "b", "e"]), new=st.sampled_from(["hi", "oh"]))
    def recode(self, words: str, new: str) -> None:
        self.both(
            lambda side: side.storage.recode(lambda text: text.replace(f'"{words}"', f'"{new}"'))
        )


def _message(seq: int, name: int, user: str, n: int) -> OutboxRow:
    """A message whose slot is called by the name of its cause: numbers differ."""
    return replace(message(seq, user, n=n), slot=f"{name}.{n}")
