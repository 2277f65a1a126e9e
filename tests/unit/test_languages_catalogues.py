"""The engine's own texts in all of its languages."""

from __future__ import annotations

import re
from pathlib import Path
from string import punctuation

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir

from engine.languages import BadCatalogue, Languages
from engine.languages.catalogues import OUR_DOMAIN, OURS, catalogues_in
from engine.languages.lacking import faults
from flows.errors import DefinitionError, UnknownLocale

ROOT = Path(__file__).parents[2]

LOCALES = ("de", "es", "ru", "zh")

KEYWORDS = {
    "gettext": None,
    "ngettext": (1, 2),
    "phrase": None,
    "nphrase": (1, 2),
}

Id = str | tuple[str, ...]


def our_texts() -> set[Id]:
    """Every text of the engine's own, as pybabel finds it in the sources."""
    found: set[Id] = set()
    for folder in ("flows", "engine"):
        for _, _, text, _, _ in extract_from_dir(ROOT / folder, keywords=KEYWORDS):
            found.add(tuple(text) if isinstance(text, list | tuple) else text)
    return found


def placeholders(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


def translated(message: Message) -> list[str]:
    text = message.string
    return [str(text)] if isinstance(text, str) else [str(one) for one in text or ()]


@pytest.fixture(scope="module")
def catalogues() -> dict[str, Catalog]:
    return catalogues_in(OURS, OUR_DOMAIN)


@pytest.fixture(scope="module")
def texts() -> set[Id]:
    return our_texts()


def test_the_engine_speaks_five_languages() -> None:
    assert Languages().locales == ("en", *LOCALES)


@pytest.mark.parametrize("locale", LOCALES)
def test_every_text_is_translated_and_no_other(
    locale: str, catalogues: dict[str, Catalog], texts: set[Id]
) -> None:
    done = {
        tuple(one.id) if one.pluralizable else one.id
        for one in catalogues[locale]
        if one.id and all(translated(one)) and not one.fuzzy
    }
    assert len(texts) > 100
    assert done == texts


@pytest.mark.parametrize("locale", LOCALES)
def test_a_translation_has_the_placeholders_of_the_original(
    locale: str, catalogues: dict[str, Catalog]
) -> None:
    wrong = [
        (one.id, text)
        for one in catalogues[locale]
        if one.id
        for text in translated(one)
        if placeholders(text) != placeholders(one.id[-1] if one.pluralizable else str(one.id))
    ]
    assert wrong == []


@pytest.mark.parametrize("locale", LOCALES)
def test_there_are_as_many_plural_forms_as_the_language_has(
    locale: str, catalogues: dict[str, Catalog]
) -> None:
    catalogue = catalogues[locale]
    forms = [len(translated(one)) for one in catalogue if one.pluralizable]
    assert forms
    assert set(forms) == {Catalog(locale=locale).num_plurals}


@pytest.mark.parametrize("locale", LOCALES)
def test_a_sentence_stays_a_sentence(locale: str, catalogues: dict[str, Catalog]) -> None:
    for one in catalogues[locale]:
        if one.id and not one.pluralizable and str(one.id).endswith("."):
            assert translated(one)[0][-1] in ".。", one.id


def test_chinese_uses_its_own_punctuation(catalogues: dict[str, Catalog]) -> None:
    foreign = set(punctuation) - set("{}_@./+")
    texts = [text for one in catalogues["zh"] if one.id for text in translated(one)]
    assert [text for text in texts if foreign & set(text)] == []


@pytest.mark.parametrize(
    ("language", "locale"),
    [
        ("ru", "ru"), ("de-AT", "de"), ("es-419", "es"), ("zh-hans", "zh"), ("zh-CN", "zh"),
        ("zh-hant", "zh"), ("RU_ru", "ru"), ("fr", "en"), ("", "en"), ("nonsense!", "en"),
        ("x" * 5000, "en"), ("en-GB", "en"), ("\x00", "en"),
    ],
)  # fmt: skip
def test_the_nearest_locale_is_found(language: str, locale: str) -> None:
    assert Languages().nearest(language) == locale


PO = """
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"

msgid "Hello"
msgstr "Olá"

msgid "Yes"
msgstr "Claro"
"""


def write(folder: Path, locale: str, text: str = PO) -> Path:
    path = folder / locale / "LC_MESSAGES" / "messages.po"
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    return path


def found(languages: Languages, locale: str, text: str) -> str:
    return languages.words(locale).find(text, context="", plural="", number=None)


def test_a_variety_of_a_language_serves_its_other_speakers(tmp_path: Path) -> None:
    write(tmp_path, "pt_BR")
    languages = Languages(tmp_path)
    assert languages.locales == ("en", "pt-BR")
    assert [languages.nearest(one) for one in ("pt-br", "pt", "pt-PT")] == ["pt-BR"] * 3
    assert languages.known("pt_br") == "pt-BR"


def test_a_catalogue_of_ones_own_goes_before_that_of_the_engine(tmp_path: Path) -> None:
    write(tmp_path, "de")
    languages = Languages(tmp_path)
    assert found(languages, "de", "Yes") == "Claro"
    assert found(languages, "de", "No") == "Nein"
    assert found(languages, "de", "What nobody translates") == "What nobody translates"


def test_what_is_fuzzy_counts_as_missing(tmp_path: Path) -> None:
    write(tmp_path, "de", PO.replace('msgid "Yes"', '#, fuzzy\nmsgid "Yes"'))
    assert found(Languages(tmp_path), "de", "Yes") == "Ja"


def test_an_unknown_locale_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(UnknownLocale, match="there are en, de, es, ru, zh") as caught:
        Languages().known("fr")
    assert caught.value.locale == "fr"


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadCatalogue, match="nowhere is no folder"):
        Languages(tmp_path / "nowhere")


