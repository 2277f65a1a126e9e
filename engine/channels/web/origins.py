"""Which pages may speak for a person."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.requests import HTTPConnection


class Origins:
    """The addresses whose pages are ours.

    Args:
        others: those besides the one that is asked, such as ``https://www.example.org``, where a
            proxy does not hand on the host.
    """

    def __init__(self, others: frozenset[str]) -> None:
        self._others = others

    def own(self, connection: HTTPConnection) -> bool:
        """Whether it comes from a page of this very address: another site may not speak for the
        person. What is no browser sends no origin, and has no cookie that is not its own.
        """
        origin = connection.headers.get("origin")
        if origin is None or origin in self._others:
            return True
        return urlsplit(origin).netloc == connection.headers.get("host")
