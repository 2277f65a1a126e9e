"""Where the boxes and arrows of a picture go: layers from the top down, as few crossings as a few
sweeps find, and arrows that bend around what is between.

It knows nothing of flows. Arrows that lead back up are laid out as if they led down.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from statistics import fmean

SWEEPS = 8
"""How often the layers are gone through, down and up again."""

ACROSS = 26.0
"""Between two boxes of a layer."""

BETWEEN = 54.0
"""Between two layers, which is where arrows run."""

KNOWN = 128
"""Layouts that are kept: a picture is drawn anew every few seconds, and only its colours change."""

THIN = 10.0
"""The width that an arrow takes which passes a layer."""

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Box:
    """Something to be placed."""

    name: str
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Placed:
    """A box, by its middle."""

    name: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Arrow:
    """An arrow from ``source`` to ``target``, by way of ``points``; ``back``: it leads up."""

    source: str
    target: str
    points: tuple[Point, ...]
    back: bool


@dataclass(frozen=True, slots=True)
class Layout:
    """Boxes and arrows in a space of that size, from (0, 0)."""

    boxes: Mapping[str, Placed]
    arrows: tuple[Arrow, ...]
    width: float
    height: float


@lru_cache(maxsize=KNOWN)
def laid_out(boxes: tuple[Box, ...], edges: tuple[tuple[str, str], ...]) -> Layout:
    """Lays out boxes and the arrows between them, which name them. An arrow from a box to itself
    is left out. What comes first in ``boxes`` comes to stand above, where arrows lead in a circle.
    """
    drawing = _Drawing(boxes, dict.fromkeys((a, b) for a, b in edges if a != b))
    drawing.put_in_layers()
    drawing.order()
    drawing.place()
    return drawing.layout()


@dataclass(slots=True)
class _Node:
    """A box, or the place where a long arrow passes a layer (then it has no box)."""

    layer: int
    width: float
    height: float = 0.0
    box: str | None = None
    x: float = 0.0
    above: list[_Node] = field(default_factory=list)
    below: list[_Node] = field(default_factory=list)


@dataclass(slots=True)
class _Chain:
    """An arrow as the nodes that it goes through, from the top down."""

    source: str
    target: str
    back: bool
    nodes: list[_Node]


class _Drawing:
    def __init__(self, boxes: Sequence[Box], edges: Iterable[tuple[str, str]]) -> None:
        self._boxes = {box.name: box for box in boxes}
        self._edges = [(a, b) for a, b in edges if a in self._boxes and b in self._boxes]
        self._layers: list[list[_Node]] = []
        self._chains: list[_Chain] = []

    # --- layers -------------------------------------------------------------------------

    def put_in_layers(self) -> None:
        """Each box below all that lead to it; long arrows are cut into short ones."""
        backward = self._backward()
        down = [(b, a) if (a, b) in backward else (a, b) for a, b in self._edges]
        layer = self._depths(down)
        nodes = {
            name: _Node(layer[name], box.width, box.height, name)
            for name, box in self._boxes.items()
        }
        self._layers = [[] for _ in range(max(layer.values(), default=-1) + 1)]
        for node in nodes.values():
            self._layers[node.layer].append(node)
        for source, target in self._edges:
            back = (source, target) in backward
            top, bottom = (target, source) if back else (source, target)
            chain = [nodes[top], *self._passing(nodes[top], nodes[bottom]), nodes[bottom]]
            for upper, lower in pairwise(chain):
                upper.below.append(lower)
                lower.above.append(upper)
            self._chains.append(_Chain(source, target, back, chain))

    def _backward(self) -> set[tuple[str, str]]:
        """Arrows that close a circle, found from the first box on."""
        after: dict[str, list[str]] = {name: [] for name in self._boxes}
        for source, target in self._edges:
            after[source].append(target)
        found: set[tuple[str, str]] = set()
        done: set[str] = set()
        for start in self._boxes:
            path, way = {start}, [(start, iter(after[start]))]
            if start in done:
                continue
            while way:
                name, left = way[-1]
                onward = next(left, None)
                if onward is None:
                    done.add(name)
                    path.discard(name)
                    way.pop()
                elif onward in path:
                    found.add((name, onward))
                elif onward not in done:
                    path.add(onward)
                    way.append((onward, iter(after[onward])))
        return found

    def _depths(self, down: Sequence[tuple[str, str]]) -> dict[str, int]:
        """The longest way from any top to each box."""
        depth = dict.fromkeys(self._boxes, 0)
        for _ in self._boxes:  # no way has more steps than there are boxes
            changed = False
            for upper, lower in down:
                if depth[lower] <= depth[upper]:
                    depth[lower] = depth[upper] + 1
                    changed = True
            if not changed:
                break
        return depth

    def _passing(self, top: _Node, bottom: _Node) -> list[_Node]:
        passing = [_Node(layer, THIN) for layer in range(top.layer + 1, bottom.layer)]
        for node in passing:
            self._layers[node.layer].append(node)
        return passing

    # --- the order within layers --------------------------------------------------------

    def order(self) -> None:
        """Sorts each layer by where its neighbours stand; keeps the best of all sweeps."""
        best, fewest = [list(layer) for layer in self._layers], self._crossings()
        for sweep in range(SWEEPS):
            downward = sweep % 2 == 0
            for layer in self._layers[1:] if downward else reversed(self._layers[:-1]):
                self._sort(layer, downward=downward)
            if (crossings := self._crossings()) < fewest:
                best, fewest = [list(layer) for layer in self._layers], crossings
        self._layers = best

    def _sort(self, layer: list[_Node], *, downward: bool) -> None:
        places = {id(node): place for one in self._layers for place, node in enumerate(one)}

        def middle(node: _Node) -> float:
            near = node.above if downward else node.below
            return fmean(places[id(one)] for one in near) if near else places[id(node)]

        layer.sort(key=middle)

    def _crossings(self) -> int:
        number = 0
        for upper, lower in pairwise(self._layers):
            places = {id(node): place for place, node in enumerate(lower)}
            lines = [(a, places[id(node)]) for a, one in enumerate(upper) for node in one.below]
            number += sum(
                (a - c) * (b - d) < 0
                for place, (a, b) in enumerate(lines)
                for c, d in lines[place + 1 :]
            )
        return number

    # --- where they stand ---------------------------------------------------------------

    def place(self) -> None:
        """Gives each node an x: near its neighbours, and clear of those beside it."""
        for layer in self._layers:
            self._spread(layer, [0.0] * len(layer))
        for sweep in range(SWEEPS * 2):
            downward = sweep % 2 == 0
            for layer in self._layers[1:] if downward else reversed(self._layers[:-1]):
                wished = []
                for node in layer:
                    near = node.above if downward else node.below
                    wished.append(fmean(one.x for one in near) if near else node.x)
                self._spread(layer, wished)

    def _spread(self, layer: list[_Node], wished: Sequence[float]) -> None:
        """Each as near to its wish as those beside it let: the mean of pushing all to the right
        and pushing all to the left.
        """
        rightward, leftward = list(wished), list(wished)
        for place in range(1, len(layer)):
            least = rightward[place - 1] + self._apart(layer[place - 1], layer[place])
            rightward[place] = max(rightward[place], least)
        for place in range(len(layer) - 2, -1, -1):
            most = leftward[place + 1] - self._apart(layer[place], layer[place + 1])
            leftward[place] = min(leftward[place], most)
        for node, right, left in zip(layer, rightward, leftward, strict=True):
            node.x = (right + left) / 2

    @staticmethod
    def _apart(left: _Node, right: _Node) -> float:
        return (left.width + right.width) / 2 + ACROSS

    # --- the result ---------------------------------------------------------------------

    def layout(self) -> Layout:
        nodes = [node for layer in self._layers for node in layer]
        left = min((node.x - node.width / 2 for node in nodes), default=0.0)
        right = max((node.x + node.width / 2 for node in nodes), default=0.0)
        tops, y = [], 0.0
        for layer in self._layers:
            tops.append(y)
            y += max(node.height for node in layer) + BETWEEN
        heights = [max(node.height for node in layer) for layer in self._layers]
        middles = [top + height / 2 for top, height in zip(tops, heights, strict=True)]
        boxes = {
            node.box: Placed(node.box, node.x - left, middles[node.layer], node.width, node.height)
            for node in nodes
            if node.box is not None
        }
        arrows = tuple(self._arrow(chain, left, middles, heights) for chain in self._chains)
        return Layout(boxes, arrows, right - left, max(y - BETWEEN, 0.0))

    def _arrow(
        self, chain: _Chain, left: float, middles: Sequence[float], heights: Sequence[float]
    ) -> Arrow:
        points = list(self._points(chain, left, middles, heights))
        return Arrow(
            chain.source,
            chain.target,
            tuple(reversed(points)) if chain.back else tuple(points),
            chain.back,
        )

    def _points(
        self, chain: _Chain, left: float, middles: Sequence[float], heights: Sequence[float]
    ) -> Iterator[Point]:
        top, *passing, bottom = chain.nodes
        yield self._port(top, chain, down=True) - left, middles[top.layer] + top.height / 2
        for node in passing:
            half = heights[node.layer] / 2
            yield node.x - left, middles[node.layer] - half
            yield node.x - left, middles[node.layer] + half
        yield (
            self._port(bottom, chain, down=False) - left,
            middles[bottom.layer] - bottom.height / 2,
        )

    def _port(self, node: _Node, chain: _Chain, *, down: bool) -> float:
        """Where on its edge a box is left or met: arrows in the order of where they lead."""
        ends = [
            (one.nodes[1].x if down else one.nodes[-2].x, number, one)
            for number, one in enumerate(self._chains)
            if one.nodes[0 if down else -1] is node
        ]
        ends.sort(key=lambda end: end[:2])
        place = next(place for place, end in enumerate(ends) if end[2] is chain)
        room = min(node.width - 16, 22.0 * (len(ends) - 1))
        return node.x + (place / (len(ends) - 1) - 0.5) * room if len(ends) > 1 else node.x
