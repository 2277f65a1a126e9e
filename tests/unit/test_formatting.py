"""Formatted texts: what they compose to, and what of a person's text never means anything."""

from __future__ import annotations

import copy
from html.parser import HTMLParser

import pytest
from aiogram.types import MessageEntity
from aiogram.utils.text_decorations import html_decoration
from hypothesis import given
from hypothesis import strategies as st
from teremok.validation import validate_html, validate_markdown

from engine.channels.telegram.splitting import split
from flows.errors import DefinitionError
from flows.formatting import (
    Formatted,
    blockquote,
    bold,
    code,
    custom_emoji,
    italic,
    join,
    link,
    mention,
    pre,
    spoiler,
    strike,
    underline,
)
from flows.messages.replies import Edit, Reply

STYLES = (bold, italic, underline, strike, spoiler)


def test_styles_compose_with_plain_text() -> None:
    text = "Hello " + bold("Ada " + italic("King")) + "!"
    assert text.html == "Hello <b>Ada <i>King</i></b>!"
    assert text.markdown == "Hello *Ada _King_*\\!"


def test_its_value_is_the_plain_text() -> None:
    text = bold("Hi") + " there"
    assert (text, str(text), type(str(text)), text.plain) == ("Hi there", "Hi there", str, text)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        (underline("a"), "<u>a</u>"),
        (strike("a"), "<s>a</s>"),
        (spoiler("a"), "<tg-spoiler>a</tg-spoiler>"),
        (code("a"), "<code>a</code>"),
        (pre("a"), "<pre>a</pre>"),
        (pre("a", "python"), '<pre><code class="language-python">a</code></pre>'),
        (link("a", 'https://x.y/?a=1&b="2"'),
         '<a href="https://x.y/?a=1&amp;b=&quot;2&quot;">a</a>'),
        (mention("Ada", 7), '<a href="tg://user?id=7">Ada</a>'),
        (custom_emoji("👍", 5), '<tg-emoji emoji-id="5">👍</tg-emoji>'),
        (blockquote("a"), "<blockquote>a</blockquote>"),
        (blockquote("a", expandable=True), "<blockquote expandable>a</blockquote>"),
    ],
)  # fmt: skip
def test_every_style_in_html(text: Formatted, written: str) -> None:
    assert text.html == written
    validate_html(text.html)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        (underline("a"), "__a__"),
        (strike("a"), "~a~"),
        (spoiler("a"), "||a||"),
        (code("a`b"), "`a\\`b`"),
        (pre("x = 1", "python"), "```python\nx = 1```"),
        (link("a.b", "https://x.y/(z)"), "[a\\.b](https://x.y/(z\\))"),
        (mention("Ada", 7), "[Ada](tg://user?id=7)"),
        (custom_emoji("👍", 5), "![👍](tg://emoji?id=5)"),
        (blockquote("a\nb") + "c", ">a\n>b\nc"),
        (blockquote("a", expandable=True), "**>a||"),
        (italic(underline("a")), "_**__a__**_"),
        (code("a") + pre("b"), "`a`**```\nb```"),
    ],
)
def test_every_style_in_markdown(text: Formatted, written: str) -> None:
    assert text.markdown == written


@given(st.text(max_size=30), st.sampled_from(STYLES))
def test_fact_26_what_a_person_typed_never_means_anything(typed: str, style: object) -> None:
    text = "x" + bold(typed + "y")
    validate_html(text.html)
    validate_markdown(text.markdown, 2)
    assert shown(text.html) == "x" + typed + "y"


def nested(parts: st.SearchStrategy[Formatted]) -> st.SearchStrategy[Formatted]:
    """Texts made of texts."""
    return st.one_of(
        st.builds(lambda style, part: style(part), st.sampled_from(STYLES), parts),
        st.builds(lambda one, other: one + other, parts, parts),
        st.builds(lambda one, typed: typed + one, parts, TYPED),
        st.builds(lambda part: link(part, "https://x.y/)_*"), parts),
        st.builds(lambda typed: code(typed) + pre(typed, "python"), TYPED),
        st.builds(lambda part: "x\n" + blockquote(part) + "\ny", parts),
    )


TYPED = st.text(st.sampled_from("ab_*`\\[]()~|>#<&. 👍"), min_size=1, max_size=6)


@given(st.recursive(st.builds(Formatted, TYPED), nested, max_leaves=8))
def test_fact_26_whatever_is_composed_is_well_formed(text: Formatted) -> None:
    validate_html(text.html)
    validate_markdown(text.markdown, 2)
    assert shown(text.html) == text.plain
    for part in split(text.html, "html", 60):
        validate_html(part)


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=20))
def test_html_is_what_another_library_makes_of_the_entities(typed: str) -> None:
    text = "👍" + bold(typed + italic(typed)) + underline(typed)
    entities = [
        MessageEntity(type=one.style, offset=one.offset, length=one.length) for one in text.entities
    ]
    assert text.html == html_decoration.unparse(text.plain, entities)


def test_offsets_of_entities_are_utf_16_units() -> None:
    (entity,) = ("a👍" + bold("👍b")).entities
    assert (entity.offset, entity.length) == (3, 3)


def test_parts_are_joined_and_keep_their_styles() -> None:
    assert join(", ", [bold("a"), "b"]).html == "<b>a</b>, b"
    assert (bold("ab") * 2).html == "<b>ab</b><b>ab</b>"


def test_a_slice_or_an_f_string_is_plain() -> None:
    assert type(bold("abc")[1:]) is str
    assert f"{bold('<b>')}" == "<b>"


def test_code_has_no_styles_within() -> None:
    assert code(bold("a")).html == "<code>a</code>"
    assert blockquote(blockquote("a") + "b").html == "<blockquote>ab</blockquote>"


def test_it_can_be_copied() -> None:
    text = bold("a") + "b"
    for other in (copy.copy(text), copy.deepcopy(text)):
        assert (other, other.spans) == (text, text.spans)


def test_a_message_keeps_the_format() -> None:
    assert Reply(text=bold("a & b")) == Reply(text="<b>a &amp; b</b>", format="html")
    assert Reply(text=bold("") + "<") == Reply(text="<")
    assert Edit(slot="s", text=bold("a")) == Edit(slot="s", text="<b>a</b>", format="html")


@pytest.mark.parametrize(
    "make", [lambda: pre("a", "<b>"), lambda: mention("a", "x"), lambda: custom_emoji("a", ""),
             lambda: link("a", " ")],
)  # fmt: skip
def test_what_is_no_detail_is_refused(make: object) -> None:
    with pytest.raises(DefinitionError):
        make()  # type: ignore[operator]


class Seen(HTMLParser):
    """Keeps the text of HTML."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []

    def handle_data(self, data: str) -> None:
        self.parts.append(data)


def shown(html: str) -> str:
    """The text that is seen of HTML."""
    parser = Seen()
    parser.feed(html)
    parser.close()
    return "".join(parser.parts)
