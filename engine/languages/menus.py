"""Descriptions of commands in every language, for the menus of the channel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from engine.languages.languages import Languages
from flows.menus import MenuCommand
from flows.messages.translations import Translatable


def in_all_languages(menu: Sequence[MenuCommand], languages: Languages) -> list[MenuCommand]:
    """The commands with their descriptions in the default language, and in each other one that
    has words of its own for it. What the definition says itself of a language stays.
    """
    return [_described(command, languages) for command in menu]


def _described(command: MenuCommand, languages: Languages) -> MenuCommand:
    text = command.description
    if not isinstance(text, Translatable):
        return command
    original = text.said(languages.words(languages.default))
    own = dict(command.languages)
    found = {code: said for code, said in _said(text, languages) if said != original}
    return replace(command, description=original, languages=tuple(sorted({**found, **own}.items())))


def _said(text: Translatable, languages: Languages) -> Iterator[tuple[str, str]]:
    """Two-letter codes and the text; a plain language comes after its varieties, and counts."""
    for locale in sorted(languages.locales, key=len, reverse=True):
        code = locale.split("-")[0]
        if len(code) == 2 and locale != languages.default:
            yield code, text.said(languages.words(locale))
