"""``web``: the inspector, beside a bot."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlencode

import typer

from engine import composition
from engine.cli import beside, logs
from engine.cli.loading import load_app
from engine.cli.output import say, warn
from engine.cli.talking import Target
from engine.settings import Settings
from flows.errors import HandrailError

if TYPE_CHECKING:
    from pydantic import SecretStr

    from engine.channels.listening import Place
    from engine.inspector import Inspector

CLOSING = 2
"""Seconds that pages under way get when it ends."""

EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 -- compared with


class CannotListen(HandrailError, OSError):
    """The inspector cannot be served at that place."""


@dataclass(frozen=True, slots=True)
class Keys:
    """The tokens that let people in, and whether the first of them was made up just now."""

    operate: str | None
    read: str | None
    made_up: bool

    @property
    def link(self) -> str:
        """The token that the link brings along."""
        return self.operate or self.read or ""


def add_to(app: typer.Typer) -> None:
    """Registers the command."""
    app.command()(web)


def web(
    target: Target,
    listen: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT", help="Where; else HANDRAIL_INSPECTOR_LISTEN, or 127.0.0.1:8081."
        ),
    ] = None,
    read_only: Annotated[bool, typer.Option("--read-only", help="Nobody may act.")] = False,
) -> None:
    """Serve the inspector: pages to look at what runs, and to act on it.

    It works beside the bot, on the database that HANDRAIL_DATABASE_URL names. It prints a link
    that lets you in; HANDRAIL_WEB_TOKEN and HANDRAIL_WEB_READ_TOKEN set the tokens of those who
    may act, and of those who may only look. To be reached by another name than that of this
    machine, name it in HANDRAIL_WEB_HOSTS.

    Example: handrail web examples.signup:app
    """
    app = load_app(target)
    settings = Settings.from_environment()
    logs.set_up(level=settings.log_level or "WARNING", format=settings.log_format)
    asyncio.run(beside.check_database(settings.database_url, may_create=False))
    from engine.channels.listening import Place
    from engine.inspector import Inspector

    place = Place.parse(listen or settings.inspector_listen)
    keys = _keys(settings, read_only=read_only)
    inspector = Inspector(
        app,
        storage=composition.storage_of(settings.database_url, settings.secret_key),
        operate_token=keys.operate,
        read_token=keys.read,
        hosts=_hosts(settings, place),
    )
    _serve(inspector, place, keys)


def _keys(settings: Settings, *, read_only: bool) -> Keys:
    operate, read = _secret(settings.web_token), _secret(settings.web_read_token)
    if read_only:
        return Keys(None, read or token_urlsafe(24), made_up=read is None)
    return Keys(operate or token_urlsafe(24), read, made_up=operate is None)


def _secret(setting: SecretStr | None) -> str | None:
    return None if setting is None else setting.get_secret_value()


def _hosts(settings: Settings, place: Place) -> list[str]:
    from engine.inspector.guard import LOOPBACK

    named = [host.strip() for host in (settings.web_hosts or "").split(",") if host.strip()]
    own = [place.host] if place.host and place.host not in EVERYWHERE else []
    return [*LOOPBACK, *own, *named]


def _serve(inspector: Inspector, place: Place, keys: Keys) -> None:
    import uvicorn

    try:
        listening = place.bound()
    except OSError as error:
        raise CannotListen(
            f"the inspector cannot listen at {place} ({error}). Name another place with --listen, "
            "or stop what listens there."
        ) from None
    _tell(place, listening, keys)
    config = uvicorn.Config(
        inspector,
        log_config=None,
        log_level="warning",
        access_log=False,  # it would keep tokens of links
        server_header=False,
        timeout_graceful_shutdown=CLOSING,
    )
    try:
        uvicorn.Server(config).run(sockets=[listening])
    except KeyboardInterrupt:  # uvicorn has ended in good order, and tells its caller so
        pass
    finally:
        place.left()


def _tell(place: Place, listening: socket.socket, keys: Keys) -> None:
    """Says where it is, before anybody can come."""
    if place.path is not None:
        say(f"The inspector listens at {place}.")
        return
    port = listening.getsockname()[1]
    host = "127.0.0.1" if place.host in EVERYWHERE else place.host
    shown = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    if place.host not in ("127.0.0.1", "::1", "localhost"):
        warn(
            "others can reach this address, and what goes over it is not encrypted. Put a proxy "
            "with TLS in front of it, or use an SSH tunnel."
        )
    if keys.made_up:
        query = urlencode({"token": keys.link, "name": beside.who()})
        say(f"The inspector: {shown}/login?{query}")
        say("Whoever has this link is let in, until this ends. Ctrl-C ends it.")
    else:
        say(f"The inspector: {shown}/  (log in with the token of your settings; Ctrl-C ends it)")
