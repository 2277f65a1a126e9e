"""The languages that an App speaks, from gettext catalogues."""

from engine.languages.catalogues import BadCatalogue
from engine.languages.languages import Languages

__all__ = ["BadCatalogue", "Languages"]
