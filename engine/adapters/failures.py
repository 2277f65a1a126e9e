"""What the failures of other libraries' clients mean, said once for all of them."""

from __future__ import annotations

from typing import TypeVar

from engine.channels.telegram.client import AnswerLost, CallFailed, Unreachable
from engine.channels.telegram.redaction import redact
from flows.errors import ChannelStopped

_LONGEST_REASON = 300

_NOT_SENT = frozenset(
    (
        # aiohttp
        "ClientConnectorError", "ClientConnectorDNSError", "ClientConnectorSSLError",
        "ClientConnectorCertificateError", "ClientProxyConnectionError", "UnixClientConnectorError",
        "ConnectionTimeoutError", "InvalidURL",
        # httpx
        "ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError", "UnsupportedProtocol",
    )
)  # fmt: skip
"""Errors of HTTP clients after which nothing has gone out. By name: a bot may bring a client of
its own, and neither library is imported for the other.
"""


Answer = TypeVar("Answer")


def successful(answer: Answer | CallFailed | ChannelStopped) -> Answer:
    """The answer of a call. Raises it where it is the failure that was handed back: only once no
    exception of the library is in flight, which may hold the URL and would become its context.
    """
    if isinstance(answer, CallFailed | ChannelStopped):
        raise answer
    return answer


def told(error: object) -> str:
    """The failure for a log, without the token."""
    return redact(" ".join(str(error).split()))[:_LONGEST_REASON] or type(error).__name__


def network_failure(error: BaseException) -> CallFailed:
    """A call whose answer did not come, by the error of the HTTP client beneath it."""
    beneath = error.__cause__ or error.__context__
    if beneath is not None and type(beneath).__name__ in _NOT_SENT:
        return Unreachable(told(error))
    return AnswerLost(told(error))


def revoked(description: str) -> ChannelStopped:
    """The service does not know the token."""
    return ChannelStopped(
        f"Telegram refuses the token ({description}): it was revoked or mistyped. Get the current "
        "one from @BotFather and give it to the bot that receives."
    )
