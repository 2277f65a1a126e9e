from typing import Any

import pytest

from flows.errors import DefinitionError, InvalidAnswer
from flows.inputs import Url
from flows.updates import TextMessage


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (" https://Example.COM ", "https://example.com/"),
        ("http://example.com/a?b=c#d", "http://example.com/a?b=c#d"),
        ("https://b\u00fccher.example/\u00fc", "https://xn--bcher-kva.example/%C3%BC"),
        ("HTTPS://example.com:443", "https://example.com/"),
    ],
)
def test_an_address_is_stored_in_its_normal_form(text: str, address: str) -> None:
    assert Url().parse(TextMessage(text)) == address


@pytest.mark.parametrize(
    "text",
    [
        "example.com",
        "ftp://example.com",
        "javascript:alert(1)",
        "https://",
        "https://exa mple.com",
        "https://example.com/ is my page",
        "https://example.com/\nhttps://example.org",
        "https://" + "a" * 3000,
        "http://[::1",
        "",
    ],
)
def test_what_is_no_web_address_is_told_what_one_looks_like(text: str) -> None:
    with pytest.raises(InvalidAnswer, match=r"such as https://example\.com"):
        Url().parse(TextMessage(text))


def test_the_schemes_can_be_others() -> None:
    wanted = Url(schemes=("ftp",))
    assert wanted.parse(TextMessage("ftp://example.com/x")) == "ftp://example.com/x"
    assert wanted.hint() == "Please send a whole web address, such as ftp://example.com."
    with pytest.raises(InvalidAnswer):
        wanted.parse(TextMessage("https://example.com"))


def test_without_schemes_all_are_taken() -> None:
    assert Url(schemes=()).parse(TextMessage("mailto:ada@example.com")) == "mailto:ada@example.com"


@pytest.mark.parametrize("schemes", ["https", ("HTTPS",), ("",), ("https:",)])
def test_schemes_that_cannot_work_are_refused(schemes: Any) -> None:
    with pytest.raises(DefinitionError, match=r"Url\(\)"):
        Url(schemes=schemes)
