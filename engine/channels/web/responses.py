"""What every answer to a browser has."""

from __future__ import annotations

from collections.abc import Mapping

import orjson
from starlette.responses import Response

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' blob: data: http: https:; media-src 'self' http: https:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
"""Pictures and films may come from elsewhere: a bot may send the address of one."""

HARMLESS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}

AGAIN = {"retry-after": "2"}


def json_of(
    status: int, body: Mapping[str, object], headers: Mapping[str, str] | None = None
) -> Response:
    """An answer to the page's script."""
    return Response(
        orjson.dumps(body),
        status_code=status,
        media_type="application/json",
        headers={**HARMLESS, **(headers or {})},
    )


def soon(words: str, *, seconds: int) -> Response:
    """An answer to a browser, which comes again by itself after so many seconds."""
    return Response(
        f"{words} This page loads again by itself.",
        status_code=503,
        media_type="text/plain",
        headers={**HARMLESS, "retry-after": str(seconds), "refresh": str(seconds)},
    )
