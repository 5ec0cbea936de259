"""Does a value satisfy a literal? Exact, but for what no node says (``opaque``), which counts as satisfied either way."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from schemalogic.compare.nodes import ATOMS, Literal, Space
from schemalogic.compare.texts import Texts
from schemalogic.compare.values import NUMBER, OBJECT, STRING, Value, key, type_of


class Evaluator:
    """Judges values by the nodes of one space."""

    def __init__(self, space: Space, texts: Texts) -> None:
        self._space, self._texts = space, texts
        self._judged: dict[tuple[Literal, int], tuple[bool, Value]] = {}

    def holds(self, literal: Literal, value: Value) -> bool:
        """Whether the value may satisfy the literal; False is certain. Values must not change afterwards."""
        if not isinstance(value, (dict, list)):
            return self._holds(literal, value)
        # The value is kept with the answer, so that no other one gets its identity.
        known = self._judged.get((literal, id(value)))
        if known is None:
            known = self._judged[literal, id(value)] = self._holds(literal, value), value
        return known[0]

    def _holds(self, literal: Literal, value: Value) -> bool:
        node, wanted = abs(literal), literal > 0
        space = self._space
        op, payload, kids = space.ops[node], space.payloads[node], space.kids[node]
        if op == "and":
            return all(self.holds(one, value) for one in kids) if wanted else any(self.holds(-one, value) for one in kids)
        if op == "one":
            return self._one(kids, value, wanted=wanted)
        if op == "opaque":
            return True
        kind = type_of(value)
        if op == "type":
            return (kind in payload) == wanted
        if op == "in":
            return (kind in _SCALAR and key(value) in payload) == wanted
        if ATOMS[op] != kind:
            return wanted
        if kind == NUMBER:
            return number_holds(op, payload, value) == wanted
        if kind == STRING:
            return bool(self._texts.holds(op, payload, value, wanted=wanted))
        if kind == OBJECT:
            return self._object(op, payload, kids, value, wanted=wanted)
        return self._array(op, payload, kids, value, wanted=wanted)

    def _one(self, kids: tuple[Literal, ...], value: Value, *, wanted: bool) -> bool:
        may = [self.holds(kid, value) for kid in kids]
        must = [not self.holds(-kid, value) for kid in kids]
        return (any(may) and sum(must) < 2) if wanted else (sum(must) == 0 or sum(may) > 1)

    def _object(self, op: str, payload: Any, kids: tuple[Literal, ...], value: dict[str, Value], *, wanted: bool) -> bool:
        if op == "required":
            return bool(payload in value) == wanted
        if op == "min_properties":
            return bool(len(value) >= payload) == wanted
        if op == "max_properties":
            return bool(len(value) <= payload) == wanted
        (kid,) = kids
        if op == "names":
            return all(self.holds(kid, name) for name in value) if wanted else any(self.holds(-kid, name) for name in value)
        if op == "property":
            said = [value[payload]] if payload in value else []
        elif op == "matching":
            said = [one for name, one in value.items() if self._texts.matches(payload, name)]
        else:
            names, patterns = payload
            others = [name for name in value if name not in names]
            said = [value[name] for name in others if not any(self._texts.matches(one, name) for one in patterns)]
        return all(self.holds(kid, one) for one in said) if wanted else any(self.holds(-kid, one) for one in said)

    def _array(self, op: str, payload: Any, kids: tuple[Literal, ...], value: list[Value], *, wanted: bool) -> bool:
        if op == "unique":
            return (len({key(one) for one in value}) == len(value)) == wanted
        if op == "min_items":
            return bool(len(value) >= payload) == wanted
        if op == "max_items":
            return bool(len(value) <= payload) == wanted
        (kid,) = kids
        if op in {"item", "tail"}:
            said = value[payload : payload + 1] if op == "item" else value[payload:]
            return all(self.holds(kid, one) for one in said) if wanted else any(self.holds(-kid, one) for one in said)
        count, first = payload
        said = value[first:]
        if (op == "at_least") == wanted:
            return sum(self.holds(kid, one) for one in said) >= int(count if wanted else count + 1)
        return len(said) - sum(self.holds(-kid, one) for one in said) <= int(count if wanted else count - 1)


_SCALAR = frozenset({"null", "boolean", NUMBER, STRING})


def number_holds(op: str, payload: Any, value: int | Fraction) -> bool:
    """Whether a number satisfies an atom of numbers."""
    if op == "least":
        return bool(value >= payload)
    if op == "above":
        return bool(value > payload)
    if op == "most":
        return bool(value <= payload)
    if op == "below":
        return bool(value < payload)
    return bool(value % payload == 0)
