"""Conversations in the language of the person, whatever the turn."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from enum import Enum, auto
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, Field

from engine import App, Notices
from engine.languages import Languages
from engine.testing import Chat, VirtualClock
from examples.signup import flow as signup_example
from flows import (
    Choice,
    Confirm,
    Context,
    Date,
    FlowBuilder,
    FlowRegistry,
    MultiChoice,
    OnCommand,
    OnHears,
    Reminder,
    Reply,
    Router,
    Text,
    Turn,
    form_flow,
    keyboard,
    ngettext,
    reply_keyboard,
)
from flows import gettext as _
from flows.formatting import bold
from flows.messages.keyboards import Button
from flows.ports import FlowStorage
from flows.turns.actions import Action
from storage import MemoryStorage

pytestmark = pytest.mark.anyio

CATALOGUES = {
    "de": {
        "What's your name?": "Wie heißen Sie?",
        "Which plan, {name}?": "Welcher Tarif, {name}?",
        "Free": "Kostenlos",
        "Paid": "Bezahlt",
        "Are you sure?": "Sind Sie sicher?",
        "Do it, please.": "Bitte tun Sie es.",
        "Still there?": "Sind Sie noch da?",
        "Help me": "Hilfe",
        "Sum: {sum}, {day}": "Summe: {sum}, {day}",
        "sign up": "anmelden",
    },
    "ru": {
        "What's your name?": "Как вас зовут?",
        "Which plan, {name}?": "Какой тариф, {name}?",
        "Free": "Бесплатный",
        "Paid": "Платный",
        "Are you sure?": "Вы уверены?",
        "Still there?": "Вы ещё здесь?",
        "Help me": "Помощь",
    },
}

TICKETS = """
msgid "{n} ticket"
msgid_plural "{n} tickets"
msgstr[0] "{n} билет"
msgstr[1] "{n} билета"
msgstr[2] "{n} билетов"
"""


@pytest.fixture(scope="module")
def languages(tmp_path_factory: pytest.TempPathFactory) -> Languages:
    return Languages(catalogues_at(tmp_path_factory.mktemp("locales")))


def catalogues_at(folder: Path) -> Path:
    for locale, texts in CATALOGUES.items():
        path = folder / locale / "LC_MESSAGES" / "messages.po"
        path.parent.mkdir(parents=True)
        head = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n'
        if locale == "ru":
            head += (
                '"Plural-Forms: nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4'
                ' && (n%100<12 || n%100>14) ? 1 : 2);\\n"\n'
            )
        lines = [f'\nmsgid "{one}"\nmsgstr "{other}"\n' for one, other in texts.items()]
        path.write_text(
            head + "".join(lines) + (TICKETS if locale == "ru" else ""), encoding="utf-8"
        )
    return folder


class Step(Enum):
    NAME = auto()
    PLAN = auto()
    SURE = auto()


class Only(Enum):
    NAME = auto()


class Data(BaseModel):
    name: str = ""
    plan: str = ""
    sure: bool = False


PLANS = Choice([(_("Free"), "free"), (_("Paid"), "paid")])


def bot(**settings: Any) -> App:
    flow = FlowBuilder("signup", Step, Data)
    reminder = Reminder(timedelta(hours=1), _("Still there?"))
    flow.ask(Step.NAME, _("What's your name?"), Text(), into="name", remind=reminder)

    @flow.step(Step.PLAN)
    async def plan(turn: Turn[Step, Data]) -> Action[Step]:
        turn.data.plan = await turn.ask(_("Which plan, {name}?", name=turn.data.name), PLANS)
        turn.data.sure = await turn.ask(
            _("Are you sure?"), Confirm(retry=_("Do it, please.")), keep=True
        )
        return turn.next()

    @flow.step(Step.SURE, to=[])
    async def sure(turn: Turn[Step, Data]) -> Action[Step]:
        turn.reply(f"{turn.locale}: {turn.data.model_dump_json()}")
        return turn.complete()

    registry = FlowRegistry()
    registry.register(OnCommand("start", _("sign up")), flow.build(initial=Step.NAME))
    registry.cancel_command("cancel")
    router = Router("bot")
    registry.apply_to_router(router)

    @router.command("language")
    async def language(ctx: Context) -> None:
        ctx.set_locale(ctx.payload or None)

    return App(router, **settings)


async def state(storage: FlowStorage) -> str:
    """What is stored of the first person's conversation."""
    key = "test/local/1//1"
    return str((await storage.load([key]))[key].state)


