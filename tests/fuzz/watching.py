"""What is logged meanwhile is looked at, too."""

from __future__ import annotations

import logging
from types import TracebackType
from typing import Self

from tests.fuzz.samples import MARK


class Watch(logging.Handler):
    """Fails a block in which somebody's words were logged, or an error, which is a bug of ours
    that was caught.

    Args:
        errors: whether errors are to be expected.
    """

    def __init__(self, *, errors: bool = False) -> None:
        super().__init__()
        self._expected = errors
        self._records: list[logging.LogRecord] = []
        self._log = logging.getLogger("handrail")

    def emit(self, record: logging.LogRecord) -> None:
        self._records.append(record)

    def __enter__(self) -> Self:
        self._log.addHandler(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self._log.removeHandler(self)
        for record in self._records if error is None else ():
            said = record.getMessage()
            assert MARK not in said, said
            if record.levelno >= logging.ERROR and not self._expected:
                raise AssertionError(said) from (record.exc_info or (None, None))[1]
