"""Short runs on SQLite; ``make crash`` plays the same ones for longer."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.crash.scenarios import SQLITE, Scenario, play
from tests.crash.servers import CannotRun
from tests.crash.troubles import Size

pytestmark = pytest.mark.anyio


SHORT = [scenario for scenario in SQLITE if scenario.name != "sqlite-normal"]


@pytest.mark.parametrize("scenario", SHORT, ids=lambda scenario: scenario.name)
async def test_nothing_is_lost_and_nothing_is_done_twice(
    scenario: Scenario, tmp_path: Path
) -> None:
    try:
        verdict = await play(scenario, Size(updates=260, kills=2, seed=1), tmp_path)
    except CannotRun as reason:
        pytest.skip(str(reason))
    assert verdict.good, verdict
    assert verdict.turns == 260
    assert verdict.kills >= 2
