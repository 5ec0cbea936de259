"""Documents of a schema: valid ones, and ones that aim at where two schemas may differ. The same seed gives the same documents."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from schemalogic.samples.aims import Aims
from schemalogic.samples.build import Builder
from schemalogic.samples.mutation import mutated
from schemalogic.samples.references import Place, References, Schema
from schemalogic.samples.shapes import Shapes, StuckError
from schemalogic.validation import compile_schema

_NO_TYPES: Mapping[str, Schema] = {}
_TRIES_EACH = 20
_TRIES_MORE = 300
_SEARCH_S = 2.0
_EFFORT = 30_000
_EFFORT_EACH = 500
"""Values made in all, and for each document asked for: after that a schema counts as one without documents."""
_FULLNESS = (0.0, 1.0, 0.5, 0.8, 0.5, 0.2)


def documents(
    schema: Schema, types: Mapping[str, Schema] = _NO_TYPES, *, seed: int, count: int, other: Schema | None = None, formats: bool = False
) -> Iterator[Any]:
    """Up to ``count`` different documents that are valid under ``schema``; fewer if it has fewer, or if none more are found.

    ``types`` are the schemas of ``types/<name>.json`` by name. With ``other`` its names and constants occur as well.
    ``formats``: formats are asserted.
    """
    source = _Source(schema, types, other, seed, count)
    valid = compile_schema(schema, types, formats=formats, linear=False).is_valid
    seen: set[bytes] = set()
    for turn in range(count * _TRIES_EACH + _TRIES_MORE):
        if len(seen) >= count:
            return
        document = source.next(turn, (source.here,))
        if document is _NOTHING or not valid(document):
            continue
        key = orjson.dumps(document, option=orjson.OPT_SORT_KEYS)
        if key not in seen:
            seen.add(key)
            yield document
    if not seen and count:
        yield from _found(schema, types, formats=formats)


def near(schema: Schema, other: Schema, types: Mapping[str, Schema] = _NO_TYPES, *, seed: int, count: int) -> Iterator[Any]:
    """Up to ``count`` documents, valid under ``schema`` or nearly so, that aim at where the two schemas may differ."""
    source = _Source(schema, types, other, seed, count)
    for turn in range(count):
        document = source.near(turn)
        if document is not _NOTHING:
            yield document


_NOTHING = object()


class _Source:
    def __init__(self, schema: Schema, types: Mapping[str, Schema], other: Schema | None, seed: int, count: int) -> None:
        self._effort = _EFFORT + _EFFORT_EACH * count
        self.chance = random.Random(seed)
        references = References(schema, types, True if other is None else other)
        self.here, self.there = references.root, references.other
        self.aims = Aims.of([schema, *([] if other is None else [other]), *types.values()])
        self.shapes = Shapes(references, self.chance)
        self.builder = Builder(self.shapes, self.aims, self.chance)

    def next(self, turn: int, places: tuple[Place, ...]) -> Any:
        """A document of all these schemas; _NOTHING if the choices taken led nowhere."""
        if self.builder.spent > self._effort:
            return _NOTHING
        try:
            return self.builder.document(places, _FULLNESS[turn % len(_FULLNESS)])
        except (StuckError, RecursionError):
            return _NOTHING

    def near(self, turn: int) -> Any:
        here, there = self.here, self.there
        if turn % 4 == 0:
            places: tuple[Place, ...] = (here,)
        elif turn % 4 == 1:
            places = (here, self._outside(there))
        else:
            places = (here, there) if self.chance.random() < 0.7 else (there,)
        document = self.next(turn, places)
        if document is _NOTHING:
            document = self.next(turn, (here,))
        if document is _NOTHING:
            return self.aims.value(self.chance)
        for _ in range(self.chance.choice((0, 1, 1, 2)) if turn % 4 > 1 else 0):
            document = mutated(document, self.aims, self.chance)
        return document

    def _outside(self, place: Place) -> Place:
        try:
            return self.shapes.broken(place)
        except StuckError:
            return self.here


def _found(schema: Schema, types: Mapping[str, Schema], *, formats: bool) -> Iterator[Any]:
    """The document that a search finds, where construction met none."""
    from schemalogic.compare import Found, parse, satisfiable  # noqa: PLC0415 - seldom needed, and large

    found = satisfiable([(parse(schema, types, formats=formats), True)], _SEARCH_S)
    if isinstance(found, Found):
        yield found.document
