"""The picture of a flow with what runs on it, as shapes that a template writes as SVG."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from engine.inspector.layout import Arrow, Box, Layout, Placed, laid_out
from flows.definition.chart import COMPLETED
from flows.definition.forks import Fork
from flows.definition.graph import moves, need
from flows.flow import Flow

START = "(start)"

LETTER = 8.4
"""Width of a letter of a step's name, about."""

LONGEST = 26
"""Letters of a name that are shown."""

HEIGHT = 40.0
DOT = 18.0
MARGIN = 28.0
PADDING = 13.0
"""Between a frame and what is in it."""


@dataclass(frozen=True, slots=True)
class Step:
    """A step in the picture.

    Attributes:
        label: its name, short enough for the box.
        live: how many instances stand at it.
        here: it is where the instance is that is looked at.
        been: that instance has been there.
    """

    at: Placed
    label: str
    live: int
    here: bool
    been: bool


@dataclass(frozen=True, slots=True)
class Line:
    """An arrow; ``path`` is that of an SVG path, and (x, y) where its label stands."""

    path: str
    back: bool
    label: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame around the branches of a fork."""

    x: float
    y: float
    width: float
    height: float
    label: str


@dataclass(frozen=True, slots=True)
class Diagram:
    """A picture of that size. ``end`` is None where the flow never completes."""

    width: float
    height: float
    start: Placed
    end: Placed | None
    steps: tuple[Step, ...]
    lines: tuple[Line, ...]
    frames: tuple[Frame, ...]


def diagram(
    flow: Flow[Any, Any, Any],
    *,
    live: Mapping[str, int],
    here: Collection[str] = (),
    been: Collection[str] = (),
) -> Diagram:
    """Draws a flow.

    Args:
        live: step name to how many instances stand at it.
        here: where the instance stands that is looked at.
        been: where it has been.
    """
    labels = {(START, flow.initial.name): ""}
    labels |= {(source, target): label for source, target, label in moves(flow)}
    boxes = [Box(START, DOT, DOT)]
    boxes += [Box(name, max(len(_short(name)) * LETTER + 30, 74), HEIGHT) for name in flow.table]
    if any(target == COMPLETED for _, target in labels):
        boxes.append(Box(COMPLETED, DOT, DOT))
    layout = laid_out(tuple(boxes), tuple(labels))
    steps = (
        Step(
            _moved(layout.boxes[name]), _short(name), live.get(name, 0), name in here, name in been
        )
        for name in flow.table
    )
    end = layout.boxes.get(COMPLETED)
    return Diagram(
        layout.width + 2 * MARGIN,
        layout.height + 2 * MARGIN,
        _moved(layout.boxes[START]),
        None if end is None else _moved(end),
        tuple(steps),
        tuple(_line(arrow, labels[arrow.source, arrow.target]) for arrow in layout.arrows),
        tuple(_frames(flow.forks, layout)),
    )


def _short(name: str) -> str:
    return name if len(name) <= LONGEST else name[: LONGEST - 1] + "…"


def _moved(box: Placed) -> Placed:
    return Placed(box.name, box.x + MARGIN, box.y + MARGIN, box.width, box.height)


def _line(arrow: Arrow, label: str) -> Line:
    points = [(x + MARGIN, y + MARGIN) for x, y in arrow.points]
    (x, y), *others = points
    path = [f"M{x:.1f} {y:.1f}"]
    for to_x, to_y in others:
        bend = (y + to_y) / 2
        path.append(f"C{x:.1f} {bend:.1f} {to_x:.1f} {bend:.1f} {to_x:.1f} {to_y:.1f}")
        x, y = to_x, to_y
    first, second = points[0], points[1]
    return Line(
        " ".join(path), arrow.back, label, (first[0] + second[0]) / 2, (first[1] + second[1]) / 2
    )


def _frames(forks: Mapping[str, Fork], layout: Layout) -> Iterator[Frame]:
    for fork in forks.values():
        inside = [_moved(layout.boxes[step]) for step in fork.steps]
        left = min(box.x - box.width / 2 for box in inside) - PADDING
        right = max(box.x + box.width / 2 for box in inside) + PADDING
        top = min(box.y - box.height / 2 for box in inside) - PADDING
        bottom = max(box.y + box.height / 2 for box in inside) + PADDING
        yield Frame(left, top, right - left, bottom - top, need(fork))
