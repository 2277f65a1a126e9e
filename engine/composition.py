"""The composition root: which channel and which storage the environment asks for.

Here, and nowhere else in the engine, a storage and the channels are imported; lazily, so that
nobody pays for what they do not use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pydantic import SecretStr

from engine.settings import BadSetting, Settings
from flows.errors import ChannelStopped
from flows.ports import Channel, FlowStorage

if TYPE_CHECKING:
    from engine.channels.telegram import Webhook


def storage_of(url: str, secret_key: SecretStr | None = None) -> FlowStorage:
    """The storage behind a database URL, not open yet: encrypted where there is a key, and the
    process's memory does not keep it.

    Raises:
        BadSetting: the key is none.
    """
    from storage import open_storage
    from storage.crypto.plain import UnencryptedStorage

    inner = open_storage(url)
    if secret_key is None:
        return inner if keeps_nothing(url) else UnencryptedStorage(inner)
    from storage import EncryptedStorage, Keyring

    with bad_keys_named():
        keys = Keyring.parse(secret_key.get_secret_value())
    return inner if keeps_nothing(url) else EncryptedStorage(inner, keys)


def keeps_nothing(url: str) -> bool:
    """Whether what is stored there ends with the process."""
    return url.partition(":")[0] == "memory"


@contextmanager
def bad_keys_named() -> Iterator[None]:
    """A key that is none is a setting that cannot be used: raises BadSetting."""
    from storage.crypto.keys import BadKey

    try:
        yield
    except BadKey as error:
        raise BadSetting("HANDRAIL_SECRET_KEY", str(error)) from None


def channel_of(settings: Settings) -> Channel:
    """Telegram where a token is set, by webhook where its URL is, else the console."""
    return console() if settings.telegram_token is None else telegram(settings)


def console() -> Channel:
    """The terminal, or what is piped in."""
    from engine.channels.console import ConsoleChannel

    return ConsoleChannel()


def telegram(settings: Settings, *, webhook: bool | None = None) -> Channel:
    """The bot of the token.

    Args:
        webhook: take updates from a webhook, or poll; None: what the settings are made for.

    Raises:
        BadSetting: what a webhook needs is not set.
        ChannelStopped: there is no token, or it or something of the webhook is malformed.
    """
    from engine.channels.telegram import TelegramChannel
    from engine.channels.telegram.client import PUBLIC_API

    if settings.telegram_token is None:
        raise ChannelStopped("there is no Telegram token. Set HANDRAIL_TELEGRAM_TOKEN.")
    return TelegramChannel(
        settings.telegram_token.get_secret_value(),
        api_url=settings.telegram_api_url or PUBLIC_API,
        limits=settings.telegram_limits,
        webhook=_webhook(settings) if _by_webhook(settings, webhook) else None,
    )


def web(
    settings: Settings,
    name: str,
    *,
    listen: str | None = None,
    listening: Callable[[str], None] | None = None,
) -> Channel:
    """The chat page, with a web server of its own.

    Args:
        name: of the bot: what the page is called, unless the settings say.
        listen: in place of the settings' place.
        listening: is called with the address of the page, once it listens.

    Raises:
        ChannelStopped: the place has not the form of one.
    """
    from engine.channels.web import WebChannel

    return WebChannel(
        title=settings.web_title or name,
        listen=listen or settings.web_listen,
        listening=listening,
    )


def _by_webhook(settings: Settings, wanted: bool | None) -> bool:
    return settings.telegram_webhook_url is not None if wanted is None else wanted


def _webhook(settings: Settings) -> Webhook:
    from engine.channels.telegram import Webhook

    if settings.telegram_webhook_url is None:
        raise BadSetting(
            "HANDRAIL_TELEGRAM_WEBHOOK_URL",
            "it is not set, and a webhook needs the public https address that Telegram posts to.",
        )
    if settings.telegram_webhook_secret is None:
        raise BadSetting(
            "HANDRAIL_TELEGRAM_WEBHOOK_SECRET",
            "it is empty or not set, so anybody could post updates. Make one: "
            "python -c 'import secrets; print(secrets.token_urlsafe(32))'",
        )
    return Webhook(
        settings.telegram_webhook_url,
        secret=settings.telegram_webhook_secret.get_secret_value(),
        listen=settings.telegram_webhook_listen,
    )
