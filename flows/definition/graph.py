"""Pictures of a flow: Mermaid, Graphviz's DOT, and text for a terminal.

They are exact for all declared moves; jumps with ``goto``, ``back`` and ``cancel`` may happen
anywhere and are in none of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from typing import Any, Protocol

from flows.definition.chart import COMPLETED, DONE, FORK
from flows.definition.forks import Branching, Fork
from flows.definition.sources import read_moves
from flows.flow import StepCode


class Drawable(Protocol):
    """What a picture needs to know of a flow."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> int: ...

    @property
    def initial(self) -> Enum: ...

    @property
    def table(self) -> Mapping[str, tuple[str, ...]]: ...

    @property
    def code(self) -> Mapping[str, StepCode[Any, Any, Any]]: ...

    @property
    def forks(self) -> Mapping[str, Fork]: ...

    @property
    def branchings(self) -> Mapping[str, Branching]: ...


def mermaid(flow: Drawable) -> str:
    """A Mermaid state diagram, as GitHub and many wikis show it: a fork is a state with its
    branches side by side in it.
    """
    names = _identifiers(flow)
    inside = {step for fork in flow.forks.values() for step in fork.steps}
    lines = ["stateDiagram-v2"]
    lines += [_mermaid_state(name, names) for name in flow.table if name not in inside]
    for fork in flow.forks.values():
        lines += _mermaid_fork(flow, fork, names)
    lines.append(f"    [*] --> {names[flow.initial.name]}")
    for source in flow.table:
        if source not in inside:
            lines += _mermaid_edges(flow, source, names)
    for source, called in _calls(flow).items():
        lines.append(f"    note right of {names[source]} : calls {_mermaid_text(called)}")
    return "\n".join(lines) + "\n"


def _mermaid_fork(flow: Drawable, fork: Fork, names: Mapping[str, str]) -> Iterator[str]:
    box = f"f{names[fork.after]}"
    yield f'    state "{need(fork)}" as {box} {{'
    for place, branch in enumerate(fork.branches):
        if place:
            yield "        --"
        yield from (f"    {_mermaid_state(step, names)}" for step in branch)
        yield f"        [*] --> {names[branch[0]]}"
        for step in branch:
            yield from (f"    {edge}" for edge in _mermaid_edges(flow, step, names))
    yield "    }"
    yield f"    {box} --> {'[*]' if fork.join == COMPLETED else names[fork.join]}"


def _mermaid_state(name: str, names: Mapping[str, str]) -> str:
    return f'    state "{_mermaid_text(name)}" as {names[name]}'


def _mermaid_edges(flow: Drawable, source: str, names: Mapping[str, str]) -> Iterator[str]:
    ends = {COMPLETED: "[*]", DONE: "[*]", FORK: f"f{names[source]}"}
    for target in flow.table[source]:
        label = _label(flow, source, target)
        said = f" : {_mermaid_text(label)}" if label else ""
        yield f"    {names[source]} --> {ends.get(target) or names[target]}{said}"


def dot(flow: Drawable) -> str:
    """A directed graph for Graphviz: a fork is a box around its branches."""
    names = _identifiers(flow)
    lines = [
        f"digraph {_dot_text(flow.name)} {{",
        "    rankdir=LR;",
        '    node [shape=box, style=rounded, fontname="sans-serif"];',
        '    start [shape=point, label=""];',
    ]
    edges = list(moves(flow))
    if any(target == COMPLETED for _, target, _ in edges):
        lines.append('    end [shape=doublecircle, label="", width=0.2];')
    calls = _calls(flow)
    for name in flow.table:
        called = f" (calls {calls[name]})" if name in calls else ""
        lines.append(f"    {names[name]} [label={_dot_text(name + called)}];")
    for fork in flow.forks.values():
        lines += _dot_fork(fork, names)
    lines.append(f"    start -> {names[flow.initial.name]};")
    for source, target, label in edges:
        there = "end" if target == COMPLETED else names[target]
        said = f" [label={_dot_text(label)}]" if label else ""
        lines.append(f"    {names[source]} -> {there}{said};")
    lines.append("}")
    return "\n".join(lines) + "\n"


def _dot_fork(fork: Fork, names: Mapping[str, str]) -> Iterator[str]:
    yield f"    subgraph cluster_{names[fork.after]} {{"
    yield f'        label="{need(fork)}"; style="rounded,dashed";'
    yield f"        {'; '.join(names[step] for step in fork.steps)};"
    yield "    }"


