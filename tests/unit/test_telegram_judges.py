"""The judges of the Telegram channel's requests do refuse what is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from tests.botapi.judges import judge

LONG = "é" * 33
"""66 bytes."""


def markup(**button: Any) -> dict[str, Any]:
    return {"inline_keyboard": [[{"text": "A", **button}]]}


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("getMe", {}),
        ("getUpdates", {"offset": 1, "timeout": 50, "limit": 100, "allowed_updates": ["message"]}),
        ("sendMessage", {"chat_id": 7, "text": "x", "reply_markup": markup(callback_data="a")}),
        ("editMessageText", {"chat_id": 7, "message_id": 1, "text": "x"}),
        ("answerCallbackQuery", {"callback_query_id": "1", "text": "x" * 200}),
        ("setMyCommands", {"commands": [{"command": "start", "description": "Begin"}]}),
    ],
)
def test_what_is_right_is_accepted(method: str, params: dict[str, Any]) -> None:
    assert judge(method, params) is None


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("sendMesage", {"chat_id": 7, "text": "x"}),
        ("sendMessage", {"chat_id": 7}),
        ("sendMessage", {"chat_id": 7, "text": "x", "colour": "red"}),
        ("sendMessage", {"chat_id": 7, "text": "x", "reply_markup": markup(callback_date="a")}),
        ("sendMessage", {"chat_id": 7, "text": "x", "message_thread_id": "3"}),
        ("sendMessage", {"chat_id": 7.5, "text": "x"}),
        ("sendMessage", {"chat_id": 7, "text": 3}),
        ("sendMessage", {"chat_id": 7, "text": "x", "reply_to_message_id": 3}),
        ("getUpdates", {"timeout": "50"}),
        ("setMyCommands", {"commands": [{"name": "start", "description": "Begin"}]}),
    ],
)
def test_aiogram_refuses_unknown_fields_and_wrong_types(
    method: str, params: dict[str, Any]
) -> None:
    assert (judge(method, params) or "").startswith("aiogram")


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("sendMessage", {"chat_id": 7, "text": ""}),
        ("sendMessage", {"chat_id": 7, "text": "😀" * 2049}),
        ("sendMessage", {"chat_id": 7, "text": "<b>x", "parse_mode": "HTML"}),
        ("sendMessage", {"chat_id": 7, "text": "1.5", "parse_mode": "MarkdownV2"}),
        ("sendMessage", {"chat_id": 7, "text": "x", "reply_markup": markup()}),
        (
            "sendMessage",
            {"chat_id": 7, "text": "x", "reply_markup": markup(callback_data="é" * 33)},
        ),
        ("answerCallbackQuery", {"callback_query_id": "1", "text": "x" * 201}),
    ],
)
def test_teremok_refuses_what_breaks_a_rule(method: str, params: dict[str, Any]) -> None:
    assert (judge(method, params) or "").startswith("teremok")
