"""Where a ``$ref`` leads: within the schema, by pointer, anchor or ``$id``, and to ``types/<name>.json``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urljoin

Schema = Any
"""A decoded JSON Schema: an object, true or false."""

_TYPE = re.compile(r"(?:^|/)types/([^/#]+)\.json$")
_DRAFT_07 = "draft-07"
_DATA = ("enum", "const", "default", "examples")


@dataclass(eq=False, slots=True)
class Resource:
    """A schema that references are read against: the file, or a part of it with an ``$id`` of its own.

    ``family`` are all those that it may name, by address.
    """

    uri: str
    root: Schema
    draft_07: bool
    family: dict[str, Resource]
    anchors: dict[str, Schema] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """A schema and the resource in which it stands."""

    schema: Schema
    resource: Resource


class References:
    """The references of a schema and of the types that it may name; ``other`` is a second schema, with references of its own."""

    def __init__(self, schema: Schema, types: Mapping[str, Schema], other: Schema = True) -> None:
        self._resources: dict[str, Resource] = {}
        self._home: dict[int, Resource] = {}
        self._places: dict[int, Place] = {}
        self.other = self._read_root(other, types)
        self.root = self._read_root(schema, types)

    def _read_root(self, schema: Schema, types: Mapping[str, Schema]) -> Place:
        self._resources = {}
        for name, text in types.items():
            self._read(f"types/{name}.json", text)
        return self.place(schema, self._read("", schema))

    def place(self, schema: Schema, resource: Resource) -> Place:
        """The place of a schema; the same for the same object, so that it can be told by its id."""
        home = self._home.get(id(schema), resource)
        found = self._places.get(id(schema))
        if found is None:
            found = self._places[id(schema)] = Place(schema, home)
        return found

    def follow(self, reference: str, resource: Resource) -> Place:
        """The place a reference leads to. Raises LookupError if it leads nowhere."""
        address, _, fragment = reference.partition("#")
        target = self._resource(address, resource) if address else resource
        if fragment and not fragment.startswith("/"):
            return self.place(target.anchors[unquote(fragment)], target)
        schema = target.root
        for step in fragment.split("/")[1:]:
            key = unquote(step).replace("~1", "/").replace("~0", "~")
            schema = schema[int(key)] if isinstance(schema, list) else schema[key]
        return self.place(schema, target)

    @staticmethod
    def _resource(address: str, base: Resource) -> Resource:
        named = _TYPE.search(address)
        if named and f"types/{named[1]}.json" in base.family:
            return base.family[f"types/{named[1]}.json"]
        return base.family[urljoin(base.uri, address)]

    def _read(self, uri: str, schema: Schema) -> Resource:
        draft_07 = isinstance(schema, dict) and _DRAFT_07 in str(schema.get("$schema", ""))
        resource = Resource(uri, schema, draft_07, self._resources)
        self._resources[uri] = resource
        self._walk(schema, resource)
        return resource

    def _walk(self, node: Any, resource: Resource) -> None:
        if isinstance(node, list):
            for item in node:
                self._walk(item, resource)
            return
        if not isinstance(node, dict):
            return
        name = node.get("$id")
        if isinstance(name, str) and name.startswith("#"):
            resource.anchors[name[1:]] = node
        elif isinstance(name, str):
            uri = urljoin(resource.uri, name.rstrip("#"))
            if node is not resource.root:
                resource = Resource(uri, node, resource.draft_07, resource.family)
            self._resources.setdefault(uri, resource)
        self._home[id(node)] = resource
        for word in ("$anchor", "$dynamicAnchor"):
            if isinstance(node.get(word), str):
                resource.anchors[node[word]] = node
        for key, value in node.items():
            if key not in _DATA:
                self._walk(value, resource)
