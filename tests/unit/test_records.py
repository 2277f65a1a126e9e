"""Records are dataclasses, and quickly made."""

from __future__ import annotations

from dataclasses import field, replace

from flows.records import record


@record(frozen=True, slots=True)
class Point:
    """A record with a default and a factory."""

    x: int
    y: int = 0
    names: list[str] = field(default_factory=list, hash=False)


@record(frozen=True, slots=True, kw_only=True)
class Line(Point):
    """A record that goes on from another one."""

    length: int


def test_a_record_is_equal_and_hashed_by_its_fields() -> None:
    assert Point(1, 2) == Point(1, 2) != Point(1)
    assert len({Point(1, 2), Point(1, 2), Point(1)}) == 2


def test_defaults_are_given_and_shared_by_nobody() -> None:
    assert (Point(1).y, Point(1).names) == (0, [])
    Point(1).names.append("a")
    assert Point(1).names == []


def test_a_record_can_be_replaced_and_gone_on_from() -> None:
    assert replace(Point(1, 2), y=3) == Point(1, 3)
    assert Line(x=1, length=4).y == 0


def test_no_attribute_of_the_class_stands_before_those_of_its_objects() -> None:
    assert "y" not in vars(Point)
