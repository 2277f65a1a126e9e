"""Pictures of flows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from flows import END, Action, FlowBuilder, Turn
from flows.definition import graph
from flows.definition.forks import Branching, Fork
from flows.flow import StepCode
from tests.support import Names, One


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
    code: Mapping[str, StepCode[Any, Any, Any]] = field(default_factory=dict)
    forks: Mapping[str, Fork] = field(default_factory=dict)
    branchings: Mapping[str, Branching] = field(default_factory=dict)


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


# --- forks, conditional edges and called flows ------------------------------------------


class Kyc(Enum):
    START = auto()
    EMAIL = auto()
    EMAIL_OK = auto()
    PHONE = auto()
    REVIEW = auto()


address = FlowBuilder("address", One, Names).say(One.ONLY, "Hm.").build(initial=One.ONLY)


def is_known(data: Names) -> bool:
    """A predicate with a name."""
    return bool(data.first)


async def calls(turn: Turn[Any, Any]) -> Action[Any]:
    """A step that calls a flow."""
    await turn.call(address)
    return turn.next()


def kyc() -> graph.Drawable:
    """A flow with all that a picture can show."""
    builder = FlowBuilder("kyc", Kyc, Names).say(Kyc.EMAIL_OK, "Fine.").step(Kyc.PHONE, calls)
    builder.branch(Kyc.EMAIL, [(is_known, Kyc.REVIEW)], otherwise=Kyc.EMAIL_OK)
    builder.parallel(
        from_=Kyc.START, steps=[(Kyc.EMAIL, Kyc.EMAIL_OK), Kyc.PHONE], join=Kyc.REVIEW, need=1
    )
    builder.branch(Kyc.REVIEW, [(lambda data: data.count > 3, END)], otherwise=Kyc.START)
    return builder.build(initial=Kyc.START)


def test_mermaid_draws_a_fork_as_a_state_with_its_branches_side_by_side() -> None:
    assert graph.mermaid(kyc()) == (
        "stateDiagram-v2\n"
        '    state "START" as s_START\n'
        '    state "REVIEW" as s_REVIEW\n'
        '    state "any of" as fs_START {\n'
        '        state "EMAIL" as s_EMAIL\n'
        '        state "EMAIL_OK" as s_EMAIL_OK\n'
        "        [*] --> s_EMAIL\n"
        "        s_EMAIL --> [*] : is known\n"
        "        s_EMAIL --> s_EMAIL_OK : otherwise\n"
        "        s_EMAIL_OK --> [*]\n"
        "        --\n"
        '        state "PHONE" as s_PHONE\n'
        "        [*] --> s_PHONE\n"
        "        s_PHONE --> [*]\n"
        "    }\n"
        "    fs_START --> s_REVIEW\n"
        "    [*] --> s_START\n"
        "    s_START --> fs_START\n"
        "    s_REVIEW --> [*]\n"
        "    s_REVIEW --> s_START : otherwise\n"
        "    note right of s_PHONE : calls address\n"
    )


def test_dot_draws_a_fork_as_a_box_around_its_branches() -> None:
    drawn = graph.dot(kyc())
    for line in (
        "subgraph cluster_s_START {",
        'label="any of"; style="rounded,dashed";',
        "s_EMAIL; s_EMAIL_OK; s_PHONE;",
        's_PHONE [label="PHONE (calls address)"];',
        "s_START -> s_EMAIL;",
        "s_START -> s_PHONE;",
        's_EMAIL -> s_REVIEW [label="is known"];',
        "s_EMAIL_OK -> s_REVIEW;",
    ):
        assert f"    {line}\n" in drawn


def test_text_says_where_a_fork_and_its_branches_lead() -> None:
    assert graph.text(kyc()) == (
        "kyc, version 1\n"
        "\n"
        "  * START       -> any of (EMAIL, PHONE), then REVIEW\n"
        "    | EMAIL     -> (done) if is known, EMAIL_OK otherwise\n"
        "    | EMAIL_OK  -> (done)\n"
        "    | PHONE     -> (done)  (calls address)\n"
        "    REVIEW      -> completed, START otherwise\n"
        "\n"
        "  * the flow starts here\n"
        "  | a step in a branch\n"
    )
