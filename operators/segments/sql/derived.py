"""A trait that is made of others, as a column of ``people``: each step of its expression is one of a query of its own."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from contracts.model.expressions import CALCULATIONS, EQUALITIES, LIMIT, Constant, Expression, Operation, Presence, ReadTrait
from contracts.model.traits import Trait
from operators.segments.sql.measures import divided, number_of
from operators.segments.sql.plan import Plan
from operators.segments.sql.values import Value, quote

_NOTHING = {"number": "CAST(NULL AS HUGEINT)", "text": "CAST(NULL AS VARCHAR)", "boolean": "CAST(NULL AS BOOLEAN)"}
_LARGEST = "CAST('1e24' AS DOUBLE)"


class _Part(NamedTuple):
    """The names of columns, or values: a number in 10⁻⁶, a text and a boolean, of which those that it is not are NULL."""

    number: str = _NOTHING["number"]
    text: str = _NOTHING["text"]
    boolean: str = _NOTHING["boolean"]

    @property
    def present(self) -> str:
        return f"({self.number} IS NOT NULL OR {self.text} IS NOT NULL OR {self.boolean} IS NOT NULL)"


@dataclass
class _Steps:
    """``read``: the value at a path of the traits. ``leaves`` are made of ``people``, ``steps`` of these and of earlier ones."""

    read: Callable[[str], Value]
    leaves: list[str] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)

    def of(self, expression: Expression) -> _Part:
        match expression:
            case Constant(value):
                if type(value) is bool:
                    return _Part(boolean=str(value).lower())
                return _Part(text=quote(value)) if isinstance(value, str) else _Part(number=f"CAST({value} AS HUGEINT)")
            case ReadTrait(path):
                return self._read(self.read(path))
            case Presence(path):
                return _Part(boolean=self._leaf(f"coalesce({self.read(path).present}, false)"))
            case Operation(op, parts):
                return self._operation(op, [self.of(part) for part in parts])

    def _read(self, value: Value) -> _Part:
        number = f"CASE WHEN abs(CAST({value.number} AS DOUBLE)) < {_LARGEST} THEN CAST(({value.number}) * 1000000 AS HUGEINT) END"
        number = self._limited(self._leaf(number))
        if value.computed:
            return _Part(number)
        text = f"CASE WHEN {value.has_kind('text')} THEN {value.text} END"
        boolean = f"CASE WHEN {value.has_kind('boolean')} THEN CAST({value.text} AS BOOLEAN) END"
        return _Part(number, self._leaf(text), self._leaf(boolean))

    def _operation(self, op: str, parts: list[_Part]) -> _Part:
        one, two = parts[0], parts[-1]
        if op == "not":
            return _Part(boolean=self._step(f"NOT coalesce({one.boolean}, false)"))
        if op in {"and", "or"}:
            return _Part(boolean=self._step(f"coalesce({one.boolean}, false) {op.upper()} coalesce({two.boolean}, false)"))
        if op in CALCULATIONS:
            return _Part(self._limited(self._step(_calculated(op, one.number, two.number))))
        return _Part(boolean=self._step(_compared(op, one, two)))

    def _limited(self, name: str) -> str:
        return self._step(f"CASE WHEN abs({name}) < CAST('{LIMIT}' AS HUGEINT) THEN {name} END")

    def _leaf(self, sql: str) -> str:
        self.leaves.append(sql)
        return f"leaf{len(self.leaves)}"

    def _step(self, sql: str) -> str:
        self.steps.append(sql)
        return f"step{len(self.steps)}"


def derived_value(plan: Plan, trait: Trait, read: Callable[[str], Value], people: Callable[[list[str]], str]) -> Value:
    """What a trait is, number or JSON. ``people``: the query of a row a profile, with these columns of the plan."""
    assert trait.expression is not None, "it is made of others"
    steps = _Steps(read)
    part = steps.of(trait.expression)
    used = [name for name in plan.facts if any(re.search(rf"\b{name}\b", leaf) for leaf in steps.leaves)]
    leaves = "".join(f", {sql} AS leaf{at}" for at, sql in enumerate(steps.leaves, 1))
    rows = f"SELECT profile_id{leaves} FROM ({people(used)})"
    for at, sql in enumerate(steps.steps, 1):
        # Each in a query of its own: a name in the query that makes it would be replaced by what it is made of, again and again.
        rows = f"SELECT *, {sql} AS step{at} FROM ({rows})"
    if trait.gives == "number":
        return Value(computed=plan.column("x", trait.name, f"SELECT profile_id, {number_of(part.number)} AS value FROM ({rows})"))
    return Value(plan.column("x", trait.name, f"SELECT profile_id, to_json({part.boolean}) AS value FROM ({rows})"))


def _calculated(op: str, one: str, two: str) -> str:
    if op in {"+", "-"}:
        return f"{one} {op} {two}"
    if op == "*":
        total = f"{one} * {two}"
        fits = f"abs(CAST({one} AS DOUBLE) * CAST({two} AS DOUBLE)) < CAST('1e37' AS DOUBLE)"
        return f"CASE WHEN {fits} THEN {divided(f'({total})', 'CAST(1000000 AS HUGEINT)')} END"
    return f"CASE WHEN {two} <> 0 THEN {divided(f'({one} * 1000000 * sign({two}))', f'abs({two})')} END"


def _compared(op: str, one: _Part, two: _Part) -> str:
    sign = {"!=": "<>"}.get(op, op)
    kinds = ("number", "text", "boolean") if op in EQUALITIES else ("number", "text")
    pairs = [(getattr(one, kind), getattr(two, kind)) for kind in kinds]
    same = " ".join(f"WHEN {a} IS NOT NULL AND {b} IS NOT NULL THEN {a} {sign} {b}" for a, b in pairs)
    other = f"{one.present} AND {two.present}" if op == "!=" else "false"
    return f"CASE {same} ELSE {other} END"
