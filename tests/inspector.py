"""Somebody at the inspector, over ASGI, without a network."""

from __future__ import annotations

import re
from html import unescape

import httpx

from engine.inspector import Inspector

TOKEN = "operate-operate-operate"
READ_TOKEN = "read-read-read-read-read"
HOST = "http://127.0.0.1"


def browser(app: object, *, host: str = HOST) -> httpx.AsyncClient:
    """Somebody who is not let in yet."""
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app),  # type: ignore[arg-type]  # any ASGI application
        base_url=host,
    )


async def logged_in(inspector: Inspector, token: str = TOKEN) -> httpx.AsyncClient:
    """Somebody who has followed the link."""
    client = browser(inspector)
    answer = await client.get("/login", params={"token": token, "name": "eve"})
    assert answer.status_code == 303
    return client


def proof_of(page: str) -> str:
    """What a form of the page brings along."""
    found = re.search(r'name="proof" value="(\w+)"', page)
    assert found is not None
    return found[1]


async def act(client: httpx.AsyncClient, path: str, **fields: str) -> httpx.Response:
    """Goes to the page that asks, and sends its form."""
    page = await client.get(path)
    assert page.status_code == 200, page.text
    return await client.post(path.partition("?")[0], data={"proof": proof_of(page.text), **fields})


def said(page: httpx.Response) -> str:
    """What a page says, without its markup."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page.text)).split())
