"""The Bot API over HTTP: one call, and what its failures mean.

    CallFailed
    ├── Refused          the service understood and said no (400, 403 and the like)
    ├── Busy             it asks to wait (429)
    ├── Conflict         somebody else takes the updates (409)
    ├── Unreachable      it was not reached, or is out of order (5xx, HTML): try again
    │   └── NoSuchApi    nothing of the kind at this URL, or a token of no bot (404)
    └── AnswerLost       the request went out and its answer did not come back

Only a revoked token (401) leaves as ``ChannelStopped``. No failure names the token, and none
is raised while an exception of the HTTP library, which holds the URL, is being handled.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx
import orjson

from engine.channels.telegram.redaction import guard_http_logs, redact
from flows.errors import ChannelStopped

PUBLIC_API = "https://api.telegram.org"

CALL_SECONDS = 10.0
"""How long an answer may take. Shorter than the margin of a lease, so that no send outlives it."""

_DEFAULT_WAIT = 5.0
_LONGEST_REASON = 300
_TOKEN = re.compile(r"(\d{1,19}):[A-Za-z0-9_-]+", re.ASCII)
_NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)


class CallFailed(Exception):
    """A call that brought no result. ``reason`` is for a log."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class Refused(CallFailed):
    """``migrate_to`` is the new id of a group that became a supergroup."""

    def __init__(self, code: int, description: str, migrate_to: int | None = None) -> None:
        self.code = code
        self.migrate_to = migrate_to
        super().__init__(description)


class Busy(CallFailed):
    """Nothing more is to be sent for ``seconds``."""

    def __init__(self, seconds: float, description: str) -> None:
        self.seconds = seconds
        super().__init__(description)


class Conflict(CallFailed):
    """Another poller, or a webhook."""


class Unreachable(CallFailed):
    """Nothing was done, as far as anybody can know."""


class NoSuchApi(Unreachable):
    """HTTP 404."""


class AnswerLost(CallFailed):
    """It may or may not have been done."""


def bot_id(token: str) -> str:
    """The bot's id, which a token begins with.

    Raises:
        ChannelStopped: it has not the form of a token.
    """
    match = _TOKEN.fullmatch(token)
    if match is None:
        raise ChannelStopped(
            "the Telegram token has not the form of one (digits, a colon, then letters, digits, "
            "'_' and '-'; surrounding blanks count). Copy it again from @BotFather."
        )
    return match[1]


class BotApi:
    """One bot's door to the Bot API.

    Args:
        api_url: base URL of the service, without ``/bot<token>``.
        client: an HTTP client to use; it stays the giver's, who closes it.

    Raises:
        ChannelStopped: the token or the URL has not the form of one.
    """

    def __init__(self, token: str, api_url: str, client: httpx.AsyncClient | None = None) -> None:
        self.bot_id = bot_id(token)
        self._base = _checked(api_url)
        self._token = token
        self._own = client is None
        self._http = client or httpx.AsyncClient(
            limits=httpx.Limits(max_connections=100, max_keepalive_connections=40)
        )
        guard_http_logs()

    def __repr__(self) -> str:
        return f"BotApi(bot {self.bot_id} at {self.where})"

    @property
    def where(self) -> str:
        """The service, for people to read."""
        parts = urlsplit(self._base)
        return f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else "")

    async def call(
        self, method: str, params: Mapping[str, Any], *, seconds: float = CALL_SECONDS
    ) -> object:
        """Calls a method and answers its result, as JSON gives it.

        Args:
            seconds: how long the answer may take.

        Raises:
            CallFailed: see the top of this module.
            ChannelStopped: the token is revoked.
        """
        answer = await self._post(method, params, seconds)
        if isinstance(answer, CallFailed):
            raise answer
        return _result(answer)

    async def close(self) -> None:
        """Closes the connections, where they are ours."""
        if self._own:
            await self._http.aclose()

    async def _post(
        self, method: str, params: Mapping[str, Any], seconds: float
    ) -> httpx.Response | CallFailed:
        # The failure is handed back rather than raised here, where the exception in flight
        # would become its context, and a traceback would show the URL.
        try:
            return await self._http.post(
                f"{self._base}/bot{self._token}/{method}",
                content=orjson.dumps(params),
                headers={"content-type": "application/json"},
                timeout=httpx.Timeout(5.0, read=seconds, write=CALL_SECONDS),
            )
        except _NOT_SENT as error:
            return Unreachable(_told(error))
        except httpx.HTTPError as error:
            return AnswerLost(_told(error))


def _checked(api_url: str) -> str:
    try:
        parts = urlsplit(api_url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, half a bracket
        usable = False
    if not usable:
        raise ChannelStopped(
            f"{redact(api_url)!r} is no base URL of a Bot API. It looks like {PUBLIC_API} or "
            "http://127.0.0.1:8081."
        )
    return api_url.rstrip("/")


def _told(error: Exception) -> str:
    return _shortened(f"{type(error).__name__}: {error}".rstrip(": "))


def _shortened(text: str) -> str:
    return redact(" ".join(text.split()))[:_LONGEST_REASON]


def _result(response: httpx.Response) -> object:
    code = response.status_code
    body = _read_json(response.content)
    if not isinstance(body, dict) or "ok" not in body:
        reason = f"HTTP {code} with something else than an answer of the Bot API"
        # Behind a 200 the call was probably done; a proxy's 403 says nothing about a chat.
        raise AnswerLost(reason) if code == httpx.codes.OK else Unreachable(reason)
    if body["ok"] is True and code == httpx.codes.OK:
        return body.get("result")
    description = body.get("description")
    told = description if isinstance(description, str) else "no description"
    raise _failure(code, _shortened(told), body.get("parameters"))


def _failure(code: int, description: str, parameters: object) -> CallFailed | ChannelStopped:
    known = parameters if isinstance(parameters, dict) else {}
    if code == httpx.codes.UNAUTHORIZED:
        return ChannelStopped(
            f"Telegram refuses the token ({description}): it was revoked or mistyped. "
            "Get the current one from @BotFather and set HANDRAIL_TELEGRAM_TOKEN."
        )
    if code == httpx.codes.NOT_FOUND:
        return NoSuchApi(f"HTTP 404: {description}")
    if code == httpx.codes.CONFLICT:
        return Conflict(description)
    if code == httpx.codes.TOO_MANY_REQUESTS:
        return Busy(_seconds(known.get("retry_after")), description)
    if not 400 <= code < 500:
        return Unreachable(f"HTTP {code}: {description}")
    migrate_to = known.get("migrate_to_chat_id")
    return Refused(code, description, migrate_to if type(migrate_to) is int else None)


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return _DEFAULT_WAIT
    return max(float(value), 0.0)


def _read_json(content: bytes) -> object:
    """The JSON value, read leniently: one odd update must not hide the other 99 of its page."""
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        pass  # lone surrogates, NaN and bad UTF-8, which the slower reader below takes
    try:
        return json.loads(
            content.decode("utf-8", "replace"), parse_int=_parse_int, parse_constant=_no_number
        )
    except (ValueError, RecursionError):
        return None


def _parse_int(digits: str) -> int | None:
    return int(digits) if len(digits) <= 20 else None


def _no_number(_name: str) -> None:
    return None
