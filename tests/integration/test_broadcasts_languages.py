"""The message that shows how far a broadcast is speaks the language of who asked for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from engine import App
from engine.broadcast import progress
from engine.broadcast.head import Head, State
from engine.languages import Languages
from engine.testing import Chat, VirtualClock
from flows import Context, Router
from flows.ports import FlowStorage
from flows.updates import BroadcastOrder, Update
from storage import MemoryStorage

pytestmark = pytest.mark.anyio

PEOPLE = [f"p{number}" for number in range(1200)]

FULL = "▓" * 20 + " 100 %"

FRENCH = """
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"

msgid "Broadcast {id}: running"
msgstr "Diffusion {id} : en cours"
"""

ENDS = {
    "en": "done\n" + FULL + "\n1,200 of 1,200, 1,200 sent, 0 blocked, 0 failed",
    "de": "fertig\n" + FULL + "\n1.200 von 1.200, 1.200 gesendet, 0 blockiert, 0 fehlgeschlagen",
    "ru": (
        "завершена\n" + FULL + "\n1\xa0200 из 1\xa0200, отправлено: 1\xa0200, "
        "бот заблокирован: 0, не доставлено: 0"
    ),
}
"""What is shown at the end, behind the id."""


async def tell(ctx: Context) -> None:
    """Tells the people, as fast as it is said."""
    ctx.reply(ctx.broadcast("news", to=PEOPLE, rate=int(ctx.payload or 100)))


def bot(languages: Languages | None = None) -> App:
    router = Router("newspaper")
    router.command("tell")(tell)
    return App(router, languages=languages)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
async def kept(clock: VirtualClock) -> AsyncIterator[MemoryStorage]:
    """A storage that outlives the Apps that run on it."""
    storage = MemoryStorage(clock.now)
    await storage.open()
    yield storage
    await storage.close()


def at(kept: MemoryStorage) -> FlowStorage:
    """A handle of the storage, for one App."""
    return MemoryStorage(database=kept.database)


def shown(chat: Chat, name: str) -> list[str]:
    """What the editor was shown of the broadcast, the first first."""
    return [one.text for one in chat.deliveries if one.chat == "editor" and f" {name}" in one.text]


@pytest.mark.parametrize(
    ("language", "begin", "left"),
    [
        ("ru", "Рассылка {id}: ", "осталось примерно "),
        ("de-AT", "Rundnachricht {id}: ", "noch etwa "),
        ("fr", "Broadcast {id}: ", "about "),
    ],
)
async def test_who_asked_for_it_is_shown_in_their_language_how_far_it_is(
    clock: VirtualClock, language: str, begin: str, left: str
) -> None:
    async with Chat(bot(Languages()), clock=clock, language=language) as chat:
        (name,) = await chat.say("/tell", by="editor")
        await chat.advance(30)
    told = shown(chat, name)
    assert told[-1] == begin.format(id=name) + ENDS.get(language[:2], ENDS["en"])
    assert len(told) > 2
    for text in told[:-1]:
        assert text.startswith(begin.format(id=name))
        assert text.splitlines()[-1].startswith(left)


@pytest.mark.parametrize(
    ("languages", "begin", "end"),
    [
        (None, "Broadcast", ENDS["en"]),
        (Languages(), "Broadcast", ENDS["en"]),
        (Languages(default="de"), "Rundnachricht", ENDS["de"]),
    ],
    ids=["no languages", "languages", "another default"],
)
async def test_where_a_program_asked_it_is_the_default_language_of_the_app(
    clock: VirtualClock, languages: Languages | None, begin: str, end: str
) -> None:
    app = bot(languages)
    async with Chat(app, clock=clock, language="ru") as chat:
        await chat.say("hi", by="editor")
        name = await app.broadcast("news", to=PEOPLE, rate=100, report_to="editor")
        await chat.advance(30)
    assert shown(chat, name)[-1] == f"{begin} {name}: {end}"


async def test_that_it_is_paused_is_said_in_the_language_of_who_asked_for_it(
    clock: VirtualClock,
) -> None:
    app = bot(Languages())
    async with Chat(app, clock=clock, language="de") as chat:
        (name,) = await chat.say("/tell", by="editor")
        await chat.advance(3)
        await app.broadcasts.pause(name)
        await chat.advance(3)
    assert shown(chat, name)[-1].startswith(f"Rundnachricht {name}: angehalten\n")


async def test_in_a_language_that_the_app_has_no_more_it_goes_on_in_the_default_one(
    kept: MemoryStorage, clock: VirtualClock, tmp_path: Path
) -> None:
    path = tmp_path / "fr" / "LC_MESSAGES" / "messages.po"
    path.parent.mkdir(parents=True)
    path.write_text(FRENCH, encoding="utf-8")
    french = bot(Languages(tmp_path))
    async with Chat(french, clock=clock, storage=at(kept), language="fr") as chat:
        (name,) = await chat.say("/tell", by="editor")
        await chat.advance(3)
        assert shown(chat, name)[-1].startswith(f"Diffusion {name} : en cours\n")
    async with Chat(bot(Languages(default="de")), clock=clock, storage=at(kept)) as chat:
        await chat.advance(30)
        assert shown(chat, name)[-1] == f"Rundnachricht {name}: {ENDS['de']}"
    assert french.languages is not None
    assert french.languages.locales == ("en", "fr")


async def test_without_languages_one_of_a_locale_goes_on_in_the_original_words(
    kept: MemoryStorage, clock: VirtualClock
) -> None:
    async with Chat(bot(Languages()), clock=clock, storage=at(kept), language="ru") as chat:
        (name,) = await chat.say("/tell", by="editor")
        await chat.advance(3)
    async with Chat(bot(), clock=clock, storage=at(kept), language="ru") as chat:
        await chat.advance(30)
        assert shown(chat, name)[-1] == f"Broadcast {name}: {ENDS['en']}"


SOME_GONE = Head(
    id="5f0c12ab", source="test:local", body="{}", rate=1, began=0,
    total=12_000, position=2_000, sent=1_500, blocked=300, failed=150, gone=50,
)  # fmt: skip


@pytest.mark.parametrize(
    ("locale", "lines"),
    [
        (
            "en",
            "Broadcast 5f0c12ab: running\n"
            "2,000 of 12,000, 1,500 sent, 300 blocked, 150 failed, 50 erased\n"
            "about 2 h 46 min left",
        ),
        (
            "de",
            "Rundnachricht 5f0c12ab: läuft\n"
            "2.000 von 12.000, 1.500 gesendet, 300 blockiert, 150 fehlgeschlagen, 50 gelöscht\n"
            "noch etwa 2 Std. 46 Min.",
        ),
        (
            "ru",
            "Рассылка 5f0c12ab: идёт\n"
            "2\xa0000 из 12\xa0000, отправлено: 1\xa0500, бот заблокирован: 300, "
            "не доставлено: 150, удалено: 50\n"
            "осталось примерно 2 ч 46 мин",
        ),
    ],
)
def test_numbers_and_times_are_written_as_in_the_language(locale: str, lines: str) -> None:
    said = progress.shown(SOME_GONE, Languages().words(locale)).splitlines()
    assert said.pop(1) == "▓▓▓" + "░" * 17 + " 16 %"
    assert said == lines.splitlines()


@pytest.mark.parametrize("locale", Languages().locales)
def test_every_state_is_told_in_every_language(locale: str) -> None:
    heads = [replace(SOME_GONE, state=state) for state in State]
    heads.append(replace(SOME_GONE, everybody=True))
    words = Languages().words(locale)
    told = {progress.shown(head, words).splitlines()[0] for head in heads}
    assert len(told) == len(heads)
    assert all("5f0c12ab" in line for line in told)


def test_one_that_was_stored_before_there_were_locales_is_read() -> None:
    order = BroadcastOrder(order="send", source="test:local", body="{}", rate=20, locale="ru")
    update = orjson.loads(Update(source="broadcast", ext="1", content=order, at=0).to_json())
    head = orjson.loads(Head.begun("5f0c12ab", order, 0).encode())
    assert (update["content"].pop("locale"), head.pop("locale")) == ("ru", "ru")
    before = Update.from_json(orjson.dumps(update).decode()).content
    assert isinstance(before, BroadcastOrder)
    assert before.locale is None
    assert Head.decode("a key", orjson.dumps(head).decode()).locale is None
