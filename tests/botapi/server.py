"""The HTTP side: h11 over asyncio streams, so that a connection can be cut at any point."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any
from urllib.parse import unquote

import h11
import orjson

from tests.botapi.control import controlled
from tests.botapi.judges import judge
from tests.botapi.media import fields
from tests.botapi.methods import ApiError, Methods
from tests.botapi.peers import judge_result
from tests.botapi.posting import dumped
from tests.botapi.world import Fault, Json, Recorded, World

TOKEN = "42:LOOPBACK-secret_token"
_BOT_PATH = re.compile(r"/bot([^/]+)/(\w+)")
_HTML = b"<html><body><h1>502 Bad Gateway</h1></body></html>"


@dataclass(frozen=True, slots=True)
class _Answer:
    """What goes back; ``cut`` instead of it."""

    status: int = 200
    body: bytes = b""
    content_type: bytes = b"application/json"
    cut: bool = False


class BotApiServer(World):
    """The server, as an async context manager. ``url`` and ``token`` are what a channel takes."""

    def __init__(self, *, port: int = 0, token: str = TOKEN) -> None:
        super().__init__()
        self.token = token
        self.url = ""
        self._port = port
        self._methods = Methods(self)
        self._connections: set[asyncio.Task[Any]] = set()

    async def __aenter__(self) -> BotApiServer:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        _at: TracebackType | None,
    ) -> None:
        await self.stop()
        if kind is None:
            assert self.refused == [], "the judges refused requests"

    async def stop(self) -> None:
        """Stops listening and cuts all connections; what is known stays."""
        await self.posting.end()
        self._server.close()
        for task in tuple(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await self._server.wait_closed()

    async def start_again(self) -> None:
        """Listens again, on the same port."""
        await self.__aenter__()

    # --- connections ---

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            await self._converse(reader, writer)
        except (ConnectionError, h11.RemoteProtocolError):
            pass  # the client is gone, as clients that are killed are
        except asyncio.CancelledError:
            pass  # the server stops, and this task is its own
        finally:
            self._connections.discard(task)
            writer.transport.abort()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        http = h11.Connection(h11.SERVER)
        while True:
            request = await _next_request(http, reader)
            if request is None:
                return
            answer = await self._answer_while_connected(request, http, reader)
            if answer is None or answer.cut:
                return
            writer.write(_rendered(http, answer))
            await writer.drain()
            if http.our_state is h11.MUST_CLOSE:
                return
            http.start_next_cycle()

    async def _answer_while_connected(
        self,
        request: tuple[str, str, bytes, str],
        http: h11.Connection,
        reader: asyncio.StreamReader,
    ) -> _Answer | None:
        """The answer; None when the client went away before it was ready."""
        answering = asyncio.ensure_future(self._answer(*request))
        watching = asyncio.ensure_future(reader.read(65536))
        try:
            await asyncio.wait({answering, watching}, return_when=asyncio.FIRST_COMPLETED)
            if watching.done():
                data = watching.result()
                http.receive_data(data)
                if not data:
                    return None
            return await answering
        finally:
            for task in (answering, watching):
                task.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.gather(answering, watching, return_exceptions=True)

    # --- requests ---

    async def _answer(self, verb: str, path: str, body: bytes, content_type: str) -> _Answer:
        if path.startswith("/control/"):
            return await self._controlled(path.removeprefix("/control/"), body)
        if (
            held := self.files.get(unquote(path).partition(f"/file/bot{self.token}/")[2])
        ) is not None:
            return _Answer(body=held, content_type=b"application/octet-stream")
        match = _BOT_PATH.fullmatch(path)
        if match is None or ":" not in match[1]:
            return _error(404, "Not Found")
        if match[1] != self.token:
            return _error(401, "Unauthorized")
        params = fields(body, content_type)
        files = params.pop("files", {})
        recorded = Recorded(method=match[2], params=params, files=files)
        self.requests.append(recorded)
        self.changed()
        try:
            answer = await self._called(recorded.method, params, files)
        except asyncio.CancelledError:
            recorded.status = 0
            raise
        recorded.status = 0 if answer.cut else answer.status
        self.changed()
        return answer

    async def _called(self, method: str, params: Json, files: Collection[str]) -> _Answer:
        verdict = judge(method, params, files)
        self.note(verdict)
        if verdict is not None:
            return _error(400, f"Bad Request: {verdict}")
        fault = self.fault_for(method, params)
        if fault is not None and fault.cut != "after":
            return _faulty(fault)
        try:
            result = await self._methods.call(method, params)
        except ApiError as error:
            return _error(error.status, error.description)
        if method != "getUpdates":  # of updates, those are judged that are no test's own
            self.note(judge_result(method, result))
        if fault is not None:
            return _Answer(cut=True)
        return _Answer(body=dumped({"ok": True, "result": result}))

    async def _controlled(self, what: str, body: bytes) -> _Answer:
        try:
            result = await controlled(self, what, orjson.loads(body) if body else {})
        except (LookupError, TypeError, TimeoutError) as error:
            return _error(400, f"{type(error).__name__}: {error}")
        return _Answer(body=orjson.dumps(result))


async def _next_request(
    http: h11.Connection, reader: asyncio.StreamReader
) -> tuple[str, str, bytes, str] | None:
    """Verb, path, body and media type of the next request; None when the client has closed."""
    verb, path, body, content_type = "", "", b"", ""
    while True:
        event = http.next_event()
        if event is h11.NEED_DATA:
            http.receive_data(await reader.read(65536))
        elif isinstance(event, h11.Request):
            verb, path = event.method.decode(), event.target.decode()
            content_type = dict(event.headers).get(b"content-type", b"").decode()
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage):
            return verb, path, body, content_type
        else:
            return None


def _rendered(http: h11.Connection, answer: _Answer) -> bytes:
    headers = [
        (b"content-type", answer.content_type),
        (b"content-length", str(len(answer.body)).encode()),
    ]
    pieces = (
        http.send(h11.Response(status_code=answer.status, headers=headers)),
        http.send(h11.Data(data=answer.body)),
        http.send(h11.EndOfMessage()),
    )
    return b"".join(piece for piece in pieces if piece)


def _error(status: int, description: str, parameters: Json | None = None) -> _Answer:
    body = {"ok": False, "error_code": status, "description": description}
    if parameters:
        body["parameters"] = parameters
    return _Answer(status=status, body=orjson.dumps(body))


def _faulty(fault: Fault) -> _Answer:
    if fault.cut:
        return _Answer(cut=True)
    if fault.html:
        return _Answer(status=fault.status, body=_HTML, content_type=b"text/html")
    return _error(fault.status, fault.description, fault.parameters)
