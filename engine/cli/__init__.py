"""The command ``handrail``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NoReturn

from engine.cli.output import complain, forgive_encodings
from flows.errors import HandrailError


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Runs the command line and exits: 0 done, 1 failed, 2 wrongly called.

    Errors are sentences on stderr; ``--debug``, anywhere on the line, shows the traceback.
    """
    from engine.cli.commands import app

    forgive_encodings()
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    try:
        app([word for word in given if word != "--debug"], prog_name="handrail")
    except HandrailError as error:
        if debug:
            raise
        complain(str(error))
    except Exception as error:
        if debug:
            raise
        complain(f"{type(error).__name__}: {error}. Run it again with --debug to see where.")
    sys.exit(1)
