"""The command line as processes, whose bot is kept in a folder."""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
COMMAND = [sys.executable, "-u", "-m", "engine.cli"]


def environment(folder: Path, **more: str) -> dict[str, str]:
    """That of a process with its database in the folder, and no setting but these."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("HANDRAIL_")}
    url = f"sqlite+aiosqlite:///{folder / 'bot.db'}"
    ours = {"HANDRAIL_DATABASE_URL": url, "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    return inherited | ours | more