async def test_a_person_is_spoken_to_in_the_language_of_their_app(languages: Languages) -> None:
    async with Chat(bot(languages=languages), language="de-AT") as chat:
        assert await chat.say("/start") == ("Wie heißen Sie?",)
        assert await chat.say("Ada") == ("Welcher Tarif, Ada?",)
        assert chat.buttons() == ("Kostenlos", "Bezahlt")
        assert await chat.say("bezahlt") == ("Sind Sie sicher?",)
        assert chat.buttons() == ("Ja", "Nein", "Behalten: Ja")
        assert await chat.say("vielleicht") == ("Bitte tun Sie es.",)
        assert await chat.say("/cancel") == ("Abgebrochen.",)


async def test_each_person_reads_their_own_language(languages: Languages) -> None:
    async with Chat(bot(languages=languages)) as chat:
        chat.languages.update({"1": "de", "2": "ru", "3": "fr"})
        said = [await chat.say("/start", by=person) for person in "123"]
        assert said == [("Wie heißen Sie?",), ("Как вас зовут?",), ("What's your name?",)]


async def test_without_languages_everything_stays_as_it_is_written() -> None:
    clock = VirtualClock()
    storage = MemoryStorage(clock.now)
    async with Chat(bot(), language="de", storage=storage, clock=clock) as chat:
        assert await chat.say("/start") == ("What's your name?",)
        await chat.say("Ada")
        assert chat.buttons() == ("Free", "Paid")
        await chat.say("Paid")
        assert chat.buttons() == ("Yes", "No", "Keep: Yes")
        assert "gettext" not in await state(storage)


async def test_a_locale_is_chosen_in_the_middle_of_a_step_and_nothing_is_lost(
    languages: Languages,
) -> None:
    async with Chat(bot(languages=languages), language="de") as chat:
        await chat.say("/start")
        await chat.say("Ada")
        old = chat.button("Bezahlt")
        assert await chat.say("/language ru") == ("Какой тариф, Ada?",)
        assert chat.buttons() == ("Бесплатный", "Платный")
        assert await chat.send(old.press()) == ("Вы уверены?",)
        assert chat.buttons() == ("Да", "Нет", "Оставить: Да")
        said = await chat.say("да")
        assert said == ('ru: {"name":"Ada","plan":"paid","sure":true}',)


@pytest.mark.parametrize("typed", ["Платный", "платный", "Paid"])
async def test_a_label_may_be_typed_in_the_language_of_now_and_in_the_original(
    typed: str, languages: Languages
) -> None:
    async with Chat(bot(languages=languages), language="de") as chat:
        await chat.say("/start")
        await chat.say("Ada")
        await chat.say("/language ru")
        assert await chat.say(typed) == ("Вы уверены?",)


async def test_a_chosen_locale_outlives_a_restart_and_an_app_in_another_language(
    languages: Languages,
) -> None:
    async with Chat(bot(languages=languages), language="de") as chat:
        await chat.say("/language ru")
        await chat.restart()
        assert await chat.say("/start") == ("Как вас зовут?",)
        assert await chat.say("/language") == ("Wie heißen Sie?",)


async def test_a_turn_that_fails_has_chosen_nothing(languages: Languages) -> None:
    app = bot(languages=languages)

    @app.router.command("fail")
    async def fail(ctx: Context) -> None:
        ctx.set_locale("ru")
        raise RuntimeError("oops")

    async with Chat(app, language="de") as chat:
        (apology,) = await chat.say("/fail")
        assert apology.startswith("Извините")
        assert await chat.say("/start") == ("Wie heißen Sie?",)


async def test_an_unknown_locale_fails_the_turn_and_changes_nothing(languages: Languages) -> None:
    async with Chat(bot(languages=languages), language="de") as chat:
        await chat.say("/start")
        (apology,) = await chat.say("/language klingon")
        assert apology.startswith("Entschuldigung")
        assert await chat.say("Ada") == ("Welcher Tarif, Ada?",)


async def test_to_choose_a_locale_takes_languages() -> None:
    async with Chat(bot()) as chat:
        (apology,) = await chat.say("/language ru")
        assert apology == Notices().apology


async def test_a_reminder_comes_in_the_language_that_was_spoken_last(languages: Languages) -> None:
    clock = VirtualClock()
    async with Chat(bot(languages=languages), clock=clock, language="de") as chat:
        await chat.say("/start")
        await chat.restart()
        said = await chat.advance(timedelta(hours=2))
        assert said == ("Sind Sie noch da?", "Wie heißen Sie?")


async def test_a_reminder_comes_in_the_chosen_language(languages: Languages) -> None:
    clock = VirtualClock()
    async with Chat(bot(languages=languages), clock=clock, language="de") as chat:
        await chat.say("/start")
        await chat.say("/language ru")
        said = await chat.advance(timedelta(hours=2))
        assert said == ("Вы ещё здесь?", "Как вас зовут?")


