"""Handrail's packages have common names; a user's file of the same name can hide them."""

from __future__ import annotations

import warnings
from importlib.machinery import PathFinder
from pathlib import Path

PACKAGES = ("flows", "engine", "storage")


def warn_of_hidden_packages() -> None:
    """Warns, naming the file, when something else stands where one of our packages should."""
    ours = Path(__file__).resolve().parent.parent
    for name in PACKAGES:
        # along sys.path, whatever is imported already: what is not yet is still in danger
        spec = PathFinder.find_spec(name)
        found = spec.origin if spec is not None else None
        if found is None or Path(found).resolve() == ours / name / "__init__.py":
            continue
        warnings.warn(
            f"{found} hides Handrail's package {name!r}. Rename that file: the names "
            f"{', '.join(PACKAGES[:-1])} and {PACKAGES[-1]} are reserved.",
            RuntimeWarning,
            stacklevel=3,
        )
