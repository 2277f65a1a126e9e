"""Short runs on servers that several workers share; ``make crash`` plays them for longer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.crash.scenarios import SCENARIOS, Scenario, play
from tests.crash.servers import CannotRun
from tests.crash.troubles import Size

pytestmark = pytest.mark.anyio

SHORT = ("postgres", "redis")


@pytest.mark.parametrize(
    "scenario",
    [scenario for scenario in SCENARIOS if scenario.name in SHORT],
    ids=lambda scenario: scenario.name,
)
async def test_nothing_is_lost_and_nothing_is_done_twice(
    scenario: Scenario, tmp_path: Path
) -> None:
    try:
        verdict = await play(
            replace(scenario, workers=2), Size(updates=260, kills=1, seed=1), tmp_path
        )
    except CannotRun as reason:
        pytest.skip(str(reason))
    assert verdict.good, verdict
    assert verdict.turns == 260
    assert verdict.kills + verdict.faults >= 1