async def test_a_choice_is_of_one_chat_unless_it_is_kept_with_the_person(
    languages: Languages, tmp_path: Path
) -> None:
    async with Chat(bot(languages=languages), language="de") as chat:
        await chat.say("/language ru", chat="group")
        assert await chat.say("/start") == ("Wie heißen Sie?",)
    everywhere = Languages(catalogues_at(tmp_path / "locales"), key="user")
    async with Chat(bot(languages=everywhere), language="de") as chat:
        await chat.say("/language ru", chat="group")
        assert await chat.say("/start") == ("Как вас зовут?",)


async def test_a_step_that_sets_the_locale_does_not_set_it_again_in_a_re_run(
    languages: Languages,
) -> None:
    flow = FlowBuilder("choose", Only, Data)

    @flow.step(Only.NAME, to=[])
    async def choose(turn: Turn[Only, Data]) -> Action[Only]:
        chosen = await turn.ask("Language?", Choice(["de", "ru"]))
        turn.set_locale(chosen)
        await turn.ask(_("What's your name?"))
        turn.reply(_("Which plan, {name}?", name=turn.locale))
        return turn.complete()

    app = bot(languages=languages)
    app.registry.register(OnCommand("choose"), flow.build(initial=Only.NAME))
    async with Chat(app) as chat:
        await chat.say("/choose")
        assert await chat.press("de") == ("Wie heißen Sie?",)
        assert await chat.say("/language ru") == ("Как вас зовут?",)
        assert await chat.say("Ada") == ("Какой тариф, ru?",)


async def said_by(languages: Languages | None, handler: Any, language: str) -> tuple[str, ...]:
    router = Router("bot")
    router.command("go")(handler)
    async with Chat(App(router, languages=languages), language=language) as chat:
        await chat.say("/go")
        return (*chat.replies(), *chat.buttons())


@pytest.mark.parametrize(
    ("count", "words"), [(1, "1 билет"), (3, "3 билета"), (11, "11 билетов"), (21, "21 билет")]
)
async def test_plural_forms_are_those_of_the_language(
    count: int, words: str, languages: Languages
) -> None:
    async def go(ctx: Context) -> None:
        ctx.reply(ngettext("{n} ticket", "{n} tickets", n=count))

    assert await said_by(languages, go, "ru") == (words,)
    assert await said_by(None, go, "ru") == (f"{count} ticket{'s' if count > 1 else ''}",)


async def test_numbers_and_days_are_written_as_the_person_writes_them(
    languages: Languages,
) -> None:
    from datetime import date

    async def go(ctx: Context) -> None:
        ctx.reply(_("Sum: {sum}, {day}", sum=Decimal("1234.5"), day=date(2026, 11, 28)))

    assert await said_by(languages, go, "de") == ("Summe: 1.234,5, 28.11.2026",)
    assert await said_by(languages, go, "") == ("Sum: 1,234.5, Nov 28, 2026",)


async def test_everything_that_a_message_holds_is_put_into_words(languages: Languages) -> None:
    async def go(ctx: Context) -> None:
        ctx.reply(Reply(text=_("Free"), keyboard=keyboard(Button(_("Paid"), "paid"))))
        ctx.reply(f"{_('Free')}!", keyboard=reply_keyboard([_("Paid"), "x"], placeholder=_("Free")))
        ctx.reply(bold(_("Free")) + " & " + _("Which plan, {name}?", name=bold("<b>")))
        ctx.reply(_("Which plan, {name}?", name="<i>"), format="html")

    router = Router("bot")
    router.command("go")(go)
    async with Chat(App(router, languages=languages), language="de") as chat:
        await chat.say("/go")
        sent = chat.deliveries
    assert [one.text for one in sent] == [
        "Kostenlos",
        "Kostenlos!",
        "<b>Kostenlos</b> &amp; Welcher Tarif, <b>&lt;b&gt;</b>?",
        "Welcher Tarif, &lt;i&gt;?",
    ]
    assert {type(one.text) for one in sent} == {str}
    assert sent[0].keyboard[0][0].label == "Bezahlt"
    assert "Bezahlt" in repr(sent[1].options)


async def test_a_key_of_a_keyboard_is_heard_in_the_language_of_the_person(
    languages: Languages,
) -> None:
    router = Router("bot")

    @router.on(OnHears(_("Help me")))
    async def helped(ctx: Context) -> None:
        ctx.reply("here")

    async with Chat(App(router, languages=languages), language="de") as chat:
        assert await chat.say("Hilfe") == ("here",)
        assert await chat.say("Help me") == ("here",)
        assert await chat.say("Помощь") != ("here",)


class Order(BaseModel):
    gift: bool = Field(title=_("Free"), description=_("Are you sure?"))
    note: str | None = Field(default=None, max_length=3, description=_("What's your name?"))
    size: int = Field(ge=18, description=_("Still there?"))


