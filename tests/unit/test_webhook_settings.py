"""The webhook as the environment asks for it, and the places that it can listen at."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine import App, composition
from engine.channels.listening import Place
from engine.channels.telegram.registration import WebhookInfo
from engine.cli import main, running, webhooks
from engine.settings import BadSetting, Settings
from flows import Router
from flows.errors import ChannelStopped

TOKEN = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"
WEBHOOK = {
    "HANDRAIL_TELEGRAM_TOKEN": TOKEN,
    "HANDRAIL_TELEGRAM_WEBHOOK_URL": "https://bot.example.org/telegram",
    "HANDRAIL_TELEGRAM_WEBHOOK_SECRET": "secret",
}


def settings(**changes: str) -> Settings:
    named = {f"HANDRAIL_TELEGRAM_{name}": value for name, value in changes.items()}
    return Settings.from_environment(WEBHOOK | named)


@pytest.mark.parametrize(
    ("wanted", "by_webhook"), [(None, True), (True, True), (False, False)], ids=str
)
def test_with_a_url_updates_come_by_webhook_unless_polling_is_asked_for(
    wanted: bool | None, by_webhook: bool
) -> None:
    assert composition.telegram(settings(), webhook=wanted).everywhere is by_webhook


def test_without_a_url_updates_are_polled() -> None:
    polled = Settings.from_environment({"HANDRAIL_TELEGRAM_TOKEN": TOKEN})
    assert composition.telegram(polled).everywhere is False


def test_a_webhook_without_a_url_names_the_variable() -> None:
    with pytest.raises(BadSetting, match="HANDRAIL_TELEGRAM_WEBHOOK_URL cannot be used"):
        composition.telegram(settings(WEBHOOK_URL=""), webhook=True)


def test_fact_9_a_webhook_with_an_empty_secret_refuses_to_start() -> None:
    with pytest.raises(BadSetting, match=r"_WEBHOOK_SECRET cannot be used: .*Make one: python"):
        composition.telegram(settings(WEBHOOK_SECRET=""))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"WEBHOOK_SECRET": "pass word"}, "has not the form of one"),
        ({"WEBHOOK_LISTEN": "8080"}, "no place to listen at"),
        ({"WEBHOOK_LISTEN": "host:port"}, "no place to listen at"),
        ({"WEBHOOK_LISTEN": "127.0.0.1:70000"}, "no place to listen at"),
        ({"WEBHOOK_LISTEN": "unix:"}, "no place to listen at"),
    ],
)
def test_what_has_not_the_form_of_one_is_refused_with_a_sentence(
    changes: dict[str, str], sentence: str
) -> None:
    with pytest.raises(ChannelStopped, match=sentence):
        composition.telegram(settings(**changes))


def test_the_webhook_of_a_bot_without_a_token_asks_for_one() -> None:
    with pytest.raises(ChannelStopped, match=r"Set HANDRAIL_TELEGRAM_TOKEN"):
        running.on_telegram(App(Router("bot")), settings(TOKEN=""), webhook=True)


def test_the_secret_is_not_shown() -> None:
    assert "secret=" not in repr(settings()).replace("webhook_secret=SecretStr('**********')", "")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("127.0.0.1:8080", Place("127.0.0.1", 8080)),
        ("localhost:1", Place("localhost", 1)),
        ("[::1]:8080", Place("::1", 8080)),
        (":8080", Place("0.0.0.0", 8080)),  # noqa: S104
        ("unix:/run/bot.sock", Place(path=Path("/run/bot.sock"))),
    ],
)
def test_places_are_read(text: str, place: Place) -> None:
    assert Place.parse(text) == place


@pytest.mark.parametrize("text", ["127.0.0.1:8080", "[::1]:8080", "unix:/run/bot.sock"])
def test_places_are_told_as_they_are_written(text: str) -> None:
    assert str(Place.parse(text)) == text


def test_a_file_that_is_no_socket_is_not_removed(tmp_path: Path) -> None:
    file = tmp_path / "notes"
    file.write_text("mine")
    with pytest.raises(OSError, match="in use"):
        Place(path=file).bound()
    assert file.read_text() == "mine"


def test_what_went_wrong_last_is_told_with_its_time() -> None:
    at = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
    told = webhooks.told(
        WebhookInfo(
            url="https://x.org/",
            waiting=0,
            connections=40,
            allowed_updates=(),
            error="Wrong response: 503",
            error_at=at,
        )
    )
    assert told == [
        "Telegram posts updates to https://x.org/",
        "at the same time: 40 at the most",
        "types: those of the default",
        "waiting: 0",
        "last error: Wrong response: 503 (2026-03-01 12:30:00 UTC)",
    ]


@pytest.mark.parametrize("command", ["info", "delete"])
def test_a_webhook_of_no_bot_asks_for_the_token(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("HANDRAIL_TELEGRAM_TOKEN", raising=False)
    with pytest.raises(SystemExit, match="1"):
        main(["webhook", command])
    assert "Set HANDRAIL_TELEGRAM_TOKEN" in capsys.readouterr().err


def test_a_telegram_that_cannot_be_reached_is_told_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HANDRAIL_TELEGRAM_TOKEN", TOKEN)
    monkeypatch.setenv("HANDRAIL_TELEGRAM_API_URL", "http://127.0.0.1:1")
    with pytest.raises(SystemExit, match="1"):
        main(["webhook", "info"])
    told = capsys.readouterr().err
    assert "Telegram did not do that: ConnectError" in told
    assert TOKEN not in told


@pytest.mark.parametrize("command", ["run", "worker"])
@pytest.mark.parametrize(
    ("option", "wanted"), [((), None), (("--webhook",), True), (("--polling",), False)], ids=str
)
def test_how_updates_come_in_is_an_option_of_both_commands(
    command: str, option: tuple[str, ...], wanted: bool | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool | None] = []

    def begin(app: App, settings: Settings, *, webhook: bool | None) -> None:
        asked.append(webhook)

    monkeypatch.setenv("HANDRAIL_TELEGRAM_TOKEN", TOKEN)
    monkeypatch.setattr(running, "on_telegram", begin)
    monkeypatch.setattr(running, "worker", begin)
    with pytest.raises(SystemExit, match="0"):
        main([command, "examples.signup:app", *option])
    assert asked == [wanted]
