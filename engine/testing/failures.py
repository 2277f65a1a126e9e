"""What the engine reports as an error while somebody looks."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from flows.errors import TransitionLoop

_ENGINE = Path(__file__).resolve().parents[1]
_OURS = (_ENGINE, _ENGINE.parent / "flows")


@dataclass(frozen=True, slots=True)
class Failure:
    """Something went wrong.

    Attributes:
        name: the same for every failure of this cause, whatever was said before it.
        what: what happened, in words.
        loop: it is an automatic loop of steps.
    """

    name: str
    what: str
    loop: bool = False


def failure_of(error: BaseException) -> Failure:
    """The failure that an exception stands for."""
    place = _place(error)
    notes = "".join(f" ({note})" for note in getattr(error, "__notes__", ()))
    kind = type(error).__name__
    return Failure(
        f"{kind} at {place}{notes}",
        f"{kind}: {error}{notes}{f', {place}' if place else ''}",
        isinstance(error, TransitionLoop),
    )


@contextmanager
def watched_failures() -> Iterator[list[Failure]]:
    """Collects what is logged as an error, or worse, by the engine; nothing of it is shown."""
    log, found = logging.getLogger("handrail"), list[Failure]()
    handler = _Collector(found)
    level, propagate = log.level, log.propagate
    log.addHandler(handler)
    log.setLevel(logging.ERROR)
    log.propagate = False
    try:
        yield found
    finally:
        log.removeHandler(handler)
        log.setLevel(level)
        log.propagate = propagate


class _Collector(logging.Handler):
    def __init__(self, found: list[Failure]) -> None:
        super().__init__(logging.ERROR)
        self._found = found

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            self._found.append(failure_of(error))
        else:
            self._found.append(Failure(str(record.msg), record.getMessage()))


def _place(error: BaseException) -> str:
    """The last line of the bot's own code that the error came through."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if not _is_ours(Path(frame.filename))]
    return f"line {own[-1].lineno} of {Path(own[-1].filename).name}" if own else ""


def _is_ours(file: Path) -> bool:
    return any(file.is_relative_to(folder) for folder in _OURS)
