"""Texts: intersections of regular languages, lengths, formats, and texts that are excluded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from itertools import count, islice, product
from typing import Any

from contracts.compat.nodes import Literal, Space
from contracts.compat.verdicts import IMPOSSIBLE, UNDECIDED, Clock, Found, Verdict
from contracts.patterns import Budget, Language
from contracts.patterns import Undecided as PatternUndecided
from contracts.validation import Validator, compile_schema

_LONGEST = 2_000_000
"""Code points of the longest text that is made."""
_TRIED = 2_000
"""Texts that are tried where a format has to hold or not to hold."""
_SECONDS = 2.0
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_SAMPLES = {
    "date-time": ("2026-01-31T10:00:00Z", "1999-12-31T23:59:59.999+02:00"), "date": ("2026-01-31", "1999-12-31"),
    "time": ("10:00:00Z", "23:59:59.999+02:00"), "duration": ("P1D", "PT1H", "P1Y2M3DT4H5M6S"),
    "email": ("a@b.co", "ann@example.com"), "idn-email": ("a@b.co", "ann@example.com"),
    "hostname": ("a", "example.com"), "idn-hostname": ("a", "example.com"),
    "ipv4": ("1.2.3.4", "127.0.0.1"), "ipv6": ("::1", "2001:db8::1"),
    "uri": ("a:b", "https://example.com/a"), "uri-reference": ("a", "https://example.com/a"), "iri": ("a:b", "https://example.com/a"),
    "iri-reference": ("a", "https://example.com/a"),
    "uuid": ("00000000-0000-0000-0000-000000000000", "123e4567-e89b-12d3-a456-426614174000"),
    "uri-template": ("a", "{a}"), "json-pointer": ("", "/a"), "relative-json-pointer": ("0", "1/a"), "regex": ("a", "^a$"),
}  # fmt: skip
_NOT_OF_TEXTS = frozenset({"in", "opaque"})
_OUTSIDE = ("", "a", "0", " ", "%", "\\", "[", "a b", "{", "/", "@", "☃", "~", "-")


class Texts:
    """The search for a text; patterns are compiled once."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._matches: dict[tuple[str, str], bool | None] = {}

    def matches(self, pattern: str, text: str) -> bool:
        """Whether the pattern is found in the text; PatternUndecided if nobody knows."""
        known = self._known(pattern, text)
        if known is None:
            raise PatternUndecided(f"too hard to run: {pattern}")
        return known

    def _known(self, pattern: str, text: str) -> bool | None:
        question = (pattern, text)
        if question not in self._matches:
            try:
                self._matches[question] = _language(pattern).contains(text)
            except PatternUndecided:
                self._matches[question] = None
        return self._matches[question]

    def holds(self, op: str, payload: Any, text: str, *, wanted: bool) -> bool:
        """Whether the text satisfies an atom of texts, or its negation; True, too, if nobody knows."""
        if op == "min_length":
            return bool(len(text) >= payload) == wanted
        if op == "max_length":
            return bool(len(text) <= payload) == wanted
        if op == "format":
            return _format(payload).is_valid(text) == wanted
        known = self._known(payload, text)
        return known is None or known == wanted

    def find(self, space: Space, atoms: frozenset[Literal]) -> Verdict:
        """A text of which all the atoms hold."""
        low, high, forbidden = 0, None, set()
        patterns: list[tuple[str, bool]] = []
        formats: list[tuple[str, bool]] = []
        for literal in atoms:
            op, payload, wanted = space.ops[abs(literal)], space.payloads[abs(literal)], literal > 0
            if op == "in":
                forbidden |= {value for _, value in payload}
            elif op in {"pattern", "format"}:
                (patterns if op == "pattern" else formats).append((payload, wanted))
            elif op in {"min_length", "max_length"}:
                if (op == "min_length") == wanted:
                    low = max(low, payload + (not wanted))
                else:
                    bound = payload - (not wanted)
                    high = bound if high is None else min(high, bound)
        if high is not None and low > high:
            return IMPOSSIBLE
        if low > _LONGEST:
            return UNDECIDED
        try:
            if formats:
                said = [
                    (space.ops[abs(one)], space.payloads[abs(one)], one > 0) for one in atoms if space.ops[abs(one)] not in _NOT_OF_TEXTS
                ]

                def fits(text: str) -> bool:
                    return text not in forbidden and all(self.holds(op, payload, text, wanted=wanted) for op, payload, wanted in said)

                return self._formatted(self._texts(patterns, low, high), formats, fits)
            return next((Found(text) for text in self._texts(patterns, low, high) if text not in forbidden), IMPOSSIBLE)
        except PatternUndecided:
            return UNDECIDED

    def _texts(self, patterns: list[tuple[str, bool]], low: int, high: int | None) -> Iterator[str]:
        """All texts of these patterns and lengths, each once, simple ones first; without patterns, enough of them."""
        if not patterns:
            yield from _simple(low, high)
            return
        language = Language.length(low, high, Budget(max(0.01, min(_SECONDS, self._clock.left))))
        for pattern, wanted in sorted(patterns):
            one = _language(pattern)
            language = language & one if wanted else language - one
        for text in language.witnesses():
            self._clock.tick()
            yield text

    def _formatted(self, texts: Iterator[str], formats: list[tuple[str, bool]], fits: Callable[[str], bool]) -> Verdict:
        """One of the texts, or of those known for their formats, that fits."""
        for text in _samples(formats):
            if fits(text):
                return Found(text)
        for tried, text in enumerate(texts):
            self._clock.tick()
            if fits(text):
                return Found(text)
            if tried > _TRIED:
                return UNDECIDED
        return IMPOSSIBLE


def _samples(formats: list[tuple[str, bool]]) -> Iterator[str]:
    for name, wanted in formats:
        yield from _SAMPLES.get(name, ()) if wanted else ()
    yield from _OUTSIDE
    for some in _SAMPLES.values():
        yield from some


def _simple(low: int, high: int | None) -> Iterator[str]:
    """Different plain texts; all of them only if the longest is the empty one."""
    if low == 0:
        yield ""
    if high == 0:
        return
    length = max(low, 1)
    while high is None or length <= high:
        varied = min(length, 2)
        yield from ("a" * (length - varied) + "".join(end) for end in product(_LETTERS, repeat=varied))
        length += 1
        if length > low + 3:
            break
    yield from ("a" * (max(low, 1) - 1) + chr(number) for number in islice(count(0x4E00), 20_000))
    raise PatternUndecided("more texts are excluded than were tried")


@lru_cache(4096)
def _language(pattern: str) -> Language:
    return Language.of_pattern(pattern)


@cache
def _format(name: str) -> Validator:
    return compile_schema({"format": name}, formats=True, linear=False)
