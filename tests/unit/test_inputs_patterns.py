import pytest

from flows.errors import DefinitionError, UnboundedPattern
from flows.routing.patterns import compile_pattern


def test_nested_repetition_ends_on_a_text_that_almost_matches() -> None:
    # A backtracking engine needs 2**28 steps for this one.
    assert compile_pattern(r"^(a+)+$").search("a" * 28 + "!") is None


@pytest.mark.parametrize(
    "source", [r"(\w)\1", r"(?=a)b", r"(?<!a)b", r"(?P<a>x)(?P=a)", r"x{2000}"]
)
def test_what_cannot_run_in_bounded_time_is_refused(source: str) -> None:
    with pytest.raises(UnboundedPattern) as caught:
        compile_pattern(source)
    assert caught.value.pattern == source


@pytest.mark.parametrize("source", ["(", "[a", "a**", "*"])
def test_what_is_no_regular_expression_is_a_definition_error(source: str) -> None:
    with pytest.raises(DefinitionError, match="no regular expression") as caught:
        compile_pattern(source)
    assert not isinstance(caught.value, UnboundedPattern)


def test_a_refused_pattern_writes_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UnboundedPattern):
        compile_pattern(r"(?!quiet)")
    assert capfd.readouterr() == ("", "")


def test_groups_are_there_by_number_and_name() -> None:
    match = compile_pattern(r"^order (?P<number>\d+)( now)?").search("order 42 please")
    assert match is not None
    assert (match.group("number"), match.groups()) == ("42", ("42", None))
    assert match.groupdict() == {"number": "42"}


def test_the_source_is_kept() -> None:
    assert compile_pattern("^sign me up").pattern == "^sign me up"
