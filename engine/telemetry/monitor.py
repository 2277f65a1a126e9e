"""Health checks and metrics over HTTP: an ASGI app for load balancers, orchestrators and
Prometheus.
"""

from __future__ import annotations

import asyncio
import logging
from time import monotonic
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from engine.telemetry.census import MOST
from flows.errors import NotRunning, OutcomeUnknown, StorageDown

if TYPE_CHECKING:
    from engine.app import App
    from engine.telemetry.prometheus import PrometheusMetrics

PATIENCE = 2.0
"""Seconds that the storage has to answer, to count as reachable."""

FRESH = 1.0
"""Seconds for which the answer of the storage is not asked for again, however many ask."""

COUNTED = 30.0
"""Seconds for which what was counted in the storage is not counted again."""

COUNTING = 5.0
"""Seconds that counting may take."""

_log = logging.getLogger("handrail.engine")


class Monitor:
    """An ASGI app with three paths; mount it in an application of yours, or serve it by itself
    with ``handrail run --monitor``.

    ``/healthz`` answers 200 as long as the event loop does. ``/readyz`` answers 200 while updates
    are handled here, or another worker handles them and this one could take over; else 503, with
    the reason. ``/metrics`` is for Prometheus; without ``metrics`` it answers 404. None of them
    tells anything of a person.

    Args:
        app: what is looked at; it need not run yet.
        metrics: what ``/metrics`` shows. It is to be one of the App's observers, too.
        limit: rows of each kind that are counted in the storage at the most; 0: none are.
    """

    def __init__(
        self, app: App, metrics: PrometheusMetrics | None = None, *, limit: int = MOST
    ) -> None:
        self._app = app
        self._metrics = metrics
        self._limit = limit
        self._reached = float("-inf")
        self._counted = float("-inf")
        self._asking = asyncio.Lock()
        self._counting = asyncio.Lock()
        self._storage_trouble: str | None = None
        self._web = Starlette(
            routes=[
                Route("/healthz", self._healthz),
                Route("/readyz", self._readyz),
                Route("/metrics", self._show_metrics),
            ]
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._web(scope, receive, send)

    async def trouble(self) -> str | None:
        """Why the bot is not ready; None: it is."""
        return self._app.standing.trouble or await self._trouble_of_storage()

    async def _healthz(self, request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def _readyz(self, request: Request) -> Response:
        trouble, standing = await self.trouble(), self._app.standing
        told: dict[str, str | int] = {
            "status": "ready" if trouble is None else "not ready",
            "partitions": standing.held,
            "workers": standing.workers,
        }
        if trouble is not None:
            told["reason"] = trouble
        return JSONResponse(told, status_code=200 if trouble is None else 503)

    async def _show_metrics(self, request: Request) -> Response:
        if self._metrics is None:
            return PlainTextResponse(
                "There are no metrics: pip install 'handrail[prometheus]', and give the App a "
                "PrometheusMetrics as observer and this Monitor the same.\n",
                status_code=404,
            )
        self._metrics.stands(self._app.standing)
        await self._count()
        body, kind = self._metrics.page()
        return Response(body, media_type=kind)

    async def _trouble_of_storage(self) -> str | None:
        async with self._asking:
            if monotonic() - self._reached >= FRESH:
                self._storage_trouble = await self._ask()
                self._reached = monotonic()
            return self._storage_trouble

    async def _ask(self) -> str | None:
        try:
            async with asyncio.timeout(PATIENCE):
                await self._app.reach_storage()
        except NotRunning:
            return "the bot does not run in this process"
        except TimeoutError:
            return f"the storage does not answer within {PATIENCE:g} seconds"
        except (StorageDown, OutcomeUnknown) as error:
            _log.warning("a health check does not reach the storage: %s", error)
            return "the storage cannot be reached; the log says why"
        return None

    async def _count(self) -> None:
        """Counts what is in the storage, now and then. A storage that does not answer leaves the
        last numbers: a page of metrics that fails would hide all the others.
        """
        async with self._counting:
            if self._limit < 1 or self._metrics is None or monotonic() - self._counted < COUNTED:
                return
            try:
                async with asyncio.timeout(COUNTING):
                    self._metrics.counts(await self._app.census(self._limit))
            except (NotRunning, TimeoutError, StorageDown, OutcomeUnknown) as error:
                _log.warning("what is in the storage cannot be counted: %r", error)
            self._counted = monotonic()
