"""The fuzz targets hold for what hypothesis draws; ``make fuzz`` draws far more."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.channels.telegram import shapes
from engine.channels.telegram.webhook import Webhook
from engine.state.conversation import Conversation
from flows import DeepLink
from tests.fuzz.running import Run
from tests.fuzz.targets import TARGETS, seeds

every_target = pytest.mark.parametrize("name", list(TARGETS))
examples = settings(
    max_examples=300 * int(os.environ.get("HANDRAIL_FUZZ", "1")),
    # what has to pass before a change is merged is the same for everybody; fuzzing is not
    derandomize="HANDRAIL_FUZZ" not in os.environ,
    suppress_health_check=list(HealthCheck),
)


@every_target
@examples
@given(data=st.binary(max_size=400))
def test_a_target_holds(name: str, data: bytes) -> None:
    TARGETS[name](data)


@every_target
def test_a_target_holds_for_what_fuzzing_starts_from(name: str) -> None:
    for seed in seeds():
        TARGETS[name](seed)


def _unsound(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Takes away what a target is there to watch over."""
    match name:
        case "updates":
            monkeypatch.setattr(shapes, "clean", lambda text: text)
        case "tokens":
            monkeypatch.setattr("tests.fuzz.tokens.genuine", lambda *_: True)
        case "webhook":
            monkeypatch.setattr(Webhook, "_is_from_telegram", lambda *_: True)
        case "states":
            monkeypatch.setattr(Conversation, "encode", lambda _: "{}")
        case "links":
            monkeypatch.setattr(DeepLink, "read", lambda _, text: text.removeprefix("ref_"))


@every_target
def test_a_target_finds_what_is_unsound(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _unsound(name, monkeypatch)
    drawn = random.Random(0)  # the same in each run
    assert any(_fails(name, drawn.randbytes(64)) for _ in range(5000))


def _fails(name: str, data: bytes) -> bool:
    try:
        TARGETS[name](data)
    except Exception:
        return True
    return False


def test_a_run_is_read_from_the_words_of_libfuzzer() -> None:
    run = Run("tokens")
    for line in (
        "#2\tINITED cov: 40 ft: 41 corp: 1/1b exec/s: 0 rss: 216Mb",
        "#1420\tNEW    cov: 459 ft: 1277 corp: 132/8104b lim: 1024 exec/s: 1420 rss: 217Mb",
        "Done 528685 runs in 13 second(s)",
    ):
        run.heed(line)
    run.code = 0
    assert (run.tried, run.covered, run.good) == (528_685, 459, True)


def test_a_run_that_found_something_is_not_good() -> None:
    run = Run("tokens", code=0)
    run.heed("artifact_prefix='x'; Test unit written to .fuzz/tokens-crash-a69\n")
    assert (run.found, run.good) == (Path(".fuzz/tokens-crash-a69"), False)
