"""The parts of the web chat that stand by themselves: markup, pace, spans, languages, folding."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import orjson
import pytest

from engine.channels.web.accepted import preferred
from engine.channels.web.bubbles import Bubble, Knob, Rich, Shot, Styled
from engine.channels.web.folding import Folding
from engine.channels.web.markup import DEEPEST, rich, safe_url
from engine.channels.web.pace import PEOPLE, Pace
from engine.channels.web.spans import NoSuchSpan, Span, span_of
from engine.testing.clock import VirtualClock
from flows.ports import Line

# --- markup -------------------------------------------------------------------------------


def b(*parts: Styled | str) -> Styled:
    return Styled("b", parts)


def i(*parts: Styled | str) -> Styled:
    return Styled("i", parts)


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("", ()),
        ("a <b>bold</b> word", ("a ", b("bold"), " word")),
        ("<b>one <i>two</b> three</i>", (b("one ", i("two")), " three")),
        ("<b>never closed", (b("never closed"),)),
        ("</b>never opened", ("never opened",)),
        ("a &lt;b&gt; &amp; c", ("a <b> & c",)),
        ("<script>alert(1)</script>", ("alert(1)",)),
        ("<img src=x onerror=alert(1)>", ()),
        ("one<br>two", ("one", "\n", "two")),
        ("<code>a &lt; b</code>", (Styled("code", ("a < b",)),)),
        ('<span class="tg-spoiler">x</span>', (Styled("spoiler", ("x",)),)),
        ('<a href="https://a.example">x</a>', (Styled("a", ("x",), "https://a.example"),)),
        ('<a href="javascript:alert(1)">x</a>', ("x",)),
        ("<a>x</a>", ("x",)),
    ],
)
def test_html_becomes_pieces(text: str, pieces: Rich) -> None:
    assert rich(text, "html") == pieces


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("*bold* _it_", (b("bold"), " ", i("it"))),
        ("__under__", (Styled("u", ("under",)),)),
        (r"2 \* 3 \= 6", ("2 ", "*", " 3 ", "=", " 6")),
        ("`a*b*`", (Styled("code", ("a*b*",)),)),
        ("```py\nx = 1```", (Styled("pre", ("x = 1",)),)),
        ("||secret||", (Styled("spoiler", ("secret",)),)),
        ("[x](https://a.example)", (Styled("a", ("x",), "https://a.example"),)),
        ("[x](javascript:alert(1))", ("x", ")")),
        (">said\nafter", (Styled("quote", ("said",)), "\nafter")),
        ("*open", (b("open"),)),
    ],
)
def test_markdown_becomes_pieces(text: str, pieces: Rich) -> None:
    assert rich(text, "markdown") == pieces


def test_plain_text_has_no_markup() -> None:
    assert rich("<b>*x*</b>", "plain") == ("<b>*x*</b>",)


def test_styles_nest_so_deep_and_no_deeper() -> None:
    def depth(pieces: Rich) -> int:
        return max((1 + depth(one.c) for one in pieces if isinstance(one, Styled)), default=0)

    assert depth(rich("<b>" * 500 + "x" + "</b>" * 500, "html")) == DEEPEST


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://a.example/x?y", "https://a.example/x?y"), (" mailto:a@b.c ", "mailto:a@b.c"),
        ("JavaScript:alert(1)", ""), ("data:text/html,x", ""), ("//a.example", ""),
        ("http://[", ""), ("", ""),
    ],
)  # fmt: skip
def test_a_page_leads_to_harmless_addresses_alone(url: str, safe: str) -> None:
    assert safe_url(url) == safe


# --- pace ---------------------------------------------------------------------------------


def test_some_are_taken_at_once_and_then_so_many_a_second() -> None:
    clock = VirtualClock()
    pace = Pace(clock, burst=3, rate=2.0)
    assert [pace.wait("ada") for _ in range(4)] == [0.0, 0.0, 0.0, 0.5]
    assert pace.wait("bob") == 0.0
    clock.skip(timedelta(seconds=0.5))
    assert [pace.wait("ada"), pace.wait("ada")] == [0.0, 0.5]


def test_who_waits_long_has_no_more_than_at_first() -> None:
    clock = VirtualClock()
    pace = Pace(clock, burst=2, rate=2.0)
    pace.wait("ada")
    clock.skip(timedelta(hours=1))
    assert [pace.wait("ada") for _ in range(3)] == [0.0, 0.0, 0.5]


def test_an_amount_is_taken_as_a_whole_or_not_at_all() -> None:
    pace = Pace(VirtualClock(), burst=10, rate=1.0)
    assert [pace.wait("ada", 8), pace.wait("ada", 5), pace.wait("ada", 2)] == [0.0, 3.0, 0.0]


def test_those_who_were_quiet_are_forgotten_first() -> None:
    pace = Pace(VirtualClock(), burst=1, rate=1.0)
    for number in range(PEOPLE):
        pace.wait(str(number))
    assert pace.wait("0") > 0
    pace.wait("one more")
    assert (pace.wait("1"), pace.wait("0") > 0) == (0.0, True)


# --- spans --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "span"),
    [
        ("", None), ("bytes=0-", Span(0, 100)), ("bytes=10-19", Span(10, 20)),
        ("bytes=90-500", Span(90, 100)), ("bytes=-10", Span(90, 100)),
        ("bytes=-500", Span(0, 100)), ("bytes=0-1,5-6", None), ("lines=1-2", None),
        ("bytes=9-3", None), ("bytes=-", None), ("bytes=\u0661-", None),
    ],
)  # fmt: skip
def test_one_span_is_read_and_what_is_none_means_all(wanted: str, span: Span | None) -> None:
    assert span_of(wanted, 100) == span


@pytest.mark.parametrize("wanted", ["bytes=100-", "bytes=500-", "bytes=100-200", "bytes=-0"])
def test_a_span_behind_the_end_is_refused(wanted: str) -> None:
    with pytest.raises(NoSuchSpan, match="has 100 bytes"):
        span_of(wanted, 100)


# --- languages ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", ""), ("de", "de"), ("de-AT,de;q=0.9,en;q=0.8", "de-AT"), ("en;q=0.3, ru;q=0.7", "ru"),
        ("en;q=0, es;q=0.1", "es"), ("*", ""), ("*, fr;q=0.5", "fr"), ("x" * 5000, ""),
        ("nonsense!, zh-Hans ; q = 0.4", "zh-Hans"), ("de;q=0.5,en;q=0.5", "de"), ("en;q=9", ""),
    ],
)  # fmt: skip
def test_the_language_is_the_one_that_is_wanted_most(header: str, language: str) -> None:
    assert preferred(header) == language


# --- folding ------------------------------------------------------------------------------


def folded(*bubbles: Bubble) -> list[dict[str, object]]:
    lines = [Line(n, one.ref, one.to_json(), 7) for n, one in enumerate(bubbles, start=1)]
    folding = Folding()
    for line in reversed(lines):
        folding.add(line)
    found = folding.done()
    assert [line.n for line in found] == sorted(line.n for line in found)
    return [orjson.loads(line.body) for line in found]


KNOBS = ((Knob(label="go", data="x"),),)
OTHERS = ((Knob(label="stay", data="y"),),)
SHOT = Shot(kind="photo", file="f")
HUB = Bubble(ref="a", text=("first",), knobs=KNOBS, media=(SHOT,), reply_to="q")


def one_of(*bubbles: Bubble) -> tuple[object, ...]:
    (it,) = folded(*bubbles)
    knobs = it["knobs"]
    assert isinstance(knobs, list)
    labels = [knob["label"] for row in knobs for knob in row]
    return it["ref"], it["edit"], it["task"], it["text"], labels, bool(it["media"]), it["reply_to"]


def test_the_last_edit_counts_and_leaves_what_it_does_not_have() -> None:
    edits = (
        Bubble(ref="e1", edit="a", text=("second",)),
        Bubble(ref="e2", edit="a", text=("third",), knobs=OTHERS),
    )
    assert one_of(HUB, *edits) == ("a", "", "message", ["third"], ["stay"], True, "q")


def test_buttons_that_came_after_an_edit_stand_under_its_text() -> None:
    edit = Bubble(ref="e1", edit="a", text=("second",), knobs=KNOBS)
    buttons = Bubble(ref="e2", edit="a", task="buttons", knobs=OTHERS)
    assert one_of(HUB, edit, buttons) == ("a", "", "message", ["second"], ["stay"], True, "q")
    assert one_of(HUB, buttons, edit) == ("a", "", "message", ["second"], ["go"], True, "q")


def test_an_edit_of_what_is_further_back_stays_one_line_with_its_name() -> None:
    edits = (
        Bubble(ref="e1", edit="a", text=("second",), knobs=KNOBS),
        Bubble(ref="e2", edit="a", task="buttons", knobs=OTHERS),
    )
    assert one_of(*edits) == ("e1", "a", "message", ["second"], ["stay"], False, "")


def test_what_was_deleted_is_not_there() -> None:
    delete = Bubble(ref="e2", edit="a", task="delete")
    assert folded(HUB, Bubble(ref="e1", edit="a", text=("second",)), delete) == []
    (it,) = folded(Bubble(ref="e1", edit="a", text=("second",)), delete)
    assert (it["task"], it["edit"]) == ("delete", "a")


def test_what_was_refused_says_why() -> None:
    own = replace(HUB, mine=True)
    (it,) = folded(own, Bubble(ref="a-no", edit="a", task="refused", text=("too large",)))
    assert (it["text"], it["refused"]) == (["first"], "too large")
