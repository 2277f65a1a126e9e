"""The ids on log records, and the forms of the log."""

from __future__ import annotations

import logging
from contextvars import copy_context

import orjson
import pytest

from engine.telemetry import JsonLines, TextLines, TurnIds
from engine.telemetry.ids import HERE, Ids, about

KYC = Ids("kyc", "EMAIL", "7-0", "telegram/1/2//2", 9)


def record(**extra: object) -> logging.LogRecord:
    made = logging.LogRecord("mybot", logging.INFO, "f", 1, "hello", (), None)
    made.__dict__.update(extra)
    assert TurnIds().filter(made)
    return made


def within(ids: Ids, **extra: object) -> logging.LogRecord:
    """A record that is made where that is told."""

    def make() -> logging.LogRecord:
        HERE.set(lambda: ids)
        return record(**extra)

    return copy_context().run(make)


def test_a_line_of_text_ends_with_the_ids() -> None:
    line = TextLines().format(within(KYC))
    ids = "flow=kyc step=EMAIL instance=7-0 conversation=telegram/1/2//2 turn=9"
    assert line.endswith(f"mybot: hello [{ids}]")


def test_an_object_has_a_field_for_each_id() -> None:
    entry = orjson.loads(JsonLines().format(within(KYC)))
    assert {name: entry[name] for name in ("flow", "step", "instance", "conversation")} == {
        "flow": "kyc", "step": "EMAIL", "instance": "7-0", "conversation": "telegram/1/2//2",
    }  # fmt: skip
    assert entry["turn"] == 9


def test_what_is_not_known_is_left_out() -> None:
    made = within(Ids(turn=9))
    assert TextLines().format(made).endswith("hello [turn=9]")
    assert "flow" not in orjson.loads(JsonLines().format(made))


def test_outside_of_a_turn_a_record_is_as_it_was() -> None:
    assert TextLines().format(record()).endswith("mybot: hello")
    assert "turn" not in orjson.loads(JsonLines().format(record()))


def test_a_field_of_the_user_is_kept() -> None:
    assert vars(within(KYC, step="mine"))["step"] == "mine"


def test_what_a_user_puts_there_that_is_no_id_is_not_shown() -> None:
    assert TextLines().format(record(flow=object())).endswith("mybot: hello")


def test_an_id_with_line_ends_stays_on_one_line() -> None:
    assert "\n" not in TextLines().format(within(Ids(conversation="a\nb")))


def test_the_ids_stand_before_the_traceback() -> None:
    made = within(KYC)
    made.exc_info = (ValueError, ValueError("no"), None)
    first, *rest = TextLines().format(made).splitlines()
    assert first.endswith("turn=9]")
    assert rest == ["ValueError: no"]


def test_what_is_known_better_already_is_not_told_worse() -> None:
    def make() -> None:
        with about(lambda: KYC), about(lambda: Ids(turn=1)):
            assert vars(record())["turn"] == 9
        assert "turn" not in vars(record())

    copy_context().run(make)


@pytest.mark.parametrize("ids", [Ids(), KYC])
def test_ids_as_extra_can_be_logged(ids: Ids, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        logging.getLogger("mybot").info("hello", extra=ids.of_record())
    assert caplog.messages == ["hello"]
