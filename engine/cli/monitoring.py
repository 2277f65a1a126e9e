"""Health checks and metrics beside a bot, on a port of their own."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

from engine.channels.listening import Listener, Place
from engine.settings import BadSetting
from engine.telemetry.monitor import Monitor
from flows.errors import ChannelStopped

if TYPE_CHECKING:
    from engine.app import App
    from engine.telemetry.prometheus import PrometheusMetrics

VARIABLE = "HANDRAIL_MONITOR_LISTEN"

_log = logging.getLogger("handrail.engine")


@asynccontextmanager
async def monitored(app: App, place: str | None) -> AsyncIterator[None]:
    """Serves health checks and metrics while the block runs; None: nothing is served.

    Raises:
        BadSetting: the place is none, or something else listens there.
    """
    if place is None:
        yield
        return
    try:
        where = Place.parse(place)
        monitor = Monitor(app, _metrics(app))
        listener = Listener(monitor, where, what="the monitor", variable=VARIABLE)
        await listener.open()
    except ChannelStopped as error:
        raise BadSetting(VARIABLE, str(error)) from None
    try:
        yield
    finally:
        await listener.close()


def _metrics(app: App) -> PrometheusMetrics | None:
    """Those that the App has already, or new ones; None where nothing is there to make them."""
    if find_spec("prometheus_client") is None:
        _log.warning(
            "/metrics shows nothing: prometheus_client is missing. pip install "
            "'handrail[prometheus]'"
        )
        return None
    from engine.telemetry.prometheus import PrometheusMetrics

    for observer in app.observers:
        if isinstance(observer, PrometheusMetrics):
            return observer
    metrics = PrometheusMetrics()
    app.observe(metrics)
    return metrics
