"""What the environment says: the variables that begin with ``HANDRAIL_``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, SecretStr, ValidationError
from pydantic_core import PydanticCustomError

from flows.errors import HandrailError

PREFIX = "HANDRAIL_"
DEFAULT_DATABASE_URL = "sqlite+aiosqlite:///handrail.db"
DEFAULT_LISTEN = "127.0.0.1:8080"
DEFAULT_INSPECTOR_LISTEN = "127.0.0.1:8081"

LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]
LogFormat = Literal["text", "json"]


class BadSetting(HandrailError, ValueError):
    """An environment variable that cannot be used. ``variable`` names it."""

    def __init__(self, variable: str, reason: str) -> None:
        self.variable = variable
        self.reason = reason
        super().__init__(f"the environment variable {variable} cannot be used: {reason}")


def _switch(value: object) -> object:
    words = {"on": True, "true": True, "1": True, "yes": True}
    words |= {"off": False, "false": False, "0": False, "no": False}
    found = words.get(value.lower()) if isinstance(value, str) else value
    if not isinstance(found, bool):
        raise PydanticCustomError("switch", "it is neither 'on' nor 'off'")
    return found


def _one_of(words: tuple[str, ...], *, upper: bool) -> BeforeValidator:
    def check(value: object) -> object:
        found = value
        if isinstance(value, str):
            found = value.upper() if upper else value.lower()
        if found is not None and found not in words:
            raise PydanticCustomError("word", "it is none of {words}", {"words": ", ".join(words)})
        return found

    return BeforeValidator(check)


def _url(*schemes: str) -> BeforeValidator:
    def check(value: object) -> object:
        # The value is left out of the message: it may hold a password.
        scheme, separator, rest = str(value).partition("://")
        if value is not None and not (separator and (not schemes or scheme in schemes)):
            usual = f"{schemes[0]}://host" if schemes else f"{DEFAULT_DATABASE_URL} or memory://"
            raise PydanticCustomError("url", "it is no URL such as {usual}", {"usual": usual})
        if value is not None and schemes and not rest:
            raise PydanticCustomError("url", "its URL names no host")
        return value

    return BeforeValidator(check)


class Settings(BaseModel):
    """The settings of a process. An empty variable counts as one that is not set.

    Attributes:
        database_url: where conversations are kept.
        secret_key: what stored conversations are encrypted with, one key or several with
            commas between; None: they are not, and ``Sensitive`` fields cannot be kept.
        telegram_token: the bot's token; None: no Telegram.
        telegram_api_url: base URL of the Bot API; None: the public one.
        telegram_limits: whether sending keeps to Telegram's rate limits.
        telegram_webhook_url: the public address that Telegram posts updates to; None: long
            polling.
        telegram_webhook_secret: what proves that a post comes from Telegram.
        telegram_webhook_listen: where to listen for posts, ``host:port`` or ``unix:path``.
        web_listen: where the web chat listens, ``host:port`` or ``unix:path``.
        web_title: what its page is called; empty: the bot's name.
        inspector_listen: where ``handrail web`` listens, ``host:port`` or ``unix:path``.
        web_token: what lets people into the inspector who may look and act; None: one is made up
            at each start.
        web_read_token: what lets people in who may only look.
        web_hosts: the names that the inspector is reached by, with commas between, where they
            are others than where it listens.
        monitor_listen: where health checks and metrics are served, ``host:port`` or ``unix:path``;
            None: nowhere.
        log_level: the least level that is logged; None: it depends on the channel.
        log_format: ``text`` for people, ``json`` for machines, one object a line.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    database_url: Annotated[str, _url()] = DEFAULT_DATABASE_URL
    secret_key: SecretStr | None = None
    telegram_token: SecretStr | None = None
    telegram_api_url: Annotated[str | None, _url("https", "http")] = None
    telegram_limits: Annotated[bool, BeforeValidator(_switch)] = True
    telegram_webhook_url: Annotated[str | None, _url("https", "http")] = None
    telegram_webhook_secret: SecretStr | None = None
    telegram_webhook_listen: str = DEFAULT_LISTEN
    web_listen: str = DEFAULT_LISTEN
    web_title: str = ""
    inspector_listen: str = DEFAULT_INSPECTOR_LISTEN
    web_token: SecretStr | None = None
    web_read_token: SecretStr | None = None
    web_hosts: str | None = None
    monitor_listen: str | None = None
    log_level: Annotated[
        LogLevel | None,
        _one_of(("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"), upper=True),
    ] = None
    log_format: Annotated[LogFormat, _one_of(("text", "json"), upper=False)] = "text"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """The settings that the environment gives.

        Raises:
            BadSetting: a variable has a value that cannot be used.
        """
        values: dict[str, Any] = {}
        for name in cls.model_fields:
            if value := environment.get(PREFIX + name.upper(), "").strip():
                values[name] = value
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            variable = PREFIX + str(first["loc"][0]).upper()
            raise BadSetting(variable, f"{first['msg']}.") from None


def likely_typos(environment: Mapping[str, str] = os.environ) -> tuple[tuple[str, str], ...]:
    """Variables with our prefix that nothing reads, each with the one that was likely meant."""
    known = [PREFIX + name.upper() for name in Settings.model_fields]
    strange = (name for name in environment if name.startswith(PREFIX) and name not in known)
    pairs = ((name, get_close_matches(name, known, n=1, cutoff=0.85)) for name in sorted(strange))
    return tuple((name, near[0]) for name, near in pairs if near)
