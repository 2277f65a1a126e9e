"""What the environment says."""

from __future__ import annotations

import pytest

from engine.settings import DEFAULT_DATABASE_URL, BadSetting, Settings, likely_typos

TOKEN = "123456:AAE-secret-part"


def test_an_empty_environment_gives_the_defaults() -> None:
    settings = Settings.from_environment({"HANDRAIL_TELEGRAM_TOKEN": "  "})
    assert settings.database_url == DEFAULT_DATABASE_URL
    assert settings.telegram_token is None
    assert settings.telegram_limits is True
    assert (settings.log_level, settings.log_format) == (None, "text")


def test_every_variable_is_read() -> None:
    settings = Settings.from_environment(
        {
            "HANDRAIL_DATABASE_URL": "memory://",
            "HANDRAIL_TELEGRAM_TOKEN": TOKEN,
            "HANDRAIL_TELEGRAM_API_URL": "http://127.0.0.1:8081",
            "HANDRAIL_TELEGRAM_LIMITS": "OFF",
            "HANDRAIL_LOG_LEVEL": "debug",
            "HANDRAIL_LOG_FORMAT": "JSON",
        }
    )
    assert settings.database_url == "memory://"
    assert settings.telegram_token is not None
    assert settings.telegram_token.get_secret_value() == TOKEN
    assert settings.telegram_api_url == "http://127.0.0.1:8081"
    assert settings.telegram_limits is False
    assert (settings.log_level, settings.log_format) == ("DEBUG", "json")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TELEGRAM_LIMITS", "maybe"),
        ("TELEGRAM_API_URL", "api.example.com"),
        ("TELEGRAM_API_URL", "ftp://example.com"),
        ("TELEGRAM_API_URL", "https://"),
        ("DATABASE_URL", "handrail.db"),
        ("LOG_LEVEL", "loud"),
        ("LOG_FORMAT", "xml"),
    ],
)
def test_a_value_that_cannot_be_used_is_a_sentence_naming_the_variable(
    name: str, value: str
) -> None:
    with pytest.raises(
        BadSetting, match=f"environment variable HANDRAIL_{name} cannot be used: it"
    ):
        Settings.from_environment({f"HANDRAIL_{name}": value})


def test_the_token_shows_in_no_text_of_the_settings() -> None:
    settings = Settings.from_environment({"HANDRAIL_TELEGRAM_TOKEN": TOKEN})
    assert "secret-part" not in f"{settings!r} {settings} {settings.model_dump()}"


def test_a_password_in_a_refused_url_is_not_repeated() -> None:
    with pytest.raises(BadSetting) as error:
        Settings.from_environment({"HANDRAIL_DATABASE_URL": "me:hunter2@host/db"})
    assert "hunter2" not in str(error.value)


def test_a_mistyped_variable_is_found() -> None:
    environment = {"HANDRAIL_TELEGRAM_TOKN": "x", "HANDRAIL_DATABASE_URL": "y", "HOME": "/"}
    assert likely_typos(environment) == (("HANDRAIL_TELEGRAM_TOKN", "HANDRAIL_TELEGRAM_TOKEN"),)
