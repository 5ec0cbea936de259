"""``\\p{…}``: the code points that have a Unicode property, as the engine that validates knows them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

import jsonschema_rs

from schemalogic.patterns.charset import LAST, NOTHING, CharSet

_NAME = re.compile(r"[A-Za-z0-9_]+(=[A-Za-z0-9_]+)?")
_BLOCK = 512


@cache
def code_points(name: str) -> CharSet | None:
    """The code points of ``\\p{name}``, such as Lu, Uppercase_Letter, Script=Greek, Alphabetic; None if there is no such property."""
    name = name.removeprefix("General_Category=").removeprefix("gc=")
    if not _NAME.fullmatch(name):
        return None
    if name in {"Cs", "Surrogate"}:
        return NOTHING
    try:
        has, lacks = _judge(rf"\p{{{name}}}"), _judge(rf"\P{{{name}}}")
    except jsonschema_rs.ValidationError:
        return None
    found: list[tuple[int, int]] = []
    for start in range(0, LAST + 1, _BLOCK):
        if not 0xD800 <= start <= 0xDFFF:
            found += _within(start, "".join(map(chr, range(start, start + _BLOCK))), has, lacks)
    return CharSet.of(found)


def _within(start: int, text: str, has: jsonschema_rs.Validator, lacks: jsonschema_rs.Validator) -> Iterator[tuple[int, int]]:
    """The ranges in a run of characters that begins at ``start``: halved until a part has the property, or lacks it, as a whole."""
    if has.is_valid(text):
        yield start, start + len(text) - 1
    elif not lacks.is_valid(text):
        middle = len(text) // 2
        yield from _within(start, text[:middle], has, lacks)
        yield from _within(start + middle, text[middle:], has, lacks)


def _judge(one: str) -> jsonschema_rs.Validator:
    return jsonschema_rs.Draft202012Validator({"pattern": f"^{one}*$"}, pattern_options=jsonschema_rs.RegexOptions())
