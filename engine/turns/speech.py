"""In which language a turn speaks, where the App has several."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from engine.bot import Bot
from engine.turns.conversations import Conversations
from flows.messages.speaking import speaker
from flows.messages.translations import Translatable
from flows.updates import Update

if TYPE_CHECKING:  # Babel is loaded where there are languages, and nowhere else
    from engine.languages.person_locale import PersonLocale


def speak_as_to(bot: Bot, conversations: Conversations, update: Update) -> PersonLocale | None:
    """What this task says from now on is in the language of the person; None: the App has one."""
    if bot.languages is None:
        return None
    from engine.languages.person_locale import PersonLocale  # as above

    locale = PersonLocale(bot.languages, conversations, update)
    speaker.set(locale)
    return locale


@contextmanager
def speaking_to(bot: Bot, conversations: Conversations, update: Update) -> Iterator[None]:
    """Inside, it is spoken to that person in their language."""
    before = speaker.set(speaker.get())
    try:
        speak_as_to(bot, conversations, update)
        yield
    finally:
        speaker.reset(before)


def apology(bot: Bot, update: Update) -> str:
    """The apology for a turn that failed, in the language of the person, as far as it is known."""
    text = bot.texts.apology
    if bot.languages is None or not isinstance(text, Translatable):
        return text
    if speaker.get() is not None:
        return str(text)
    language = update.user.language if update.user is not None else ""
    return text.said(bot.languages.words(bot.languages.nearest(language)))
