"""Updates of every kind that the Bot API documents are read, whoever has serialised them.

``tests/fixtures/telegram`` has a sample of every type of update and of every field of a message.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import telegram
from aiogram.types import Message
from aiogram.types import Update as AiogramUpdate
from hypothesis import given
from hypothesis import strategies as st

from engine.channels.telegram.updates import UpdateReader
from flows.updates import Other, Update
from tests.botapi.peers import judge_update

# what is said of a later major version of theirs
pytestmark = pytest.mark.filterwarnings("ignore:.*PTB_TIMEDELTA")

FOLDER = Path(__file__).parents[1] / "fixtures" / "telegram"
FIELDS: dict[str, Any] = orjson.loads((FOLDER / "messages.json").read_bytes())
BODIES: dict[str, Any] = orjson.loads((FOLDER / "updates.json").read_bytes())

NOW = 1_760_000_123_000
ENVELOPE = {
    "message_id": 55,
    "date": 1_760_000_000,
    "chat": {"id": 1001, "type": "private", "first_name": "Ada"},
    "from": {"id": 1001, "is_bot": False, "first_name": "Ada"},
}
"""What every message has."""

MESSAGES = ("message", "edited_message", "channel_post", "edited_channel_post",
            "business_message", "edited_business_message", "guest_message")  # fmt: skip
"""The types of update that hold a message."""

ALWAYS = {"message_id", "date", "chat", "from_user"}

NEWER = {
    "rich_message", "receiver_user", "ephemeral_message_id", "community_chat_added",
    "community_chat_removed", "community_chat_joined", "chat_join_request", "guest_message",
    "subscription", "stopped_message_generation", "unique_gift",
}  # fmt: skip
"""What has fields that aiogram knows and this python-telegram-bot does not, which is a few
versions of the Bot API older."""

CONTENTS = {
    "animation": "animation", "audio": "audio", "document": "document", "photo": "photo",
    "sticker": "sticker", "video": "video", "video_note": "video", "voice": "voice",
    "contact": "contact", "dice": "dice", "poll": "poll", "venue": "location",
    "location": "location", "text": "text", "successful_payment": "payment",
    "web_app_data": "web_app", "migrate_to_chat_id": "migrated",
}  # fmt: skip
"""The kind of content that each of these fields of a message makes."""

SPOKEN = {"game", "story", "paid_media", "checklist", "rich_message", "invoice", "giveaway",
          "passport_data", "users_shared", "chat_shared"}  # fmt: skip
"""What somebody may wait for an answer to, although it has no type of its own."""

KINDS = {
    "callback_query": "press", "poll": "poll_state",
    **{name: name for name in (
        "message_reaction", "message_reaction_count", "inline_query", "chosen_inline_result",
        "shipping_query", "pre_checkout_query", "poll_answer", "my_chat_member", "chat_member",
        "chat_join_request",
    )},
}  # fmt: skip
"""The kind of content that each type of update makes; all others make ``other``."""


def message(**fields: Any) -> dict[str, Any]:
    return {"update_id": 1, "message": ENVELOPE | fields}


def samples() -> Iterator[tuple[str, dict[str, Any]]]:
    """Names, and updates."""
    for name, value in FIELDS.items():
        yield name, message(**{name: value})
    for name, body in BODIES.items():
        yield name, {"update_id": 1, name: body}
    for name in MESSAGES[1:]:
        yield name, {"update_id": 1, name: ENVELOPE | {"text": "hello"}}


SAMPLES = [*samples()]
each_sample = pytest.mark.parametrize(
    ("name", "raw"), SAMPLES, ids=[f"{'.'.join(raw)}-{name}" for name, raw in SAMPLES]
)


def read(raw: dict[str, Any]) -> Update:
    update = UpdateReader("telegram:42", raw=False).read(raw, now=NOW)
    assert update is not None
    return update


def test_every_type_of_update_has_a_sample() -> None:
    assert set(AiogramUpdate.model_fields) == {"update_id", *MESSAGES, *BODIES}


def test_every_field_of_a_message_has_a_sample() -> None:
    deprecated = {
        name
        for name, field in Message.model_fields.items()
        if isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get("deprecated")
    }
    assert set(Message.model_fields) == {*FIELDS, *ALWAYS, *deprecated}


@each_sample
def test_the_samples_are_what_aiogram_and_python_telegram_bot_know(
    name: str, raw: dict[str, Any]
) -> None:
    verdict = judge_update(raw)
    if name in NEWER and verdict is not None:
        assert verdict.startswith("python-telegram-bot: does not know")
    else:
        assert verdict is None


@pytest.mark.parametrize("name", FIELDS)
def test_each_field_of_a_message_makes_its_kind_of_content(name: str) -> None:
    content = read(message(**{name: FIELDS[name]})).content
    assert content.kind == CONTENTS.get(name, "other")
    if isinstance(content, Other):
        assert content == (Other(name) if name in SPOKEN else Other("service_message", silent=True))


@pytest.mark.parametrize("name", BODIES)
def test_each_type_of_update_makes_its_kind_of_content(name: str) -> None:
    content = read({"update_id": 1, name: BODIES[name]}).content
    assert content.kind == KINDS.get(name, "other")
    if isinstance(content, Other):
        assert content == Other(name, silent=True)


@pytest.mark.parametrize("name", MESSAGES)
def test_each_type_of_update_with_a_message_makes_its_kind(name: str) -> None:
    raw = {"update_id": 1, name: ENVELOPE | {"text": "hello"}}
    content = read(raw).content
    known = {"message": "text"} | {kind: kind for kind in MESSAGES[1:4]}
    assert content.kind == known.get(name, "other")


def by_aiogram(raw: dict[str, Any]) -> list[dict[str, Any]]:
    update = AiogramUpdate.model_validate(raw)
    return [
        update.model_dump(mode="json", by_alias=True, exclude_none=True),
        update.model_dump(mode="json", by_alias=True, exclude_unset=True),
        orjson.loads(update.model_dump_json(by_alias=True, exclude_none=True)),
    ]


def by_ptb(raw: dict[str, Any]) -> list[dict[str, Any]]:
    update = telegram.Update.de_json(raw, None)
    return [update.to_dict(), orjson.loads(update.to_json())]


@each_sample
def test_what_other_libraries_serialise_is_read_as_what_telegram_sends(
    name: str, raw: dict[str, Any]
) -> None:
    ours = read(raw)
    assert [read(again) for again in (*by_aiogram(raw), *by_ptb(raw))] == [ours] * 5


fields_of_a_message = st.dictionaries(
    st.sampled_from([*FIELDS]), st.none(), min_size=1, max_size=6
).map(lambda names: {name: FIELDS[name] for name in names})


@given(kind=st.sampled_from(MESSAGES), fields=fields_of_a_message)
def test_messages_with_any_fields_are_read_alike_from_everybody(
    kind: str, fields: dict[str, Any]
) -> None:
    raw = {"update_id": 1, kind: ENVELOPE | fields}
    assert {read(again) for again in (*by_aiogram(raw), *by_ptb(raw))} == {read(raw)}
