"""Gettext catalogues: ``<folder>/<locale>/LC_MESSAGES/<domain>.po``, or ``.mo`` where there is no
source.
"""

from __future__ import annotations

from gettext import NullTranslations
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import PoFileError, read_po
from babel.support import Translations

from flows.errors import DefinitionError

OURS = Path(__file__).parents[1] / "locales"
"""Where the engine's own catalogues are."""

OUR_DOMAIN = "handrail"


class BadCatalogue(DefinitionError):
    """A catalogue, or the folder of the catalogues, cannot be read."""

    def __init__(self, path: Path, reason: str) -> None:
        self.path = path
        super().__init__(f"{path} {reason}")


def catalogues_in(folder: Path, domain: str) -> dict[str, Catalog]:
    """The catalogues of a folder, by the names of the folders in it.

    Raises:
        BadCatalogue: there is no such folder or no catalogue in it, or one cannot be read.
    """
    if not folder.is_dir():
        raise BadCatalogue(
            folder.absolute(),
            "is no folder. Languages takes the folder that holds <locale>/LC_MESSAGES; make the "
            "first catalogue with 'pybabel init'.",
        )
    found = {path.name: _catalogue(path, domain) for path in sorted(folder.iterdir())}
    known = {name: catalogue for name, catalogue in found.items() if catalogue is not None}
    if not known:
        raise BadCatalogue(
            folder.absolute(),
            f"has no catalogue: there is no <locale>/LC_MESSAGES/{domain}.po or .mo in it.",
        )
    return known


def translations_of(catalogue: Catalog, fallback: NullTranslations) -> Translations:
    """The catalogue for looking texts up; what it does not have is looked up in ``fallback``.
    What is marked as fuzzy counts as missing.
    """
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    translations = Translations(compiled)
    translations.add_fallback(fallback)
    return translations


def _catalogue(folder: Path, domain: str) -> Catalog | None:
    """The catalogue of a locale; None: there is none."""
    source = folder / "LC_MESSAGES" / f"{domain}.po"
    compiled = source.with_suffix(".mo")
    path = source if source.is_file() else compiled
    if not path.is_file():
        return None
    try:
        with path.open("rb") as file:
            if path == source:
                return read_po(file, locale=folder.name, abort_invalid=True)
            catalogue = read_mo(file)
            catalogue.locale = folder.name
            return catalogue
    except PoFileError as error:
        at = f" at line {error.lineno}" if error.lineno else ""
        raise BadCatalogue(path, f"is no catalogue{at}: {error}") from error
    except (ValueError, OSError, LookupError) as error:
        raise BadCatalogue(path, f"cannot be read: {error}") from error
