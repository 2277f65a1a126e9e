"""What would become of a stored instance under other code."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pydantic import BaseModel

from engine.operate.dry_run import judge
from flows import Action, Flow, FlowBuilder, Turn
from flows.definition.migrations import Migration
from flows.turns.instance import Branch, OpenFork
from tests.stored import at_step, visit_of
from tests.support import Names, Three


async def asking(turn: Turn[Three, Any]) -> Action[Three]:
    await turn.ask("?")
    return turn.next()


class Aged(BaseModel):
    name: str
    age: int = 0


def flow_of(
    *, name: str = "one", data: type[BaseModel] = Names, version: int = 1, **more: Any
) -> Flow[Any, Any]:
    """A flow of three questions, with migrations put in by hand."""
    builder = FlowBuilder(name, Three, data, version=version)
    for step in Three:
        builder.step(step, asking)
    return replace(builder.build(initial=Three.FIRST), **more)


def registered(*flows: Flow[Any, Any]) -> dict[str, Flow[Any, Any]]:
    return {flow.name: flow for flow in flows}


def test_an_instance_that_fits_goes_on() -> None:
    verdict = judge(at_step("SECOND", first="Ada"), registered(flow_of()))
    assert (verdict.flow, verdict.step, verdict.fault) == ("one", "SECOND", None)
    assert not verdict.migrates


@pytest.mark.parametrize(
    ("instance", "reason"),
    [
        (at_step("GONE"), "it is at step GONE, which version 1 does not have"),
        (at_step("FIRST", version=2), "it is of version 2, the code of version 1"),
        (at_step("FIRST", count="x"), "its data does not validate: field 'count'"),
        (at_step("FIRST", flow="two"), "no flow 'two' is registered"),
    ],
)
def test_one_that_does_not_fit_would_be_set_aside(instance: Any, reason: str) -> None:
    verdict = judge(instance, registered(flow_of()))
    assert verdict.fault is not None
    assert verdict.fault.startswith(reason)


MIGRATIONS = {
    1: Migration(1, renamed={"ASK_NAME": "NAME"}, data=lambda data: {"name": data["nick"]}),
    2: Migration(2, renamed={"NAME": "SECOND"}),
}


def test_migrations_are_chained_and_change_nothing() -> None:
    instance = at_step("ASK_NAME", nick="Ada")
    flow = flow_of(data=Aged, version=3, migrations=MIGRATIONS)
    verdict = judge(instance, registered(flow))
    assert (verdict.versions, verdict.fault, verdict.migrates) == ((1, 2, 3), None, True)
    assert (instance.version, instance.step, instance.data) == (1, "ASK_NAME", {"nick": "Ada"})


def test_only_the_migrations_from_its_version_on_are_run() -> None:
    flow = flow_of(data=Aged, version=3, migrations=MIGRATIONS)
    verdict = judge(at_step("NAME", version=2, name="Ada"), registered(flow))
    assert (verdict.versions, verdict.fault) == ((2, 3), None)


def test_without_a_migration_an_older_version_is_tried_as_it_is() -> None:
    verdict = judge(at_step("SECOND"), registered(flow_of(version=4)))
    assert (verdict.fault, verdict.migrates) == (None, False)


def test_a_migration_that_fails_is_the_fault() -> None:
    flow = flow_of(data=Aged, version=3, migrations=MIGRATIONS)
    verdict = judge(at_step("ASK_NAME", name="Ada"), registered(flow))
    assert verdict.fault == "the migration from version 1 failed: KeyError: 'nick'"
    assert not verdict.migrates


def test_the_run_of_a_called_flow_counts() -> None:
    instance = at_step("SECOND")
    visit_of(instance).child = at_step("GONE", flow="child")
    verdict = judge(instance, registered(flow_of(), flow_of(name="child")))
    assert verdict.fault is not None
    assert verdict.fault.startswith("the flow 'child' that it called: it is at step GONE")


def test_a_fork_that_the_code_does_not_have_would_be_set_aside() -> None:
    instance = at_step("FIRST")
    branch = Branch(head="SECOND", visit=visit_of(at_step("SECOND")))
    instance.visit, instance.fork = None, OpenFork(after="FIRST", number=2, branches=[branch])
    verdict = judge(instance, registered(flow_of()))
    assert verdict.fault is not None
    assert verdict.fault.startswith("it is in the fork after step FIRST")
