"""Boxes and arrows of a picture: nothing overlaps, and every arrow leads from box to box."""

from __future__ import annotations

from itertools import combinations, pairwise

from hypothesis import given
from hypothesis import strategies as st

from engine.inspector.layout import Box, Layout, Placed, laid_out

NAMES = [f"step{number}" for number in range(12)]
boxes_of = st.lists(
    st.builds(Box, st.sampled_from(NAMES), st.floats(18, 250), st.floats(18, 60)),
    min_size=1,
    unique_by=lambda box: box.name,
)


@st.composite
def pictures(draw: st.DrawFn) -> tuple[tuple[Box, ...], tuple[tuple[str, str], ...]]:
    """Boxes, and arrows between some of them."""
    boxes = draw(boxes_of)
    name = st.sampled_from([box.name for box in boxes])
    return tuple(boxes), tuple(draw(st.lists(st.tuples(name, name), max_size=30)))


def chain(*names: str) -> Layout:
    boxes = tuple(Box(name, 80, 40) for name in names)
    return laid_out(boxes, tuple(pairwise(names)))


def apart(one: Placed, other: Placed) -> bool:
    """Whether two boxes do not touch."""
    return (
        abs(one.x - other.x) >= (one.width + other.width) / 2
        or abs(one.y - other.y) >= (one.height + other.height) / 2
    )


@given(pictures())
def test_all_boxes_are_there_apart_and_inside(
    picture: tuple[tuple[Box, ...], tuple[tuple[str, str], ...]],
) -> None:
    layout = laid_out(*picture)
    assert layout.boxes.keys() == {box.name for box in picture[0]}
    for one, other in combinations(layout.boxes.values(), 2):
        assert apart(one, other), f"{one} lies on {other}"
    for box in layout.boxes.values():
        assert box.width / 2 - 0.01 <= box.x <= layout.width - box.width / 2 + 0.01
        assert box.height / 2 - 0.01 <= box.y <= layout.height - box.height / 2 + 0.01


@given(pictures())
def test_every_arrow_leads_from_its_box_to_the_other(
    picture: tuple[tuple[Box, ...], tuple[tuple[str, str], ...]],
) -> None:
    layout = laid_out(*picture)
    wanted = {(source, target) for source, target in picture[1] if source != target}
    assert {(arrow.source, arrow.target) for arrow in layout.arrows} == wanted
    assert len(layout.arrows) == len(wanted)
    for arrow in layout.arrows:
        for (x, y), name in ((arrow.points[0], arrow.source), (arrow.points[-1], arrow.target)):
            box = layout.boxes[name]
            assert abs(x - box.x) <= box.width / 2 + 0.01
            assert abs(abs(y - box.y) - box.height / 2) <= 0.01, "it begins or ends at an edge"
        upward = layout.boxes[arrow.source].y > layout.boxes[arrow.target].y
        assert arrow.back == upward


def test_a_sequence_stands_in_one_line_from_the_top_down() -> None:
    layout = chain("a", "b", "c")
    assert len({box.x for box in layout.boxes.values()}) == 1
    assert [box.name for box in sorted(layout.boxes.values(), key=lambda box: box.y)] == [
        "a", "b", "c",
    ]  # fmt: skip


def test_what_closes_a_circle_leads_back_up_to_what_comes_first() -> None:
    layout = laid_out(
        tuple(Box(name, 80, 40) for name in "abc"), (("a", "b"), ("b", "c"), ("c", "a"))
    )
    assert [(arrow.source, arrow.target) for arrow in layout.arrows if arrow.back] == [("c", "a")]


def test_two_ways_side_by_side_do_not_cross() -> None:
    names = ("top", "left", "right", "low-right", "low-left")
    boxes = tuple(Box(name, 80, 40) for name in names)
    edges = (("top", "left"), ("top", "right"), ("left", "low-left"), ("right", "low-right"))
    layout = laid_out(boxes, edges)
    left_first = layout.boxes["left"].x < layout.boxes["right"].x
    assert (layout.boxes["low-left"].x < layout.boxes["low-right"].x) == left_first
