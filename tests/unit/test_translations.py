"""Texts that are put into words when they are said."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator
from datetime import date, datetime, time
from decimal import Decimal

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.channels.console.language import language_of
from engine.languages import Languages
from engine.languages.words import Words
from flows import Choice, Reply, Translatable, gettext, ngettext, npgettext, pgettext
from flows.formatting import Formatted, bold
from flows.inputs import Confirm, Input, input_from_json
from flows.messages.speaking import speaker
from flows.messages.translations import Value, as_json, joined, text_of
from flows.updates import TextMessage


class Says:
    """A speaker of one locale."""

    def __init__(self, locale: str) -> None:
        self.translator: Words = Languages().words(locale)

    def choose(self, locale: str | None) -> None:
        raise AssertionError("nobody chooses here")


@pytest.fixture
def german() -> Iterator[None]:
    before = speaker.set(Says("de"))
    yield
    speaker.reset(before)


VALUES = st.one_of(
    st.text(), st.integers(), st.decimals(allow_nan=False, allow_infinity=False),
    st.dates(), st.datetimes(), st.times(), st.just(gettext("Yes")),
)  # fmt: skip

TEXTS = st.builds(
    Translatable,
    st.text(),
    context=st.one_of(st.none(), st.text()),
    plural=st.text(),
    number=st.one_of(st.none(), st.integers()),
    values=st.dictionaries(st.from_regex(r"[a-z]{1,3}", fullmatch=True), VALUES),
    markup=st.sampled_from(["plain", "html", "markdown"]),
)


@given(TEXTS)
def test_a_text_is_stored_and_read_back_as_it_was(text: Translatable) -> None:
    stored = orjson.loads(orjson.dumps(text, as_json, orjson.OPT_PASSTHROUGH_SUBCLASS))
    for other in (text_of(stored), pickle.loads(pickle.dumps(text)), copy.deepcopy(text)):  # noqa: S301 (it is our own)
        assert isinstance(other, Translatable)
        assert other.to_json() == text.to_json()
        assert other.original == text.original
        assert other.said(None) == text.said(None)


def test_it_is_its_original_wherever_a_text_is_wanted() -> None:
    text = gettext("Hello {name}", name="Ada")
    assert text == "Hello Ada"
    assert f"{text}!" == "Hello Ada!"
    assert orjson.dumps(text) == b'"Hello Ada"'


@pytest.mark.usefixtures("german")
def test_it_is_put_into_words_by_str_and_in_f_strings() -> None:
    assert str(gettext("Yes")) == "Ja"
    assert f"{gettext('Yes')}!" == "Ja!"
    assert str(gettext("Yes") + "?") == "Ja?"
    assert str("> " + gettext("Yes")) == "> Ja"
    assert str(joined([gettext("Yes"), gettext("No")], "/")) == "Ja/Nein"
    assert str(gettext("Please answer {yes} or {no}.", yes=gettext("Yes"), no="x")) == (
        "Bitte antworten Sie mit Ja oder x."
    )


def test_what_stands_in_a_placeholder_is_never_read_as_one() -> None:
    assert gettext("{a} {b}", a="{b}", b="x") == "{b} x"
    assert gettext("{a} {unknown} {", a="x") == "x {unknown} {"
    assert gettext("{name}") == "{name}"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (Decimal("1234.50"), "1.234,5"),
        (2.5, "2,5"),
        (1234, "1234"),
        (date(2026, 11, 28), "28.11.2026"),
        (time(9, 5), "09:05"),
        (datetime(2026, 11, 28, 9, 5), "28.11.2026, 09:05:00"),
        (None, "None"),
    ],
)
@pytest.mark.usefixtures("german")
def test_values_are_written_as_the_locale_has_them(value: Value, words: str) -> None:
    assert str(gettext("{x}", x=value)) == words


def test_plural_forms_and_contexts_fall_back_to_the_original() -> None:
    assert ngettext("{n} cat", "{n} cats", n=1) == "1 cat"
    assert ngettext("{n} cat", "{n} cats", 5) == "5 cats"
    assert pgettext("door", "Open") == "Open"
    assert npgettext("door", "{n} cat", "{n} cats", n=0) == "0 cats"


def test_formatted_values_make_a_formatted_text() -> None:
    said = str(gettext("Hello {name}", name=bold("<Ada>")))
    assert isinstance(said, Formatted)
    assert said.html == "Hello <b>&lt;Ada&gt;</b>"
    reply = Reply(text=gettext("Hello {name}", name=bold("Ada")))
    assert (reply.text, reply.format) == ("Hello <b>Ada</b>", "html")


def test_what_a_person_typed_is_escaped_where_the_text_is_html_or_markdown() -> None:
    text = gettext("<b>Hello</b> {name}", name="<i>")
    assert Reply(text=text, format="html").text == "<b>Hello</b> &lt;i&gt;"
    assert Reply(text=gettext("*Hi* {x}", x="a_b"), format="markdown").text == r"*Hi* a\_b"
    assert Reply(text=text).text == "<b>Hello</b> <i>"


@pytest.mark.usefixtures("german")
@pytest.mark.parametrize(
    "accept",
    [Confirm(), Choice([(gettext("Yes"), 1), ("b", 2)]), Choice([gettext("Yes"), "b"])],
)
@pytest.mark.parametrize("typed", ["Ja", "ja", "yes"])
def test_a_stored_input_takes_its_labels_in_both_languages(
    accept: Input[object], typed: str
) -> None:
    stored = input_from_json(orjson.loads(orjson.dumps(accept.to_json())))
    assert stored.parse(TextMessage(typed)) == accept.options()[0][1]
    assert type(accept.options()[0][1]) in (bool, int, str)


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({"LANG": "pt_BR.UTF-8"}, "pt-br"),
        ({"LANG": "de_DE@euro", "LC_ALL": "ru_RU"}, "ru-ru"),
        ({"LANG": "C.UTF-8"}, ""),
        ({"LANG": "", "LC_MESSAGES": "es"}, "es"),
        ({}, ""),
    ],
)
def test_the_language_at_a_terminal_is_that_of_its_environment(
    environment: dict[str, str], language: str
) -> None:
    assert language_of(environment) == language
