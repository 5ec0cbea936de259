"""Patterns of ``matches``: RE2, which takes time in proportion to the text, and which DuckDB has, too."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

_NAMED = re.compile(r"\(\?<(?![=!])")
_ESCAPED = re.compile(r"\\.", re.DOTALL)


@lru_cache(maxsize=1000)
def pattern_test(pattern: str) -> Callable[[str], bool]:
    """Whether a text matches somewhere. Raises ValueError, with what is wrong, for what is no pattern."""
    import re2  # noqa: PLC0415 - few projects have patterns

    if _NAMED.search(_ESCAPED.sub("", pattern)):
        raise ValueError("a name in a group is written (?P<name>…)")
    options = re2.Options()
    options.log_errors = False
    try:
        search = re2.compile(pattern, options).search
    except re2.error as error:
        found = error.args[0] if error.args else ""
        raise ValueError(found.decode("utf-8", "replace") if isinstance(found, bytes) else str(found)) from None
    return lambda text: search(text) is not None
