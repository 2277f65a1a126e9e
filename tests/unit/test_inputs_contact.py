import pytest

from flows.errors import DefinitionError, InvalidAnswer
from flows.inputs import Email, Phone
from flows.updates import TextMessage


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("ada@example.com", "ada@example.com"),
        (" Ada@EXAMPLE.com\n", "Ada@example.com"),
        ("a+b@mail.example.co.uk", "a+b@mail.example.co.uk"),
    ],
)
def test_addresses_are_normalised(text: str, address: str) -> None:
    assert Email().parse(TextMessage(text)) == address


@pytest.mark.parametrize(
    "text",
    [
        "not an address",
        "ada@",
        "ada@localhost",
        "Ada <ada@example.com>",
        "a@b\u202e.com",
        "a@b.com, c@d.com",
        "a" * 4000 + "@example.com",
        "",
    ],
)
def test_what_is_no_address_is_asked_for_again(text: str) -> None:
    with pytest.raises(InvalidAnswer, match="e-mail"):
        Email().parse(TextMessage(text))


@pytest.mark.parametrize(
    "text",
    [
        "+44 20 7946 0958",
        "+442079460958",
        "+44 (0)20 7946-0958",
        "\u202a+44\u00a020\u00a07946\u00a00958\u202c",
    ],
)
def test_phone_numbers_become_e164(text: str) -> None:
    assert Phone().parse(TextMessage(text)) == "+442079460958"


def test_a_national_number_needs_a_region() -> None:
    assert Phone(region="GB").parse(TextMessage("020 7946 0958")) == "+442079460958"


@pytest.mark.parametrize(
    "text",
    [
        "020 7946 0958",
        "١٢٣",
        "1_000",
        "+44 20 7946 0958 ext. 12",
        "call me at +44 20 7946 0958",
        "+44 123",
        "+" + "9" * 4000,
        "hello",
        "",
    ],
)
def test_what_is_no_phone_number_is_asked_for_again(text: str) -> None:
    with pytest.raises(InvalidAnswer, match="with its country code"):
        Phone().parse(TextMessage(text))


@pytest.mark.parametrize("region", ["gb", "XX", "", "Germany"])
def test_an_unknown_region_is_refused(region: str) -> None:
    with pytest.raises(DefinitionError, match="region"):
        Phone(region=region)
