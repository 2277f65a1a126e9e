"""Texts that are readable in a terminal and cannot drive it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.channels.console.plain import harmless, readable


def test_html_is_shown_without_its_tags() -> None:
    assert readable("<b>Bold</b> &amp; <i>it&lt;alic</i>", "html") == "Bold & it<alic"


def test_a_link_in_html_shows_where_it_leads() -> None:
    text = 'See <a href="https://example.com/a?b=1&amp;c=2">the docs</a>.'
    assert readable(text, "html") == "See the docs (https://example.com/a?b=1&c=2)."


def test_a_stray_end_tag_does_no_harm() -> None:
    assert readable("a</a> < b", "html") == "a < b"


@pytest.mark.parametrize(
    ("markdown", "shown"),
    [
        ("*bold* _it_ ~gone~ ||secret|| `code`", "bold it gone secret code"),
        (r"1\.5 \* 2 \_kept\_", "1.5 * 2 _kept_"),
        ("[docs](https://example.com)", "docs (https://example.com)"),
        ("a | b", "a | b"),
    ],
)
def test_markdown_is_shown_without_its_marks(markdown: str, shown: str) -> None:
    assert readable(markdown, "markdown") == shown


def test_a_plain_text_is_shown_as_it_is() -> None:
    assert readable("<b> *x* [red]y[/red] &amp;") == "<b> *x* [red]y[/red] &amp;"


def test_an_escape_sequence_in_a_name_does_not_reach_the_terminal() -> None:
    assert harmless("\x1b]0;owned\x07Ada\x9b2J\x7f") == "␛]0;owned␇Ada�2J␡"


def test_lines_and_tabs_stay() -> None:
    assert harmless("a\r\nb\n\tc") == "a\nb\n\tc"


@given(st.text(st.characters(), max_size=200), st.sampled_from(["plain", "html", "markdown"]))
def test_no_text_leaves_a_control_character_or_a_surrogate(text: str, format: str) -> None:
    shown = readable(text, format)
    shown.encode()
    assert not any(ord(c) < 0x20 and c not in "\n\t" for c in shown)
    assert not any(0x7F <= ord(c) < 0xA0 for c in shown)
