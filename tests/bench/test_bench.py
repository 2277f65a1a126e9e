"""The benchmark measures what it says. How fast that is, no test asks."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench import measure as measuring
from tests.bench.baseline import updates_per_second
from tests.bench.measure import measure
from tests.bench.people import Crowd

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "WARM_UP", 0.02)


@pytest.mark.parametrize("storage", ["memory", "sqlite"])
async def test_everybody_is_answered_as_expected(storage: str, tmp_path: Path) -> None:
    measured = await measure(storage, 3, seconds=0.1, folder=tmp_path)
    assert measured.turns > 0
    assert 0 < measured.p50 <= measured.p99
    assert (tmp_path / "bench-3.db").exists() == (storage == "sqlite")


async def test_a_wrong_answer_fails_the_measurement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.bench.people.EXCHANGES", (("sign me up", "Who are you?"),))
    with pytest.raises(RuntimeError, match=r"\d of them wrong: \[\"What's your name\?\""):
        await measure("memory", 1, seconds=0.05, folder=tmp_path)


async def test_a_bot_that_ends_by_itself_fails_the_measurement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(self: Crowd, intake: object) -> None:
        raise OSError("no network")

    monkeypatch.setattr(Crowd, "receive", broken)
    with pytest.raises(RuntimeError, match="the bot ended by itself"):
        await measure("memory", 1, seconds=0.05, folder=tmp_path)


def test_the_plain_loop_commits_every_update(tmp_path: Path) -> None:
    assert updates_per_second(tmp_path, seconds=0.01) > 0
    assert (tmp_path / "baseline.db").exists()
