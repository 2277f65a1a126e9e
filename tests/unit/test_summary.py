"""What ``handrail check`` says of a flow."""

from __future__ import annotations

from typing import Any

from flows import Action, FlowBuilder, Turn
from flows.definition.summary import summary
from tests.support import Names, One, Three


def test_a_plain_flow_is_its_steps() -> None:
    flow = FlowBuilder("one", One, Names).say(One.ONLY, "Hm.").build(initial=One.ONLY)
    assert summary(flow) == "one: version 1, starts at ONLY, steps: ONLY"


def test_forks_called_flows_and_migrations_are_said() -> None:
    inner = FlowBuilder("inner", One, Names).say(One.ONLY, "Hm.").build(initial=One.ONLY)

    async def calls(turn: Turn[Any, Any]) -> Action[Any]:
        await turn.call(inner)
        return turn.next()

    builder = FlowBuilder("outer", Three, Names, version=3).migrate(from_=2).migrate(from_=1)
    builder.step(Three.SECOND, calls).say(Three.THIRD, "Bye.")
    builder.parallel(from_=Three.FIRST, steps=[Three.SECOND], join=Three.THIRD)
    assert summary(builder.build(initial=Three.FIRST)) == (
        "outer: version 3, starts at FIRST, steps: FIRST, SECOND, THIRD; "
        "fork after FIRST: all of SECOND, then THIRD; calls inner; migrates from version 1, 2"
    )
