"""What a migration does to a stored instance, in all its parts."""

from __future__ import annotations

from enum import Enum, auto
from typing import Any

import pytest

from engine.state.migrating import CannotMigrate, migrated, misfit, versions
from flows import Flow, FlowBuilder, Text
from flows.turns.instance import Branch, FlowInstance, OpenFork, Past, Status
from flows.turns.visit import OnceResult, Visit
from tests.support import Names


class Step(Enum):
    """START is OPEN, LEFT is LINKS, JOIN is END of version 2."""

    OPEN = auto()
    LINKS = auto()
    RIGHT = auto()
    JOIN = auto()


def flow(**migration: Any) -> Flow[Step, Names]:
    builder = FlowBuilder("flow", Step, Names, version=2)
    builder.ask(Step.LINKS, "Links?", Text(), into="first")
    builder.ask(Step.RIGHT, "Right?", Text(), into="second")
    builder.ask(Step.JOIN, "Join?", Text(), into="third")
    builder.parallel(from_=Step.OPEN, steps=[Step.LINKS, Step.RIGHT], join=Step.JOIN)
    builder.migrate(from_=1, **migration)
    return builder.build(initial=Step.OPEN)


def instance(**more: Any) -> FlowInstance:
    made: dict[str, Any] = {"visit": Visit(1, "RIGHT"), "data": {"first": "a"}, **more}
    return FlowInstance(
        id="1-0", flow="flow", version=1, secret="s", started=0, status=Status.ACTIVE, **made
    )


def forked(**more: Any) -> OpenFork:
    branches = [Branch(Visit(2, "LEFT"), head="LEFT"), Branch(Visit(3, "RIGHT"), head="RIGHT")]
    return OpenFork("START", 1, branches, **more)


RENAMED = {"START": Step.OPEN, "LEFT": Step.LINKS}


def after(one: FlowInstance, **migration: Any) -> FlowInstance:
    return migrated(one, {"flow": flow(**(migration or {"renamed": RENAMED}))})


def test_an_open_fork_is_renamed_with_its_branches_and_its_focus() -> None:
    fork = after(instance(visit=None, fork=forked(focus="LEFT"))).fork
    assert fork is not None
    assert (fork.after, fork.focus) == ("OPEN", "LINKS")
    assert [branch.head for branch in fork.branches] == ["LINKS", "RIGHT"]
    assert [branch.visit and branch.visit.step for branch in fork.branches] == ["LINKS", "RIGHT"]


def test_a_shelved_fork_is_found_by_its_new_name() -> None:
    one = after(instance(shelved={"START": forked()}))
    assert list(one.shelved) == ["OPEN"]
    assert [branch.head for branch in one.shelved["OPEN"].branches] == ["LINKS", "RIGHT"]


def test_the_history_is_renamed_with_the_forks_in_it() -> None:
    past = [Past("LEFT", True, {}), Past("START", True, {}, forked())]
    one = after(instance(history=past))
    assert [past.step for past in one.history] == ["LINKS", "OPEN"]
    assert one.history[1].fork is not None
    assert one.history[1].fork.after == "OPEN"


def test_the_step_that_a_detour_returns_to_is_renamed() -> None:
    one = after(instance(visit=Visit(2, "RIGHT", origin="LEFT")))
    assert one.visit is not None
    assert one.visit.origin == "LINKS"


def test_results_of_a_failed_turn_stay_with_their_visit() -> None:
    one = after(instance(spare={"4.LEFT": {"pay": OnceResult(0, "paid")}}))
    assert list(one.spare) == ["4.LINKS"]


def test_names_may_change_places() -> None:
    one = instance(visit=Visit(1, "LINKS"), history=[Past("RIGHT", True, {})])
    changed = after(one, renamed={"LINKS": Step.RIGHT, "RIGHT": Step.LINKS})
    assert changed.step == "RIGHT"
    assert changed.history[0].step == "LINKS"


def test_what_a_branch_has_written_changes_with_the_data() -> None:
    def upper(data: dict[str, Any]) -> dict[str, Any]:
        return {"third" if name == "old" else name: value.upper() for name, value in data.items()}

    fork = forked(before={"old": ""})
    fork.branches[0].changed = {"first": "b", "old": "c"}
    one = instance(visit=None, fork=fork, data={"first": "b", "second": "x", "old": "c"})
    changed = after(one, renamed=RENAMED, data=upper)
    assert changed.data == {"first": "B", "second": "X", "third": "C"}
    assert changed.fork is not None
    assert changed.fork.branches[0].changed["first"] == "B"
    assert "old" not in changed.fork.branches[0].changed
    assert changed.fork.before == {}


def test_an_instance_is_as_it_was_where_its_migration_fails() -> None:
    def broken(data: dict[str, Any]) -> dict[str, Any]:
        data.clear()
        raise RuntimeError("no")

    one = instance(visit=Visit(1, "LEFT"))
    with pytest.raises(CannotMigrate, match="from version 1 failed: RuntimeError: no"):
        after(one, renamed=RENAMED, data=broken)
    assert (one.step, one.version, one.data) == ("LEFT", 1, {"first": "a"})


def test_a_data_function_has_to_answer_the_data() -> None:
    def forgetful(data: dict[str, Any]) -> Any:
        data["second"] = "b"

    with pytest.raises(CannotMigrate, match="from version 1 answered None, not the data"):
        after(instance(), data=forgetful)


def test_what_is_of_the_version_of_now_is_left_alone() -> None:
    one = instance()
    one.version = 2
    assert after(one) is one
    assert versions(one, {"flow": flow(renamed=RENAMED)}) == ()


def test_without_the_migration_the_reason_names_the_step() -> None:
    one = instance(visit=Visit(1, "LEFT"))
    flows = {"flow": flow(renamed={"OTHER": Step.LINKS})}
    assert misfit(migrated(one, flows), flows) == (
        "it is at step LEFT, which version 2 does not have"
    )
