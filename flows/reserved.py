"""Handrail's packages have common names; a user's file of the same name can hide them."""

from __future__ import annotations

import warnings
from importlib.util import find_spec
from pathlib import Path

PACKAGES = ("flows", "engine", "storage")


def warn_of_hidden_packages() -> None:
    """Warns, naming the file, when something else stands where one of our packages should."""
    ours = Path(__file__).parent.parent
    for name in PACKAGES:
        spec = find_spec(name)
        found = spec.origin if spec is not None else None
        if found is None or Path(found) == ours / name / "__init__.py":
            continue
        warnings.warn(
            f"{found} hides Handrail's package {name!r}. Rename that file: the names "
            f"{', '.join(PACKAGES)} are reserved.",
            RuntimeWarning,
            stacklevel=3,
        )
