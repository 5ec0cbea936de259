"""Event names as contracts and segments spell them: ``Order Completed``, ``orderCompleted`` → ``order_completed``."""

from __future__ import annotations

import re
from unicodedata import category, normalize

_VARIANTS = re.compile("[\u034f\u180b-\u180d\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]")
"""Marks that are not seen: they only choose the form of the character before them."""
_CACHE_MAX = 10_000
_cache: dict[str, str] = {}


def event_name(text: str) -> str:
    """The normalised name: lower case, one ``_`` for every run of other characters, or before each hump of a name without any.

    So ``iOS App Opened``, whose words are separated already, is ``ios_app_opened`` in whatever case it comes. Combining
    marks belong to the letter before them, precomposed or not; what is not seen (a joiner, a soft hyphen) is no part of it.
    """
    name = _cache.get(text)
    if name is None:
        if len(_cache) >= _CACHE_MAX:
            _cache.clear()
        name = _cache[text] = _normalised(text)
    return name


def _normalised(text: str) -> str:
    seen = "".join(char for char in _VARIANTS.sub("", text) if category(char) != "Cf")
    words = _separated(normalize("NFC", seen))
    lower = (words if "_" in words else _humps(words)).lower()
    # Some letters with a mark are one character in lower case only.
    return normalize("NFC", re.sub("_+", "_", lower).strip("_"))


def _separated(text: str) -> str:
    """The text with ``_`` for each character that is no part of a word."""
    parts = []
    inside = False
    for char in text:
        inside = char.isalnum() or (inside and _is_mark(char))
        parts.append(char if inside else "_")
    return "".join(parts)


def _humps(text: str) -> str:
    before = ""
    parts = []
    for char in text:
        if char.isupper() and char != char.lower() and (before.islower() or before.isdigit()):
            parts.append("_")
        parts.append(char)
        if not _is_mark(char):
            before = char
    return "".join(parts)


def _is_mark(char: str) -> bool:
    return category(char).startswith("M")
