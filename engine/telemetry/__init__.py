"""To see what a bot does: ids in log records, and the port of observers.

Prometheus, OpenTelemetry and the health checks are modules of their own, imported where they are
wanted: ``engine.telemetry.prometheus``, ``engine.telemetry.otel``, ``engine.telemetry.monitor``.
"""

from engine.telemetry.formats import JsonLines, TextLines
from engine.telemetry.ids import TurnIds
from engine.telemetry.observer import (
    Accepted,
    CommitEnded,
    Observer,
    SendBegun,
    SendEnded,
    StepBegun,
    StepEnded,
    TurnBegun,
    TurnEnded,
)

__all__ = [
    "Accepted",
    "CommitEnded",
    "JsonLines",
    "Observer",
    "SendBegun",
    "SendEnded",
    "StepBegun",
    "StepEnded",
    "TextLines",
    "TurnBegun",
    "TurnEnded",
    "TurnIds",
]
