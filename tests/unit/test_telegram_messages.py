"""Deliveries become parameters that both judges accept."""

from __future__ import annotations

import logging
from html import escape
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.channels.telegram.messages import edited_message, new_messages, press_answer
from engine.channels.telegram.splitting import units
from flows.errors import DefinitionError
from flows.messages.replies import Button, keyboard
from flows.ports import Delivery
from tests.botapi.judges import judge


def delivery(text: str = "hello", **more: Any) -> Delivery:
    return Delivery(**{"chat": "7", "topic": None, "text": text, "format": "plain",
                       "keyboard": (), **more})  # fmt: skip


def test_a_plain_text_goes_without_a_parse_mode() -> None:
    assert new_messages(delivery("<b> {x.__class__} _a_"), 7) == [
        {"chat_id": 7, "text": "<b> {x.__class__} _a_"}
    ]


@pytest.mark.parametrize(("format", "mode"), [("html", "HTML"), ("markdown", "MarkdownV2")])
def test_fact_26_a_format_has_its_parse_mode(format: str, mode: str) -> None:
    assert new_messages(delivery(format=format), 7)[0]["parse_mode"] == mode
    assert edited_message(delivery(format=format), 7, 5)["parse_mode"] == mode


@pytest.mark.parametrize("name", ["<b>", "_", "{x.__class__}", "<img onerror=x>", "a & b"])
def test_fact_26_an_escaped_name_is_accepted_in_html(name: str) -> None:
    [params] = new_messages(delivery(f"<b>{escape(name)}</b>", format="html"), 7)
    assert judge("sendMessage", params) is None


def test_fact_24_a_reply_goes_to_its_topic() -> None:
    [params] = new_messages(delivery(topic="33"), -7)
    assert params == {"chat_id": -7, "message_thread_id": 33, "text": "hello"}


def test_a_keyboard_is_rows_of_data_and_url_buttons() -> None:
    rows = keyboard((Button("A", "a"), Button("B", "b")), Button("Site", url="https://x.y"))
    [params] = new_messages(delivery(keyboard=rows), 7)
    assert params["reply_markup"] == {
        "inline_keyboard": [
            [{"text": "A", "callback_data": "a"}, {"text": "B", "callback_data": "b"}],
            [{"text": "Site", "url": "https://x.y"}],
        ]
    }
    assert judge("sendMessage", params) is None


def test_fact_17_button_data_has_at_most_64_bytes() -> None:
    [params] = new_messages(delivery(keyboard=keyboard(Button("A", "é" * 32))), 7)
    assert judge("sendMessage", params) is None
    with pytest.raises(DefinitionError, match="64"):
        Button("A", "é" * 32 + "x")


@given(st.text(st.characters(), max_size=50), st.sampled_from([1, 300]))
def test_fact_17_any_text_becomes_messages_that_are_accepted(text: str, times: int) -> None:
    shown = "x" + text * times
    for params in new_messages(delivery(shown), 7):
        assert judge("sendMessage", params) is None
    assert judge("editMessageText", edited_message(delivery(shown), 7, 5)) is None
    assert judge("answerCallbackQuery", press_answer("9", shown)) is None


def test_an_edit_that_is_too_long_is_cut_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="handrail.telegram"):
        params = edited_message(delivery("word " * 2000), 7, 5)
    assert params["text"].endswith("word…")
    assert 4000 < units(params["text"]) <= 4096
    assert "message 5" in caplog.text
    assert "word" not in caplog.text


def test_an_edit_without_a_keyboard_takes_the_old_one_away() -> None:
    assert edited_message(delivery(), 7, 5) == {"chat_id": 7, "message_id": 5, "text": "hello"}
