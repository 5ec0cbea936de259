"""Versions of software as SemVer 2.0 orders them; ``2`` and ``2.1`` are 2.0.0 and 2.1.0."""

from __future__ import annotations

import re

_NUMBER = r"(0|[1-9]\d*)"
_PART = r"(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)"
_VERSION = re.compile(
    rf"{_NUMBER}(?:\.{_NUMBER}(?:\.{_NUMBER}(?:-({_PART}(?:\.{_PART})*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?)?)?", re.ASCII
)

Precedence = tuple[tuple[tuple[int, int, str], ...], bool, tuple[tuple[int, int, str], ...]]
"""The numbers, whether it is a release, and the parts of what comes before one; of a part: whether it is a word, how long, its text."""


def precedence(text: str) -> Precedence | None:
    """What the order of versions goes by; None if the text is no version. Numbers may have any number of digits."""
    found = _VERSION.fullmatch(text)
    if found is None:
        return None
    major, minor, patch, before = found.groups()
    numbers = tuple(_part(number or "0") for number in (major, minor, patch))
    return numbers, before is None, tuple(_part(part) for part in before.split(".")) if before else ()


def _part(text: str) -> tuple[int, int, str]:
    return (0, len(text), text) if text.isdigit() else (1, 0, text)
