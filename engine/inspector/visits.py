"""A request that was let in, and what its page works with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from engine.inspector.access import Visitor
from engine.operate import Operator
from flows.errors import UnknownDeadLetter

LARGEST_FORM = 64 * 1024
"""Bytes of a form."""


class BadForm(ValueError):
    """A form that no page of ours sends; the message says why."""


class Nowhere(LookupError, ValueError):
    """There is no such page."""


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody at a page.

    Attributes:
        proof: what each form of the page brings along.
        operator: acts under the visitor's name.
        form: what was sent, by the name of the field; empty where nothing was.
    """

    request: Request
    visitor: Visitor
    proof: str
    operator: Operator
    form: Mapping[str, str]

    @property
    def base(self) -> str:
        """The path that the inspector is mounted at, without a slash at its end."""
        return base_of(self.request)

    def asked(self, name: str) -> str:
        """A value of the query of the URL; empty where it has none of that name."""
        return self.request.query_params.get(name, "").strip()

    def named(self, name: str) -> str:
        """A part of the path."""
        return str(self.request.path_params[name])

    @property
    def letter(self) -> int:
        """The number of the dead letter in the path. Raises UnknownDeadLetter."""
        number = int(self.named("letter"))
        if number >= 1 << 63:
            raise UnknownDeadLetter(number)
        return number

    def to(self, path: str) -> Response:
        """Leads to another page of the inspector."""
        return redirect(self.request, path)


Page = Callable[[Visit], Awaitable[Response]]


def base_of(request: Request) -> str:
    """The path that the inspector is mounted at, without a slash at its end."""
    return str(request.scope.get("root_path", "")).rstrip("/")


def redirect(request: Request, path: str) -> Response:
    """Leads to another page of the inspector."""
    return RedirectResponse(f"{base_of(request)}{path}", status_code=303)


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a form, each once.

    Raises:
        BadForm: it is too large, or no form.
    """
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        raise BadForm("this is no form of a page of the inspector")
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > LARGEST_FORM:
            raise BadForm(f"the form has more than {LARGEST_FORM} bytes")
    try:
        fields = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=50)
    except ValueError as error:
        raise BadForm(f"the form cannot be read: {error}") from None
    return {name: values[-1] for name, values in fields.items()}
