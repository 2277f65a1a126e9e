"""Long texts are cut into messages that Telegram takes and people can read."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from teremok.validation import validate_html, validate_markdown

from engine.channels.telegram.splitting import shortened, split, units


def test_a_text_that_fits_stays_whole() -> None:
    assert split("x" * 4096) == ["x" * 4096]


def test_an_emoji_counts_as_two_units() -> None:
    assert units("a😀é") == 4


@pytest.mark.parametrize("text", ["", " ", "\n\t "])
def test_a_text_that_shows_nothing_has_no_parts(text: str) -> None:
    assert split(text) == []
    assert split(text * 5000) == []


def test_an_echo_of_4096_emoji_is_split_between_emoji() -> None:
    parts = split("😀" * 4096)
    assert parts == ["😀" * 2048, "😀" * 2048]


@pytest.mark.parametrize("cluster", ["👩‍👩‍👧", "🇬🇧", "👍🏽", "e\u0301", "❤️"])
def test_what_people_see_as_one_character_is_not_cut(cluster: str) -> None:
    parts = split("x" + cluster * 3000)
    assert "".join(parts) == "x" + cluster * 3000
    assert all(part.endswith(cluster) for part in parts)
    assert all(part.startswith(("x", cluster)) for part in parts)


def test_a_flood_of_combining_marks_is_cut_all_the_same() -> None:
    parts = split("e" + "\u0301" * 9000)
    assert max(map(units, parts)) <= 4096
    assert sum(map(len, parts)) == 9001


def test_a_cut_falls_behind_a_line_before_it_falls_behind_a_word() -> None:
    line = "one two three four\n"
    parts = split(line * 400)
    assert all(part.endswith("\n") for part in parts)
    words = split("word " * 2000)
    assert all(part.endswith("word ") for part in words)


@given(st.text(st.characters(), min_size=1), st.integers(8, 60))
def test_plain_parts_are_the_text_within_the_limit(text: str, limit: int) -> None:
    text = text * 3
    parts = split(text, "plain", limit)
    assert all(part.strip() for part in parts)
    assert re.sub(r"\s", "", "".join(parts)) == re.sub(r"\s", "", text)
    whole = max((len(part) for part in parts), default=0)
    assert all(units(part) <= max(limit, 2 * 64) for part in parts), whole


PIECES = st.sampled_from(
    ["word ", "<b>", "</b>", '<a href="http://x.y/?a=1">', "</a>", "&amp;", "&lt;", "é", "\n"]
)


def balanced(pieces: list[str]) -> str:
    """The pieces with their tags made to match."""
    out: list[str] = []
    open_tags: list[str] = []
    for piece in pieces:
        if piece.startswith("</"):
            if not open_tags:
                continue
            piece = f"</{open_tags.pop()}>"
        elif piece.startswith("<"):
            open_tags.append(piece[1])
        out.append(piece)
    return "".join(out) + "".join(f"</{tag}>" for tag in reversed(open_tags))


@given(st.lists(PIECES, min_size=20, max_size=60))
def test_html_parts_are_each_valid(pieces: list[str]) -> None:
    text = balanced(pieces)
    parts = split(text, "html", 600)
    for part in parts:
        validate_html(part)
    shown = re.sub(r"<[^>]*>|\s", "", "".join(parts))
    assert shown == re.sub(r"<[^>]*>|\s", "", text)


def test_html_that_is_open_at_a_cut_is_closed_and_opened_again() -> None:
    parts = split(f"<b>{'word ' * 1500}</b>", "html")
    assert len(parts) == 2
    assert all(part.startswith("<b>") and part.endswith("</b>") for part in parts)
    assert max(map(units, parts)) <= 4096


def test_markdown_that_is_open_at_a_cut_is_closed_and_opened_again() -> None:
    link = r"[a \] link](http://x\)y/)"
    bold = "*" + (link + " 1\\.5 ") * 300 + "*"
    code = "```py\n" + "x = 1\n" * 900 + "```"
    parts = split(f"{bold}\n{code}", "markdown")
    assert len(parts) > 2
    for part in parts:
        validate_markdown(part, 2)
    assert max(map(units, parts)) <= 4096


def test_markdown_escapes_are_not_cut() -> None:
    parts = split(r"\." * 3000, "markdown")
    assert "".join(parts) == r"\." * 3000
    assert all(part.startswith("\\") and part.endswith(".") for part in parts)


def test_a_shortened_text_ends_with_an_ellipsis() -> None:
    assert shortened("x" * 201, limit=200) == "x" * 199 + "…"
    assert shortened("x" * 200, limit=200) == "x" * 200
    assert units(shortened("😀" * 200, limit=200)) <= 200


@given(st.text(st.sampled_from("ab \n👍<b>"), min_size=1, max_size=200))
def test_the_first_part_may_have_a_limit_of_its_own(text: str) -> None:
    parts = split("x" + text, "plain", 50, first=10)
    assert units(parts[0]) <= 10 or len(parts) == 1
    assert all(units(part) <= 50 for part in parts)
    assert len(parts) == 1 or units("x" + text) > 10
