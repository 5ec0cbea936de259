"""Event names as contracts and segments spell them: ``Order Completed``, ``orderCompleted`` → ``order_completed``."""

from __future__ import annotations

import re

_OTHER = re.compile(r"[\W_]+")
_CACHE_MAX = 10_000
_cache: dict[str, str] = {}


def event_name(text: str) -> str:
    """The normalised name: lower case, one ``_`` for every run of other characters, or before each hump of a name without any.

    So ``iOS App Opened``, whose words are separated already, is ``ios_app_opened`` in whatever case it comes.
    """
    name = _cache.get(text)
    if name is None:
        if len(_cache) >= _CACHE_MAX:
            _cache.clear()
        name = _cache[text] = _OTHER.sub("_", (text if _OTHER.search(text) else _humps(text)).lower()).strip("_")
    return name


def _humps(text: str) -> str:
    before = ""
    parts = []
    for char in text:
        if char.isupper() and (before.islower() or before.isdigit()):
            parts.append("_")
        parts.append(char)
        before = char
    return "".join(parts)
