"""Documents of schemas, one after the other: valid ones as a rule, with names and values that the schemas speak of."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

from schemalogic.document import Document, Place
from schemalogic.keywords import Schema
from schemalogic.samples.aims import Aims
from schemalogic.samples.build import Builder
from schemalogic.samples.shapes import Shapes, StuckError

NOTHING = object()
"""In place of a document: the choices taken led nowhere."""
_EFFORT = 30_000
_EFFORT_EACH = 500
"""Values made in all, and for each document asked for: after that a schema counts as one without documents."""
_FULLNESS = (0.0, 1.0, 0.5, 0.8, 0.5, 0.2)


class Source:
    """A source of about ``count`` documents of some schemas, which may refer to ``types``. ``roots`` are the schemas."""

    def __init__(self, schemas: Sequence[Schema], types: Mapping[str, Schema], seed: int, count: int) -> None:
        self._effort = _EFFORT + _EFFORT_EACH * count
        self.chance = random.Random(seed)
        documents = [Document("", one, types) for one in schemas]
        self.roots = tuple(one.root for one in documents)
        self.aims = Aims.of([*schemas, *types.values()])
        self.shapes = Shapes(documents, self.chance)
        self._builder = Builder(self.shapes, self.aims, self.chance)

    def next(self, turn: int, places: tuple[Place, ...]) -> Any:
        """A document of all these places at once, or `NOTHING`."""
        if self._builder.spent > self._effort:
            return NOTHING
        try:
            return self._builder.document(places, _FULLNESS[turn % len(_FULLNESS)])
        except (StuckError, RecursionError):
            return NOTHING
