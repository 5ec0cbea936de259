"""Texts of a length, of patterns, of a format: often as short or as long as may be."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import lru_cache
from itertools import islice
from typing import Any

from schemalogic.patterns.budget import Budget, Undecided
from schemalogic.patterns.charset import LAST, PREFERRED, CharSet
from schemalogic.patterns.language import Language
from schemalogic.patterns.nodes import Back, Chars, Choice, Group, Node, PatternError, Repeat, Sequence
from schemalogic.patterns.syntax import parse
from schemalogic.validation import compile_schema

LONGEST = 20_000
"""No longer text is made."""
_WORDS = (
    "",
    "a",
    "b",
    "0",
    "x1",
    "abc",
    "A",
    "hive",
    "Honey 7",
    "bee-keeper",
    "é",
    "日本",
    "🐝",
    " ",
    "\n",
    "a b",
    "_",
    "-1",
    "1.0",
    "true",
    "null",
)
_LETTERS = "abcdefghij0123456789XYZ"
_TRIES = 12
_SECONDS = 0.5
"""For reasoning about the patterns of one text."""
_AIMS = 24
_VARIED = 40
_FORMATS = {
    "date-time": ("2026-07-01T10:00:00Z", "1999-12-31T23:59:59.123456+02:00", "2024-02-29T00:00:00-00:00"),
    "date": ("2026-07-01", "2024-02-29"),
    "time": ("10:00:00Z", "23:59:59.5+02:00"),
    "duration": ("P1D", "PT5M", "P1Y2M3DT4H5M6S"),
    "email": ("bee@example.com", "a.b+c@example.org"),
    "idn-email": ("biene@example.com",),
    "hostname": ("example.com", "a"),
    "idn-hostname": ("example.com",),
    "ipv4": ("127.0.0.1", "10.0.0.255"),
    "ipv6": ("::1", "2001:db8::1"),
    "uri": ("https://example.com/a?b=c#d", "urn:a:b"),
    "uri-reference": ("/a/b", "#c", "https://example.com"),
    "iri": ("https://example.com/ä",),
    "iri-reference": ("/ä",),
    "uri-template": ("/a/{b}",),
    "uuid": ("123e4567-e89b-12d3-a456-426614174000",),
    "json-pointer": ("", "/a/0"),
    "relative-json-pointer": ("0", "1/a"),
    "regex": ("^a+$",),
}


@lru_cache(maxsize=2048)
def _searcher(pattern: str) -> Callable[[Any], bool]:
    is_found: Callable[[Any], bool] = compile_schema({"pattern": pattern}, linear=False).is_valid
    return is_found


@lru_cache(maxsize=65536)
def matches(pattern: str, text: str) -> bool:
    """Whether the pattern is found in the text."""
    return _searcher(pattern)(text)


def text_of(
    lengths: tuple[int, int | None], patterns: tuple[str, ...], formats: tuple[str, ...], aims: tuple[str, ...], chance: random.Random
) -> str | None:
    """A text within the lengths that every pattern is found in, of a format if that fits; None if none was found."""
    low, high = lengths
    if low > LONGEST or (high is not None and low > high):
        return None
    if len(aims) > _AIMS:
        aims = tuple(chance.choices(aims, k=_AIMS))
    fits = [text for name in formats for text in _FORMATS.get(name, ())] if chance.random() < 0.9 else []
    fits = [text for text in fits or aims if _fits(text, low, high, patterns)]
    if fits and (formats or chance.random() < 0.35):
        return chance.choice(fits)
    if patterns:
        return _of_patterns(low, high, patterns, chance)
    word = chance.choice(_WORDS)
    length = _length(low, high, chance)
    return word if low <= len(word) and (high is None or len(word) <= high) and chance.random() < 0.5 else _padded(word, length, chance)


def _fits(text: str, low: int, high: int | None, patterns: tuple[str, ...]) -> bool:
    return low <= len(text) and (high is None or len(text) <= high) and all(matches(pattern, text) for pattern in patterns)


def _length(low: int, high: int | None, chance: random.Random) -> int:
    top = low + chance.choice((0, 1, 2, 5, 12)) if high is None else min(high, LONGEST)
    return chance.choice((low, top, min(low + 1, top), chance.randint(low, top)))


def _padded(word: str, length: int, chance: random.Random) -> str:
    return word[:length] + _filler(length - len(word), chance)


def _filler(length: int, chance: random.Random) -> str:
    """Letters; a long text repeats the first ones."""
    if length <= 0:
        return ""
    letters = "".join(chance.choices(_LETTERS, k=min(length, _VARIED)))
    return (letters * (length // len(letters) + 1))[:length]


def _of_patterns(low: int, high: int | None, patterns: tuple[str, ...], chance: random.Random) -> str | None:
    for turn in range(_TRIES):
        pattern = chance.choice(patterns)
        try:
            text = _Speller(chance, 1 + turn % 4 * (1 + low // 8)).spell(parse(pattern))
        except (PatternError, RecursionError):
            break
        if len(text) < low or chance.random() < 0.35:
            text = _grown(text, pattern, max(low, len(text) + chance.choice((0, 1, 3))), chance)
        if _fits(text, low, high, patterns):
            return text
    found = _witnesses(patterns, low, high)
    return chance.choice(found) if found else None


@lru_cache(maxsize=1024)
def _witnesses(patterns: tuple[str, ...], low: int, high: int | None) -> tuple[str, ...]:
    """Texts that are reasoned out, where spelling meets none: of patterns that must all be found, and lookaheads."""
    language = Language.length(low, high, Budget(_SECONDS))
    try:
        for pattern in patterns:
            language &= Language.of_pattern(pattern, language.budget)
        return tuple(islice(language.witnesses(), 5))
    except (Undecided, PatternError):
        return ()


def _grown(text: str, pattern: str, length: int, chance: random.Random) -> str:
    """The text made longer at an end, if the pattern is found in it still; else as it was."""
    filler = _filler(min(length, LONGEST) - len(text), chance)
    return next((longer for longer in (text + filler, filler + text) if matches(pattern, longer)), text)


class _Speller:
    """Spells texts of a tree. Assertions (``^``, lookaheads) are passed over: whoever asks checks the text."""

    def __init__(self, chance: random.Random, more: int) -> None:
        self._chance, self._more = chance, more
        self._groups: dict[int, str] = {}

    def spell(self, node: Node) -> str:
        match node:
            case Chars(chars):
                return _char(chars, self._chance)
            case Sequence(parts):
                return "".join(map(self.spell, parts))
            case Choice(options):
                return self.spell(self._chance.choice(options))
            case Repeat(inner, low, high):
                top = low + self._more if high is None else min(high, LONGEST)
                few = min(top, low + 4 * self._more)
                times = min(self._chance.choice((low, few, self._chance.randint(low, few), top)), LONGEST)
                spelled = [self.spell(inner) for _ in range(min(times, _VARIED))]
                return "".join(spelled[at % len(spelled)] for at in range(times)) if spelled else ""
            case Group(inner, number):
                self._groups[number] = self.spell(inner)
                return self._groups[number]
            case Back(number):
                return self._groups.get(number, "")
            case _:
                return ""


@lru_cache(maxsize=4096)
def _readable(chars: CharSet) -> tuple[str, ...]:
    found = [chr(point) for point in PREFERRED if point in chars]
    edges = [chr(point) for low, high in chars.ranges[:8] for point in (low, high)]
    return tuple(found or edges or [chr(LAST)])


def _char(chars: CharSet, chance: random.Random) -> str:
    readable = _readable(chars)
    if chance.random() < 0.9 or not chars:
        return chance.choice(readable[:64])
    return chr(chance.choice(chance.choice(chars.ranges)))
