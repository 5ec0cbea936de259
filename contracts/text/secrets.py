"""How a secret is written in a file: ``${NAME}`` of the environment, or ``{file: /run/secrets/x}``; and what looks like one itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

NAMED = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_TOKEN = re.compile(r"[A-Za-z0-9_.~+/=:@|-]{20,}")
EXPECTED = "a secret as ${NAME}, of the environment, or as {file: /run/secrets/name}"
FILE = "file"


def looks_like_a_secret(value: object) -> bool:
    """Whether a text has a token's length and letters: 20 or more, without a blank."""
    return isinstance(value, str) and NAMED.search(value) is None and _TOKEN.fullmatch(value.strip()) is not None


def is_file(value: object) -> bool:
    """Whether it is ``{"file": path}``."""
    return isinstance(value, dict) and list(value) == [FILE] and isinstance(value[FILE], str)


def named(value: Any) -> Iterator[str]:
    """The names of the environment, and as ``file:<path>`` the files, that a value takes secrets from."""
    if is_file(value):
        yield f"file:{value[FILE]}"
    elif isinstance(value, str):
        yield from NAMED.findall(value)
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from named(part)


def revealed(value: Any, reveal: Callable[[str], str]) -> tuple[str, list[str]]:
    """A text with its secrets put in, and these; ``reveal`` is asked for what `named` calls them."""
    found: list[str] = []

    def put(name: str) -> str:
        found.append(reveal(name))
        return found[-1]

    if is_file(value):
        return put(f"file:{value[FILE]}"), found
    return NAMED.sub(lambda match: put(match[1]), str(value)), found
