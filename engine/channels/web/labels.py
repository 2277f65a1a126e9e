"""What the page says by itself, in the languages that the engine speaks."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from flows.messages.translations import Translatable, gettext

if TYPE_CHECKING:
    from engine.languages import Languages

LABELS: Mapping[str, str] = {
    # names of what there is
    "conversation": gettext("Conversation"),
    "begin": gettext("How to begin"),
    "message": gettext("Message"),
    "you": gettext("You"),
    "bot": gettext("Bot"),
    "buttons": gettext("Buttons"),
    "commands": gettext("Commands"),
    "keys": gettext("Answers to choose from"),
    "photo": gettext("Photo"),
    "video": gettext("Video"),
    "audio": gettext("Audio"),
    "file": gettext("File"),
    "location": gettext("Location"),
    "contact": gettext("Your contact"),
    "today": gettext("Today"),
    "yesterday": gettext("Yesterday"),
    # what can be done
    "attach": gettext("Attach a photo or a file"),
    "send": gettext("Send"),
    "remove": gettext("Remove"),
    "reply": gettext("Reply to this message"),
    "unreply": gettext("Do not reply to this message"),
    "unchoose": gettext("Do not send this file"),
    "plain": gettext("as a file"),
    "down": gettext("To the newest message"),
    "earlier": gettext("Earlier messages"),
    "reveal": gettext("Hidden text: show it"),
    "reload": gettext("Load the page again"),
    # how it stands
    "connecting": gettext("connecting…"),
    "online": gettext("online"),
    "sending": gettext("sending…"),
    "not_sent": gettext("not sent"),
    "writing": gettext("The bot is writing"),
    "copied": gettext("Copied"),
    "replying": gettext("Reply to: {words}"),
    "answering": gettext("In reply to: {words}"),
    "offered": gettext("Commands: {count}. The arrow keys choose."),
    "start_commands": gettext("Begin with one of these, or write something."),
    "start": gettext("Write something to begin."),
    "phone": gettext("Your phone number, with its country code"),
    "locating": gettext("Finding out where you are…"),
    # what went wrong
    "trouble": gettext("something went wrong, trying again…"),
    "crowded": gettext("too many people are here, trying again…"),
    "windows": gettext("open in too many windows"),
    "address": gettext("too many pages are open from your address"),
    "signed_out": gettext("You are not signed in."),
    "foreign": gettext("This chat cannot be used from this address."),
    "no_script": gettext("This chat needs JavaScript."),
    "no_location": gettext("This browser cannot tell where you are."),
    "location_denied": gettext("You have not allowed this page to know where you are."),
    "location_unknown": gettext("Where you are could not be found out."),
    "text_long": gettext(
        "This message has {count} characters, and {most} is the most. Please send it in parts."
    ),
    "file_large": gettext("{name} has {size}, and {most} is the most."),
    "file_empty": gettext("{name} is empty."),
    "file_lost": gettext(
        "The page was reloaded before this file was sent. Please choose it again."
    ),
    "file_refused": gettext("The file was not taken."),
}
"""The texts of the page by name; what stands in braces, it fills in itself."""


class Labels:
    """Puts the page's own texts, and what it is told, into somebody's words."""

    def __init__(self) -> None:
        self._known: dict[str, Mapping[str, str]] = {}

    def locale(self, language: str) -> str:
        """The tag of the locale for who speaks a language."""
        return self._languages.nearest(language)

    def page(self, language: str) -> Mapping[str, str]:
        """The page's own texts."""
        locale = self.locale(language)
        if locale not in self._known:
            self._known[locale] = {name: self.said(text, locale) for name, text in LABELS.items()}
        return self._known[locale]

    def said(self, text: str, language: str) -> str:
        """The text in the words of who speaks a language, if it is ``Translatable``."""
        if not isinstance(text, Translatable):
            return text
        return text.said(self._languages.words(self.locale(language)))

    @cached_property
    def _languages(self) -> Languages:
        # Babel is loaded where there is a page, and nowhere else
        from engine.languages import Languages

        return Languages()
