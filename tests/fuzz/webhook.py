"""The webhook as an ASGI app, before which anybody may stand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from engine.channels.telegram import Webhook
from engine.channels.telegram.posts import Posts
from engine.channels.telegram.updates import UpdateReader
from engine.channels.telegram.webhook import LARGEST_BODY
from flows.errors import OutcomeUnknown, StorageDown
from tests.botapi.doubles import Inbox, QuickClock
from tests.fuzz.mutations import mutated
from tests.fuzz.samples import UPDATES
from tests.fuzz.tape import Tape
from tests.fuzz.watching import Watch

SOURCE = "telegram:42"
SECRET = "s3cret_-" * 4
HEADER = b"X-Telegram-Bot-Api-Secret-Token"
METHODS = ("POST", "POST", "POST", "POST", "GET", "HEAD", "post", "PUT", "OPTIONS", "")
HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (HEADER, SECRET.encode()),
    (HEADER.lower(), SECRET.encode()),
    (b"content-type", b"application/json"),
    (b"Content-Type", b" Application/JSON ; charset=utf-8"),
    (HEADER, b""),
    (HEADER, SECRET[:-1].encode()),
    (HEADER, SECRET.encode() + b" "),
    (HEADER, SECRET.upper().encode()),
    (HEADER, "пароль".encode()),
    (HEADER[:-1], SECRET.encode()),
    (b"content-type", b"text/plain"),
    (b"content-type", b"\xff/\x00;;"),
    (b"content-length", b"7"),
    (b"content-length", b"-1"),
    (b"content-length", b"1048577"),
    (b"content-length", b"9" * 30),
    (b"content-length", "²".encode()),
    (b"transfer-encoding", b"chunked"),
    (b"", b""),
)
FAILURES: tuple[Callable[[], Exception], ...] = (
    lambda: StorageDown("the disk is full"),
    lambda: OutcomeUnknown("the connection was lost"),
    lambda: ValueError("a bug"),
)


@dataclass
class Post:
    """One request, and what is there to answer it."""

    method: str
    headers: list[tuple[bytes, bytes]]
    events: list[dict[str, Any]]
    path: str
    runs: bool
    failures: list[Exception]
    read: int = 0
    sent: list[Any] = field(default_factory=list)

    async def receive(self) -> dict[str, Any]:
        """The next part of the body; then the other side is gone."""
        self.read += 1
        return self.events.pop(0) if self.events else {"type": "http.disconnect"}

    async def send(self, event: Any) -> None:
        """Keeps the answer."""
        self.sent.append(event)

    @property
    def proven(self) -> bool:
        """Whether it bears the secret, once."""
        given = [value for name, value in self.headers if name.lower() == HEADER.lower()]
        return given == [SECRET.encode()]


def webhook(data: bytes) -> None:
    """Every request gets one answer that fits, and only Telegram's are taken."""
    post = _drawn(Tape(data))
    broken = bool(post.failures)
    with Watch(errors=broken):
        asyncio.run(_answer(post))


async def _answer(post: Post) -> None:
    broken = bool(post.failures)
    inbox, reader = Inbox(*post.failures), UpdateReader(SOURCE)
    posts = Posts(reader, QuickClock(), inbox, SOURCE)
    hook = Webhook("https://bot.example.org/telegram", secret=SECRET)
    scope = {"type": "http", "method": post.method, "path": post.path, "query_string": b"",
             "headers": post.headers}  # fmt: skip
    if post.runs:
        async with hook.taking(posts.take):
            await hook(scope, post.receive, post.send)
    else:
        await hook(scope, post.receive, post.send)
    start, end = post.sent
    assert (start["type"], end["type"]) == ("http.response.start", "http.response.body")
    assert not end.get("body")
    kept = len(inbox.updates) + len(inbox.letters)
    status = start["status"]
    assert kept <= 1
    match status:
        case 200:
            assert post.proven
            assert kept + reader.skipped.total() >= 1
        case 503:
            assert post.proven
            assert broken or not post.runs
            assert kept == 0
        case 400 | 413:
            assert post.proven
            assert kept == 0
        case _:
            assert status in (401, 405, 415)
            assert (kept, post.read) == (0, 0)
    if post.method == "POST" and not post.proven:
        assert status == 401


def _drawn(tape: Tape) -> Post:
    headers = list(HEADERS[:3:2])
    for _ in range(tape.below(4)):
        headers.insert(tape.below(len(headers) + 1), _header(tape))
    if tape.below(4) == 3:
        del headers[tape.below(len(headers))]
    return Post(
        method=tape.choose(METHODS) if tape.below(8) else tape.text(8),
        headers=headers,
        path="/" if tape.below(2) else tape.text(16),
        runs=tape.below(8) < 7,
        failures=[tape.choose(FAILURES)() for _ in range(max(tape.below(8) - 5, 0))],
        events=_events(tape),
    )


def _header(tape: Tape) -> tuple[bytes, bytes]:
    if tape.below(4):
        return tape.choose(HEADERS)
    return tape.take(tape.below(24)), tape.take(tape.below(40))


def _events(tape: Tape) -> list[dict[str, Any]]:
    """The parts of the body, whole or cut off somewhere; some are larger than is taken."""
    parts = tape.below(4)
    length = tape.below(65_536)
    large = tape.below(32) == 31
    body = mutated(tape, UPDATES) if tape.below(4) < 3 else tape.rest()
    if large:
        body += b" " * LARGEST_BODY
    cuts = [min(length * number, len(body)) for number in range(parts + 1)]
    chunks = [body[one:other] for one, other in zip(cuts, [*cuts[1:], len(body)], strict=True)]
    events: list[dict[str, Any]] = [
        {"type": "http.request", "body": chunk, "more_body": number < parts}
        for number, chunk in enumerate(chunks)
    ]
    if tape.below(8) == 7:
        events[tape.below(len(events)) :] = []
    return events
