"""One target under libFuzzer: ``python -m tests.fuzz.guided TARGET FOLDER... -option=...``.

Without options it tries what the folders and files hold, and goes on until it is stopped.
"""

from __future__ import annotations

import logging
import sys

import atheris

with atheris.instrument_imports(include=["engine", "flows", "tests.fuzz"]):
    from tests.fuzz.targets import TARGETS


def main(arguments: list[str]) -> None:
    """Ends the process: with 0 when the time is up, with another code when something is found."""
    name, *rest = arguments
    logging.getLogger("handrail").propagate = False  # its words go to the targets alone
    atheris.Setup([name, *rest], TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
