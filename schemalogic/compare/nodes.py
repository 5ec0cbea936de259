"""What schemas become: hash-consed formulas, so that equal schemas are one number and their negation is its negative.

A literal is the number of a node, or minus it for the node's negation. Three operators combine literals (``and``, ``one``: exactly
one of them, and the sign); everything else is an atom, which says something of values of one type and holds of all others.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from schemalogic.compare.values import ARRAY, NUMBER, OBJECT, STRING, TYPES, Value, key, type_of, unkeyed

Literal = int
TRUE: Literal = 1
FALSE: Literal = -1

ATOMS = {
    "least": NUMBER, "above": NUMBER, "most": NUMBER, "below": NUMBER, "multiple": NUMBER,
    "min_length": STRING, "max_length": STRING, "pattern": STRING, "format": STRING,
    "item": ARRAY, "tail": ARRAY, "at_least": ARRAY, "at_most": ARRAY, "min_items": ARRAY, "max_items": ARRAY, "unique": ARRAY,
    "property": OBJECT, "matching": OBJECT, "rest": OBJECT, "names": OBJECT, "required": OBJECT,
    "min_properties": OBJECT, "max_properties": OBJECT,
}  # fmt: skip
"""Atoms and the type of which they say something. ``type``, ``in`` (scalars) and ``opaque`` are of no single one.

