"""Public holidays of a country or of one of its subdivisions, by the `holidays` package."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from types import ModuleType
from typing import Final

_ENGLISH: Final = "en_US"


@dataclass(frozen=True, slots=True)
class PublicHolidays:
    """A country by its ISO 3166 code, and where its holidays differ by region one of its subdivisions; both known."""

    country: str
    subdivision: str | None = None

    def of_year(self, year: int) -> Mapping[date, str]:
        """The days off and their English names (the country's own where there are none).

        True public holidays alone, with the days on which they are observed: no half days, no bank or school holidays,
        no observances. A year that the package does not cover has none.
        """
        return _of_year(self.country, self.subdivision, year)


def known_countries() -> Sequence[str]:
    """The two-letter codes of all countries that have holidays here."""
    return [code for code in _package().list_supported_countries() if len(code) == 2]  # noqa: PLR2004


def known_subdivisions(country: str) -> Sequence[str]:
    """The subdivisions of a known country, in the package's order."""
    return list(_package().country_holidays(country).subdivisions)


@lru_cache(maxsize=1024)
def _of_year(country: str, subdivision: str | None, year: int) -> Mapping[date, str]:
    # The language is named, else it would be that of the machine's environment.
    package = _package()
    known = package.country_holidays(country, subdiv=subdivision)
    language = _ENGLISH if _ENGLISH in known.supported_languages else known.default_language
    found = package.country_holidays(
        country, subdiv=subdivision, years=year, language=language, categories=package.PUBLIC
    )
    return {day: name for day, name in found.items() if day.year == year}


def _package() -> ModuleType:
    # It takes a third of a second to load, and most commands need no holidays.
    import holidays  # noqa: PLC0415

    return holidays
