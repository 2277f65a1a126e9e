"""Pictures of flows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from flows import graph


class Step(Enum):
    NAME = 1
    PLAN = 2
    end = 3


Odd = Enum("Odd", [('say "hi"; <b>', 1), ("a\nb", 2), ("s_0", 3)])


@dataclass(frozen=True)
class Drawn:
    name: str
    version: int
    initial: Enum
    table: Mapping[str, tuple[str, ...]]


BRANCHED = Drawn(
    "signup", 2, Step.NAME, {"NAME": ("PLAN",), "PLAN": ("NAME", "end"), "end": ("completed",)}
)
ODD = Drawn(
    'f "x"\n\\',
    1,
    Odd["a\nb"],
    {'say "hi"; <b>': ("completed",), "a\nb": ('say "hi"; <b>', "s_0"), "s_0": ()},
)


def test_mermaid_draws_start_edges_and_end() -> None:
    assert graph.mermaid(BRANCHED) == (
        "stateDiagram-v2\n"
        '    state "NAME" as s_NAME\n'
        '    state "PLAN" as s_PLAN\n'
        '    state "end" as s_end\n'
        "    [*] --> s_NAME\n"
        "    s_NAME --> s_PLAN\n"
        "    s_PLAN --> s_NAME\n"
        "    s_PLAN --> s_end\n"
        "    s_end --> [*]\n"
    )


def test_dot_draws_start_edges_and_end() -> None:
    drawn = graph.dot(BRANCHED)
    assert drawn.startswith('digraph "signup" {\n')
    assert drawn.endswith("}\n")
    for edge in ("start -> s_NAME;", "s_PLAN -> s_end;", "s_end -> end;"):
        assert f"    {edge}\n" in drawn


def test_text_lists_every_step_with_its_targets_and_marks_the_first() -> None:
    assert graph.text(BRANCHED) == (
        "signup, version 2\n"
        "\n"
        "  * NAME  -> PLAN\n"
        "    PLAN  -> NAME, end\n"
        "    end   -> completed\n"
        "\n"
        "  * the flow starts here\n"
    )


def test_mermaid_escapes_odd_names_and_keeps_them_apart() -> None:
    drawn = graph.mermaid(ODD)
    assert 'state "say #34;hi#34;#59; #60;b#62;" as x0' in drawn
    assert 'state "a b" as x1' in drawn
    assert 'state "s_0" as s_s_0' in drawn
    assert "    x1 --> x0\n    x1 --> s_s_0\n" in drawn


def test_dot_escapes_odd_names() -> None:
    drawn = graph.dot(ODD)
    assert drawn.startswith('digraph "f \\"x\\" \\\\" {\n')
    assert 'x0 [label="say \\"hi\\"; <b>"];' in drawn


def test_a_step_without_targets_is_listed_as_going_nowhere() -> None:
    assert re.search(r"^    s_0 +-> \(nowhere\)$", graph.text(ODD), re.MULTILINE)
