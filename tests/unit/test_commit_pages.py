"""How finished turns are shared out over commits."""

from __future__ import annotations

from uuid import uuid4

import pytest

from engine.commits.committing import BYTES, LARGE, TURNS, page
from engine.intake.mailboxes import Item
from engine.turns.turn import Finished
from flows.ports import ScopeWrite, TurnCommit
from flows.turns.effects import Effects
from flows.updates import Other, Update


def turn(size: int, *, key: str | None = None) -> Finished:
    """A turn that writes a state of so many bytes."""
    update = Update(source="test:local", ext="1", content=Other("x"), at=0)
    item = Item(seq=1, part=0, conv=None, update=update)
    state = ScopeWrite(key=key or uuid4().hex, part=0, version=None, state="x" * size)
    commit = TurnCommit(cause=1, part=0, scopes=(state,))
    return Finished(item=item, commit=commit, effects=Effects())


@pytest.mark.parametrize(
    ("sizes", "first"),
    [
        ([], 0),
        ([10], 1),
        ([10] * 300, TURNS),
        ([LARGE * 2, 10], 1),
        ([10, 10, LARGE * 2, 10], 2),
        ([LARGE // 2] * 20, 2 * BYTES // LARGE - 1),
    ],
)
def test_a_commit_holds_so_many_turns(sizes: list[int], first: int) -> None:
    assert page([turn(size) for size in sizes]) == first


def test_no_commit_holds_two_turns_of_one_scope() -> None:
    keys = ["a", "b", "a", "c", "a", "a"]
    left, counts = [turn(10, key=key) for key in keys], []
    while left:
        counts.append(page(left))
        del left[: counts[-1]]
    assert counts == [2, 2, 1, 1]


def test_everything_is_committed_in_the_end() -> None:
    left = [turn(size) for size in (10, LARGE * 8, 10, 10, LARGE * 8, 10)]
    rounds = 0
    while left:
        count = page(left)
        assert count > 0
        del left[:count]
        rounds += 1
    assert rounds == 5
