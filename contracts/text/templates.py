"""Texts with paths in braces, ``/lists/{audience}/members/{person.profile}``: paths and nothing else, so there is nothing to run."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from contracts.text.problems import Unexpected
from schemalogic.paths import parse_path

_BRACE = re.compile(r"[{}]")


@dataclass(frozen=True, slots=True)
class Hole:
    """What stands in braces: a path."""

    path: str


@lru_cache(maxsize=4096)
def parts_of(text: str) -> tuple[str | Hole, ...]:
    """The literal parts and the holes of a text, in order; `Unexpected` if its braces do not close or hold no path."""
    found: list[str | Hole] = []
    at = 0
    while (opened := _BRACE.search(text, at)) is not None:
        closed = _BRACE.search(text, opened.end())
        if opened[0] == "}" or closed is None or closed[0] == "{":
            raise Unexpected("every `{` closed by a `}`, with a path between them", f"see character {opened.start() + 1}")
        path = text[opened.end() : closed.start()].strip()
        try:
            parse_path(path)
        except ValueError as error:
            raise Unexpected("a path in braces, such as {person.traits.city}", str(error)) from None
        found += [text[at : opened.start()]] if opened.start() > at else []
        found.append(Hole(path))
        at = closed.end()
    return (*found, text[at:]) if at < len(text) else tuple(found)


def holes_of(text: str) -> tuple[str, ...]:
    """The paths in the braces of a text."""
    return tuple(part.path for part in parts_of(text) if isinstance(part, Hole))
