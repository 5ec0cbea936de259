"""Entries of `blocked` that cannot mean what they say: those that match nothing, and those that match everything."""

from __future__ import annotations

import re
from collections.abc import Iterable
from re import _parser  # type: ignore[attr-defined]  # what a pattern consists of: there is no public way to it
from typing import Any

from contracts.model.definitions import Definitions
from contracts.reading import identity
from contracts.text.problems import Problem
from contracts.text.yaml_tree import Reader, Tree
from operators.extract import IDENTIFIER_MAX_BYTES

_ANYBODY = ("a", "42", "ann@example.com", "+447712345678", "d-7F3A", "Łódź")
"""Texts that no pattern matches all of, unless it matches every text."""


def check(definitions: Definitions) -> list[Problem]:
    """A problem for each entry of ``blocked`` in ``identity.yaml`` that can match nothing, or that would leave nobody an identifier."""
    text = definitions.files.get(identity.FILE)
    tree = Reader([]).parse(identity.FILE, text) if text is not None else None
    blocked = tree.value.get("blocked") if tree is not None else None
    if blocked is None:
        return []
    reader = Reader([])
    for kind, judge in (("values", _value), ("patterns", _pattern)):
        for entry in blocked.value.get(kind) or ():
            judge(reader, entry)
    return reader.problems


def _value(reader: Reader, entry: Tree) -> None:
    text = str(entry.value)
    if len(text.encode("utf-8", "replace")) > IDENTIFIER_MAX_BYTES:
        reader.refuse(entry, f"a value of at most {IDENTIFIER_MAX_BYTES} bytes", None, "no identifier is longer, so nothing can match it")
    elif text.startswith("^") and text.endswith("$"):
        reader.refuse(entry, "a whole value", None, "nothing is called that: write a regular expression into blocked.patterns")


def _pattern(reader: Reader, entry: Tree) -> None:
    pattern = str(entry.value)
    parsed = _parser.parse(pattern)
    if parsed.getwidth()[0] > IDENTIFIER_MAX_BYTES or _end(parsed, (0, False), bool(parsed.state.flags & re.MULTILINE)) is None:
        hint = "nothing can match it: look at its `^` and `$`, and its repetitions"
        reader.refuse(entry, "a pattern that some value matches", None, hint)
    elif all(re.search(pattern, text) for text in _ANYBODY):
        reader.refuse(entry, "a pattern that some values do not match", None, "every value matches it, and nobody would have an identifier")


_Place = tuple[int, bool]
"""How many characters stand before a part of a pattern, at least, and whether a ``$`` does."""


def _end(parts: Iterable[tuple[Any, Any]], place: _Place, multiline: bool) -> _Place | None:
    """The place behind the parts; None if they cannot be matched there. What is not understood is taken to match."""
    for what, said in parts:
        behind = _behind(str(what), said, place, multiline)
        if behind is None:
            return None
        place = behind
    return place


def _behind(what: str, said: Any, place: _Place, multiline: bool) -> _Place | None:
    width, ended = place
    if what == "AT":
        at = str(said)
        if at == "AT_BEGINNING_STRING" or (at == "AT_BEGINNING" and not multiline):
            return None if width else place
        return width, ended or at == "AT_END_STRING" or (at == "AT_END" and not multiline)
    if what == "ASSERT_NOT":
        return place if len(said[1]) else None
    if what == "SUBPATTERN":
        return _end(said[3], place, multiline)
    if what == "ATOMIC_GROUP":
        return _end(said, place, multiline)
    if what == "BRANCH":
        ways = [way for branch in said[1] if (way := _end(branch, place, multiline)) is not None]
        return (min(width for width, _ in ways), all(ended for _, ended in ways)) if ways else None
    if what.endswith("_REPEAT"):
        return _end(said[2], place, multiline) if said[0] else place
    if what in {"LITERAL", "NOT_LITERAL", "ANY", "IN"}:
        # The line break at the very end may stand behind `$`.
        return None if ended and not (what == "LITERAL" and said == ord("\n")) else (width + 1, ended)
    return place
