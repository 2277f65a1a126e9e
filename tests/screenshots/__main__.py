"""The command: makes all pictures, or those that are named."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated

import typer
from rich.console import Console

from tests.screenshots import console, diagrams, pages

PICTURES: Mapping[str, Callable[[], None]] = {
    "diagrams": diagrams.take,
    "console": console.take,
    "pages": pages.take,
}


def main(
    only: Annotated[
        list[str] | None, typer.Argument(help=f"What to make, of {', '.join(PICTURES)}; else all.")
    ] = None,
) -> None:
    """Makes the pictures under docs/images/ anew."""
    names = only or list(PICTURES)
    if unknown := [name for name in names if name not in PICTURES]:
        raise typer.BadParameter(f"there is no {unknown[0]}: there are {', '.join(PICTURES)}")
    screen = Console()
    for name in names:
        with screen.status(f"making {name}"):
            PICTURES[name]()
        screen.print(f"made {name}")


typer.run(main)
