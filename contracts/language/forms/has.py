"""``has: namespace`` with predicates: an identifier of that namespace, of which they hold."""

from __future__ import annotations

from collections.abc import Iterable

from contracts.language.forms.form import Form, Inner, Surroundings
from contracts.language.measures.measure import computed
from contracts.language.operands import TEXT, TEXTS
from contracts.language.operators import IGNORE_CASE, OPERATORS
from contracts.language.plain import said_of
from contracts.language.predicates import predicates_text, read_predicates
from contracts.model.definitions import Condition, HasIdentifier, Namespace
from contracts.text.problems import choices
from contracts.text.yaml_tree import Reader, Tree

_EQUALS = ("eq", "ne", "in", "not_in")
_VALUE = computed({"type": "string"})
_NEVER = {
    "exists": "`has` alone asks for an identifier of any value, below `not` for none",
    "is": "`has` alone asks for an identifier of any value, below `not` for none",
    **{op: "an identifier is no date" for op, row in OPERATORS.items() if row.moves},
}
"""Operators that say nothing of an identifier, and what to do instead."""


def _has(reader: Reader, at: Tree, parts: dict[str, Tree], around: Surroundings, _inner: Inner) -> Condition | None:
    namespace = read_namespace(reader, parts["has"], around.namespaces)
    rest = {name: _as_text(part) if name in _EQUALS else part for name, part in parts.items() if name != "has"}
    senseless = [name for name in rest if name in _NEVER]
    for name in senseless:
        reader.refuse(rest.pop(name), "operators of a text", name, _NEVER[name])
    predicates = read_predicates(reader, at, rest, [_VALUE]) if rest else ()
    if namespace is not None and namespace.normalize == "email" and IGNORE_CASE not in rest:
        _check_small(reader, rest, predicates=[one.op for one in predicates])
    return None if namespace is None or senseless else HasIdentifier(namespace.name, predicates)


def _as_text(at: Tree) -> Tree:
    """Identifiers are texts: 42 stands for "42"."""
    if isinstance(at.value, list):
        return Tree([_as_text(item) for item in at.value], at.file, at.line, at.key)
    return Tree(str(at.value), at.file, at.line, at.key) if type(at.value) is int else at


def _check_small(reader: Reader, parts: dict[str, Tree], *, predicates: Iterable[str]) -> None:
    """Addresses are kept in small letters: a part of one with capitals is in none of them."""
    for op in predicates:
        for item in [parts[op], *parts[op]] if OPERATORS[op].takes in (TEXT, TEXTS) else []:
            if isinstance(item.value, str) and item.value != item.value.lower():
                reader.refuse(item, "a text in small letters, as addresses are kept", None, f"write {item.value.lower()}")


def read_namespace(reader: Reader, at: Tree, known: dict[str, Namespace] | None) -> Namespace | None:
    """A namespace of the rules; None, and a problem, if there is no such, or if nothing is known of them."""
    name = reader.text(at, expected="the name of a namespace in identity.yaml")
    if name and known is not None and name not in known:
        reader.refuse(at, "a namespace of identity.yaml", name, choices(name, known))
    return (known or {}).get(name)


def _says(condition: HasIdentifier, _features: object) -> str:
    return f"has {condition.namespace}{f' {predicates_text(condition.predicates)}' if condition.predicates else ''}"


def _tells(condition: HasIdentifier, _telling: object) -> str:
    return f"who have the identifier {condition.namespace}{f' that {said_of(condition.predicates)}' if condition.predicates else ''}"


HAS = Form(_has, _says, _tells)
