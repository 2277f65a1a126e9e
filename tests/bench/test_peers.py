"""The wizards of the others say what ours says. How fast they are, no test asks."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.bench.peers import wizard
from tests.bench.peers.everybody import PEERS
from tests.bench.peers.wizard import measure

pytestmark = pytest.mark.anyio

NEEDS = {"python-telegram-bot": "telegram", "LangGraph": "langgraph", "Burr": "burr"}


@pytest.mark.parametrize("name", PEERS)
async def test_everybody_answers_as_expected(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = NEEDS.get(name.partition(",")[0])
    if library is not None and find_spec(library) is None:
        pytest.skip(f"{library} is installed for `make bench-peers` only")
    monkeypatch.setattr(wizard, "WARM_UP", 0.05)
    result = await measure(PEERS[name][1](), tmp_path, people=3, seconds=0.1)
    assert result.many.turns > 0
    assert result.alone.turns > 0
