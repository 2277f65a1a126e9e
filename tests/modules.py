"""Modules that a test imports from a folder of its own, and that the next must not find."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def forgotten(folder: Path) -> Iterator[None]:
    """Forgets what is imported meanwhile from inside the folder."""
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if any(Path(place).absolute().is_relative_to(folder) for place in _places(name)):
            del sys.modules[name]


def _places(name: str) -> list[str]:
    """Where a module lies; a package without a file of its own has folders only."""
    module = sys.modules[name]
    file = getattr(module, "__file__", None)
    return [file] if file else list(getattr(module, "__path__", ()))
