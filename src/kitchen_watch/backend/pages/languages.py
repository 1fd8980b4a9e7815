"""The languages of the pages: catalogues read from PO files at start, and who gets which language.

Message ids are the English texts, so English needs no catalogue. Chinese is the default: it is
given to everybody who has not chosen otherwise.
"""

from __future__ import annotations

import gettext
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path

from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

CATALOGUES = Path(__file__).resolve().parent / "i18n"
COOKIE = "kw_language"


def N_(message: str) -> str:  # noqa: N802 - the name that extraction tools look for
    """Mark ``message`` for translation where it is defined; it is translated where it is shown."""
    return message


@dataclass(frozen=True, slots=True)
class Language:
    """One language of the pages. ``locale`` decides how dates and numbers are written."""

    code: str
    html: str
    name: str
    locale: Locale
    translations: gettext.NullTranslations

    def gettext(self, message: str) -> str:
        """The message in this language."""
        return self.translations.gettext(message)

    def pgettext(self, context: str, message: str) -> str:
        """The message as it is meant in ``context``."""
        return self.translations.pgettext(context, message)

    def ngettext(self, singular: str, plural: str, number: int) -> str:
        """The form of the message that fits ``number``."""
        return self.translations.ngettext(singular, plural, number)


def catalogue(name: str) -> Catalog:
    """All PO files of the folder ``i18n/<name>`` as one catalogue; each room has its own."""
    whole = Catalog(locale=name)
    for path in sorted((CATALOGUES / name).glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale=name):
                if message.id:
                    whole[message.id] = message
    return whole


@cache
def languages() -> Mapping[str, Language]:
    """Every language by its code, the default first."""
    compiled = BytesIO()
    write_mo(compiled, catalogue("zh_CN"))
    compiled.seek(0)
    return {
        "zh": Language("zh", "zh-CN", "中文", Locale.parse("zh_CN"), Translations(compiled)),
        "en": Language("en", "en", "English", Locale.parse("en_GB"), NullTranslations()),
    }


def choose(*wishes: str | None) -> Language:
    """The first wish that names a language of ours; Chinese where none does."""
    known = languages()
    for wish in wishes:
        if wish is not None and wish in known:
            return known[wish]
    return known["zh"]
