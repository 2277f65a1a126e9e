"""Addresses of pages and other things on the web."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Self

from pydantic import TypeAdapter, ValidationError

from flows.inputs.base import Json, StringInput, decoded
from flows.messages.translations import phrase

MAX_URL = 2083
"""Characters of an address that browsers agree on."""

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Url(StringInput):
    """An address on the web, with its scheme: a str in its normal form (WHATWG).

    The host is in lower case and in ASCII letters, and an empty path becomes ``/``. Whether
    there is anything at the address is not looked up.

    Attributes:
        schemes: those that are taken, in lower case; none: all of them.
    """

    kind: ClassVar[str] = "url"

    schemes: tuple[str, ...] = ("http", "https")

    def __post_init__(self) -> None:
        strange = [each for each in self.schemes if not _SCHEME.fullmatch(each)]
        if isinstance(self.schemes, str) or strange:
            raise self._cannot(f"schemes is {self.schemes!r}; give a tuple such as ('https',)")
        StringInput.__post_init__(self)

    def parse_text(self, text: str) -> Json:
        """The address in its normal form."""
        # The standard reads spaces as parts of a path: of a sentence it would make an address.
        if len(text) > MAX_URL or any(map(str.isspace, text)):
            raise self.refused(self._wish())
        try:
            return str(_adapter(self.schemes).validate_python(text))
        except ValidationError:
            raise self.refused(self._wish()) from None

    def dump(self, value: str) -> Json:
        """The address itself; one of pydantic's own is taken as well."""
        from pydantic import AnyUrl

        return StringInput.dump(self, str(value) if isinstance(value, AnyUrl) else value)

    def hint(self) -> str:
        """Asks for an address."""
        return self.retry or self._wish()

    def stored(self) -> dict[str, Json]:
        """The schemes as a list."""
        data = StringInput.stored(self)
        if "schemes" in data:
            data["schemes"] = list(self.schemes)
        return data

    @classmethod
    def restored(cls, data: Mapping[str, Any]) -> Self:
        """Reads the schemes from a list."""
        return cls(**decoded(data, tuple, "schemes"))

    def _wish(self) -> str:
        scheme = "https" if not self.schemes or "https" in self.schemes else self.schemes[0]
        return phrase(
            "Please send a whole web address, such as {example}.", example=f"{scheme}://example.com"
        )


@lru_cache(maxsize=64)
def _adapter(schemes: tuple[str, ...]) -> TypeAdapter[Any]:
    from pydantic import AnyUrl, UrlConstraints  # a slow import, which most flows do without

    taken = list(schemes) or None
    return TypeAdapter(Annotated[AnyUrl, UrlConstraints(allowed_schemes=taken, max_length=MAX_URL)])
