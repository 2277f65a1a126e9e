"""What is ``Sensitive`` reaches no log, metric, span or dead letter, whatever goes wrong."""

from __future__ import annotations

import asyncio
import io
import logging
import sys
from collections.abc import Iterator
from enum import StrEnum, auto

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import CollectorRegistry, generate_latest
from pydantic import BaseModel

from engine import App
from engine.channels.telegram import TelegramChannel
from engine.cli import logs
from engine.telemetry.otel import OpenTelemetry
from engine.telemetry.prometheus import PrometheusMetrics
from examples.kyc.flow import kyc
from flows import (
    Action,
    Context,
    FlowBuilder,
    FlowRegistry,
    OnCommand,
    Router,
    Sensitive,
    Text,
    Turn,
)
from storage import EncryptedStorage, Keyring, MemoryStorage
from tests.botapi import BotApiServer
from tests.botapi.world import Fault

pytestmark = pytest.mark.anyio

ADA = 1001
EMAIL = "canary.of.kyc@example.com"
PHONE = "+44 20 7946 0123"
NUMBER = "+442079460123"
SECRET = "xylophone-9041"
CANARIES = (EMAIL, PHONE, NUMBER, PHONE.replace(" ", ""), SECRET, "canary.of.kyc")


class Only(StrEnum):
    ONLY = auto()


class Told(BaseModel):
    secret: Sensitive[str] = ""


def failing() -> App:
    """The identity check, a step that fails with what it was told, and a handler that does."""
    flow = FlowBuilder("tell", Only, Told)

    @flow.step(Only.ONLY)
    async def only(turn: Turn[Only, Told]) -> Action[Only]:
        turn.data.secret = await turn.ask("Tell me.", Text())
        turn.log(f"was told {turn.data.secret}", secret=turn.data.secret)
        raise LookupError(f"{turn.data.secret!r} is not known")

    registry = FlowRegistry()
    registry.register(OnCommand("kyc"), kyc)
    registry.register(OnCommand("tell"), flow.build(initial=Only.ONLY))
    router = Router("canary")

    @router.command("fail")
    async def fail(ctx: Context) -> None:
        logging.getLogger("mine").info("somebody says %s", SECRET if ctx.user else "")
        raise ValueError(f"no such thing as {SECRET}")

    return App(router, registry=registry)


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What the command line would log on stderr at its most talkative, as JSON."""
    root, written = logging.getLogger(), io.StringIO()
    handlers, level = list(root.handlers), root.level
    monkeypatch.setattr(sys, "stderr", written)
    logs.set_up(level="DEBUG", format="json")
    try:
        yield written
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)


async def said(server: BotApiServer, words: str) -> None:
    """Returns when the person has read these words."""
    await server.until(lambda: any(words in reply for reply in server.replies(ADA)))


def told_of_failure(server: BotApiServer) -> int:
    """How often the person has read that something went wrong."""
    return sum("something went wrong" in reply for reply in server.replies(ADA))


async def check_identity(server: BotApiServer) -> None:
    """Most of the transcript; a failure, a refusal and what is no update quote what was said."""
    server.text(ADA, "/kyc")
    await said(server, "0/3")
    server.photo(ADA)
    await said(server, "1/3")
    server.faults.append(Fault(method="sendMessage", description=f"Internal: {NUMBER}"))
    server.raw_update({"update_id": server.next_update_id, "message": {"text": EMAIL}})
    server.next_update_id += 1
    server.text(ADA, PHONE)
    await said(server, "2/3")
    refusal = f"Bad Request: cannot parse {EMAIL} - is that right?"
    server.faults.append(Fault(method="sendMessage", status=400, description=refusal))
    server.text(ADA, EMAIL)
    await server.until(lambda: all(fault.times == 0 for fault in server.faults))


async def test_nothing_sensitive_is_told_to_anybody(log: io.StringIO) -> None:
    metrics, exporter, provider = (
        PrometheusMetrics(CollectorRegistry()), InMemorySpanExporter(), TracerProvider(),
    )  # fmt: skip
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    app = failing()
    app.observe(metrics)
    app.observe(OpenTelemetry(provider, conversations="plain"))
    stop = asyncio.Event()
    async with BotApiServer() as server:
        channel = TelegramChannel(server.token, api_url=server.url, limits=False)
        storage = EncryptedStorage(MemoryStorage(), Keyring.parse("k" * 42 + "A"))
        running = asyncio.create_task(app.run(channel=channel, storage=storage, stop=stop))
        try:
            await check_identity(server)
            server.text(ADA, "/tell")
            await said(server, "Tell me.")
            server.text(ADA, SECRET)
            await said(server, "something went wrong")
            server.text(ADA, f"/fail {SECRET}")
            await server.until(lambda: told_of_failure(server) == 2)
            async with asyncio.timeout(30):
                while not (given_up := await app.dead_letters()).rows:  # noqa: ASYNC110 -- nobody tells
                    await asyncio.sleep(0.01)
        finally:
            stop.set()
            await running
        token = server.token
    spans = "\n".join(span.to_json() for span in exporter.get_finished_spans())
    shown = generate_latest(metrics.registry).decode()
    told = log.getvalue()
    assert '"turn"' in told
    assert "is not known" in told
    assert "somebody says" in told
    assert "no such thing as" in told
    assert "handrail_" in shown
    assert "kyc" in spans
    for canary in (*CANARIES, token):
        for place, text in (
            ("log", told), ("metrics", shown), ("spans", spans), ("dead letters", str(given_up)),
        ):  # fmt: skip
            found = next((line for line in text.splitlines() if canary in line), None)
            assert found is None, f"{canary} is in the {place}"
