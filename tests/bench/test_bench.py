"""The benchmark measures what it says. How fast that is, no test asks."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from flows.errors import ChannelStopped
from tests.bench import measure as measuring
from tests.bench import pairs, scenarios, trouble
from tests.bench.baseline import updates_per_second
from tests.bench.findings import Finding
from tests.bench.measure import measure
from tests.bench.people import Crowd, Paced, Writer
from tests.bench.scenarios import Effort

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "WARM_UP", 0.02)
    monkeypatch.setattr(pairs, "LOOP_SECONDS", 0.01)
    monkeypatch.setattr(scenarios, "LOOP_SECONDS", 0.01)
    monkeypatch.setattr(trouble, "MEGABYTES", 2)


@pytest.mark.parametrize(
    "name",
    [
        "memory",
        "sqlite",
        "alone",
        "commits",
        "commits-full",
        "stored",
        "flows",
        "idle",
        "fairness",
        "inspector",
        "inspector-idle",
        "isolation-sleep",
        "isolation-raise",
        "isolation-memory",
    ],
)
async def test_every_scenario_finds_something(name: str, tmp_path: Path) -> None:
    effort = Effort(seconds=0.1, pairs=1, stored=2_000, passers=300, folder=tmp_path)
    (found,) = await scenarios.SCENARIOS[name](effort)
    assert not found.missing
    if name != "idle":
        assert found.value > 0
        assert all(value > 0 for value in found.details.values())


async def test_a_wrong_answer_fails_the_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.bench.people.EXCHANGES", (("sign me up", "Who are you?"),))
    with pytest.raises(RuntimeError, match=r"\d of them wrong: \[\"What's your name\?\""):
        await measure("memory://", 1, seconds=0.05)


async def test_a_bot_that_ends_by_itself_fails_the_measurement(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def broken(self: Crowd, intake: object) -> None:
        raise ChannelStopped("no network")

    monkeypatch.setattr(Crowd, "receive", broken)
    with pytest.raises(RuntimeError, match="the bot ended by itself"):
        await measure("memory://", 1, seconds=0.05)


@pytest.mark.parametrize("gone", [False, True])
async def test_people_who_were_measured_write_no_more(
    gone: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[Writer] = []
    crowd = Paced(1, pace=0.001, flooded=False)
    monkeypatch.setattr(crowd, "write", written.append)
    await crowd.begin()
    if gone:
        await crowd.close()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert len(written) == (0 if gone else 1)
    await crowd.close()


def test_the_plain_loop_commits_every_update(tmp_path: Path) -> None:
    assert updates_per_second(tmp_path, seconds=0.01) > 0
    assert (tmp_path / "baseline.db").exists()


@pytest.mark.parametrize(
    ("value", "better", "verdict"),
    [(2.0, "more", "met"), (0.5, "more", "missed"), (0.5, "less", "met"), (2.0, "less", "missed")],
)
def test_a_verdict_goes_by_the_aim(value: float, better: str, verdict: str) -> None:
    finding = Finding(what="x", value=value, aim=1.0, better=better)  # type: ignore[arg-type]  # one of the two
    assert finding.verdict == verdict
