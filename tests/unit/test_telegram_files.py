"""Files are fetched within bounds, under names of our own, and without a trace of the token."""

from __future__ import annotations

import gzip
import io
import logging
import traceback
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from engine.channels.telegram.client import BotApi
from engine.channels.telegram.files import DOWNLOAD_BYTES, chunks, download
from flows.errors import DownloadFailed, FileTooLarge
from flows.updates import FileRef
from tests.botapi.transport import judged

TOKEN = "42:very-secret_part"
SECRET = "very-secret_part"

pytestmark = pytest.mark.anyio

FILE = FileRef(id="f1", name="../../x", mime="application/pdf", size=5)


class Service:
    """A Bot API with one file."""

    def __init__(
        self,
        body: bytes = b"hello",
        *,
        path: object = "documents/file_1.pdf",
        size: object = None,
        status: int = 200,
        refuses: str = "",
        cut: bool = False,
        headers: dict[str, str] | None = None,
    ) -> None:
        self.body, self.path, self.status = body, path, status
        self.size = len(body) if size is None else size
        self.refuses, self.cut, self.headers = refuses, cut, headers or {}
        self.sent = 0
        self.asked: list[str] = []
        self.api = BotApi(
            TOKEN, "https://api.example",
            judged(self._answer),
        )  # fmt: skip

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.path)
        if request.url.path.endswith("/getFile"):
            if self.refuses:
                return httpx.Response(400, json={"ok": False, "description": self.refuses})
            result = {"file_id": "f1", "file_path": self.path, "file_size": self.size}
            return httpx.Response(200, json={"ok": True, "result": result})
        return httpx.Response(self.status, headers=self.headers, content=self._pieces(request))

    async def _pieces(self, request: httpx.Request) -> AsyncIterator[bytes]:
        for start in range(0, len(self.body), 1 << 16):
            piece = self.body[start : start + (1 << 16)]
            self.sent += len(piece)
            yield piece
        if self.cut:
            raise httpx.ReadError(f"cut at {request.url}", request=request)


def listed(folder: Path) -> list[Path]:
    """What is in a folder."""
    return list(folder.iterdir())


async def test_a_file_gets_a_name_of_ours_in_the_folder(tmp_path: Path) -> None:
    service = Service()
    path = await download(service.api, FILE, tmp_path)
    assert path is not None
    assert path.read_bytes() == b"hello"
    assert (path.parent, path.suffix, len(path.stem)) == (tmp_path, ".pdf", 32)
    assert listed(tmp_path) == [path]


@pytest.mark.parametrize("name", ["../../x", "/etc/passwd", "a\\..\\b", "x\0y", "CON"])
async def test_what_the_sender_calls_it_is_no_part_of_its_name(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    path = await download(Service().api, FileRef(id="f1", name=name), folder)
    assert path is not None
    assert listed(tmp_path) == [folder]
    assert listed(folder) == [path]


@pytest.mark.parametrize(
    ("mime", "there", "suffix"),
    [
        ("image/PNG", "documents/file_1.exe", ".png"),
        ("application/x-msdownload", "documents/file_1.exe", ""),
        ("text/html", "documents/file_1.html", ""),
        ("", "photos/file_1.jpg", ".jpg"),
    ],
)
async def test_an_ending_is_only_that_of_a_harmless_type(
    tmp_path: Path, mime: str, there: str, suffix: str
) -> None:
    path = await download(Service(path=there).api, FileRef(id="f1", mime=mime), tmp_path)
    assert path is not None
    assert path.suffix == suffix


async def test_a_path_of_ones_own_is_replaced_once_all_is_there(tmp_path: Path) -> None:
    target = tmp_path / "pass.pdf"
    target.write_bytes(b"old")
    assert await download(Service().api, "f1", str(target)) == target
    assert target.read_bytes() == b"hello"
    with pytest.raises(DownloadFailed):
        await download(Service(b"half", cut=True).api, "f1", target)
    assert target.read_bytes() == b"hello"
    assert listed(tmp_path) == [target]


async def test_a_stream_is_written_into_and_progress_is_told() -> None:
    stream, told = io.BytesIO(), list[tuple[int, int | None]]()
    body = b"x" * 150_000
    answer = await download(
        Service(body).api, FILE, stream, progress=lambda *counts: told.append(counts)
    )
    assert answer is None
    assert stream.getvalue() == body
    assert told == [(65_536, 150_000), (131_072, 150_000), (150_000, 150_000)]


async def test_the_bytes_can_be_taken_piece_by_piece() -> None:
    service = Service(b"y" * 100_000)
    assert [len(piece) async for piece in chunks(service.api, FILE)] == [65_536, 34_464]


async def test_fact_21_a_file_that_is_known_to_be_too_large_is_not_asked_for(
    tmp_path: Path,
) -> None:
    service = Service()
    with pytest.raises(FileTooLarge, match="20971520 bytes") as caught:
        await download(service.api, FileRef(id="f1", size=21_000_000), tmp_path)
    assert caught.value.limit == DOWNLOAD_BYTES
    assert service.asked == []


@pytest.mark.parametrize(
    "service",
    [Service(size=21 << 20), Service(refuses="Bad Request: file is too big")],
    ids=["told", "refused"],
)
async def test_fact_21_one_that_telegram_knows_to_be_too_large_is_not_fetched(
    tmp_path: Path, service: Service
) -> None:
    with pytest.raises(FileTooLarge):
        await download(service.api, "f1", tmp_path)
    assert service.sent == 0


async def test_one_that_is_larger_than_it_says_is_given_up_at_the_bound(tmp_path: Path) -> None:
    service = Service(b"x" * (21 << 20), size=5)
    with pytest.raises(FileTooLarge):
        await download(service.api, "f1", tmp_path)
    assert service.sent <= DOWNLOAD_BYTES + (1 << 17)
    assert listed(tmp_path) == []


async def test_what_is_packed_stays_packed() -> None:
    bomb = gzip.compress(b"\0" * (1 << 20))
    service = Service(bomb, headers={"content-encoding": "gzip"})
    stream = io.BytesIO()
    await download(service.api, "f1", stream, limit=len(bomb))
    assert stream.getvalue() == bomb


@pytest.mark.parametrize(
    ("service", "says"),
    [
        (Service(path=None), "does not say where"),
        (Service(path="/var/lib/file_1"), "--local"),
        (Service(path="documents/../../getMe"), "no file can lie"),
        (Service(status=404), "no such file"),
        (Service(status=302, headers={"location": "https://elsewhere"}), "HTTP 302"),
        (Service(refuses="Bad Request: invalid file_id"), "invalid file_id"),
        (Service(cut=True), "ReadError"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
async def test_what_cannot_be_fetched_says_why_and_leaves_nothing(
    tmp_path: Path, service: Service, says: str
) -> None:
    with pytest.raises(DownloadFailed, match=says):
        await download(service.api, "f1", tmp_path)
    assert listed(tmp_path) == []


async def test_a_revoked_token_is_told(tmp_path: Path) -> None:
    with pytest.raises(DownloadFailed, match="revoked"):
        await download(Service(status=401).api, "f1", tmp_path)


async def test_fact_21_the_url_that_holds_the_token_is_in_no_log_and_no_error(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG), pytest.raises(DownloadFailed) as caught:
        await download(Service(cut=True).api, "f1", tmp_path)
    told = "".join(traceback.format_exception(caught.value))
    assert "documents/file_1.pdf" in caplog.text, "the request was logged"
    assert SECRET not in told
    assert SECRET not in caplog.text
