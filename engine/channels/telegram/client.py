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

import asyncio
import json
import math
import re
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import ExitStack
from typing import Any
from urllib.parse import quote

import httpx
import orjson

from engine.channels.telegram.addresses import is_address, place_of
from engine.channels.telegram.redaction import guard_http_logs, redact
from engine.channels.telegram.uploads import Body, Progress, multipart, opened
from flows.errors import ChannelStopped
from flows.messages.input_file import InputFile

PUBLIC_API = "https://api.telegram.org"

CALL_SECONDS = 10.0
"""How long an answer may take, unless it is said."""

_CONNECT_SECONDS = 5.0
_UPLOAD_SECONDS = 60.0
_LOOK_SECONDS = 2.0
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
    """Nothing more is to be sent for ``seconds``; None: it was not said how long."""

    def __init__(self, seconds: float | None, description: str) -> None:
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
        return place_of(self._base)

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

    async def fetch(self, path: str) -> AsyncGenerator[bytes, None]:
        """The bytes of a file, piece by piece, as the service sends them: nothing is unpacked.

        Args:
            path: what ``getFile`` has answered.

        Raises:
            CallFailed: see the top of this module.
            ChannelStopped: the token is revoked.
        """
        failure: CallFailed | ChannelStopped | None = None
        try:
            async with self._http.stream(
                "GET",
                f"{self._base}/file/bot{self._token}/{quote(path)}",
                headers={"accept-encoding": "identity"},
                timeout=httpx.Timeout(_CONNECT_SECONDS, read=CALL_SECONDS),
                follow_redirects=False,
            ) as response:
                if response.status_code == httpx.codes.OK:
                    async for piece in response.aiter_raw():
                        yield piece
                else:
                    failure = _failure(response.status_code, "no such file, or not any more", None)
        except httpx.HTTPError as error:
            failure = Unreachable(_told(error))
        # as with ``_post``: not while an exception is in flight that holds the URL
        if failure is not None:
            raise failure

    async def upload(
        self,
        method: str,
        params: Mapping[str, Any],
        files: Mapping[str, InputFile],
        *,
        go_on: Callable[[], bool] | None = None,
        progress: Progress | None = None,
    ) -> object:
        """Calls a method with files, and answers its result.

        Args:
            go_on: is asked before each piece, and while the answer takes its time, whether to go
                on.
            progress: is told how far it is.

        Raises:
            SendRefused: a file cannot be read, or is too large.
            SendLater: it was not to go on; nothing was done.
            CallFailed: see the top of this module.
            ChannelStopped: the token is revoked.
        """
        with ExitStack() as stack:
            ready = opened(
                files, stack, photo=method == "sendPhoto", limited=self._base == PUBLIC_API
            )
            request, body = multipart(
                self._http, self._url(method), params, ready,
                go_on=go_on,
                progress=progress,
                timeout=httpx.Timeout(_CONNECT_SECONDS, read=_UPLOAD_SECONDS),
            )  # fmt: skip
            answer = await self._send(request, body, go_on)
        if isinstance(answer, CallFailed):
            raise answer
        return _result(answer)

    async def close(self) -> None:
        """Closes the connections, where they are ours."""
        if self._own:
            await self._http.aclose()

    def _url(self, method: str) -> str:
        return f"{self._base}/bot{self._token}/{method}"

    async def _send(
        self, request: httpx.Request, body: Body, go_on: Callable[[], bool] | None
    ) -> httpx.Response | CallFailed:
        sending = asyncio.ensure_future(self._http.send(request))
        try:
            # Telegram may look at a large file for longer than a message usually takes
            while not (await asyncio.wait({sending}, timeout=_LOOK_SECONDS))[0]:
                if body.complete and go_on is not None and not go_on():
                    return AnswerLost("the chat went to another worker before there was an answer")
            return sending.result()
        except httpx.HTTPError as error:
            # of half a request nothing was done
            return AnswerLost(_told(error)) if body.complete else Unreachable(_told(error))
        finally:
            sending.cancel()

    async def _post(
        self, method: str, params: Mapping[str, Any], seconds: float
    ) -> httpx.Response | CallFailed:
        # The failure is handed back rather than raised here, where the exception in flight
        # would become its context, and a traceback would show the URL.
        try:
            return await self._http.post(
                self._url(method),
                content=orjson.dumps(params),
                headers={"content-type": "application/json"},
                timeout=httpx.Timeout(min(_CONNECT_SECONDS, seconds), read=seconds),
            )
        except _NOT_SENT as error:
            return Unreachable(_told(error))
        except httpx.HTTPError as error:
            return AnswerLost(_told(error))


def _checked(api_url: str) -> str:
    if not is_address(api_url):
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
    body = read_json(response.content)
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


def _seconds(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return max(float(value), 0.0)


def read_json(content: bytes) -> object:
    """The JSON value, read leniently: one odd update must not hide the other 99 of its page."""
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        pass  # lone surrogates, NaN and bad UTF-8, which the slower reader below takes
    try:
        return json.loads(
            content.decode("utf-8", "replace"),
            parse_int=_parse_int,
            parse_float=_parse_float,
            parse_constant=_no_number,
        )
    except (ValueError, RecursionError):
        return None


def _parse_int(digits: str) -> int | None:
    return int(digits) if len(digits) <= 20 else None


def _parse_float(digits: str) -> float | None:
    number = float(digits)
    return number if math.isfinite(number) else None  # 1e400 is an infinity to Python


def _no_number(_name: str) -> None:
    return None
