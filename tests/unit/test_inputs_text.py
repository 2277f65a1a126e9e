import pytest

from flows.errors import DefinitionError, InvalidAnswer, UnboundedPattern
from flows.inputs import Pattern, Text
from flows.updates import Command, TextMessage


def said(text: str) -> TextMessage:
    return TextMessage(text)


def test_text_loses_the_white_space_around_it_and_nothing_else() -> None:
    assert Text().parse(said("  Ada \u00a0Lovelace\n")) == "Ada \u00a0Lovelace"


@pytest.mark.parametrize(
    "text",
    [
        "\u202eadA",
        "A\u200bd\u200da",
        "Z\u0351\u036b\u0353\u036a",
        "e\u0301",
        "{x.__class__}",
        "<b>_*",
    ],
)
def test_odd_text_is_kept_as_written(text: str) -> None:
    assert Text().parse(said(text)) == text


def test_an_emoji_newer_than_this_python_is_a_text() -> None:
    assert Text().parse(said("\U0001fae9")) == "\U0001fae9"


@pytest.mark.parametrize("text", ["", "  \n", "\u200b\u200d", "\u202e", "\u2800\u3164"])
def test_a_text_in_which_nothing_is_seen_is_refused(text: str) -> None:
    with pytest.raises(InvalidAnswer, match="send a text"):
        Text().parse(said(text))


def test_a_flood_of_combining_marks_is_capped() -> None:
    with pytest.raises(InvalidAnswer, match="at most 4096"):
        Text().parse(said("Z" + "\u0351" * 4096))


def test_the_length_is_counted_without_the_space_around() -> None:
    assert Text(max_length=3).parse(said("  abc  ")) == "abc"


def test_a_text_that_is_too_long_is_told_both_lengths() -> None:
    with pytest.raises(InvalidAnswer, match=r"4 characters.*at most 3"):
        Text(max_length=3).parse(said("abcd"))


def test_a_text_that_is_too_short_is_told_the_least() -> None:
    with pytest.raises(InvalidAnswer, match="at least 2"):
        Text(min_length=2).parse(said(" a "))


def test_commands_are_no_text_unless_asked_for() -> None:
    assert not Text().fits(Command("start"))


def test_commands_are_text_where_asked_for() -> None:
    wanted = Text(commands=True)
    assert wanted.fits(Command("start", "now"))
    assert wanted.parse(Command("start", "now")) == "/start now"


@pytest.mark.parametrize(("least", "most"), [(0, 5), (-1, 5), (3, 2)])
def test_lengths_that_cannot_work_are_refused(least: int, most: int) -> None:
    with pytest.raises(DefinitionError, match="min_length"):
        Text(min_length=least, max_length=most)


def test_a_stored_text_must_be_a_text() -> None:
    with pytest.raises(ValueError, match="5 is no text"):
        Text().load(5)


def test_a_pattern_takes_what_matches_as_a_whole() -> None:
    assert Pattern(r"[A-Z]{2}\d{4}").parse(said(" AB1234 ")) == "AB1234"


@pytest.mark.parametrize("text", ["AB12345", "xAB1234", "AB\u0661\u0662\u0663\u0664", ""])
def test_a_pattern_refuses_what_matches_in_part_only(text: str) -> None:
    with pytest.raises(InvalidAnswer):
        Pattern(r"[A-Z]{2}\d{4}").parse(said(text))


def test_a_pattern_says_what_is_wanted() -> None:
    wanted = Pattern(r"\d{4}", wanted="four digits")
    with pytest.raises(InvalidAnswer, match=r"^Please send four digits\.$"):
        wanted.parse(said("12"))


def test_a_pattern_that_cannot_be_bounded_is_refused_at_construction() -> None:
    with pytest.raises(UnboundedPattern):
        Pattern(r"(\w+) \1")
