"""Texts: intersections of regular languages, lengths, formats, and texts that are excluded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import chain, count, islice, product
from typing import Any

from schemalogic.compare.nodes import Literal, Space
from schemalogic.compare.verdicts import IMPOSSIBLE, UNDECIDED, Clock, Found, Verdict
from schemalogic.patterns import Budget, Language
from schemalogic.patterns import Undecided as PatternUndecided
from schemalogic.patterns.formats import accepts, format_language, samples

_LONGEST = 2_000_000
"""Code points of the longest text that is made."""
_TRIED = 2_000
"""Texts that are tried where a format has to hold or not to hold."""
_SECONDS = 2.0
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_NOT_OF_TEXTS = frozenset({"in", "opaque"})


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
            return accepts(payload, text) == wanted
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

                return self._formatted(self._language(patterns, low, high), formats, fits)
            return next((Found(text) for text in self._texts(patterns, low, high) if text not in forbidden), IMPOSSIBLE)
        except PatternUndecided:
            return UNDECIDED

    def _language(self, patterns: list[tuple[str, bool]], low: int, high: int | None) -> Language:
        language = Language.length(low, high, Budget(max(0.01, min(_SECONDS, self._clock.left))))
        for pattern, wanted in sorted(patterns):
            one = _language(pattern)
            language = language & one if wanted else language - one
        return language

    def _texts(self, patterns: list[tuple[str, bool]], low: int, high: int | None) -> Iterator[str]:
        """All texts of these patterns and lengths, each once, simple ones first; without patterns, enough of them."""
        if not patterns:
            yield from _simple(low, high)
            return
        for text in self._language(patterns, low, high).witnesses():
            self._clock.tick()
            yield text

    def _formatted(self, language: Language, formats: list[tuple[str, bool]], fits: Callable[[str], bool]) -> Verdict:
        """A text of the language that fits: known for the formats, or between what they surely and what they possibly accept."""
        surely = possibly = language
        for name, wanted in formats:
            known = format_language(name)
            surely = surely & known.lower if wanted else surely - known.upper
            possibly = possibly & known.upper if wanted else possibly - known.lower
        for text in (text for name, wanted in formats if wanted for text in samples(name)):
            if fits(text):
                return Found(text)
        tried = [list(islice(texts.witnesses(), _TRIED)) for texts in (surely, possibly)]
        for text in chain.from_iterable(tried):
            self._clock.tick()
            if fits(text):
                return Found(text)
        return IMPOSSIBLE if len(tried[1]) < _TRIED else UNDECIDED


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
