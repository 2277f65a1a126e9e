"""The judges of the Telegram channel's requests do refuse what is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from tests.botapi.judges import judge
from tests.botapi.peers import judge_result, judge_update

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


@pytest.mark.parametrize(
    ("params", "files"),
    [
        ({"chat_id": 7, "photo": "attach://file0"}, []),
        ({"chat_id": 7, "photo": "attach://file0"}, ["file0", "file1"]),
        ({"chat_id": 7}, []),
        ({"photo": "attach://file0"}, ["file0"]),
    ],
)
def test_files_that_do_not_go_along_or_are_not_named_are_refused(
    params: dict[str, Any], files: list[str]
) -> None:
    assert judge("sendPhoto", params, files) is not None


@pytest.mark.parametrize(
    ("method", "params", "files"),
    [
        ("sendPhoto", {"chat_id": 7, "photo": "attach://file0"}, ["file0"]),
        ("sendPhoto", {"chat_id": 7, "caption": "attach://x"}, ["photo"]),
        ("setChatPhoto", {"chat_id": 7}, ["photo"]),
    ],
)
def test_files_that_go_along_are_accepted(
    method: str, params: dict[str, Any], files: list[str]
) -> None:
    assert judge(method, params, files) is None


def test_what_goes_along_with_a_file_is_judged_as_well() -> None:
    assert judge("setChatPhoto", {"chat_id": 7.5}, ["photo"]) is not None


@pytest.mark.parametrize(
    "update",
    [
        {"update_id": 1, "message": {"message_id": 5}},
        {"update_id": "1"},
        {"update_id": 1, "poll_answer": {"poll_id": 5, "option_ids": [0],
                                         "option_persistent_ids": ["a"]}},
        {"update_id": 1, "colour": "red"},
    ],
)  # fmt: skip
def test_updates_that_are_none_are_refused(update: dict[str, Any]) -> None:
    assert judge_update(update) is not None


@pytest.mark.parametrize(
    ("method", "result"),
    [
        ("getMe", {"id": 42, "is_bot": True}),
        ("getMe", {"id": 42, "is_bot": True, "first_name": "Bot", "colour": "red"}),
        ("sendMessage", True),
        ("getUpdates", {}),
        ("getMyCommands", [{"command": "start"}]),
    ],
)
def test_results_of_a_wrong_shape_are_refused(method: str, result: Any) -> None:
    assert judge_result(method, result) is not None
