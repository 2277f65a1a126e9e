"""How stored instances of an older version become ones of the next."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

ChangeData = Callable[[dict[str, Any]], dict[str, Any]]
"""Takes the data of an instance in its JSON form, and answers that of the next version."""


@dataclass(frozen=True, slots=True, eq=False)
class Migration:
    """From one version of a flow to the next.

    Attributes:
        from_: the version that it starts from; it leads to the one after.
        renamed: names of steps in the old version to their names in the new.
        data: changes the data; None: it stays as it is.
    """

    from_: int
    renamed: Mapping[str, str] = field(default_factory=dict)
    data: ChangeData | None = None
