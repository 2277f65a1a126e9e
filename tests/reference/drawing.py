"""Draws plans of bots, and all of them can be built."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from tests.reference.plans import (
    END,
    FIELDS,
    WORDS,
    Ask,
    BotPlan,
    Call,
    Decision,
    FlowPlan,
    ForkPlan,
    StepPlan,
    Verb,
    Wants,
)

MOVES: tuple[Verb, ...] = ("goto", "back", "restore", "repeat", "cancel", "fail")
WANTS: tuple[Wants, ...] = ("word", "word", "number", "pick")


@st.composite
def bots(draw: st.DrawFn) -> BotPlan:
    """Two or three flows; a later one may call an earlier one."""
    callable_: list[str] = []
    flows = []
    for name in ("kid", "one", "two")[: draw(st.integers(2, 3))]:
        flows.append(draw(flow_plans(name, tuple(callable_))))
        callable_.append(name)
    return BotPlan(tuple(flows))


@st.composite
def flow_plans(draw: st.DrawFn, name: str, children: tuple[str, ...]) -> FlowPlan:
    """A flow: a main line of steps, with a fork after one of them or none."""
    main = [f"M{number}" for number in range(draw(st.integers(1, 3)))]
    fork = draw(st.none() | forks(main))
    names = [*main, *(step for branch in fork.branches for step in branch)] if fork else main
    artist = _Artist(draw, name, main, fork, names, children)
    return FlowPlan(
        name=name,
        steps=tuple(artist.step(step) for step in names),
        fork=fork,
        again=draw(st.sampled_from(["resume", "restart", "refuse", "confirm"])),
        interrupt=draw(st.sampled_from(["stack", "stack", "replace", "refuse"])),
        ttl=draw(st.sampled_from([None, None, 300])),
        hooks=draw(st.booleans()),
    )


@st.composite
def forks(draw: st.DrawFn, main: Sequence[str]) -> ForkPlan:
    """A fork after a step of the main line, of two or three branches of one or two steps."""
    after = draw(st.integers(0, len(main) - 1))
    lengths = draw(st.lists(st.integers(1, 2), min_size=2, max_size=3))
    branches = tuple(
        tuple(f"{letter}{number}" for number in range(length))
        for letter, length in zip("PQR", lengths, strict=False)
    )
    join = (*main, END)[after + 1]
    return ForkPlan(main[after], branches, join, need=draw(st.integers(1, len(branches))))


class _Artist:
    """Draws the steps of one flow."""

    def __init__(
        self,
        draw: st.DrawFn,
        flow: str,
        main: Sequence[str],
        fork: ForkPlan | None,
        names: Sequence[str],
        children: tuple[str, ...],
    ) -> None:
        self.draw, self.flow, self.main, self.fork = draw, flow, main, fork
        self.names, self.children = names, children

    def step(self, name: str) -> StepPlan:
        """A step, wherever it stands."""
        parts, to = self._parts(name), self._edges(name)
        cases: tuple[tuple[str, str, str], ...] = ()
        otherwise = ""
        if to is not None and self.draw(st.booleans()):
            to, cases, otherwise = None, self._cases(name), self._following(name)
        return StepPlan(
            name=name,
            says=f"{self.flow} {name}." if self.draw(st.booleans()) else "",
            parts=parts,
            writes=self.draw(st.sampled_from([None, *FIELDS])),
            ways=self._ways(name, to) if parts else {},
            usual=_usual(to),
            to=to,
            cases=cases,
            otherwise=otherwise,
        )

    def _parts(self, name: str) -> tuple[Ask | Call, ...]:
        count = self.draw(st.sampled_from([0, 1, 1, 1, 2]))
        return tuple(self._part(name, number) for number in range(count))

    def _part(self, name: str, number: int) -> Ask | Call:
        if self.children and self.draw(st.integers(0, 3)) == 3:
            return Call(self.draw(st.sampled_from(self.children)))
        return Ask(
            f"{self.flow} {name} {number}?",
            self.draw(st.sampled_from(WANTS)),
            timeout=self.draw(st.sampled_from([None, None, 60])),
            remind=self.draw(st.sampled_from([None, None, 20, 90])),
        )

    def _edges(self, name: str) -> tuple[str, ...] | None:
        """Those of a step of the main line that no fork follows; the usual one stands first."""
        if name not in self.main or (self.fork is not None and name == self.fork.after):
            return None
        following = self._following(name)
        others = self.draw(st.lists(st.sampled_from(self.main), max_size=1))
        if following == END:
            return (*others, END)
        return (following, *(other for other in others if other != following))

    def _following(self, name: str) -> str:
        return (*self.main, END)[self.main.index(name) + 1]

    def _cases(self, name: str) -> tuple[tuple[str, str, str], ...]:
        """Only on, so that steps which do not ask make no circle."""
        later = [*self.main[self.main.index(name) + 1 :], END]
        field, letter = self.draw(st.sampled_from(FIELDS)), self.draw(st.sampled_from("dbe1"))
        return ((field, letter, self.draw(st.sampled_from(later))),)

    def _ways(self, name: str, to: tuple[str, ...] | None) -> dict[str, Decision]:
        answers = self.draw(st.lists(st.sampled_from(WORDS), max_size=2, unique=True))
        return {answer: self._decision(name, to) for answer in answers}

    def _decision(self, name: str, to: tuple[str, ...] | None) -> Decision:
        choices = [Decision(verb) for verb in MOVES[1:]]
        choices += [Decision("goto", target) for target in self.names]
        choices += [Decision("detour", target) for target in self._line(name)]
        choices += [Decision("next", target) for target in to or () if target != END]
        if to is not None and END in to:
            choices.append(Decision("complete"))
        if self.fork is not None and self._line(name)[-1] == name and name not in self.main:
            choices.append(Decision("done"))
            heads = [one[0] for one in self.fork.branches if name not in one]
            choices += [Decision("next", head) for head in heads]
            if self.fork.join != END:
                choices.append(Decision("next", self.fork.join))
        return self.draw(st.sampled_from(choices))

    def _line(self, name: str) -> Sequence[str]:
        """The steps of its branch, or the main line."""
        branches = self.fork.branches if self.fork is not None else ()
        return next((branch for branch in branches if name in branch), self.main)


def _usual(to: tuple[str, ...] | None) -> Decision:
    """On along the first edge; the end stands last."""
    if to is None:
        return Decision()
    return Decision("complete") if to[-1] == END else Decision("next", to[0])
