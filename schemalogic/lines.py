"""In which line of a JSON text each value stands."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import lru_cache

Path = tuple[str | int, ...]

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:\n]|[^\s{}\[\],:"]+')


def line_at(text: str, path: Iterable[str | int]) -> int:
    """The line, counted from 1, of the value at a path; the nearest line around it if nothing is there."""
    lines = _lines(text)
    steps = tuple(path)
    while steps not in lines and steps:
        steps = steps[:-1]
    return lines.get(steps, 1)


@lru_cache(maxsize=1024)
def _lines(text: str) -> dict[Path, int]:
    """The line of every value by its path, a member's is that of its name. The text must be JSON."""
    found: dict[Path, int] = {}
    open_: list[str] = []
    path: list[str | int] = []
    line = 1
    name: str | None = None
    for token in _TOKEN.findall(text):
        if token == "\n":
            line += 1
        elif token in "}]":
            open_.pop()
            path.pop()
        elif token == ",":
            if open_ and open_[-1] == "[":
                path[-1] = int(path[-1]) + 1
        elif token == ":":
            path[-1] = json.loads(name or '""')
            found[tuple(path)] = line
        elif open_ and open_[-1] == "{" and name is None:
            name = token
            continue
        else:
            found.setdefault(tuple(path), line)
            if token in "{[":
                open_.append(token)
                path.append("" if token == "{" else 0)
        name = None if token in "{,}" else name
    return found
