"""Traits that are made of others: what their expressions read, and whether that can be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter

from contracts.language.expression_text import check, parse
from contracts.language.features import Measured
from contracts.language.measures import TRAITS
from contracts.language.measures.measure import computed
from contracts.model.expressions import Expression, Operation, Presence, ReadTrait, paths
from contracts.model.traits import FILES, Trait
from contracts.text.problems import Unexpected, choices
from contracts.text.yaml_tree import Reader, Tree
from schemalogic.paths import parse_path, path_text
from schemalogic.typed import ANYTHING, Typed, typed_below

WORDS = ("expression", "ratio")
_LIKE = "an expression such as `spent > 1000 and orders >= 2`"


@dataclass(frozen=True, slots=True)
class Made:
    """A trait that is made of others, and where that is said."""

    name: str
    expression: Expression
    at: Tree


def read_made(reader: Reader, name: str, fields: Mapping[str, Tree]) -> Made | None:
    """The expression of a trait, or its ratio as one; None, and a problem, if it cannot be read."""
    at = next(fields[word] for word in WORDS if word in fields)
    expression = reader.read(at, None, _parsed) if "expression" in fields else _ratio(reader, at)
    return None if expression is None else Made(name, expression, at)


def _parsed(value: object) -> Expression:
    if not isinstance(value, str) or not value.strip():
        raise Unexpected(_LIKE)
    found = parse(value)
    if not isinstance(found, Operation | Presence):
        raise Unexpected(f"something that is made of traits, {_LIKE}")
    return found


def _ratio(reader: Reader, at: Tree) -> Expression | None:
    parts = reader.fields(at, ("of", "to"))
    names = [
        reader.text(reader.required(at, parts, word, f"{word}: the name of a trait"), "", "the name of a trait") for word in ("of", "to")
    ]
    return Operation("/", tuple(ReadTrait(path_text((name,))) for name in names)) if all(names) else None


class Deriving:
    """Checks what is made, by what is known of the traits that it reads."""

    def __init__(self, reader: Reader, measured: Measured, traits: dict[str, Trait], types: dict[str, Typed]) -> None:
        self._reader, self._measured = reader, measured
        self._traits, self._types = traits, types
        self.passing: dict[str, str] = {}
        """The traits that change at every moment, with the one by which they do."""

    def all(self, made: Iterable[Made]) -> None:
        """Put each into the traits, and what it can be into the types, those first of which others are made."""
        by_name = {one.name: one for one in made}
        while True:
            graph = {name: [root for root in roots(one.expression) if root in by_name] for name, one in by_name.items()}
            try:
                order = list(TopologicalSorter(graph).static_order())
                break
            except CycleError as error:
                self._ring(by_name, list(reversed(error.args[1])))
        for name in order:
            self._one(by_name[name])

    def _ring(self, by_name: dict[str, Made], ring: list[str]) -> None:
        """A problem of each trait in a ring, which ends where it begins; they are looked at no more."""
        for name in dict.fromkeys(ring):
            start = ring.index(name)
            way = " → ".join([*ring[start:-1], *ring[:start], name])
            self._reader.refuse(by_name.pop(name).at, "traits that are not made of each other in a circle", way)
            self._types[name] = ANYTHING

    def _one(self, one: Made) -> None:
        before, measured = len(self._reader.problems), self._measured
        measured.user = (measured.traits, one.name)
        for path in dict.fromkeys(paths(one.expression)):
            self._read(one, path)
        if len(self._reader.problems) > before:
            return
        try:
            kinds = check(one.expression, self._kinds)
        except Unexpected as error:
            self._reader.refuse(one.at, str(error), None, error.hint)
            return
        (gives,) = kinds
        self._traits[one.name] = replace(self._traits[one.name], expression=one.expression, gives=gives)
        self._types[one.name] = computed({"type": gives}, one.at.file, one.at.line)

    def _read(self, one: Made, path: str) -> None:
        name, *below = parse_path(path)
        known = self._types.get(str(name))
        if known is None:
            self._read_sent(one, path)
            return
        self._measured.note(self._measured.traits, "", str(name), one.at)
        if typed_below(known, tuple(below)) is None:
            self._reader.refuse(one.at, f"a path into what the trait {name} is", path)
        kind = self._traits[str(name)].kind
        if kind in TRAITS and TRAITS[kind].passing:
            self.passing[one.name] = str(name)
        elif str(name) in self.passing:
            self.passing[one.name] = self.passing[str(name)]

    def _read_sent(self, one: Made, path: str) -> None:
        properties, call = self._measured.properties, self._measured.call
        self._measured.note("property", call, path, one.at, measured=True)
        if properties.contracts.get(call) and properties.typed(call, path) is None:
            names = (*self._traits, *properties.names(call))
            hint = properties.gone(call, path) or choices(str(parse_path(path)[0]), names)
            self._reader.refuse(one.at, f"traits of {FILES[call]} or of the contract of {call}", path, hint)

    def _kinds(self, path: str) -> frozenset[str] | None:
        name, *below = parse_path(path)
        known = self._types.get(str(name))
        if known is not None:
            typed = typed_below(known, tuple(below))
        else:
            properties, call = self._measured.properties, self._measured.call
            typed = properties.typed(call, path) if properties.contracts.get(call) else None
        return None if typed is None else typed.kinds


def roots(expression: Expression) -> list[str]:
    """The names of the traits that an expression reads."""
    return [str(parse_path(path)[0]) for path in paths(expression)]
