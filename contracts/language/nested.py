"""Operands that are predicates themselves: of how long a list is, of its items, of a part of a value."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from contracts.language.operands import Operand, short
from contracts.model.definitions import Predicate, Where
from contracts.text.problems import choices
from contracts.text.yaml_tree import Reader, Tree
from schemalogic.document import Document
from schemalogic.paths import Step, parse_path
from schemalogic.typed import ANYTHING, Typed, names_at, typed_at, typed_below


class ReadPredicates(Protocol):
    """`contracts.language.predicates.read_predicates`."""

    def __call__(
        self, reader: Reader, at: Tree, parts: dict[str, Tree], typed: Iterable[Typed], *, numeric: bool = False, together: bool = True
    ) -> tuple[Predicate, ...]: ...


def whole_number(least: int, most: int | None = None) -> Operand:
    """Predicates of a whole number that lies between these."""
    limits = {"minimum": least} if most is None else {"minimum": least, "maximum": most}
    typed = typed_at(Document("", {"type": "integer", **limits}), ()) or ANYTHING

    def read(reader: Reader, at: Tree, _typed: Sequence[Typed], inner: ReadPredicates) -> tuple[Predicate, ...]:
        return _inner(reader, at, [typed], inner, numeric=True)

    return Operand(_never, lambda _: {"$ref": "#/definitions/numeric"}, read)


def _items(reader: Reader, at: Tree, typed: Sequence[Typed], inner: ReadPredicates) -> tuple[Predicate, ...] | tuple[Where, ...]:
    items = _below(typed, (None,))
    if not isinstance(at.value, dict) or "where" not in at.value:
        return _inner(reader, at, items, inner)
    where = reader.fields(at, ("where",), beside="what an object is asked stands below `where`")["where"]
    found = []
    for path, part in reader.mapping(where, "a mapping of what the items have to values or predicates").items():
        try:
            steps = parse_path(path)
        except ValueError as error:
            reader.refuse(part, "a path such as sku", str(error))
            continue
        known = _below(items, steps)
        if items and not known:
            reader.refuse(part, "what the items have", path, choices(str(steps[0]), [name for one in items for name in names_at(one)]))
            continue
        found.append(where_of(reader, part, path, known, inner))
    return tuple(sorted(found, key=lambda one: one.path))


def where_of(reader: Reader, at: Tree, path: str, typed: Sequence[Typed], inner: ReadPredicates) -> Where:
    """A filter of a path: a value means equal, a list one of them, a mapping predicates."""
    parts = at.value
    if isinstance(parts, list):
        parts = {"in": at}
    elif not isinstance(parts, dict):
        parts = {"eq": at}
    # Of `[]` each predicate may hold of another item.
    predicates = inner(reader, at, parts, typed, together=None not in parse_path(path))
    return Where(path, tuple(sorted(predicates, key=lambda one: (one.op, repr(one.operand)))))


def _inner(reader: Reader, at: Tree, typed: Sequence[Typed], inner: ReadPredicates, *, numeric: bool = False) -> tuple[Predicate, ...]:
    if isinstance(at.value, dict):
        return inner(reader, at, at.value, typed, numeric=numeric)
    hint = f"write {{{'in' if isinstance(at.value, list) else 'eq'}: {short(at.plain())}}}" if at.value is not None else ""
    reader.refuse(at, "a predicate such as {gte: 2}" if numeric else "a predicate such as {eq: A}, or where: {sku: A}", None, hint)
    return ()


def _below(typed: Sequence[Typed], steps: tuple[Step, ...]) -> list[Typed]:
    return [found for one in typed for found in [typed_below(one, steps)] if found is not None]


def _never(_reader: Reader, _at: Tree, _numeric: bool) -> bool:
    return False


SIZE = whole_number(0)
_WHERE = {
    "type": "object",
    "properties": {"where": {"type": "object", "additionalProperties": {"$ref": "#/definitions/value"}}},
    "required": ["where"],
    "additionalProperties": False,
}
ITEMS = Operand(_never, lambda _: {"anyOf": [{"$ref": "#/definitions/predicates"}, _WHERE]}, _items)
