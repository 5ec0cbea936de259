"""Where references lead: the schema documents at hand, their embedded ``$id``, anchors, and the types beside them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin

DRAFT_7, DRAFT_2020 = "draft-07", "2020-12"
_DRAFTS = {"json-schema.org/draft/2020-12/schema": DRAFT_2020, "json-schema.org/draft-07/schema": DRAFT_7}
_MAIN = "https://skep.invalid/contracts/events/event/version.json"
_TYPE = re.compile(r"(?:^|/)types/([^/]+)\.json$")

_ONE = ("additionalProperties", "propertyNames", "items", "contains", "not", "if", "then", "else")
_ONE_2020 = (*_ONE, "unevaluatedProperties", "unevaluatedItems", "contentSchema")
_ONE_7 = (*_ONE, "additionalItems")
_MANY = ("allOf", "anyOf", "oneOf")
_NAMED = ("properties", "patternProperties", "definitions", "$defs", "dependentSchemas", "dependencies")

Path = tuple[str | int, ...]


class Unusable(Exception):  # noqa: N818 - said of a schema
    """A schema that nothing can be compared with, and the place in it."""

    def __init__(self, path: Path, message: str) -> None:
        super().__init__(message)
        self.path, self.message = path, message


@dataclass(frozen=True, slots=True)
class Resource:
    """A schema with a URI of its own: the root of a document, or an embedded one with an ``$id``."""

    uri: str
    document: str
    path: Path
    draft: str


@dataclass(frozen=True, slots=True)
class Place:
    """A schema: its resource and the path within the document; ``scope`` are the dynamic anchors in force, outermost first."""

    resource: Resource
    path: Path
    scope: tuple[tuple[str, str], ...] = ()


def draft_of(schema: Any, otherwise: str = DRAFT_2020) -> str:
    """The draft that a schema names, Unusable if it is not read."""
    named = schema.get("$schema") if isinstance(schema, dict) else None
    if named is None:
        return otherwise
    if isinstance(named, str):
        found = _DRAFTS.get(named.removesuffix("#").split("://")[-1])
        if found:
            return found
    raise Unusable(("$schema",), f"expected JSON Schema 2020-12 or draft-07, found {str(named)[:100]!r}")


def subschemas(schema: Any, draft: str) -> Iterator[tuple[Path, Any]]:
    """The schemas directly inside one, with their paths."""
    if not isinstance(schema, dict):
        return
    for word in _ONE_7 if draft == DRAFT_7 else _ONE_2020:
        value = schema.get(word)
        if isinstance(value, (dict, bool)):
            yield (word,), value
        elif word == "items" and isinstance(value, list):
            yield from (((word, number), one) for number, one in enumerate(value))
    for word in _MANY if draft == DRAFT_7 else (*_MANY, "prefixItems"):
        if isinstance(schema.get(word), list):
            yield from (((word, number), one) for number, one in enumerate(schema[word]))
    for word in _NAMED:
        if isinstance(schema.get(word), dict):
            yield from (((word, name), one) for name, one in schema[word].items() if isinstance(one, (dict, bool)))


class Documents:
    """One schema file and what its references may lead to."""

    def __init__(self, schema: Any, types: Mapping[str, Any] | None = None) -> None:
        self._types = types or {}
        self._texts: dict[str, Any] = {}
        self._resources: dict[str, Resource] = {}
        self._embedded: dict[tuple[str, Path], Resource] = {}
        self._anchors: dict[tuple[str, str], Place] = {}
        self._dynamic: dict[str, list[str]] = {}
        self.dynamic = False
        self.root = self._add(_MAIN, schema, draft_of(schema))

    def schema(self, place: Place) -> Any:
        """The raw schema of a place."""
        return _at(self._texts[place.resource.document], place.path)

    def enter(self, place: Place, resource: Resource, path: Path) -> Place:
        """The place at a path of a resource, reached from another one."""
        scope = place.scope
        if self.dynamic and resource != place.resource:
            scope = self._scope(resource, scope)
        return Place(resource, path, scope)

    def inside(self, place: Place, *steps: str | int) -> Place:
        """A schema within this one; it may begin a resource of its own."""
        path = place.path + steps
        resource = self._embedded.get((place.resource.document, path))
        return Place(place.resource, path, place.scope) if resource is None else self.enter(place, resource, path)

    def follow(self, place: Place, reference: str, *, dynamic: bool = False) -> Place:
        """Where a reference leads; Unusable if nowhere or away."""
        found = self._follow(place, reference)
        if dynamic:
            name = urldefrag(reference).fragment
            schema = self.schema(found)
            if isinstance(schema, dict) and schema.get("$dynamicAnchor") == name:
                outermost = dict(place.scope).get(name)
                if outermost is not None:
                    there = self._anchors[outermost, name]
                    return self.enter(place, there.resource, there.path)
        return self.enter(place, found.resource, found.path)

    def _follow(self, place: Place, reference: str) -> Place:
        base = place.resource.uri
        uri, fragment = urldefrag(base + reference if reference.startswith("#") else urljoin(base, reference))
        resource = self._resources.get(uri) or self._load(uri)
        if resource is None:
            raise Unusable((*place.path, "$ref"), f"$ref {reference} leads out of the file; only types/<name>.json may be referred to")
        fragment = unquote(fragment)
        if not fragment:
            return Place(resource, resource.path)
        if not fragment.startswith("/"):
            anchor = self._anchors.get((uri, fragment))
            if anchor is None:
                raise Unusable((*place.path, "$ref"), f"$ref {reference} leads to no anchor")
            return anchor
        return self._walk(place, resource, fragment, reference)

    def _walk(self, place: Place, resource: Resource, fragment: str, reference: str) -> Place:
        document = resource.document
        value, path = _at(self._texts[document], resource.path), resource.path
        for part in fragment[1:].split("/"):
            step: str | int = part.replace("~1", "/").replace("~0", "~")
            if isinstance(value, list) and str(step).isdecimal() and int(step) < len(value):
                step = int(step)
            elif not isinstance(value, dict) or step not in value:
                raise Unusable((*place.path, "$ref"), f"$ref {reference} leads nowhere")
            value, path = value[step], (*path, step)
            resource = self._embedded.get((document, path), resource)
        if not isinstance(value, (dict, bool)):
            raise Unusable((*place.path, "$ref"), f"$ref {reference} leads to no schema")
        return Place(resource, path)

    def _load(self, uri: str) -> Resource | None:
        found = _TYPE.search(uri)
        if found and found[1] in self._types:
            return self._add(uri, self._types[found[1]], draft_of(self._types[found[1]]))
        return None

    def _add(self, uri: str, schema: Any, draft: str) -> Resource:
        self._texts[uri] = schema
        root = Resource(uri, uri, (), draft)
        named = schema.get("$id") if isinstance(schema, dict) else None
        if isinstance(named, str) and not named.startswith("#") and not (draft == DRAFT_7 and "$ref" in schema):
            root = Resource(urldefrag(urljoin(uri, named)).url, uri, (), draft)
        self._resources[uri] = self._resources[root.uri] = self._embedded[uri, ()] = root
        self._scan(uri, schema, root, ())
        return root

    def _scan(self, document: str, schema: Any, resource: Resource, path: Path) -> None:
        left = [(schema, resource, path)]
        while left:
            schema, resource, path = left.pop()
            if isinstance(schema, dict):
                resource = self._note(document, schema, resource, path)
                left.extend((one, resource, path + steps) for steps, one in subschemas(schema, resource.draft))

    def _note(self, document: str, schema: dict[str, Any], resource: Resource, path: Path) -> Resource:
        silent = resource.draft == DRAFT_7 and "$ref" in schema
        named = None if silent else schema.get("$id")
        if isinstance(named, str) and path and not named.startswith("#"):
            uri = urldefrag(urljoin(resource.uri, named)).url
            resource = Resource(uri, document, path, draft_of(schema, resource.draft))
            self._resources[uri] = self._embedded[document, path] = resource
        if isinstance(named, str) and named.startswith("#") and len(named) > 1 and resource.draft == DRAFT_7:
            self._anchors[resource.uri, named[1:]] = Place(resource, path)
        if resource.draft == DRAFT_2020:
            for word in ("$anchor", "$dynamicAnchor"):
                if isinstance(schema.get(word), str):
                    self._anchors[resource.uri, schema[word]] = Place(resource, path)
            if isinstance(schema.get("$dynamicAnchor"), str):
                self._dynamic.setdefault(resource.uri, []).append(schema["$dynamicAnchor"])
            self.dynamic = self.dynamic or "$dynamicRef" in schema
        return resource

    def start(self) -> Place:
        """The root schema."""
        return Place(self.root, (), self._scope(self.root, ()) if self.dynamic else ())

    def _scope(self, resource: Resource, scope: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
        known = dict(scope)
        for name in self._dynamic.get(resource.uri, ()):
            known.setdefault(name, resource.uri)
        return tuple(sorted(known.items()))


def _at(schema: Any, path: Path) -> Any:
    for step in path:
        schema = schema[step]
    return schema
