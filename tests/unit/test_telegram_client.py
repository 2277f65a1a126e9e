"""What the Bot API and the network answer, and what that means to the engine."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from typing import Any

import httpx
import orjson
import pytest

from engine.channels.telegram import TelegramChannel
from engine.channels.telegram.client import (
    AnswerLost,
    BotApi,
    Busy,
    Conflict,
    NoSuchApi,
    Refused,
    Unreachable,
)
from engine.channels.telegram.redaction import redact
from engine.testing.clock import VirtualClock
from flows.errors import ChannelStopped, ChatMoved, SendLater, SendRefused, SendUncertain
from flows.messages.replies import Button, keyboard
from flows.ports import Delivery
from tests.botapi.doubles import QuickClock
from tests.botapi.transport import judged, take_refused

TOKEN = "42:very-secret_part"
SECRET = "very-secret_part"

pytestmark = pytest.mark.anyio

Answer = Callable[[httpx.Request], httpx.Response]


def http(answer: Answer) -> httpx.AsyncClient:
    return judged(answer)


def api(answer: Answer) -> BotApi:
    return BotApi(TOKEN, "https://api.example", http(answer))


def error(code: int, description: str, **parameters: Any) -> Answer:
    body = {"ok": False, "error_code": code, "description": description, "parameters": parameters}
    return lambda _request: httpx.Response(code, json=body)


def ok(result: object) -> Answer:
    return lambda _request: httpx.Response(200, json={"ok": True, "result": result})


def raising(kind: type[httpx.RequestError]) -> Answer:
    def answer(request: httpx.Request) -> httpx.Response:
        raise kind(f"trouble with {request.url}", request=request)

    return answer


def channel(answer: Answer) -> TelegramChannel:
    return TelegramChannel(TOKEN, limits=False, clock=QuickClock(), client=http(answer))


def delivery(text: str = "hello", **more: Any) -> Delivery:
    return Delivery(**{"chat": "7", "topic": None, "text": text, "format": "plain",
                       "keyboard": (), **more})  # fmt: skip


async def test_a_call_posts_json_and_answers_the_result() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"ok": True, "result": [1]})

    assert await api(answer).call("getUpdates", {"limit": 1}) == [1]
    assert str(seen[0].url) == f"https://api.example/bot{TOKEN}/getUpdates"
    assert orjson.loads(seen[0].content) == {"limit": 1}


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (error(400, "Bad Request: chat not found"), Refused),
        (error(403, "Forbidden: bot was blocked by the user"), Refused),
        (error(401, "Unauthorized"), ChannelStopped),
        (error(404, "Not Found"), NoSuchApi),
        (error(409, "Conflict: terminated"), Conflict),
        (error(429, "Too Many Requests: retry after 5", retry_after=5), Busy),
        (error(500, "Internal Server Error"), Unreachable),
        (lambda _: httpx.Response(502, html="<h1>Bad Gateway</h1>"), Unreachable),
        (lambda _: httpx.Response(403, html="<h1>a proxy's</h1>"), Unreachable),
        (lambda _: httpx.Response(302, headers={"location": "/login"}), Unreachable),
        (lambda _: httpx.Response(200, html="<h1>a portal</h1>"), AnswerLost),
        (lambda _: httpx.Response(200, content=b"[" * 100_000), AnswerLost),
        (raising(httpx.ConnectError), Unreachable),
        (raising(httpx.ConnectTimeout), Unreachable),
        (raising(httpx.PoolTimeout), Unreachable),
        (raising(httpx.ReadTimeout), AnswerLost),
        (raising(httpx.WriteError), AnswerLost),
        (raising(httpx.RemoteProtocolError), AnswerLost),
    ],
)
async def test_each_failure_has_its_kind_and_never_the_token(
    answer: Answer, kind: type[Exception]
) -> None:
    with pytest.raises(kind) as caught:
        await api(answer).call("sendMessage", {"chat_id": 7, "text": "hello"})
    assert type(caught.value) is kind
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None
    assert SECRET not in "".join(traceback.format_exception(caught.value))


async def test_fact_22_the_token_is_in_no_log_of_the_http_library(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.DEBUG):
        await api(ok(True)).call("getMe", {})
    assert "bot<token>/getMe" in caplog.text
    assert SECRET not in caplog.text


async def test_line_breaks_in_a_description_break_no_log() -> None:
    with pytest.raises(Refused) as caught:
        await api(error(400, "Bad\r\nERROR forged line" + "x" * 999)).call("getMe", {})
    assert caught.value.reason.startswith("Bad ERROR forged line")
    assert len(caught.value.reason) == 300


def test_fact_22_tokens_in_urls_are_redacted() -> None:
    assert redact(f"GET /bot{TOKEN}/getMe") == "GET /bot<token>/getMe"
    assert redact(f"/file/bot{TOKEN}/a.jpg") == "/file/bot<token>/a.jpg"
    assert redact("bot42%3Aabc/x and a robot: fine") == "bot<token>/x and a robot: fine"


def test_fact_22_the_token_is_in_no_repr() -> None:
    assert SECRET not in repr(channel(ok(True)))
    assert SECRET not in repr(api(ok(True)))


@pytest.mark.parametrize("token", ["", "42", "42:", ":x", "x:y", f" {TOKEN}", f"{TOKEN}\n", "4²:a"])
def test_a_malformed_token_is_refused_without_showing_it(token: str) -> None:
    with pytest.raises(ChannelStopped, match="BotFather") as caught:
        TelegramChannel(token)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["", "api.telegram.org", "ftp://x", "http://", "http://[", "http://x:y", "/x"]
)
def test_an_api_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ChannelStopped, match="base URL"):
        TelegramChannel(TOKEN, api_url=url)


async def test_the_source_is_the_bots_id_and_a_borrowed_client_stays_open() -> None:
    client = http(ok(True))
    borrowed = TelegramChannel(TOKEN, client=client)
    assert borrowed.source == "telegram:42"
    await borrowed.close()
    await borrowed.close()
    assert not client.is_closed
    await client.aclose()


async def test_an_own_client_is_closed_twice_without_harm() -> None:
    own = TelegramChannel(TOKEN)
    await own.close()
    await own.close()


@pytest.mark.parametrize(("retry_after", "seconds"), [(17, 17), (0, 0), (-3, 0)])
async def test_fact_13_a_429_says_how_long_to_wait(retry_after: object, seconds: float) -> None:
    with pytest.raises(SendLater) as caught:
        await channel(error(429, "Too Many Requests", retry_after=retry_after)).send(delivery())
    assert caught.value.seconds == seconds


@pytest.mark.parametrize("retry_after", ["x", True, None])
async def test_a_429_that_does_not_say_how_long_makes_the_chat_wait_longer_each_time(
    retry_after: object,
) -> None:
    busy = channel(error(429, "Too Many Requests", retry_after=retry_after))
    for full in (5, 10, 20, 40, 60, 60):
        with pytest.raises(SendLater) as caught:
            await busy.send(delivery())
        assert full / 2 <= caught.value.seconds <= full


@pytest.mark.parametrize(
    ("code", "description"),
    [
        (403, "Forbidden: bot was blocked by the user"),
        (403, "Forbidden: user is deactivated"),
        (403, "Forbidden: bot was kicked from the supergroup chat"),
        (403, "Forbidden: bot is not a member of the channel chat"),
        (403, "Forbidden: the group chat was deleted"),
        (400, "Bad Request: chat not found"),
        (400, "Bad Request: bot was blocked by the user"),
        (400, "Bad Request: PEER_ID_INVALID"),
        (400, "Bad Request: not enough rights to send text messages to the chat"),
    ],
)
async def test_fact_18_a_chat_that_is_closed_to_us_is_blocked(code: int, description: str) -> None:
    with pytest.raises(SendRefused) as caught:
        await channel(error(code, description)).send(delivery())
    assert (caught.value.blocked, caught.value.reason) == (True, description)


async def test_a_message_that_is_wrong_is_refused_but_blocks_nothing() -> None:
    wrong = error(400, "Bad Request: can't parse entities: Unsupported start tag")
    with pytest.raises(SendRefused, match="can't parse") as caught:
        await channel(wrong).send(delivery("<x>", format="html"))
    assert not caught.value.blocked
    [refusal] = take_refused()
    assert "Unsupported start tag" in refusal


async def test_fact_20_a_revoked_token_stops_with_advice() -> None:
    with pytest.raises(ChannelStopped, match="BotFather"):
        await channel(error(401, "Unauthorized")).send(delivery())


@pytest.mark.parametrize("status", [500, 502])
async def test_fact_20_a_service_out_of_order_is_tried_later_and_later(status: int) -> None:
    failing = channel(lambda _: httpx.Response(status, html="<h1>oops</h1>"))
    waits: list[float] = []
    for _ in range(6):
        with pytest.raises(SendLater) as caught:
            await failing.send(delivery())
        waits.append(caught.value.seconds)
    assert waits[0] <= 1
    assert 16 <= waits[5] <= 32


async def test_a_message_that_surely_did_not_leave_is_sent_later() -> None:
    with pytest.raises(SendLater):
        await channel(raising(httpx.ConnectError)).send(delivery())


async def test_fact_15_a_message_whose_answer_was_lost_is_uncertain() -> None:
    with pytest.raises(SendUncertain) as caught:
        await channel(raising(httpx.ReadTimeout)).send(delivery())
    assert SECRET not in "".join(traceback.format_exception(caught.value))


async def test_fact_15_an_edit_whose_answer_was_lost_is_done_again() -> None:
    with pytest.raises(SendLater):
        await channel(raising(httpx.ReadTimeout)).send(delivery(edit="5"))


async def test_fact_15_not_modified_means_that_the_edit_succeeded() -> None:
    same = error(400, "Bad Request: message is not modified: specified new message content ...")
    assert await channel(same).send(delivery(edit="5")) == "5"


def scripted(*answers: tuple[str, Answer]) -> tuple[Answer, list[dict[str, Any]]]:
    """Answers one request after the other, each to be for the method named."""
    left = list(answers)
    seen: list[dict[str, Any]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        method, reply = left.pop(0)
        assert request.url.path.endswith(f"/{method}")
        seen.append(orjson.loads(request.content))
        return reply(request)

    return answer, seen


@pytest.mark.parametrize(
    "gone", ["message to edit not found", "message can't be edited", "MESSAGE_ID_INVALID"]
)
async def test_an_edit_of_a_message_that_is_gone_is_sent_anew(gone: str) -> None:
    answer, seen = scripted(
        ("editMessageText", error(400, f"Bad Request: {gone}")),
        ("sendMessage", ok({"message_id": 6})),
    )
    assert await channel(answer).send(delivery(edit="5")) == "6"
    assert seen[1] == {"chat_id": 7, "text": "hello"}


async def test_a_reference_that_is_no_message_id_is_sent_anew() -> None:
    answer, _ = scripted(("sendMessage", ok({"message_id": 6})))
    assert await channel(answer).send(delivery(edit="web-1")) == "6"


async def test_fact_19_a_migrated_group_is_told_with_its_new_id() -> None:
    answer, seen = scripted(
        (
            "sendMessage",
            error(400, "Bad Request: group chat was upgraded", migrate_to_chat_id=-1007),
        ),
    )
    with pytest.raises(ChatMoved) as moved:
        await channel(answer).send(delivery(chat="-7"))
    assert moved.value.to == "-1007"
    assert [params["chat_id"] for params in seen] == [-7]


async def test_a_long_text_goes_out_in_parts_with_the_keyboard_on_the_last() -> None:
    answer, seen = scripted(
        ("sendMessage", ok({"message_id": 1})), ("sendMessage", ok({"message_id": 2}))
    )
    long = delivery("x" * 5000, keyboard=keyboard(Button("Go", "go")))
    assert await channel(answer).send(long) == "2"
    assert [len(params["text"]) for params in seen] == [4096, 904]
    assert [("reply_markup" in params) for params in seen] == [False, True]


async def test_parts_that_went_out_are_not_repeated_when_the_rest_is_sent_later() -> None:
    answer, seen = scripted(
        ("sendMessage", ok({"message_id": 1})),
        ("sendMessage", error(429, "Too Many Requests", retry_after=3)),
        ("sendMessage", ok({"message_id": 2})),
        ("sendMessage", ok({"message_id": 3})),
        ("sendMessage", ok({"message_id": 4})),
    )
    talking = channel(answer)
    with pytest.raises(SendLater):
        await talking.send(delivery("x" * 5000))
    assert await talking.send(delivery("x" * 5000)) == "2"
    assert await talking.send(delivery("x" * 5000)) == "4", "the same text again is a new message"
    assert [len(params["text"]) for params in seen] == [4096, 904, 904, 4096, 904]


async def test_a_text_that_shows_nothing_is_refused_before_it_is_sent() -> None:
    for edit in (None, "5"):
        with pytest.raises(SendRefused, match="no text"):
            await channel(ok(True)).send(delivery(" \n", edit=edit))


@pytest.mark.parametrize(
    "description",
    ["Bad Request: query is too old and response timeout expired or query ID is invalid",
     "Bad Request: QUERY_ID_INVALID"],
)  # fmt: skip
async def test_fact_16_a_press_that_is_too_old_is_no_trouble(
    description: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="handrail.telegram"):
        await channel(error(400, description)).answer("9", "late")
    assert caplog.messages == []


@pytest.mark.parametrize(
    "answer", [error(500, "oops"), error(401, "Unauthorized"), raising(httpx.ReadTimeout)]
)
async def test_a_press_that_cannot_be_answered_is_logged(
    answer: Answer, caplog: pytest.LogCaptureFixture
) -> None:
    await channel(answer).answer("9", None)
    assert "could not be answered" in caplog.text
    assert SECRET not in caplog.text


async def test_fact_16_a_notice_is_cut_to_200_characters() -> None:
    answer, seen = scripted(("answerCallbackQuery", ok(True)), ("answerCallbackQuery", ok(True)))
    pressed = channel(answer)
    await pressed.answer("9", "x" * 300)
    await pressed.answer("10", None)
    assert seen[0] == {"callback_query_id": "9", "text": "x" * 199 + "…"}
    assert seen[1] == {"callback_query_id": "10"}


async def test_the_limits_are_asked_apart_and_sends_wait_for_nothing() -> None:
    clock = VirtualClock()
    limited = TelegramChannel(TOKEN, client=http(ok({"message_id": 1})), clock=clock)
    assert [limited.admit("-7") for _ in range(3)] == [None] * 3
    assert limited.admit("-7") is not None
    for _ in range(20):
        await limited.send(delivery(chat="-7"))
        await limited.send(delivery(chat="-7", edit="5"))
        await limited.answer("9", None)


async def test_without_limits_everything_is_let_through() -> None:
    free = TelegramChannel(TOKEN, client=http(ok({"message_id": 1})), limits=False)
    free.allot(0.01)
    assert {free.admit("7") for _ in range(1000)} == {None}


async def test_the_rest_of_a_long_text_waits_for_the_limits_and_is_not_repeated() -> None:
    clock = VirtualClock()
    answer, seen = scripted(*(("sendMessage", ok({"message_id": n})) for n in range(1, 6)))
    limited = TelegramChannel(TOKEN, client=http(answer), clock=clock)
    assert limited.admit("7") is None
    with pytest.raises(SendLater, match="the rest of a long text") as caught:
        await limited.send(delivery("x" * 4096 * 4 + "y", chat="7"))
    assert len(seen) == 3
    assert 0.99 < caught.value.seconds <= 1
    clock.skip(2)
    assert limited.admit("7") is None
    assert await limited.send(delivery("x" * 4096 * 4 + "y", chat="7")) == "5"
    assert [len(params["text"]) for params in seen] == [4096] * 4 + [1]


async def test_open_waits_until_the_service_can_be_reached() -> None:
    answer, seen = scripted(
        ("getMe", raising(httpx.ConnectError)),
        ("getMe", error(429, "Too Many Requests", retry_after=9)),
        ("getMe", ok({"id": 42, "username": "our_bot"})),
        ("setMyCommands", ok(True)),
    )
    clock = QuickClock()
    opened = TelegramChannel(TOKEN, clock=clock, client=http(answer))
    await opened.open([("start", "Begin"), ("No-Good", "x"), ("help", "  a\n" + "b" * 300)])
    assert opened.username == "our_bot"
    assert clock.slept[1] == 9
    assert [command["command"] for command in seen[3]["commands"]] == ["start", "help"]
    assert len(seen[3]["commands"][1]["description"]) == 256


@pytest.mark.parametrize(
    ("answer", "says"), [(error(401, "Unauthorized"), "revoked"), (error(404, "Not Found"), "URL")]
)
async def test_open_stops_where_there_is_no_such_bot(answer: Answer, says: str) -> None:
    with pytest.raises(ChannelStopped, match=says) as caught:
        await channel(answer).open([])
    assert SECRET not in str(caught.value)


async def test_open_without_commands_sets_none_and_a_refused_menu_is_no_failure() -> None:
    answer, _ = scripted(
        ("getMe", ok({"id": 42, "username": "our_bot"})),
        ("getMe", ok({"id": 42, "username": "our_bot"})),
        ("setMyCommands", error(400, "Bad Request: BOT_COMMAND_INVALID")),
    )
    opened = channel(answer)
    await opened.open([])
    await opened.open([("start", "Begin")])


async def test_a_number_beyond_all_bounds_is_none_and_became_an_infinity() -> None:
    body = b'{"ok":true,"result":[{"a":1e400},{"b":-1e400},{"c":1.5}]}'
    odd = api(lambda _: httpx.Response(200, content=body))
    assert await odd.call("getUpdates", {}) == [{"a": None}, {"b": None}, {"c": 1.5}]


async def test_one_odd_update_does_not_hide_its_page() -> None:
    body = b'{"ok":true,"result":[{"a":"\\ud800"},{"b":NaN},{"c":' + b"9" * 5000 + b'},"\xff"]}'
    odd = api(lambda _: httpx.Response(200, content=body))
    assert await odd.call("getUpdates", {}) == [{"a": "\ud800"}, {"b": None}, {"c": None}, "\ufffd"]