def test_a_folder_without_catalogues_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadCatalogue, match="has no catalogue"):
        Languages(tmp_path)


def test_a_damaged_catalogue_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, "de", f"{PO}\nthis is no line of a catalogue\n")
    with pytest.raises(BadCatalogue, match=r"messages\.po") as caught:
        Languages(tmp_path)
    assert caught.value.path == path


def test_a_folder_that_is_no_locale_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "klingonish")
    with pytest.raises(DefinitionError, match="no name of a locale"):
        Languages(tmp_path)


def test_what_a_catalogue_lacks_is_listed(tmp_path: Path) -> None:
    write(tmp_path, "de", PO + '\nmsgid "Hi {name}"\nmsgstr "Hallo {nam}"\n')
    write(tmp_path, "es", PO.replace('"Claro"', '""'))
    assert sorted(faults(Languages(tmp_path))) == [
        "de: 'Hallo {nam}' has the placeholder nam, which 'Hi {name}' has not",
        "de: 'Hallo {nam}' leaves out the placeholder name",
        "es: 'Hi {name}' has no translation",
        "es: 'Yes' has no translation",
    ]


def test_the_engine_lacks_nothing() -> None:
    assert list(faults(Languages())) == []


def test_a_plural_form_that_was_left_empty_is_the_original(tmp_path: Path) -> None:
    plural = '\nmsgid "{n} cat"\nmsgid_plural "{n} cats"\nmsgstr[0] "{n} Katze"\nmsgstr[1] ""\n'
    write(tmp_path, "de", PO + plural)
    words = Languages(tmp_path).words("de")
    found = [words.find("{n} cat", context="", plural="{n} cats", number=n) for n in (1, 2)]
    assert found[1] == "{n} cats"


def test_a_missing_translation_is_logged_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path, "de")
    languages = Languages(tmp_path)
    with caplog.at_level("DEBUG", logger="handrail.languages"):
        assert [found(languages, "de", "Nobody said so") for _ in range(2)] == [
            "Nobody said so"
        ] * 2
        assert found(languages, "en", "Nor this") == "Nor this"
    assert [one.getMessage() for one in caplog.records] == [
        "there is no de translation of 'Nobody said so'"
    ]