def moves(flow: Drawable) -> Iterator[tuple[str, str, str]]:
    """All declared moves as edges of a graph of steps: (source, target, label), with a fork as
    edges to its heads, and from its ends to its join. The target ``completed`` is the end.
    """
    return (move for source in flow.table for move in _moves(flow, source))


def _moves(flow: Drawable, source: str) -> Iterator[tuple[str, str, str]]:
    for target in flow.table[source]:
        if target == FORK:
            yield from ((source, head, "") for head in flow.forks[source].heads)
            continue
        fork = next((fork for fork in flow.forks.values() if source in fork.steps), None)
        there = fork.join if target == DONE and fork is not None else target
        yield source, there, _label(flow, source, target)


def text(flow: Drawable) -> str:
    """A list of the steps and where each may go, in ASCII as far as the names are."""
    inside = {step for fork in flow.forks.values() for step in fork.steps}
    shown = {name: f"| {_one_line(name)}" if name in inside else _one_line(name)
             for name in flow.table}  # fmt: skip
    width = max(len(label) for label in shown.values())
    calls = _calls(flow)
    lines = [f"{_one_line(flow.name)}, version {flow.version}", ""]
    for name in flow.table:
        mark = "*" if name == flow.initial.name else " "
        called = f"  (calls {calls[name]})" if name in calls else ""
        lines.append(f"  {mark} {shown[name]:<{width}}  -> {_ways(flow, name)}{called}")
    lines += ["", "  * the flow starts here"]
    if inside:
        lines.append("  | a step in a branch")
    return "\n".join(lines) + "\n"


def _ways(flow: Drawable, source: str) -> str:
    """Where a step may go, in words."""
    return ", ".join(_way(flow, source, target) for target in flow.table[source]) or "(nowhere)"


def _way(flow: Drawable, source: str, target: str) -> str:
    if target == FORK:
        fork = flow.forks[source]
        heads = ", ".join(map(_one_line, fork.heads))
        return f"{need(fork)} ({heads}), then {_one_line(fork.join)}"
    label = _label(flow, source, target)
    if not label or label == _OTHERWISE:
        return f"{_one_line(target)} {label}".rstrip()
    return f"{_one_line(target)} if {label}"


# --- what a picture says ----------------------------------------------------------------

_OTHERWISE = "otherwise"


def need(fork: Fork) -> str:
    """How many of the branches it takes, in words."""
    if fork.needs_all:
        return "all of"
    return "any of" if fork.need == 1 else f"{fork.need} of {len(fork.branches)}"


def _label(flow: Drawable, source: str, target: str) -> str:
    """The names of the predicates that lead there; a lambda has none."""
    branching = flow.branchings.get(source)
    if branching is None:
        return ""
    holds = (holds for holds, there in branching.cases if there == target)
    named = [getattr(one, "__name__", "<lambda>") for one in holds]
    if not named and target == branching.otherwise:
        return _OTHERWISE
    return " or ".join(_words(name) for name in named if name != "<lambda>")


def _words(name: str) -> str:
    return " ".join(name.split("_")).strip()


def _calls(flow: Drawable) -> dict[str, str]:
    """Step name to the names of the flows that it calls."""
    called = {name: read_moves(code.handler).children for name, code in flow.code.items()}
    return {name: _listed([child.name for child in children])
            for name, children in called.items() if children}  # fmt: skip


def _listed(names: Sequence[str]) -> str:
    return ", ".join(dict.fromkeys(names))


def _identifiers(flow: Drawable) -> dict[str, str]:
    # The prefix keeps clear of the words of both languages: ``end``, ``state``, ``node``.
    return {
        name: f"s_{name}" if re.fullmatch(r"[A-Za-z0-9_]+", name) else f"x{number}"
        for number, name in enumerate(flow.table)
    }


def _mermaid_text(name: str) -> str:
    safe = re.sub(r'["#;<>&`\\{}]', lambda match: f"#{ord(match[0])};", _one_line(name))
    return safe or " "


def _dot_text(name: str) -> str:
    escaped = _one_line(name).replace("\\", "\\\\").replace('"', '\\"')
    escaped = escaped.replace("&", "&amp;")  # DOT reads character entities
    return f'"{escaped}"'


def _one_line(name: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in name).split())
