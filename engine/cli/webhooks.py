"""``webhook info`` and ``webhook delete``: where Telegram posts a bot's updates."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import typer

from engine.cli.output import say
from engine.settings import Settings
from flows.errors import ChannelStopped, HandrailError

if TYPE_CHECKING:
    from engine.channels.telegram.client import BotApi
    from engine.channels.telegram.registration import WebhookInfo

T = TypeVar("T")

app = typer.Typer(no_args_is_help=True, help="See or remove where Telegram posts updates.")


class TelegramFailed(HandrailError):
    """Telegram did not do what it was asked for; the message says why."""


@app.command()
def info() -> None:
    """Show where Telegram posts the bot's updates, how many wait, and what went wrong last.

    Example: HANDRAIL_TELEGRAM_TOKEN=123:abc handrail webhook info
    """
    from engine.channels.telegram import registration

    for line in told(_asked(registration.info)):
        say(line)


@app.command()
def delete() -> None:
    """Remove the webhook, so that the bot can poll. The updates that wait are kept.

    Example: HANDRAIL_TELEGRAM_TOKEN=123:abc handrail webhook delete
    """
    from engine.channels.telegram import registration

    _asked(registration.remove)
    say("The webhook is removed. What waits comes in by polling: 'handrail run --polling'.")


def _asked(question: Callable[[BotApi], Awaitable[T]]) -> T:
    from engine.channels.telegram.client import PUBLIC_API, BotApi, CallFailed

    settings = Settings.from_environment()
    if settings.telegram_token is None:
        raise ChannelStopped("there is no Telegram token. Set HANDRAIL_TELEGRAM_TOKEN.")
    token = settings.telegram_token.get_secret_value()

    async def ask() -> T | CallFailed:
        api = BotApi(token, settings.telegram_api_url or PUBLIC_API)
        try:
            return await question(api)
        except CallFailed as failure:
            return failure
        finally:
            await api.close()

    answer = asyncio.run(ask())
    if isinstance(answer, CallFailed):
        raise TelegramFailed(f"Telegram did not do that: {answer}. Try again in a moment.")
    return answer


def told(known: WebhookInfo) -> list[str]:
    """The lines about it."""
    if not known.url:
        lines = ["No webhook is set: the bot gets its updates by polling."]
    else:
        lines = [f"Telegram posts updates to {known.url}"]
        if known.connections is not None:
            lines.append(f"at the same time: {known.connections} at the most")
        lines.append(f"types: {', '.join(known.allowed_updates) or 'those of the default'}")
    lines.append(f"waiting: {known.waiting}")
    if known.error and known.error_at is not None:
        lines.append(f"last error: {known.error} ({known.error_at:%Y-%m-%d %H:%M:%S} UTC)")
    return lines
