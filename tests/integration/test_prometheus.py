"""Metrics: what they count, and what their labels hold."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.samples import Sample

from engine import App
from engine.telemetry.census import take_census
from engine.telemetry.prometheus import PrometheusMetrics
from engine.testing import Chat
from examples.kyc.flow import kyc
from flows import FileRef, FlowRegistry, OnCommand, PhotoMessage, Router
from storage import MemoryStorage
from storage.testing.rows import accepted

pytestmark = pytest.mark.anyio

ADA = "424242"
LABELS = {"source", "outcome", "flow", "step", "status", "le"}


@pytest.fixture
def metrics() -> PrometheusMetrics:
    return PrometheusMetrics(CollectorRegistry())


def app(metrics: PrometheusMetrics) -> App:
    registry = FlowRegistry()
    registry.register(OnCommand("kyc"), kyc)
    return App(Router("kyc"), registry=registry, observers=[metrics])


def samples(metrics: PrometheusMetrics) -> Iterator[Sample]:
    for metric in metrics.registry.collect():
        yield from metric.samples


def value(metrics: PrometheusMetrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


async def submit(chat: Chat) -> None:
    """A whole check, up to the operator."""
    await chat.say("/kyc", by=ADA)
    await chat.send(PhotoMessage(FileRef(id="passport-1")), by=ADA)
    await chat.say("+44 20 7946 0958", by=ADA)
    await chat.say("ada@example.com", by=ADA)
    await chat.press("Yes", chat=ADA, by=ADA)
    await chat.press("Submit", chat=ADA, by=ADA)


async def test_a_run_is_counted(metrics: PrometheusMetrics) -> None:
    async with Chat(app(metrics)) as chat:
        await submit(chat)
        await chat.again()
    assert value(metrics, "handrail_updates_accepted_total", source="test:local") == 6
    assert value(metrics, "handrail_updates_duplicate_total", source="test:local") == 1
    assert value(metrics, "handrail_turn_seconds_count", outcome="done") == 6
    labels = {"flow": "kyc", "step": "EMAIL_OK"}
    assert value(metrics, "handrail_steps_total", **labels, outcome="asked") == 1
    assert value(metrics, "handrail_step_seconds_count", **labels) == 2
    assert value(metrics, "handrail_commit_turns_sum") == 6
    sent = value(metrics, "handrail_send_seconds_count", source="test:local", outcome="sent")
    assert sent == len(chat.deliveries)


async def test_how_it_stands_and_what_is_stored_is_shown(metrics: PrometheusMetrics) -> None:
    storage = MemoryStorage()
    bot = app(metrics)
    async with Chat(bot, storage=storage) as chat:
        await submit(chat)
        await chat.say("/kyc", by="2")
        metrics.stands(bot.standing)
        metrics.counts(await bot.census())
        assert value(metrics, "handrail_ready") == 1
        assert value(metrics, "handrail_partitions_held") == 64
        assert value(metrics, "handrail_escalated_waiting") == 1
        assert value(metrics, "handrail_live_instances", flow="kyc", status="active") == 1
        await bot.decide((await escalated(storage)), "approve")
        await chat.settle()
        metrics.counts(await bot.census())
        assert value(metrics, "handrail_live_instances", flow="kyc", status="escalated") == 0
    metrics.stands(bot.standing)
    assert value(metrics, "handrail_ready") == 0


async def escalated(storage: MemoryStorage) -> str:
    from flows.ports import Query

    page = await storage.inspect(Query(what="instances", status="escalated"))
    return str(page.rows[0]["id"])


async def test_what_waits_is_counted_up_to_a_limit_and_what_lives_without(
    metrics: PrometheusMetrics,
) -> None:
    storage = MemoryStorage()
    bot = app(metrics)
    async with Chat(bot, storage=storage) as chat:
        for person in range(5):
            await chat.say("/kyc", by=str(person))
        await chat.crash()
        await storage.open()
        await accepted(storage, *(str(person) for person in range(5)))
        whole = await take_census(storage, now=0)
        limited = await take_census(storage, now=0, limit=3)
        assert (whole.inbox, limited.inbox) == (5, 3)
        assert whole.live == limited.live == {("kyc", "active"): 5}


async def test_labels_hold_nothing_but_what_the_code_defines(metrics: PrometheusMetrics) -> None:
    bot = app(metrics)
    async with Chat(bot) as chat:
        await submit(chat)
        metrics.counts(await bot.census())
    found = {(name, text) for one in samples(metrics) for name, text in one.labels.items()}
    assert {name for name, _ in found} <= LABELS
    told = {text for name, text in found if name != "le"}
    assert not [text for text in told if ADA in text or re.search(r"\d+-\d+", text)]


async def test_two_hundred_people_make_no_more_series_than_two(metrics: PrometheusMetrics) -> None:
    counts: list[int] = []
    async with Chat(app(metrics)) as chat:
        for people in (range(2), range(2, 200)):
            for person in people:
                await chat.say("/kyc", by=str(person))
            counts.append(sum(1 for _ in samples(metrics)))
    assert counts[0] == counts[1]


def test_a_registry_takes_the_metrics_once(metrics: PrometheusMetrics) -> None:
    with pytest.raises(ValueError, match="handrail_updates_accepted"):
        PrometheusMetrics(metrics.registry)


def test_a_page_is_text_for_prometheus(metrics: PrometheusMetrics) -> None:
    body, kind = metrics.page()
    assert b"# HELP handrail_ready " in body
    assert kind.startswith("text/plain")
