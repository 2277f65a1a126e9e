"""The web server of a channel: what is told when it ends, and what proxies say."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from engine.channels.listening import Listener, Place
from flows.errors import ChannelStopped

pytestmark = pytest.mark.anyio


async def whom(request: Request) -> Response:
    host = request.client.host if request.client else ""
    return PlainTextResponse(f"{request.url.scheme} {host}")


APP = Starlette(routes=[Route("/", whom)])


def listener(place: Place) -> Listener:
    return Listener(APP, place, what="the web chat", variable="HANDRAIL_WEB_LISTEN")


async def test_why_a_server_has_ended_is_told_and_logged(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = listener(Place.parse("127.0.0.1:0"))

    async def end(*_: object, **__: object) -> None:
        raise OSError("too many open files")

    with monkeypatch.context() as patched:
        patched.setattr("engine.channels.listening._Server.serve", end)
        await server.open()
    try:
        with pytest.raises(RuntimeError, match="too many open files") as raised:
            await server.failed()
        assert isinstance(raised.value.__cause__, OSError)
        (told,) = [each for each in caplog.records if each.levelno == logging.ERROR]
        assert "the web chat has ended by itself" in told.getMessage()
        async with httpx.AsyncClient(trust_env=False) as client:
            assert (await client.get(f"http://{server.place}/")).status_code == 200
    finally:
        await server.close()


async def test_a_server_that_cannot_be_made_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "wsproto", None)
    for name in [each for each in sys.modules if each.startswith("uvicorn.protocols.websockets")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(ChannelStopped, match=r"wsproto.*pip install wsproto"):
        await listener(Place.parse("127.0.0.1:0")).open()


async def test_a_proxy_at_a_unix_socket_says_whom_it_serves(tmp_path: Path) -> None:
    server = listener(Place.parse(f"unix:{tmp_path / 'web.sock'}"))
    await server.open()
    try:
        transport = httpx.AsyncHTTPTransport(uds=str(tmp_path / "web.sock"))
        async with httpx.AsyncClient(transport=transport, base_url="http://chat") as client:
            forwarded = {
                "x-forwarded-proto": "https", "x-forwarded-for": "198.51.100.1, 203.0.113.7"
            }  # fmt: skip
            assert (await client.get("/", headers=forwarded)).text == "https 203.0.113.7"
            assert (await client.get("/")).text == "http "
    finally:
        await server.close()
