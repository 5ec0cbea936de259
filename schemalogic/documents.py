"""A schema file, and the subschemas in it that apply to one value: through references, branches, names and items.

What applies is over-approximated: a value that the schema allows satisfies one of the ways, not every value of a way is allowed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import islice, product
from typing import Any

from schemalogic.lines import line_at
from schemalogic.paths import Step
from schemalogic.patterns import Language, PatternError, Undecided
from schemalogic.walk import Documents, Key, read_documents

WAYS_MAX = 64
"""With more branches than this nothing is said of the value."""
_BRANCHES = ("$ref", "$dynamicRef", "allOf", "anyOf", "oneOf", "if", "then", "else", "dependentSchemas", "dependencies")
_DEPTH_MAX = 40


@dataclass(frozen=True, eq=False)
class Document:
    """A schema file below ``contracts/``, the types that it may name, and the texts of the files (path → text).

    ``line``: of a schema that stands in no file of its own, the line that asks for it. ``within``: of a type the document
    whose references lead to it.
    """

    file: str
    schema: Any
    types: Mapping[str, Any] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    line: int = 0
    within: Document | None = None

    @property
    def root(self) -> Place:
        return Place(self.schema, (), self)

    @cached_property
    def walk(self) -> Documents:
        """All that the references in it lead to."""
        return self.within.walk if self.within else read_documents(self.schema, self.types)

    @cached_property
    def keys(self) -> dict[int, Key]:
        """Where the schemas of the walk stand, by their identity."""
        return self.within.keys if self.within else {id(place.schema): key for key, place in self.walk.places.items()}

    def place(self, key: Key) -> Place:
        """A place of the walk."""
        origin = self.within or self
        uri, steps = key
        if uri == self.walk.root:
            return origin.root.at(*steps)
        name = self.walk.type_of(uri)
        return Document(f"types/{name}.json", self.types[name], self.types, self.texts, within=origin).root.at(*steps)


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """A subschema: where it stands in its document."""

    schema: Any
    path: tuple[str | int, ...]
    document: Document

    @property
    def line(self) -> int:
        return self.document.line or line_at(self.document.texts.get(self.document.file, ""), self.path)

    @property
    def where(self) -> str:
        """``contracts/events/order_completed/1-0-0.json:12``."""
        return f"contracts/{self.document.file}:{self.line}"

    def at(self, *path: str | int) -> Place:
        """The subschema at a path below this one."""
        schema = self.schema
        for step in path:
            schema = schema[step]
        return Place(schema, (*self.path, *path), self.document)

    def said(self) -> Any:
        """What counts of the schema here: of a reference in draft-07 nothing but where it leads."""
        return {} if isinstance(self.schema, dict) and _only_refers(self) else self.schema

    def plain(self) -> dict[str, Any] | bool:
        """What is said here without the branches, as a schema that stands on its own."""
        if not isinstance(self.schema, dict):
            return bool(self.schema)
        said = {word: value for word, value in self.said().items() if word not in (*_BRANCHES, "$id")}
        root = self.document.schema if isinstance(self.document.schema, dict) else {}
        return {**{word: root[word] for word in ("$schema", "$defs", "definitions") if word in root}, **said}


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
    factors += ([way for one in targets for way in ways(one, seen)] if targets else [()] for targets in targets_of(place))
    if not _only_refers(place):
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


def _only_refers(place: Place) -> bool:
    """Whether the other words beside a ``$ref`` do not count, as in draft-07."""
    root = place.document.schema
    return "$ref" in place.schema and isinstance(root, dict) and "draft-07" in str(root.get("$schema", ""))


def targets_of(place: Place) -> Iterator[list[Place]]:
    """Of each reference in a schema the places that it may lead to; none if it cannot be followed."""
    document, key = place.document, place.document.keys.get(id(place.schema))
    walk = document.walk
    if "$ref" in place.schema:
        yield [document.place(walk.targets[key])] if key in walk.targets else []
    if "$dynamicRef" in place.schema:
        first = [walk.first[key]] if key in walk.first else []
        yield [document.place(one) for one in dict.fromkeys((*first, *(walk.dynamic(key) if key else ())))]


def step_into(way: Way, step: Step) -> list[Way]:
    """In which ways a member, an item, or with None some item of a value of this way can be there; empty: it cannot."""
    parts = [place for place in way if isinstance(place.schema, dict) and not _only_refers(place)]
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
