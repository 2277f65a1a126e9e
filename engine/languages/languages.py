"""Which languages an App speaks, and which of them with whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from gettext import NullTranslations
from os import PathLike
from pathlib import Path
from typing import Literal

from babel import Locale, UnknownLocaleError
from babel.core import get_locale_identifier
from babel.messages.catalog import Catalog

from engine.languages.catalogues import OUR_DOMAIN, OURS, catalogues_in, translations_of
from engine.languages.words import Originals, Words
from flows.errors import DefinitionError, UnknownLocale
from flows.messages.speaking import ORIGINAL

KeptWith = Literal["user_in_chat", "user"]
"""What a chosen locale is kept with: the person in a chat, or the person in all chats."""


class Languages:
    """The languages that an App speaks: those of the catalogues in a folder, and the language that
    its texts are written in. A person is spoken to in the one of them that is nearest to what
    their app says, until they choose one.

    The engine's own texts are there in English, Russian, Spanish, German and Chinese (Simplified);
    a catalogue may hold other words for them, or those of another language.

    Args:
        folder: holds ``<locale>/LC_MESSAGES/<domain>.po`` or ``.mo``, a relative one as seen from
            where the bot is started; None: the engine's own texts alone are translated.
        default: the locale of the texts as they stand in the code; for people whose language is
            not known or not there.
        domain: the name of the catalogues.
        key: what a chosen locale is kept with. ``user``: it counts in all chats of the person,
            and every turn of a bot loads a row more.

    Raises:
        BadCatalogue: the folder is none, has no catalogue, or one cannot be read.
        DefinitionError: a name that is of no locale.
    """

    def __init__(
        self,
        folder: str | PathLike[str] | None = None,
        *,
        default: str = ORIGINAL,
        domain: str = "messages",
        key: KeptWith = "user_in_chat",
    ) -> None:
        own = catalogues_in(OURS, OUR_DOMAIN)
        theirs = catalogues_in(Path(folder), domain) if folder is not None else own
        if key not in ("user_in_chat", "user"):
            raise DefinitionError(f"key is {key!r}; it can be 'user_in_chat' or 'user'")
        self.key: KeptWith = key
        self.default = _tag(_parsed(default))
        self._own = own
        self._catalogues = {_tag(_parsed(name)): catalogue for name, catalogue in theirs.items()}
        names = dict.fromkeys((self.default, *self._catalogues))
        self._words: Mapping[str, Words] = {name: self._made(name) for name in names}
        # Tags come from outside: the bound keeps what is remembered of them small.
        self._negotiated = lru_cache(maxsize=1024)(self._negotiate)

    @property
    def locales(self) -> tuple[str, ...]:
        """The tags of the locales that there are, the default first."""
        return tuple(self._words)

    @property
    def catalogues(self) -> Mapping[str, Catalog]:
        """The catalogues of the folder, by the tags of their locales."""
        return self._catalogues

    def words(self, locale: str) -> Words:
        """The words of one of the locales.

        Raises:
            UnknownLocale: it is none of them.
        """
        try:
            return self._words[locale]
        except KeyError:
            raise UnknownLocale(locale, self.locales) from None

    def known(self, locale: str) -> str:
        """The tag of the locale, however it is written: ``pt_br`` is ``pt-BR``.

        Raises:
            UnknownLocale: it is none of those that there are.
        """
        if locale in self._words:
            return locale
        parsed = _parsed_or_none(locale)
        tag = _tag(parsed) if parsed is not None else ""
        if tag not in self._words:
            raise UnknownLocale(locale, self.locales)
        return tag

    def nearest(self, language: str) -> str:
        """The tag of the locale for who speaks a language: itself, one of the same language, or
        the default.

        Args:
            language: an IETF tag, as apps send it; what is none is nobody's language.
        """
        return self._negotiated(language) if language else self.default

    def _negotiate(self, language: str) -> str:
        wanted = _parsed_or_none(language)
        if wanted is None:
            return self.default
        for tag in _wider(wanted):
            if tag in self._words:
                return tag
        relatives = (tag for tag in self._words if tag.split("-")[0] == wanted.language)
        return next(relatives, self.default)

    def _made(self, tag: str) -> Words:
        end: NullTranslations = Originals(tag, silent=tag == self.default)
        own = {_tag(_parsed(name)): catalogue for name, catalogue in self._own.items()}
        wider = list(_wider(_parsed(tag)))
        known = [
            catalogues[each]
            for catalogues in (self._catalogues, own)
            for each in wider
            if each in catalogues
        ]
        for catalogue in reversed(known):
            end = translations_of(catalogue, end)
        return Words(tag, _parsed(tag), end)


def _wider(locale: Locale) -> Sequence[str]:
    """The tags of the locale and of those that it is a variety of, the nearest first."""
    language, territory, script = locale.language, locale.territory, locale.script
    parts = [
        (language, territory, script),
        (language, territory, None),
        (language, None, script),
        (language, None, None),
    ]
    return list(dict.fromkeys(get_locale_identifier(each, sep="-") for each in parts))


def _tag(locale: Locale) -> str:
    return _wider(locale)[0]


def _parsed(name: str) -> Locale:
    locale = _parsed_or_none(name)
    if locale is None:
        raise DefinitionError(
            f"{name!r} is no name of a locale that is known. Use one such as 'de' or 'pt_BR'."
        )
    return locale


def _parsed_or_none(name: str) -> Locale | None:
    if len(name) > 40:  # no tag of a language is longer
        return None
    try:
        return Locale.parse(name.strip().replace("_", "-"), sep="-")
    except (ValueError, UnknownLocaleError, TypeError):
        return None
