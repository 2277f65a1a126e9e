"""The composition root: which channel and which storage the environment asks for.

Here, and nowhere else in the engine, a storage and the channels are imported; lazily, so that
nobody pays for what they do not use.
"""

from __future__ import annotations

from engine.settings import Settings
from flows.errors import ChannelStopped
from flows.ports import Channel, FlowStorage


def storage_of(url: str) -> FlowStorage:
    """The storage behind a database URL; not open yet."""
    from storage import open_storage

    return open_storage(url)


def channel_of(settings: Settings) -> Channel:
    """Telegram where a token is set, else the console."""
    return console() if settings.telegram_token is None else telegram(settings)


def console() -> Channel:
    """The terminal, or what is piped in."""
    from engine.channels.console import ConsoleChannel

    return ConsoleChannel()


def telegram(settings: Settings) -> Channel:
    """The bot of the token.

    Raises:
        ChannelStopped: there is no token, or it is malformed.
    """
    from engine.channels.telegram import TelegramChannel
    from engine.channels.telegram.client import PUBLIC_API

    if settings.telegram_token is None:
        raise ChannelStopped("there is no Telegram token. Set HANDRAIL_TELEGRAM_TOKEN.")
    return TelegramChannel(
        settings.telegram_token.get_secret_value(),
        api_url=settings.telegram_api_url or PUBLIC_API,
        limits=settings.telegram_limits,
    )
