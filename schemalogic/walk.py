"""The schemas within a schema, in JSON Schema 2020-12 and draft-07: where they stand, and what their references mean."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin

DRAFT_2020 = "https://json-schema.org/draft/2020-12/schema"
DRAFT_7 = "http://json-schema.org/draft-07/schema"
HOME = "https://skep.invalid/contracts/"
"""Where schemas without an ``$id`` are, for relative references; nothing is ever fetched."""

Steps = tuple[str | int, ...]
Key = tuple[str, Steps]
"""A place: the URI of the document and the way into it."""
_ONE = (
    "additionalItems", "additionalProperties", "contains", "contentSchema", "else", "if", "items", "not", "propertyNames", "then",
    "unevaluatedItems", "unevaluatedProperties",
)  # fmt: skip
_LISTS = ("allOf", "anyOf", "items", "oneOf", "prefixItems")
_NAMED = ("$defs", "definitions", "dependencies", "dependentSchemas", "patternProperties", "properties")
_IN_PLACE = frozenset({"allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas", "dependencies"})


class UnreadableDraft(ValueError):  # noqa: N818 (named for what the schema is)
    """A ``$schema`` other than 2020-12 and draft-07; ``path``: where it stands."""

    def __init__(self, found: object, path: Steps = ()) -> None:
        super().__init__(f"expected {DRAFT_2020} or {DRAFT_7}#; found {found}")
        self.path = path


class BrokenReference(ValueError):  # noqa: N818 (named for what the reference is)
    """A ``$ref`` that cannot be followed; ``path``: where it stands."""

    def __init__(self, message: str, path: Steps = ()) -> None:
        super().__init__(message)
        self.path = path


class RemoteReference(BrokenReference):
    """A ``$ref`` to another document than one of contracts/types."""


@dataclass(frozen=True, slots=True)
class Place:
    """A schema that is an object, where it stands, the URI that its references are relative to, and its draft (7 or 2020)."""

    document: str
    steps: Steps
    schema: dict[str, Any]
    base: str
    draft: int


@dataclass(slots=True)
class Documents:
    """A schema and the types it refers to. ``root`` is the URI of the schema; ``places`` are by document and way."""

    types: Mapping[str, Any]
    root: str = ""
    documents: dict[str, Any] = field(default_factory=dict)
    places: dict[Key, Place] = field(default_factory=dict)
    targets: dict[Key, Key] = field(default_factory=dict)
    first: dict[Key, Key] = field(default_factory=dict)
    """Where a ``$dynamicRef`` leads unless what refers to its schema says otherwise."""
    broken: list[tuple[Key, BrokenReference]] = field(default_factory=list)
    _resources: dict[str, Key] = field(default_factory=dict)
    _anchors: dict[tuple[str, str], Key] = field(default_factory=dict)
    _dynamic: dict[str, list[Key]] = field(default_factory=dict)
    _names: dict[str, str] = field(default_factory=dict)

    def edges(self, key: Key) -> Iterator[Key]:
        """The places that judge the same value as this one."""
        place = self.places[key]
        if key in self.targets:
            yield self.targets[key]
            if place.draft == 7:
                return
        yield from self.dynamic(key)
        for steps, _ in subschemas(place.schema):
            if steps[0] in _IN_PLACE and (place.document, (*place.steps, *steps)) in self.places:
                yield place.document, (*place.steps, *steps)

    def beside(self, key: Key) -> Iterator[Key]:
        """All places that may say something of the same value: also those beside a ``$ref`` of draft-07, which judge nothing."""
        place = self.places[key]
        yield from (found[key] for found in (self.targets, self.first) if key in found)
        yield from self.dynamic(key)
        yield from ((place.document, (*place.steps, *steps)) for steps, _ in subschemas(place.schema) if steps[0] in _IN_PLACE)

    def dynamic(self, key: Key) -> list[Key]:
        """The anchors that a ``$dynamicRef`` may mean, whatever leads to it."""
        said = self.places[key].schema.get("$dynamicRef")
        return self._dynamic.get(urldefrag(said)[1], []) if isinstance(said, str) else []

    def type_of(self, uri: str) -> str:
        """The name of the type that has this URI."""
        return next(name for name, known in self._names.items() if known == uri)


def draft_of(schema: Any, default: int = 2020, path: Steps = ()) -> int:
    """7 or 2020, by ``$schema``; `UnreadableDraft` for others."""
    if not isinstance(schema, dict) or "$schema" not in schema:
        return default
    named = schema["$schema"]
    if isinstance(named, str):
        text = named.removesuffix("#").replace("https://", "http://", 1)
        for draft, uri in ((2020, DRAFT_2020), (7, DRAFT_7)):
            if text == uri.replace("https://", "http://", 1):
                return draft
    raise UnreadableDraft(named, (*path, "$schema"))


def subschemas(schema: dict[str, Any]) -> Iterator[tuple[Steps, Any]]:
    """The schemas directly within a schema."""
    for word in _ONE:
        if isinstance(schema.get(word), dict | bool):
            yield (word,), schema[word]
    for word in _LISTS:
        if isinstance(schema.get(word), list):
            yield from (((word, index), one) for index, one in enumerate(schema[word]))
    for word in _NAMED:
        if isinstance(schema.get(word), dict):
            yield from (((word, name), one) for name, one in schema[word].items() if not isinstance(one, list))


def read_documents(schema: Any, types: Mapping[str, Any]) -> Documents:
    """All places of a schema and of the types it refers to, with what its references mean; what is wrong with them is in ``broken``."""
    found = Documents(types)
    name = next((name for name, one in types.items() if one is schema), None)
    found.root = _add(found, schema, f"{HOME}events/event/version.json" if name is None else f"{HOME}types/{name}.json", name)
    todo = deque(found.places)
    while todo:
        key = todo.popleft()
        place = found.places[key]
        known = len(found.places)
        if isinstance(place.schema.get("$dynamicRef"), str):
            with suppress(BrokenReference):
                found.first[key] = _follow(found, place, place.schema["$dynamicRef"])
        if isinstance(place.schema.get("$ref"), str):
            try:
                found.targets[key] = _follow(found, place, place.schema["$ref"])
            except BrokenReference as error:
                error.path = (*place.steps, "$ref")
                found.broken.append((key, error))
        todo.extend(islice(found.places, known, None))
    return found


def _add(found: Documents, schema: Any, uri: str, name: str | None) -> str:
    """Reads another document; the URI it has by its ``$id`` or else ``uri``."""
    if isinstance(schema, dict) and isinstance(schema.get("$id"), str) and not schema["$id"].startswith("#"):
        uri = urldefrag(urljoin(uri, schema["$id"]))[0]
    if uri in found.documents:
        raise BrokenReference(f"two schemas have the $id {uri}", ("$id",))
    found.documents[uri] = schema
    found._resources[uri] = uri, ()
    if name is not None:
        found._names[name] = uri
    _walk(found, (uri, ()), schema, uri, draft_of(schema))
    return uri


def _walk(found: Documents, key: Key, schema: Any, base: str, draft: int) -> None:
    document, steps = key
    todo: list[tuple[Steps, Any, str, int]] = [(steps, schema, base, draft)]
    while todo:
        way, one, at, reads = todo.pop()
        key = document, way
        if not isinstance(one, dict) or key in found.places:
            continue
        named = one.get("$id")
        if isinstance(named, str) and way and not (reads == 7 and "$ref" in one):
            reads = draft_of(one, reads, way)
            if named.startswith("#"):
                found._anchors[at, named[1:]] = key
            else:
                at = urldefrag(urljoin(at, named))[0]
                found._resources[at] = key
        for word in ("$anchor", "$dynamicAnchor"):
            if isinstance(one.get(word), str) and reads == 2020:
                found._anchors[at, one[word]] = key
        if isinstance(one.get("$dynamicAnchor"), str):
            found._dynamic.setdefault(one["$dynamicAnchor"], []).append(key)
        found.places[key] = Place(document, way, one, at, reads)
        todo += [((*way, *inner), part, at, reads) for inner, part in reversed(list(subschemas(one)))]


def _joined(base: str, reference: str) -> str:
    """A reference from a place. The library knows of no fragments of URNs."""
    return urldefrag(base)[0] + reference if reference.startswith("#") else urljoin(base, reference)


def _follow(found: Documents, place: Place, reference: str) -> Key:
    """Where a reference leads; reads the type it leads to, and a place that no keyword leads to."""
    try:
        uri, fragment = urldefrag(_joined(place.base, reference))
    except ValueError as error:
        raise BrokenReference(f"{reference} is no reference: {error}") from error
    resource = found._resources.get(uri) or _type(found, uri)
    if resource is None:
        raise RemoteReference(f"{reference} leads to another document, and none of contracts/types")
    if fragment and not fragment.startswith("/"):
        anchor = found._anchors.get((_base(found, resource), unquote(fragment)))
        if anchor is None:
            raise BrokenReference(f"{reference} names no $anchor")
        return anchor
    document, steps = resource
    target = found.documents[document]
    for step in steps:
        target = target[step]
    for token in unquote(fragment).split("/")[1:]:
        word = token.replace("~1", "/").replace("~0", "~")
        if isinstance(target, dict) and word in target:
            target, steps = target[word], (*steps, word)
        elif isinstance(target, list) and word.isdecimal() and int(word) < len(target):
            target, steps = target[int(word)], (*steps, int(word))
        else:
            raise BrokenReference(f"{reference} leads to nothing: there is no {word}")
    if not isinstance(target, dict | bool):
        raise BrokenReference(f"{reference} leads to something that is no schema")
    if (document, steps) not in found.places:
        around = max((key for key in found.places if key[0] == document and steps[: len(key[1])] == key[1]), key=lambda key: len(key[1]))
        _walk(found, (document, steps), target, found.places[around].base, found.places[around].draft)
    return document, steps


def _base(found: Documents, resource: Key) -> str:
    return found.places[resource].base if resource in found.places else resource[0]


def _type(found: Documents, uri: str) -> Key | None:
    folder, _, file = uri.rpartition("/")
    name = file.removesuffix(".json")
    if not folder.endswith("/types") or not file.endswith(".json") or name not in found.types:
        return None
    if name not in found._names:
        _add(found, found.types[name], f"{HOME}types/{name}.json", name)
    return found._names[name], ()
