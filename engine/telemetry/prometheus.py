"""Metrics for Prometheus; needs the extra ``handrail[prometheus]``.

No label ever names a person, a chat, a conversation or an instance: what labels hold is what the
code defines, so that there are as many series as there are flows and steps.
"""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)

from engine.telemetry.census import Census
from engine.telemetry.observer import (
    Accepted,
    CommitEnded,
    Observer,
    SendEnded,
    StepEnded,
    TurnEnded,
)
from engine.telemetry.standing import Standing
from flows.turns.instance import Status

QUICK = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
"""Seconds: what the engine and a database take."""

SLOW = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600)
"""Seconds: by what timers are late."""

BYTES = (500, 1_000, 5_000, 25_000, 100_000, 500_000, 1_000_000, 5_000_000)
TURNS = (1, 2, 5, 10, 25, 50, 100, 200)


class PrometheusMetrics(Observer):
    """Counts and measures what the engine does.

    Hand it to ``App(observers=[...])``, and to the ``Monitor`` that serves ``/metrics``. With a
    server of your own, the gauges are those of the last time that a Monitor was asked.

    Args:
        registry: where the metrics are registered, once; None: the default one of
            prometheus_client, which shows the process and Python as well.

    Raises:
        ValueError: the registry has them already.
    """

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or REGISTRY
        self._live_seen: set[tuple[str, str]] = set()
        self._make_counters()
        self._make_gauges()

    def page(self) -> tuple[bytes, str]:
        """All metrics as text, and its content type."""
        return generate_latest(self.registry), CONTENT_TYPE_LATEST

    # --- what happens -------------------------------------------------------------------

    def accepted(self, page: Accepted) -> None:
        """Counts updates."""
        self._accepted.labels(page.source).inc(len(page.turns))
        self._duplicates.labels(page.source).inc(page.duplicates)
        self._accept_seconds.observe(page.seconds)

    def turn_ended(self, turn: TurnEnded) -> None:
        """Counts turns."""
        self._turn_seconds.labels(turn.outcome).observe(turn.seconds)
        if turn.late is not None and turn.outcome in ("done", "failed"):
            self._timer_late.observe(turn.late)

    def step_ended(self, step: StepEnded) -> None:
        """Counts runs of steps."""
        self._step_seconds.labels(step.flow, step.step).observe(step.seconds)
        self._steps.labels(step.flow, step.step, step.outcome).inc()

    def committed(self, commit: CommitEnded) -> None:
        """Counts commits."""
        self._commit_seconds.observe(commit.seconds)
        self._commit_turns.observe(len(commit.outcomes))
        self._commit_bytes.observe(commit.size)

    def send_ended(self, send: SendEnded) -> None:
        """Counts tries to send."""
        self._send_seconds.labels(send.source, send.outcome).observe(send.seconds)

    def timers_fired(self, count: int) -> None:
        """Counts timers."""
        self._timers.inc(count)

    # --- how it stands ------------------------------------------------------------------

    def stands(self, standing: Standing) -> None:
        """Takes over how the worker stands."""
        self._ready.set(standing.trouble is None)
        self._partitions.set(standing.held)
        self._workers.set(standing.workers)
        self._in_flight.set(standing.turns_in_flight)
        self._waiting.set(standing.updates_waiting)
        self._sends_waiting.set(standing.sends_waiting)

    def counts(self, census: Census) -> None:
        """Takes over what is in the storage."""
        self._inbox.set(census.inbox)
        self._inbox_age.set(census.inbox_age)
        self._outbox.set(census.outbox)
        self._outbox_age.set(census.outbox_age)
        self._dead_letters.set(census.dead_letters)
        self._escalated.set(
            sum(count for (_, status), count in census.live.items() if status == Status.ESCALATED)
        )
        for flow, status in self._live_seen - census.live.keys():
            self._live.labels(flow, status).set(0)
        for (flow, status), count in census.live.items():
            self._live.labels(flow, status).set(count)
        self._live_seen |= census.live.keys()

    # --- their names --------------------------------------------------------------------

    def _make_counters(self) -> None:
        self._accepted = self._counter(
            "updates_accepted", "Updates that were stored, by channel.", ("source",)
        )
        self._duplicates = self._counter(
            "updates_duplicate", "Updates that were known already, by channel.", ("source",)
        )
        self._accept_seconds = self._histogram(
            "accept_seconds", "Seconds until a page of updates is durable.", QUICK
        )
        self._turn_seconds = self._histogram(
            "turn_seconds", "Seconds of a turn until it is committed.", QUICK, ("outcome",)
        )
        self._steps = self._counter(
            "steps", "Runs of step handlers, by how they ended.", ("flow", "step", "outcome")
        )
        self._step_seconds = self._histogram(
            "step_seconds", "Seconds of a run of a step handler.", QUICK, ("flow", "step")
        )
        self._commit_seconds = self._histogram(
            "commit_seconds", "Seconds until a commit is answered.", QUICK
        )
        self._commit_turns = self._histogram("commit_turns", "Turns in a commit.", TURNS)
        self._commit_bytes = self._histogram(
            "commit_bytes", "Bytes that a commit writes, roughly.", BYTES
        )
        self._send_seconds = self._histogram(
            "send_seconds", "Seconds of a try to send, by how it ended.", QUICK,
            ("source", "outcome"),
        )  # fmt: skip
        self._timers = self._counter("timers_fired", "Timers that were due and have fired.")
        self._timer_late = self._histogram(
            "timer_lateness_seconds", "Seconds by which the turn of a timer came late.", SLOW
        )

    def _make_gauges(self) -> None:
        self._ready = self._gauge("ready", "1: updates are handled here, or could be at once.")
        self._partitions = self._gauge("partitions_held", "Partitions of 64 that are held here.")
        self._workers = self._gauge("workers", "Workers of this bot, as far as this one knows.")
        self._in_flight = self._gauge("turns_in_flight", "Turns begun and not committed.")
        self._waiting = self._gauge("updates_in_memory", "Accepted updates that wait in memory.")
        self._sends_waiting = self._gauge("sends_in_memory", "Messages that wait in memory.")
        self._inbox = self._gauge("inbox_waiting", "Accepted updates that are not done.")
        self._inbox_age = self._gauge(
            "inbox_oldest_seconds", "Seconds since the oldest update that is not done came in."
        )
        self._outbox = self._gauge("outbox_waiting", "Messages that are not sent.")
        self._outbox_age = self._gauge(
            "outbox_oldest_seconds", "Seconds since the message that waits longest could have gone."
        )
        self._dead_letters = self._gauge("dead_letters", "What was given up and is kept.")
        self._escalated = self._gauge("escalated_waiting", "Instances that wait for an operator.")
        self._live = self._gauge(
            "live_instances", "Instances that have not ended.", ("flow", "status")
        )

    def _counter(self, name: str, help: str, labels: Iterable[str] = ()) -> Counter:
        return Counter(f"handrail_{name}", help, labels, registry=self.registry)

    def _gauge(self, name: str, help: str, labels: Iterable[str] = ()) -> Gauge:
        return Gauge(f"handrail_{name}", help, labels, registry=self.registry)

    def _histogram(
        self, name: str, help: str, buckets: Iterable[float], labels: Iterable[str] = ()
    ) -> Histogram:
        return Histogram(
            f"handrail_{name}", help, labels, buckets=tuple(buckets), registry=self.registry
        )
