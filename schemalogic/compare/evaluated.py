"""``unevaluatedProperties`` and ``unevaluatedItems``: what the schemas beside them have looked at, case by case."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

from schemalogic.compare.scope import Scoped

_CASES = 64
"""More cases than this are not told apart."""


class TooManyCases(Exception):  # noqa: N818 - said of a schema
    """The schemas beside an unevaluated keyword interact in too many ways."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What is evaluated if ``guards`` (signed places) hold of the value: names, patterns, leading items, items that ``holding`` finds."""

    guards: tuple[int, ...] = ()
    names: frozenset[str] = frozenset()
    patterns: frozenset[str] = frozenset()
    first: int = 0
    holding: frozenset[int] = frozenset()
    everything: bool = False

    def __or__(self, other: Seen) -> Seen:
        return Seen(
            self.guards + other.guards, self.names | other.names, self.patterns | other.patterns, max(self.first, other.first),
            self.holding | other.holding, self.everything or other.everything,
        )  # fmt: skip

    @property
    def nothing(self) -> bool:
        return not (self.names or self.patterns or self.first or self.holding or self.everything)


class Evaluated:
    """Collects what is evaluated; ``at`` and ``negate`` make the guards, ``required`` the one of a dependent schema."""

    def __init__(self, at: Callable[[Scoped], int], required: Callable[[str], int], *, items: bool) -> None:
        self._at, self._required, self._items = at, required, items

    def cases(self, place: Scoped, *, own: bool = True) -> list[Seen]:
        """The cases in which a value that satisfies the place may be; ``own``: its unevaluated keyword counts."""
        return self._place(place, (place,), own=own)

    def _place(self, place: Scoped, path: tuple[Scoped, ...], *, own: bool) -> list[Seen]:
        schema = place.schema
        if not isinstance(schema, dict):
            return [Seen()]
        if place.old and "$ref" in schema:
            return self._deeper(place.follow("$ref"), path)
        found = [self._here(place, schema, own=own)]
        for several in self._applied(place, schema, path):
            if len(several) == 1 and several[0].nothing and not several[0].guards:
                continue
            found = [one | other for one, other in product(found, several)]
            if len(found) > _CASES:
                raise TooManyCases
        return found

    def _deeper(self, place: Scoped, path: tuple[Scoped, ...]) -> list[Seen]:
        if place in path:
            raise TooManyCases
        return self._place(place, (*path, place), own=True)

    def _here(self, place: Scoped, schema: dict[str, Any], *, own: bool) -> Seen:
        if not self._items:
            everything = "additionalProperties" in schema or (own and "unevaluatedProperties" in schema)
            names, patterns = frozenset(schema.get("properties", ())), frozenset(schema.get("patternProperties", ()))
            return Seen((), names, patterns, everything=everything)
        everything = "items" in schema or (own and "unevaluatedItems" in schema)
        holding = {self._at(place.at("contains"))} if "contains" in schema else set()
        return Seen(first=len(schema.get("prefixItems", ())), holding=frozenset(holding), everything=everything)

    def _applied(self, place: Scoped, schema: dict[str, Any], path: tuple[Scoped, ...]) -> Iterator[list[Seen]]:
        for word in ("$ref", "$dynamicRef"):
            if word in schema:
                yield self._deeper(place.follow(word), path)
        for number in range(len(schema.get("allOf", ()))):
            yield self._deeper(place.at("allOf", number), path)
        for word in ("anyOf", "oneOf"):
            if word in schema:
                branches = [place.at(word, number) for number in range(len(schema[word]))]
                yield self._some(branches, path, exactly_one=word == "oneOf")
        for name in schema.get("dependentSchemas", ()):
            yield self._when(self._required(name), self._deeper(place.at("dependentSchemas", name), path), [Seen()])
        if "if" in schema:
            condition = place.at("if")
            then = self._deeper(place.at("then"), path) if "then" in schema else [Seen()]
            positive = [one | other for one, other in product(self._deeper(condition, path), then)]
            yield self._when(self._at(condition), positive, self._deeper(place.at("else"), path) if "else" in schema else [Seen()])

    @staticmethod
    def _when(guard: int, positive: list[Seen], negative: list[Seen]) -> list[Seen]:
        if all(one.nothing for one in positive + negative):
            return [Seen()]
        return [Seen((guard,)) | one for one in positive] + [Seen((-guard,)) | one for one in negative]

    def _some(self, branches: list[Scoped], path: tuple[Scoped, ...], *, exactly_one: bool) -> list[Seen]:
        cases = [self._deeper(branch, path) for branch in branches]
        telling = [
            (self._at(branch), several) for branch, several in zip(branches, cases, strict=True) if any(not one.nothing for one in several)
        ]
        if not telling:
            return [Seen()]
        if exactly_one:
            chosen = [Seen((guard,)) | one for guard, several in telling for one in several]
            return chosen + ([Seen(tuple(-guard for guard, _ in telling))] if len(telling) < len(branches) else [])
        if len(telling) > 5:
            raise TooManyCases
        found = [Seen()]
        for guard, several in telling:
            found = [one | other for one in found for other in self._when(guard, several, [Seen()])]
        return found
