"""The place of a database is looked at before anything else."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.errors import SchemaMismatch, StorageDown
from storage.sql import migrate


def test_current_names_the_folder_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(StorageDown, match=r"the folder .*nowhere of the database bot\.db"):
        migrate.current(f"sqlite+aiosqlite:///{tmp_path / 'nowhere' / 'bot.db'}")


def test_current_refuses_a_folder_in_place_of_a_file(tmp_path: Path) -> None:
    with pytest.raises(SchemaMismatch, match="is a folder, not a database"):
        migrate.current(f"sqlite+aiosqlite:///{tmp_path}")
