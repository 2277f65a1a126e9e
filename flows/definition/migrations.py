"""How stored instances of an older version become ones of the next."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flows.errors import DefinitionError

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


def check_migrations(
    flow: str, version: int, steps: Container[str], migrations: Mapping[int, Migration]
) -> None:
    """Refuses migrations that lead nowhere.

    Args:
        steps: the names that the steps have in this version.
        migrations: by the version that each starts from.

    Raises:
        DefinitionError: one starts from this version or a later one, or a name that it gives is
            neither a step's nor renamed again by a later migration.
    """
    ordered = sorted(migrations.values(), key=lambda migration: migration.from_)
    for place, migration in enumerate(ordered):
        if migration.from_ >= version:
            raise DefinitionError(
                f"it migrates from version {migration.from_}, and is of version {version} itself. "
                f"Raise it: version={migration.from_ + 1}.",
                flow=flow,
            )
        for old, new in migration.renamed.items():
            last = _renamed(new, ordered[place + 1 :])
            if last not in steps:
                raise DefinitionError(
                    f"its migration from version {migration.from_} renames {old} to {last}, which "
                    "is no step of this version. Name one that is, or rename it in a later "
                    "migration.",
                    flow=flow,
                )


def _renamed(name: str, migrations: Iterable[Migration]) -> str:
    for migration in migrations:
        name = migration.renamed.get(name, name)
    return name
