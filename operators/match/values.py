"""The values of a trait in the form in which they are compared."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import Any

from contracts.model.probabilistic import DAY_S
from contracts.text.times import parse_time
from operators.extract import identifier_text, values_at
from operators.normalize import visible
from schemalogic.paths import parse_path

VALUE_MAX = 500
"""Characters of a text that are compared."""
_BLANKS = re.compile(r"\s+")
_COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_EPOCH = date(1970, 1, 1).toordinal()


def value_at(holder: Mapping[str, Any], path: str) -> str | None:
    """The comparable text at a path of an event or of traits; None if there is none."""
    if path in holder:
        return comparable(holder[path])
    return next((text for value in values_at(holder, parse_path(path)) if (text := comparable(value)) is not None), None)


def comparable(value: object) -> str | None:
    """A text or number without case, accents, surplus blanks and what nobody sees; None for everything else and for an empty text."""
    text = value if type(value) is str else identifier_text(value)
    return None if text is None else _normal(text[:VALUE_MAX])


@lru_cache(maxsize=200_000)
def _normal(text: str) -> str | None:
    text = visible(text)
    if text.isascii():
        return _BLANKS.sub(" ", text).lower() or None
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    bare = "".join(each for each in folded if not unicodedata.combining(each))
    return _BLANKS.sub(" ", unicodedata.normalize("NFC", bare)).strip() or None


@lru_cache(maxsize=200_000)
def instant(text: str) -> int | None:
    """Seconds since 1970 of ``1971-06-24``, ``19710624`` or a time in ISO 8601; None if the text is no date."""
    compact = _COMPACT.fullmatch(text)
    if compact or _DATE.fullmatch(text):
        try:
            return (date.fromisoformat("-".join(compact.groups()) if compact else text).toordinal() - _EPOCH) * DAY_S
        except ValueError:
            return None
    found = parse_time(text.upper()) if "-" in text else None
    return None if found is None else found // 1_000_000


def in_bytes(text: str) -> str:
    """The text with one character for each byte of its UTF-8: DuckDB, with which the weights are trained, compares bytes."""
    return text if text.isascii() else text.encode("utf-8", "surrogatepass").decode("latin-1")
