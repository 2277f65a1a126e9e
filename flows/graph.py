"""Pictures of a flow: Mermaid, Graphviz's DOT, and text for a terminal.

They are exact for all declared moves; jumps with ``goto``, ``back`` and ``cancel`` may happen
anywhere and are in none of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from typing import Protocol

_COMPLETED = "completed"
"""What a transition table calls the end of the flow."""


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


def mermaid(flow: Drawable) -> str:
    """A Mermaid state diagram, as GitHub and many wikis show it."""
    names = _identifiers(flow)
    lines = ["stateDiagram-v2"]
    lines += [f'    state "{_mermaid_text(name)}" as {names[name]}' for name in flow.table]
    lines.append(f"    [*] --> {names[flow.initial.name]}")
    for source, target in _edges(flow):
        end = "[*]" if target == _COMPLETED else names[target]
        lines.append(f"    {names[source]} --> {end}")
    return "\n".join(lines) + "\n"


def dot(flow: Drawable) -> str:
    """A directed graph for Graphviz."""
    names = _identifiers(flow)
    lines = [
        f"digraph {_dot_text(flow.name)} {{",
        "    rankdir=LR;",
        '    node [shape=box, style=rounded, fontname="sans-serif"];',
        '    start [shape=point, label=""];',
    ]
    if any(target == _COMPLETED for _, target in _edges(flow)):
        lines.append('    end [shape=doublecircle, label="", width=0.2];')
    lines += [f"    {names[name]} [label={_dot_text(name)}];" for name in flow.table]
    lines.append(f"    start -> {names[flow.initial.name]};")
    for source, target in _edges(flow):
        lines.append(f"    {names[source]} -> {'end' if target == _COMPLETED else names[target]};")
    lines.append("}")
    return "\n".join(lines) + "\n"


def text(flow: Drawable) -> str:
    """A list of the steps and where each may go, in ASCII as far as the names are."""
    labels = {name: _one_line(name) for name in flow.table}
    width = max(len(label) for label in labels.values())
    lines = [f"{_one_line(flow.name)}, version {flow.version}", ""]
    for name, targets in flow.table.items():
        mark = "*" if name == flow.initial.name else " "
        there = ", ".join(labels.get(target, target) for target in targets) or "(nowhere)"
        lines.append(f"  {mark} {labels[name]:<{width}}  -> {there}")
    lines += ["", "  * the flow starts here"]
    return "\n".join(lines) + "\n"


def _edges(flow: Drawable) -> list[tuple[str, str]]:
    return [(source, target) for source, targets in flow.table.items() for target in targets]


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
