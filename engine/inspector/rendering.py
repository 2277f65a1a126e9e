"""Templates: everything that is put into one is text, and stays text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import orjson
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse

from engine.channels.console.plain import harmless
from engine.operate.homes import home_of
from engine.operate.words import moment, span, who
from flows.errors import UnknownConversation
from flows.ports import Clock


class Templates:
    """Renders pages.

    Args:
        clock: what ages are told by.
    """

    def __init__(self, clock: Clock) -> None:
        self._environment = Environment(
            loader=PackageLoader("engine.inspector"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            finalize=_shown,
        )
        self._environment.filters |= {
            "age": lambda at: span(clock.now() - at),
            "left": lambda due: span(due - clock.now()) if due > clock.now() else "now",
            "moment": moment,
            "who": who,
            "person": person,
            "segment": lambda text: quote(str(text), safe=""),
            "query": _query,
            "json": lambda value: orjson.dumps(value).decode(),
        }

    def page(self, name: str, status: int = 200, **values: Any) -> HTMLResponse:
        """A page."""
        text = self._environment.get_template(f"{name}.html").render(values)
        return HTMLResponse(text, status_code=status)


def person(key: str) -> str:
    """The person of a conversation, as ``erase`` takes it; empty where several share it."""
    try:
        home = home_of(key)
    except UnknownConversation:
        return ""
    if home.user is None:
        return ""
    channel = home.address.source.partition(":")[0]
    return f"{channel}/{quote(home.user.id, safe='')}"


def _query(values: Mapping[str, object]) -> str:
    """The values that are set, as the query of a URL."""
    return urlencode({name: value for name, value in values.items() if value not in (None, "")})


def _shown(value: object) -> object:
    """Control characters made visible. Markup is none of it: it has been through this."""
    return harmless(value) if type(value) is str else value
