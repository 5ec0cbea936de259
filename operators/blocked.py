"""What is typed or sent in place of an identifier: the values and patterns that `blocked` of ``identity.yaml`` lists."""

from __future__ import annotations

import re
import unicodedata

from contracts.model.definitions import IdentityRules
from operators.normalize import Normalizer, visible

_AROUND = " \"'`´‘’“”„«»()[]{}<>"


def bare(text: str) -> str:
    """The text without case, invisible characters, and the quotation marks and brackets around it: ``"NULL"`` is ``null``."""
    if not (text.isascii() and text.isprintable()):
        text = visible(unicodedata.normalize("NFKC", visible(text)).casefold())
    return text.lower().strip(_AROUND)


class Blocked:
    """What is blocked in a namespace of this normalizer; ``cased``: whether case says anything there."""

    def __init__(self, rules: IdentityRules, normalizer: Normalizer, *, cased: bool) -> None:
        self._values = {bare(value) for value in rules.blocked_values}
        self._normal = {normalizer(value) for value in rules.blocked_values}
        self._patterns = [re.compile(pattern, re.NOFLAG if cased else re.IGNORECASE).search for pattern in rules.blocked_patterns]

    def holds(self, text: str, normal: str) -> bool:
        """Whether a value is blocked, as it came or as it is compared."""
        if normal in self._normal or self._matches(normal):
            return True
        return text != normal and (self._matches(text) or self._matches(visible(text)))

    def _matches(self, form: str) -> bool:
        return bare(form) in self._values or any(search(form) for search in self._patterns)
