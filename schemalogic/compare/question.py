"""Schemas, read, and the question whether a document satisfies some of them and not others."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from schemalogic.compare.arrays import find_array
from schemalogic.compare.engine import Engine
from schemalogic.compare.merging import Graph, Merger
from schemalogic.compare.nodes import Literal, Space
from schemalogic.compare.objects import find_object
from schemalogic.compare.reading import Reader
from schemalogic.compare.values import ARRAY, OBJECT, Value, plain, size
from schemalogic.compare.verdicts import UNDECIDED, Clock, Found, OutOfTime, Verdict
from schemalogic.document import Document
from schemalogic.validation import compile_schema

DOCUMENT_MAX = 1_000_000
"""A larger document is not verified (bytes, about)."""
_ATTEMPTS = 5


@dataclass(frozen=True)
class Schema:
    """One side of a comparison: the schema, the types that it may refer to by file name, and whether formats are asserted."""

    schema: Any
    types: Mapping[str, Any] = field(default_factory=dict)
    formats: bool = False


class Question:
    """Schemas in one space, and the search for documents that are valid under some of them and invalid under others."""

    def __init__(self, schemas: Sequence[Schema], clock: Clock) -> None:
        self.schemas, self.clock = schemas, clock
        self.space = Space()
        graph = Graph()
        self.documents = [Document("", one.schema, one.types) for one in schemas]
        readers = [Reader(graph, document, formats=one.formats) for one, document in zip(schemas, self.documents, strict=True)]
        roots = [reader.root() for reader in readers]
        self.literals = Merger(self.space).literals(graph, roots)
        self.engine = Engine(self.space, clock, {ARRAY: find_array, OBJECT: find_object})
        self._validators: dict[int, Any] = {}

    def ask(self, goal: Iterable[Literal], signs: Sequence[bool]) -> Verdict:
        """A document of which the goal holds, verified: valid under exactly the schemas whose sign is true."""
        goal = list(goal)
        try:
            for _ in range(_ATTEMPTS):
                found = self.engine.find(goal)
                if not isinstance(found, Found):
                    return found
                if size(found.document, DOCUMENT_MAX) > DOCUMENT_MAX:
                    return UNDECIDED
                document = self._verified(found.document, signs)
                if document is not None:
                    return document
                goal.append(-self.space.constant(found.document))
        except (OutOfTime, RecursionError):
            pass
        return UNDECIDED

    def _verified(self, value: Value, signs: Sequence[bool]) -> Found | None:
        document = json.loads(json.dumps(plain(value), default=float))
        fits = all(self.validator(number).is_valid(document) == sign for number, sign in enumerate(signs))
        return Found(document) if fits else None

    def validator(self, number: int) -> Any:
        """The validator of a schema, by its position."""
        found = self._validators.get(number)
        if found is None:
            one = self.schemas[number]
            found = self._validators[number] = compile_schema(one.schema, one.types, formats=one.formats, linear=False)
        return found
