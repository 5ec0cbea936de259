"""The subschemas that apply to one value: through references, branches, names and items.

What applies is over-approximated: a value that the schema allows satisfies one of the ways, not every value of a way is allowed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice, product
from typing import Any

from schemalogic.document import Place
from schemalogic.paths import Step
from schemalogic.patterns import Language, PatternError, Undecided

WAYS_MAX = 64
"""With more branches than this nothing is said of the value."""
_DEPTH_MAX = 40

Way = tuple[Place, ...]
"""Subschemas that apply together; none is a value of which nothing is said."""


def ways(place: Place, seen: frozenset[int] = frozenset()) -> list[Way]:
    """In which ways a value can satisfy a subschema; an empty list if in none."""
    schema = place.schema
    if not isinstance(schema, dict):
        return [] if schema is False else [()]
    if id(schema) in seen or len(seen) > _DEPTH_MAX:
        return [()]
    seen |= {id(schema)}
    factors: list[list[Way]] = [[(place,)]]
    factors += ([way for one in targets for way in ways(one, seen)] if targets else [()] for _, targets in place.targets())
    if not place.only_refers:
        factors += _branches(place, schema, seen)
    return together(factors)


def together(factors: Iterable[list[Way]]) -> list[Way]:
    """One way of each factor at once; nothing is known if these are too many."""
    found: list[Way] = [()]
    for factor in factors:
        found = [(*one, *other) for one, other in islice(product(found, factor), WAYS_MAX + 1)]
        if len(found) > WAYS_MAX:
            return [()]
    return found


def _branches(place: Place, schema: dict[str, Any], seen: frozenset[int]) -> Iterator[list[Way]]:
    for at in range(len(schema.get("allOf", ()))):
        yield ways(place.at("allOf", at), seen)
    for word in ("anyOf", "oneOf"):
        if word in schema:
            yield [way for at in range(len(schema[word])) for way in ways(place.at(word, at), seen)]
    if "if" in schema:
        holds = together([ways(place.at("if"), seen), ways(place.at("then"), seen) if "then" in schema else [()]])
        yield [*holds, *(ways(place.at("else"), seen) if "else" in schema else [()])]
    for word in ("dependentSchemas", "dependencies"):
        for name, part in schema.get(word, {}).items():
            if isinstance(part, (dict, bool)):
                yield [(), *ways(place.at(word, name), seen)]


def step_into(way: Way, step: Step) -> list[Way]:
    """In which ways a member, an item, or with None some item of a value of this way can be there; empty: it cannot."""
    parts = [place for place in way if isinstance(place.schema, dict) and not place.only_refers]
    if any(not _may_be(place.schema, "object" if isinstance(step, str) else "array") for place in parts):
        return []
    if isinstance(step, str):
        found = _members(parts, step)
        return [] if found is None else together([ways(place) for place in found])
    return together(_items(place, step) for place in parts)


def _may_be(schema: dict[str, Any], kind: str) -> bool:
    types = schema.get("type", kind)
    return kind in ([types] if isinstance(types, str) else types)


def _members(parts: list[Place], name: str) -> list[Place] | None:
    """The subschemas of a member; None if it is excluded, or others are declared and it is not."""
    found: list[Place] = []
    declared = others = False
    for place in parts:
        schema = place.schema
        here = [place.at("properties", name)] if name in schema.get("properties", {}) else []
        here += [place.at("patternProperties", one) for one in schema.get("patternProperties", {}) if may_match(one, name)]
        if not here and "additionalProperties" in schema:
            here = [place.at("additionalProperties")]
        declared = declared or bool(here)
        others = others or bool(schema.get("properties"))
        found += here
    if not declared:
        rest = [place.at("unevaluatedProperties") for place in parts if "unevaluatedProperties" in place.schema]
        return rest or (None if others else found)
    return found


@lru_cache(maxsize=4096)
def may_match(pattern: str, name: str) -> bool:
    """Whether a pattern of `patternProperties` means a name, as far as that can be told."""
    try:
        return Language.of_pattern(pattern).contains(name)
    except (PatternError, Undecided):
        return True


def _items(place: Place, step: int | None) -> list[Way]:
    schema = place.schema
    word = "prefixItems" if "prefixItems" in schema else "items"
    first = len(schema[word]) if isinstance(schema.get(word), list) else 0
    rest_word = {"prefixItems": "items", "items": "additionalItems" if first else "items"}[word]
    anything: list[Way] = [()]
    rest = ways(place.at(rest_word)) if rest_word in schema else anything
    if step is None:
        return [*(way for at in range(first) for way in ways(place.at(word, at))), *rest]
    return ways(place.at(word, step)) if step < first else rest
