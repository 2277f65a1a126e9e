"""E-mail addresses, phone numbers, and contacts that are shared. Libraries are imported when
first used.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, fields
from typing import ClassVar

from pydantic import TypeAdapter

from flows.inputs.base import Input, Json, StringInput
from flows.messages.translations import phrase
from flows.updates import ContactCard, ContactMessage, Content

_CARD: TypeAdapter[ContactCard] = TypeAdapter(ContactCard)

_MAX_PHONE = 64
"""Characters that are looked at: the longest number has 15 digits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Email(StringInput):
    """An e-mail address, in its normal form; whether it can be reached is not looked up."""

    kind: ClassVar[str] = "email"

    def parse_text(self, text: str) -> Json:
        """The address, normalised: the domain in lower case, Unicode in NFC."""
        from email_validator import EmailNotValidError, validate_email

        try:
            return validate_email(text, check_deliverability=False).normalized
        except EmailNotValidError:
            # The library's own words echo what was sent and are written for developers.
            raise self.refused(
                phrase("That is no e-mail address. Please send one such as name@example.com.")
            ) from None

    def hint(self) -> str:
        """Asks for an address."""
        return self.retry or phrase("Please send an e-mail address, such as name@example.com.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Phone(StringInput):
    """A phone number: a str in E.164 form, such as ``+442079460958``.

    Attributes:
        region: the country (two letters, ISO 3166) whose national numbers are understood;
            None: only numbers with a country code.
    """

    kind: ClassVar[str] = "phone"

    region: str | None = None

    def __post_init__(self) -> None:
        if self.region is not None:
            from phonenumbers import SUPPORTED_REGIONS

            if self.region not in SUPPORTED_REGIONS:
                raise self._cannot(
                    f"region {self.region!r} is unknown. Use two capital letters, such as 'GB'"
                )
        StringInput.__post_init__(self)

    def parse_text(self, text: str) -> Json:
        """The number in E.164 form, if it can exist."""
        import phonenumbers

        plain = _plain(text)
        if plain is None:
            raise self.refused(self._wish())
        try:
            number = phonenumbers.parse(plain, self.region)
        except phonenumbers.NumberParseException:
            raise self.refused(self._wish()) from None
        # E.164 has no room for an extension, and one must not be lost in silence.
        if number.extension or not phonenumbers.is_valid_number(number):
            raise self.refused(self._wish())
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)

    def hint(self) -> str:
        """Asks for a number."""
        return self.retry or self._wish()

    def _wish(self) -> str:
        if self.region:
            return phrase("Please send a phone number, such as +44 20 7946 0958.")
        return phrase("Please send a phone number with its country code, such as +44 20 7946 0958.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact(Input[ContactCard]):
    """A contact that is shared with the button of the channel: the person's own.

    A number that is typed is no contact: nothing vouches for it. ``AnyOf(Contact(), Phone())``
    takes both.

    Attributes:
        anyone: whether the contact of somebody else is taken as well.
    """

    kind: ClassVar[str] = "contact"

    anyone: bool = False

    def fits(self, content: Content) -> bool:
        """Whether it is a contact, whoever's."""
        return isinstance(content, ContactMessage)

    def parse(self, content: Content) -> Json:
        """The card as a JSON object."""
        if not isinstance(content, ContactMessage):
            raise self.refused(self.hint())
        if not (content.own or self.anyone):
            raise self.refused(phrase("That is somebody else's contact. Please share your own."))
        return self.dump(content)

    def load(self, value: Json) -> ContactCard:
        """The card of a JSON object."""
        return _CARD.validate_python(value)

    def dump(self, value: ContactCard) -> Json:
        """The card as a JSON object."""
        if not isinstance(value, ContactCard):
            raise ValueError(f"{value!r} is no ContactCard")
        return {each.name: getattr(value, each.name) for each in fields(ContactCard)}

    def hint(self) -> str:
        """Asks for a contact."""
        if self.anyone:
            return self.retry or phrase("Please share a contact.")
        return self.retry or phrase("Please share your own contact.")

    def shown(self, value: Json) -> str:
        """The name, or the number."""
        card = self.load(value)
        return card.name or card.phone


def _plain(text: str) -> str | None:
    """The text without the invisible marks that phones put around copied numbers.

    None when there are letters in it or it is far too long: the library would pick a number
    out of any sentence.
    """
    if len(text) > _MAX_PHONE:
        return None
    plain = "".join(char for char in text if unicodedata.category(char) != "Cf")
    return None if any(map(str.isalpha, plain)) else plain
