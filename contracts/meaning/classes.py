"""The classes of personal values, and how a schema says one."""

from __future__ import annotations

import re
from typing import Any, Literal

Personal = Literal["none", "pseudonymous", "direct", "sensitive"]
CLASSES: tuple[Personal, ...] = ("none", "pseudonymous", "direct", "sensitive")
"""From the one that needs no care to the one that needs the most."""
TAG = "x-personal"
_LETTERS = re.compile(r"[^a-z]")


def class_of(schema: dict[str, Any]) -> Personal:
    """The class that a schema says itself; the strictest if it cannot be read."""
    if any(is_unreadable(word, value) for word, value in schema.items()):
        return CLASSES[-1]
    said: Personal = schema.get(TAG, CLASSES[0])
    return said


def is_tag(word: str) -> bool:
    """Whether a keyword means the tag, also in another spelling such as ``X_Personal``."""
    return word == TAG or _LETTERS.sub("", word.lower()) == "xpersonal"


def is_unreadable(word: str, value: object) -> bool:
    """Whether a keyword is the tag in another spelling, or with a value that is no class."""
    return value not in CLASSES if word == TAG else is_tag(word)
