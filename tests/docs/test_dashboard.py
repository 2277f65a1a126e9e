"""The metrics that documents name are those that there are."""

from __future__ import annotations

import json
import re
from pathlib import Path

from prometheus_client import CollectorRegistry

from engine.telemetry.prometheus import PrometheusMetrics

DOCS = Path(__file__).parents[2] / "docs"
NAME = re.compile(r"\bhandrail_[a-z_]+\b")
PARTS = ("_bucket", "_count", "_sum")


def there_are() -> dict[str, str]:
    """All metrics as they are shown, with their types."""
    registry = CollectorRegistry()
    PrometheusMetrics(registry)
    suffixes = {"counter": "_total"}
    return {one.name + suffixes.get(one.type, ""): one.type for one in registry.collect()}


def family(name: str, known: dict[str, str]) -> str:
    """The histogram of a series of one, and everything else as it is."""
    for part in PARTS:
        stem = name.removesuffix(part)
        if stem != name and known.get(stem) == "histogram":
            return stem
    return name


def named_in(text: str) -> set[str]:
    known = there_are()
    return {family(name, known) for name in NAME.findall(text)}


def test_the_dashboard_asks_for_metrics_that_there_are() -> None:
    text = (DOCS / "observability" / "dashboard.json").read_text(encoding="utf-8")
    assert json.loads(text)["title"] == "Handrail"
    assert named_in(text)
    assert named_in(text) - there_are().keys() == set()


def test_the_page_tells_of_every_metric_and_of_no_other() -> None:
    text = (DOCS / "observability.md").read_text(encoding="utf-8")
    assert named_in(text) == there_are().keys()
    rows = re.findall(r"^\| `(handrail_[a-z_]+)` \|", text, re.MULTILINE)
    assert sorted(rows) == sorted(there_are())