async def test_a_form_speaks_the_language_of_the_person(languages: Languages) -> None:
    registry = FlowRegistry()
    registry.register(OnCommand("order"), form_flow(Order, name="order").build())
    router = Router("bot")
    registry.apply_to_router(router)
    async with Chat(App(router, languages=languages), language="de") as chat:
        assert await chat.say("/order") == ("Sind Sie sicher?",)
        assert await chat.say("ja") == ("Wie heißen Sie?",)
        assert await chat.press("Überspringen") == ("Sind Sie noch da?",)
        assert "mindestens" in str(await chat.say("3")) or "ab 18" in str(chat.replies())
        (summary,) = await chat.say("20")
        assert "Kostenlos: Ja" in summary
        assert "Ist alles richtig?" in summary
        assert chat.buttons()[:2] == ("Absenden", "Ändern: Kostenlos")


async def test_a_calendar_and_several_choices_speak_too(languages: Languages) -> None:
    async def go(ctx: Context) -> None:
        from datetime import date

        await ctx.ask("?", Date(picker=True, opens=date(2026, 11, 1)))
        await ctx.ask("!", MultiChoice([_("Free"), _("Paid")]))
        ctx.reply("done")

    router = Router("bot")
    router.command("go")(go)
    async with Chat(App(router, languages=languages), language="de") as chat:
        await chat.say("/go")
        assert "November 2026" in chat.buttons()
        assert chat.buttons()[5:12] == ("Mo.", "Di.", "Mi.", "Do.", "Fr.", "Sa.", "So.")
        await chat.say("2026-11-28")
        assert chat.buttons() == ("Kostenlos", "Bezahlt", "Fertig")
        await chat.press("Bezahlt")
        assert "\u2713 Bezahlt" in chat.labels()
        assert await chat.press("Fertig") == ("done",)


async def test_what_is_stored_is_json_and_is_read_back_as_it_was(languages: Languages) -> None:
    clock = VirtualClock()
    storage = MemoryStorage(clock.now)
    app = bot(languages=languages)
    async with Chat(app, language="de", storage=storage, clock=clock) as chat:
        await chat.say("/start")
        await chat.say("Ada")
        await chat.crash()
        await chat.restart()
        assert await chat.say("?") == ("Bitte wählen Sie eines davon: Kostenlos, Bezahlt.",)


async def test_the_menu_is_described_in_every_language(languages: Languages) -> None:
    app = bot(languages=languages)
    menu = {one.name: one for one in app._bot.menu()}
    assert menu["start"].description == "sign up"
    assert menu["start"].languages == (("de", "anmelden"),)
    assert dict(menu["cancel"].languages)["ru"] == "прервать то, чем мы заняты"
    assert {type(one.description) for one in menu.values()} == {str}


SIGNUP = {
    "de": ("Das ist keine E-Mail-Adresse.", "Abgebrochen."),
    "en": ("e-mail address", "Cancelled."),
    "es": ("correo electrónico", "Cancelado."),
    "ru": ("электронной почты", "Отменено."),
    "zh": ("电子邮件地址", "已取消。"),
}


@pytest.mark.parametrize("language", SIGNUP)
async def test_the_signup_speaks_five_languages_of_its_own_accord(language: str) -> None:
    registry = FlowRegistry()
    registry.register(OnCommand("start"), signup_example.signup)
    registry.cancel_command("cancel")
    router = Router("signup")
    registry.apply_to_router(router)
    refusal, cancelled = SIGNUP[language]
    async with Chat(App(router, languages=Languages()), language=language) as chat:
        await chat.say("/start")
        await chat.say("Ada")
        (said,) = await chat.say("no address")
        assert refusal in said
        assert await chat.say("/cancel") == (cancelled,)


async def test_a_reminder_of_a_shared_flow_speaks_the_language_of_who_wrote_last(
    languages: Languages,
) -> None:
    flow = FlowBuilder("shared", Only, Data, key="chat")
    reminder = Reminder(timedelta(hours=1), _("Still there?"))
    flow.ask(Only.NAME, _("What's your name?"), Text(), into="name", remind=reminder)
    registry = FlowRegistry()
    registry.register(OnCommand("start"), flow.build(initial=Only.NAME))
    router = Router("bot")
    registry.apply_to_router(router)
    clock = VirtualClock()
    async with Chat(App(router, languages=languages), clock=clock, language="de") as chat:
        chat.languages["2"] = "ru"
        await chat.say("/start", by="2", chat="group")
        await chat.restart()
        said = await chat.advance(timedelta(hours=2), chat="group")
        assert said == ("Вы ещё здесь?", "Как вас зовут?")
