"""The queues of updates in memory, while rows are read, partitions leave, and turns end late."""

from __future__ import annotations

from engine.intake.mailboxes import Item, Mailboxes
from flows import TextMessage
from flows.updates import Update


def item(seq: int, conv: str = "ada", part: int = 1) -> Item:
    update = Update(source="test:1", ext=str(seq), content=TextMessage("x"), at=0)
    return Item(seq=seq, part=part, conv=conv, update=update)


def seqs(items: list[Item]) -> list[int]:
    return [one.seq for one in items]


def test_what_did_not_fit_while_rows_were_read_is_read_before_anything_newer() -> None:
    """It came after the reading had looked, and what comes next must not overtake it."""
    boxes = Mailboxes()
    boxes.fall_behind()
    boxes.reading()
    assert not boxes.put([item(2)])
    boxes.catch_up([item(1)], more=False)
    assert boxes.behind
    assert not boxes.put([item(3)])
    boxes.reading()
    boxes.catch_up([item(2), item(3)], more=False)
    assert not boxes.behind


def test_what_falls_due_while_rows_are_read_is_read_after_them() -> None:
    boxes = Mailboxes()
    boxes.reading()
    boxes.fall_behind()
    boxes.catch_up([], more=False)
    assert boxes.behind


def test_what_is_out_stays_when_its_partition_is_left_and_what_waits_goes() -> None:
    boxes = Mailboxes()
    boxes.put([item(1), item(2), item(3, "bob"), item(4, "eve", part=2)])
    (out, *_) = boxes.take(1)
    boxes.set_aside({1})
    assert boxes.holds({1})
    assert sorted(boxes.seqs) == [1, 4]
    boxes.done(out)
    assert not boxes.holds({1})
    assert seqs(boxes.take(9)) == [4]


def test_a_turn_that_ends_after_its_partition_came_back_ends_nothing_of_the_new_one() -> None:
    boxes = Mailboxes()
    boxes.put([item(1)])
    (old,) = boxes.take(1)
    boxes.forget({1})
    boxes.put([item(1), item(2)])
    boxes.done(old)
    assert sorted(boxes.seqs) == [1, 2]
    assert seqs(boxes.take(9)) == [1]
    boxes.again(old)
    assert boxes.take(9) == []