``tail`` (first): the items from that index on. ``at_least``, ``at_most`` (count, first): how many of them satisfy the literal.
``matching`` (pattern), ``rest`` (names, patterns): the values under names that match, or that are none of these.
"""


class Space:
    """The nodes of all the schemas that are compared with each other."""

    def __init__(self) -> None:
        self.ops: list[str] = ["", "and"]
        self.payloads: list[Any] = [None, None]
        self.kids: list[tuple[Literal, ...]] = [(), ()]
        self._table: dict[tuple[str, Any, tuple[Literal, ...]], int] = {("and", None, ()): TRUE}
        self._projected: dict[tuple[int, str], Literal] = {}
        self._finite: dict[Literal, frozenset[Any] | None] = {}
        self._tells: dict[Literal, tuple[frozenset[str], dict[str, frozenset[Any]]]] = {}
        self._open: set[tuple[int, str]] = set()

    def __len__(self) -> int:
        return len(self.ops)

    def allocate(self, op: str, payload: Any) -> int:
        """A node of a cycle; its kids follow when their numbers are known."""
        self.ops.append(op)
        self.payloads.append(payload)
        self.kids.append(())
        return len(self.ops) - 1

    def atom(self, op: str, payload: Any = None, kids: tuple[Literal, ...] = ()) -> Literal:
        """The node with this content; there is one."""
        found = self._table.get((op, payload, kids))
        if found is None:
            found = self.allocate(op, payload)
            self.kids[found] = kids
            self._table[op, payload, kids] = found
        return found

    def conj(self, literals: Iterable[Literal]) -> Literal:
        """All of them."""
        found: set[Literal] = set()
        left = list(literals)
        while left:
            one = left.pop()
            if one == FALSE or -one in found:
                return FALSE
            if one > 0 and self.ops[one] == "and" and self.kids[one]:
                left.extend(self.kids[one])
            elif one != TRUE:
                found.add(one)
        if not found:
            return TRUE
        return found.pop() if len(found) == 1 else self.atom("and", None, tuple(sorted(found)))

    def disj(self, literals: Iterable[Literal]) -> Literal:
        """Some of them."""
        return -self.conj([-one for one in literals])

    def one(self, literals: Iterable[Literal]) -> Literal:
        """Exactly one of them."""
        kids = sorted(one for one in literals if one != FALSE)
        if TRUE in kids:
            kids.remove(TRUE)
            return self.conj([-one for one in kids])
        twice = {one for one, following in pairwise(kids) if one == following}
        if twice:
            return self.conj([self.one([one for one in kids if one not in twice]), *(-one for one in twice)])
        if len(kids) < 2:
            return kids[0] if kids else FALSE
        return self.atom("one", None, tuple(kids))

    def typed(self, types: Iterable[str]) -> Literal:
        """Values of these types."""
        chosen = frozenset(types)
        return TRUE if len(chosen) == len(TYPES) else FALSE if not chosen else self.atom("type", chosen)

    def within(self, keys: Iterable[Any]) -> Literal:
        """One of these null, boolean, number or string values."""
        chosen = frozenset(keys)
        return self.atom("in", chosen) if chosen else FALSE

    def build(self, op: str, payload: Any, kids: tuple[Literal, ...]) -> Literal:
        """The literal of an operator or an atom, simplified."""
        if op == "and":
            return self.conj(kids)
        if op == "one":
            return self.one(kids)
        if op == "type":
            return self.typed(payload)
        if op == "in":
            return self.within(payload)
        if op == "constant":
            return self.constant(unkeyed(payload))
        if op in {"item", "tail", "property", "matching", "rest", "names"} and kids[0] == TRUE:
            return TRUE
        if op == "at_least" and payload[0] <= 0:
            return TRUE
        if op == "at_most" and kids[0] == FALSE:
            return TRUE
        if op in {"min_length", "min_items", "min_properties"} and payload <= 0:
            return TRUE
        return self.atom(op, payload, kids)

    def is_scalar(self, literal: Literal) -> bool:
        """Whether the literal holds of no array and no object."""
        return self.under(literal, OBJECT) == FALSE and self.under(literal, ARRAY) == FALSE

    def finite(self, literal: Literal) -> frozenset[Any] | None:
        """The only values of which the literal can hold, if they are scalars and few enough to list."""
        known = self._finite.get(literal, ...)
        if known is ...:
            known = self._finite[literal] = self._listed(literal)
        return known

    def _listed(self, literal: Literal) -> frozenset[Any] | None:
        node = abs(literal)
        if self.ops[node] == "in":
            return self.payloads[node] if literal > 0 else None
        if self.ops[node] != "and" or literal == TRUE:
            return None
        listed = [self.finite(kid if literal > 0 else -kid) for kid in self.kids[node] if self.ops[abs(kid)] in {"in", "and"}]
        if literal > 0:
            sets = [one for one in listed if one is not None]
            return frozenset.intersection(*sets) if sets else None
        if len(listed) < len(self.kids[node]) or None in listed:
            return None
        return frozenset().union(*(one for one in listed if one is not None))

    def tells(self, literal: Literal) -> tuple[frozenset[str], dict[str, frozenset[Any]]]:
        """What an object of which the literal holds is known by: required names, and names whose values are listed."""
        known = self._tells.get(literal)
        if known is None:
            names, values = set(), {}
            for kid in (self.kids[literal] if self.ops[literal] == "and" else (literal,)) if literal > 0 else ():
                if kid > 0 and self.ops[kid] == "required":
                    names.add(self.payloads[kid])
                elif kid > 0 and self.ops[kid] == "property" and (listed := self.finite(self.kids[kid][0])) is not None:
                    values[self.payloads[kid]] = listed
            known = self._tells[literal] = frozenset(names), values
        return known

    def constant(self, value: Value) -> Literal:
        """Exactly this value; arrays and objects by their parts, so that their negation is one of parts, too."""
        kind = type_of(value)
        if kind == ARRAY:
            parts = [self.build("min_items", len(value), ()), self.build("max_items", len(value), ())]
            parts += [self.build("item", number, (self.constant(one),)) for number, one in enumerate(value)]
        elif kind == OBJECT:
            parts = [self.build("required", name, ()) for name in value]
            parts += [self.build("property", name, (self.constant(one),)) for name, one in value.items()]
            parts.append(self.build("rest", (frozenset(value), frozenset()), (FALSE,)))
        else:
            return self.within({key(value)})
        return self.conj([self.typed({kind}), *parts])

    def under(self, literal: Literal, kind: str) -> Literal:
        """What the literal says of the values of one type: TRUE, FALSE, or a formula of atoms of this type."""
        node = abs(literal)
        found = self._projected.get((node, kind))
        if found is None:
            if (node, kind) in self._open:
                raise RecursionError("a schema refers to itself for the same value")
            self._open.add((node, kind))
            found = self._projected[node, kind] = self._under(node, kind)
            self._open.discard((node, kind))
        return found if literal > 0 else -found

    def _under(self, node: int, kind: str) -> Literal:
        op, payload, kids = self.ops[node], self.payloads[node], self.kids[node]
        if op == "and":
            return self.conj([self.under(one, kind) for one in kids])
        if op == "one":
            return self.one([self.under(one, kind) for one in kids])
        if op == "type":
            return TRUE if kind in payload else FALSE
        if op == "in":
            return self.within(one for one in payload if one[0] == kind)
        return node if ATOMS.get(op, kind) == kind else TRUE
