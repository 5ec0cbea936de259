"""A JSON Schema and all that it refers to: where its schemas stand, what they are relative to, and where references lead.

The one reading of ``$id``, ``$anchor``, ``$dynamicAnchor``, ``$ref`` and ``$dynamicRef``. `referencing` resolves by the
standard's rules; nothing is ever fetched.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urldefrag, urljoin

from schemalogic.keywords import ABOUT, Steps, draft_of, subschemas
from schemalogic.lines import line_at

if TYPE_CHECKING:
    from referencing import Anchor, Registry, Resource, Specification

HOME = "https://skep.invalid/contracts/"
"""Where schemas without an ``$id`` are, for relative references."""
Key = tuple[str, Steps]
"""The URI of a schema file, and the way into it."""
_BRANCHES = ("$ref", "$dynamicRef", *(word for word, about in ABOUT.items() if about == "value" and word != "not"))


class BrokenReference(ValueError):  # noqa: N818 (named for what the reference is)
    """A ``$ref`` that cannot be followed; ``path``: where it stands."""

    def __init__(self, message: str, path: Steps = ()) -> None:
        super().__init__(message)
        self.path = path


class RemoteReference(BrokenReference):
    """A ``$ref`` to another document than one of contracts/types."""


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """A schema (an object, true or false), where it stands, the URI that its references are relative to, and its draft (7 or 2020).

    A document has one object for each place. ``asked_line``: what asks for it stands there, which counts instead of the line
    of its file. ``item``: of a list that stands in no file, the place of its items.
    """

    document: Document
    key: Key
    schema: Any
    base: str
    draft: int
    asked_line: int = 0
    item: Place | None = None

    @property
    def path(self) -> Steps:
        """The way into the file."""
        return self.key[1]

    @property
    def file(self) -> str:
        """The schema file, or the one of the type that it stands in."""
        return self.document.file_of(self.key[0])

    @property
    def line(self) -> int:
        """The line in the file, counted from 1."""
        return self.asked_line or self.document.line or line_at(self.document.texts.get(self.file, ""), self.path)

    @property
    def where(self) -> str:
        """``contracts/events/order_completed/1-0-0.json:12``."""
        return f"contracts/{self.file}:{self.line}"

    def at(self, *steps: str | int) -> Place:
        """What stands at a path below this one; KeyError or IndexError if nothing does."""
        if self.item is not None and steps:
            return self.item.at(*steps[1:])
        found = self.document.below(self, steps)
        return replace(found, asked_line=self.asked_line) if self.asked_line else found

    def inside(self, *steps: str | int) -> Place | None:
        """The schema at a path below this one, if there is one that is an object."""
        return self.document.places.get((self.key[0], (*self.key[1], *steps)))

    def parts(self) -> Iterator[Place]:
        """The schemas directly within this one, as far as they are objects."""
        found = (self.inside(*steps) for steps, _ in subschemas(self.schema))
        return (one for one in found if one is not None)

    def whole(self) -> Iterator[Place]:
        """This schema and all that are within it; references are not followed."""
        if isinstance(self.schema, dict):
            yield self
            for part in self.parts():
                yield from part.whole()

    def targets(self) -> Iterator[tuple[str, list[Place]]]:
        """The references that stand right here, each with the places that it may lead to: none if it cannot be followed."""
        document = self.document
        if "$ref" in self.schema:
            yield "$ref", [document.targets[self.key]] if self.key in document.targets else []
        if "$dynamicRef" in self.schema:
            first = [document.first[self.key]] if self.key in document.first else []
            yield "$dynamicRef", list(dict.fromkeys((*first, *document.dynamic(self))))

    @property
    def only_refers(self) -> bool:
        """Whether the other words beside a ``$ref`` do not count, as in draft-07."""
        return self.draft == 7 and isinstance(self.schema, dict) and "$ref" in self.schema

    def said(self) -> Any:
        """What counts of the schema here: of a reference in draft-07 nothing but where it leads."""
        return {} if self.only_refers else self.schema

    def plain(self) -> dict[str, Any] | bool:
        """What is said here without the branches, as a schema that stands on its own."""
        if not isinstance(self.schema, dict):
            return bool(self.schema)
        said = {word: value for word, value in self.said().items() if word not in (*_BRANCHES, "$id")}
        root = self.document.sources[self.key[0]]
        return {**{word: root[word] for word in ("$schema", "$defs", "definitions") if isinstance(root, dict) and word in root}, **said}


@dataclass(frozen=True, slots=True)
class _Value:
    """A value in a document, as `referencing` goes down to it by a pointer."""

    key: Key
    value: Any

    def __getitem__(self, word: str) -> _Value:
        uri, steps = self.key
        if isinstance(self.value, dict) and word in self.value:
            return _Value((uri, (*steps, word)), self.value[word])
        if isinstance(self.value, list) and word.isdecimal() and int(word) < len(self.value):
            return _Value((uri, (*steps, int(word))), self.value[int(word)])
        raise KeyError(word)


@dataclass(eq=False)
class Document:
    """A schema file, the types that it may name (``types/<name>.json``), and the texts of the files (path → text).

    ``line``: of a schema that stands in no file of its own, the line that asks for it. `UnreadableDraft` if a ``$schema`` is
    neither 2020-12 nor draft-07; references that cannot be followed are in ``broken``.
    """

    file: str
    schema: Any
    types: Mapping[str, Any] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    line: int = 0
    root: Place = field(init=False)
    sources: dict[str, Any] = field(init=False, default_factory=dict)
    """The schema and the types that references lead to, by URI."""
    places: dict[Key, Place] = field(init=False, default_factory=dict)
    """Every schema that is an object, of the schema and of these types."""
    targets: dict[Key, Place] = field(init=False, default_factory=dict)
    """Where the ``$ref`` of a place leads."""
    first: dict[Key, Place] = field(init=False, default_factory=dict)
    """Where a ``$dynamicRef`` leads unless what refers to its schema says otherwise."""
    broken: list[tuple[Place, BrokenReference]] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self._others: dict[Key, Place] = {}
        self._names: dict[str, str] = {}
        self._resources: dict[str, Key] = {}
        self._anchors: dict[str, dict[str, Place]] = {}
        self._dynamic: dict[str, list[Place]] = {}
        name = next((name for name, one in self.types.items() if one is self.schema), None)
        uri = self._add(self.schema, f"{HOME}events/event/version.json" if name is None else f"{HOME}types/{name}.json", name)
        self.root = self._place((uri, ()), self.schema)
        todo = deque(self.places.values())
        while todo:
            known = len(self.places)
            self._refer(todo.popleft())
            todo.extend(islice(self.places.values(), known, None))

    def file_of(self, uri: str) -> str:
        """The file of the schema or of a type, by its URI."""
        return self.file if uri == self.root.key[0] else next(f"types/{name}.json" for name, known in self._names.items() if known == uri)

    def edges(self, place: Place) -> Iterator[Place]:
        """The places that judge the same value as this one."""
        if place.key in self.targets:
            yield self.targets[place.key]
            if place.draft == 7:
                return
        yield from self.dynamic(place)
        yield from _beside(place)

    def beside(self, place: Place) -> Iterator[Place]:
        """All places that may say something of the same value: also those beside a ``$ref`` of draft-07, which judge nothing."""
        yield from (found[place.key] for found in (self.targets, self.first) if place.key in found)
        yield from self.dynamic(place)
        yield from _beside(place)

    def dynamic(self, place: Place) -> list[Place]:
        """The anchors that a ``$dynamicRef`` may mean, whatever leads to it."""
        said = place.schema.get("$dynamicRef")
        return self._dynamic.get(urldefrag(said)[1], []) if isinstance(said, str) else []

    @cached_property
    def dynamic_anchors(self) -> dict[str, dict[str, Place]]:
        """By the URI of a schema its dynamic anchors by name; none at all unless something refers to such an anchor."""
        found: dict[str, dict[str, Place]] = {}
        if any("$dynamicRef" in place.schema for place in self.places.values()):
            for name, places in self._dynamic.items():
                for place in places:
                    found.setdefault(place.base, {})[name] = place
        return found

    def below(self, place: Place, steps: Steps) -> Place:
        """What stands at a path below a place."""
        key = place.key[0], (*place.key[1], *steps)
        found = self.places.get(key) or self._others.get(key)
        if found is None:
            schema = place.schema
            for step in steps:
                schema = schema[step]
            found = self._others[key] = Place(self, key, schema, place.base, place.draft)
        return found

    def follow(self, place: Place, reference: str) -> Place:
        """Where a reference from a place leads, `BrokenReference` if nowhere; reads the type that it leads to."""
        # Few schemas refer to anything, and whoever reads one that does not has no use for the library.
        from referencing.exceptions import InvalidAnchor, NoSuchAnchor, PointerToNowhere, Unresolvable  # noqa: PLC0415

        uri, mark, fragment = reference.partition("#")
        try:
            way = f"{uri}{mark}{fragment if fragment.startswith('/') else unquote(fragment)}"
            found = self._registry.resolver(place.base).lookup(way).contents
        except PointerToNowhere as error:
            raise BrokenReference(f"{reference} leads to nothing: there is no {error.__cause__.args[0]}") from error  # type: ignore[union-attr]
        except (NoSuchAnchor, InvalidAnchor) as error:
            raise BrokenReference(f"{reference} names no $anchor") from error
        except Unresolvable as error:
            reason = error.__cause__ and error.__cause__.__cause__
            if reason is not None:
                raise reason from None
            raise RemoteReference(f"{reference} leads to another document, and none of contracts/types") from error
        except ValueError as error:
            raise BrokenReference(f"{reference} is no reference: {error}") from error
        if not isinstance(found.value, dict | bool):
            raise BrokenReference(f"{reference} leads to something that is no schema")
        return self._place(found.key, found.value)

    @cached_property
    def _registry(self) -> Registry[_Value]:
        from referencing import Registry  # noqa: PLC0415 - as above

        return Registry(retrieve=self._resource)  # type: ignore[call-arg]

    @cached_property
    def _rules(self) -> Specification[_Value]:
        from referencing import Specification  # noqa: PLC0415 - as above

        return Specification(  # type: ignore[call-arg]
            name="the places of a document",
            id_of=lambda _: None,
            subresources_of=lambda _: (),
            anchors_in=lambda _, value: self._anchors_in(value),
            maybe_in_subresource=lambda segments, resolver, subresource: resolver,  # noqa: ARG005 - called by name
        )

    def _refer(self, place: Place) -> None:
        """Notes where the references of a place lead."""
        if isinstance(place.schema.get("$dynamicRef"), str):
            with suppress(BrokenReference):
                self.first[place.key] = self.follow(place, place.schema["$dynamicRef"])
        if isinstance(place.schema.get("$ref"), str):
            try:
                self.targets[place.key] = self.follow(place, place.schema["$ref"])
            except BrokenReference as error:
                error.path = (*place.path, "$ref")
                self.broken.append((place, error))

    def _add(self, schema: Any, uri: str, name: str | None) -> str:
        """Reads another file; the URI it has by its ``$id`` or else ``uri``."""
        if isinstance(schema, dict) and isinstance(schema.get("$id"), str) and not schema["$id"].startswith("#"):
            uri = urldefrag(urljoin(uri, schema["$id"]))[0]
        if uri in self.sources:
            raise BrokenReference(f"two schemas have the $id {uri}", ("$id",))
        self.sources[uri] = schema
        self._resources[uri] = uri, ()
        if name is not None:
            self._names[name] = uri
        self._walk((uri, ()), schema, uri, draft_of(schema))
        return uri

    def _walk(self, start: Key, schema: Any, base: str, draft: int) -> None:
        """Notes the places from one on, their URIs and anchors."""
        uri = start[0]
        todo: list[tuple[Steps, Any, str, int]] = [(start[1], schema, base, draft)]
        while todo:
            way, one, at, reads = todo.pop()
            key = uri, way
            if not isinstance(one, dict) or key in self.places:
                continue
            named = one.get("$id")
            anchors: list[str] = []
            if isinstance(named, str) and way and not (reads == 7 and "$ref" in one):
                reads = draft_of(one, reads, way)
                if named.startswith("#"):
                    anchors.append(named[1:])
                else:
                    at = urldefrag(urljoin(at, named))[0]
                    self._resources[at] = key
            if reads == 2020:
                anchors += [one[word] for word in ("$anchor", "$dynamicAnchor") if isinstance(one.get(word), str)]
            place = self.places[key] = Place(self, key, one, at, reads)
            self._anchors.setdefault(at, {}).update(dict.fromkeys(anchors, place))
            if isinstance(one.get("$dynamicAnchor"), str):
                self._dynamic.setdefault(one["$dynamicAnchor"], []).append(place)
            todo += [((*way, *inner), part, at, reads) for inner, part in reversed(list(subschemas(one)))]

    def _place(self, key: Key, schema: Any) -> Place:
        """The place of a schema; one that no keyword leads to is read from here on."""
        uri, steps = key
        if key not in self.places and key not in self._others:
            lengths = (length for length in range(len(steps), -1, -1) if (uri, steps[:length]) in self.places)
            around = next((self.places[uri, steps[:length]] for length in lengths), None)
            base, draft = (uri, 2020) if around is None else (around.base, around.draft)
            self._walk(key, schema, base, draft)
            if key not in self.places:
                self._others[key] = Place(self, key, schema, base, draft)
        return self.places.get(key) or self._others[key]

    def _resource(self, uri: str) -> Resource[_Value]:
        """What has this URI, for `referencing`."""
        from referencing.exceptions import NoSuchResource  # noqa: PLC0415 - as above

        key = self._resources.get(uri) or self._type(uri)
        if key is None:
            raise NoSuchResource(uri)
        value = self.sources[key[0]]
        for step in key[1]:
            value = value[step]
        return self._rules.create_resource(_Value(key, value))

    def _anchors_in(self, value: _Value) -> Iterator[Anchor[_Value]]:
        from referencing import Anchor  # noqa: PLC0415 - as above

        base = self.places[value.key].base if value.key in self.places else value.key[0]
        for name, place in self._anchors.get(base, {}).items():
            yield Anchor(name, self._rules.create_resource(_Value(place.key, place.schema)))  # type: ignore[call-arg]

    def _type(self, uri: str) -> Key | None:
        """The type that has this URI, read."""
        folder, _, file = uri.rpartition("/")
        name = file.removesuffix(".json")
        if not folder.endswith("/types") or not file.endswith(".json") or name not in self.types:
            return None
        if name not in self._names:
            self._add(self.types[name], f"{HOME}types/{name}.json", name)
        return self._names[name], ()


def _beside(place: Place) -> Iterator[Place]:
    """The schemas within a schema that are about the same value."""
    return (part for part in place.parts() if ABOUT[str(part.path[len(place.path)])] == "value")
