"""What is worth trying, gathered from schemas: names, constants, the numbers and lengths at which something changes."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from schemalogic.keywords import Schema
from schemalogic.samples.numbers import fraction, plain

_NUMBERS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
_LENGTHS = ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties")
_SMALL = (Fraction(1), Fraction(1, 2), Fraction(1, 1000))
UNKNOWN = ("zz_unknown", "x", "", "a.b", "ünknown")
JUNK: tuple[Any, ...] = (None, True, False, 0, 1, -1, 1.5, 1e20, "", "a", "junk text", [], [None], [1, 1], {}, {"a": 1})
"""Values of every kind."""


@dataclass(slots=True)
class Aims:
    """``names`` of properties, ``values`` of enumerations and examples, ``numbers`` near bounds, ``lengths``, ``texts``, ``patterns``."""

    names: list[str] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)
    numbers: list[Fraction] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    patterns: list[str] = field(default_factory=list)
    schemas: dict[str, list[Schema]] = field(default_factory=dict)
    texts: tuple[str, ...] = ()

    @staticmethod
    def of(schemas: Iterable[Schema]) -> Aims:
        """The aims of several schemas together."""
        aims = Aims()
        for schema in schemas:
            aims._walk(schema)
        aims.names = list(dict.fromkeys(aims.names))
        aims.numbers = sorted(set(aims.numbers) | {fraction(one) or Fraction(0) for one in aims.values if fraction(one) is not None})
        aims.lengths = sorted(set(aims.lengths))
        aims.patterns = list(dict.fromkeys(aims.patterns))
        aims.texts = tuple(dict.fromkeys(one for one in aims.values if isinstance(one, str)))
        return aims

    def value(self, chance: random.Random) -> Any:
        """A value of any kind, a constant of the schemas more often than not."""
        turn = chance.random()
        if self.values and turn < 0.45:
            return chance.choice(self.values)
        if self.numbers and turn < 0.7:
            return plain(chance.choice(self.numbers))
        return chance.choice(JUNK)

    def _walk(self, node: Any) -> None:
        if isinstance(node, list):
            for item in node:
                self._walk(item)
        if not isinstance(node, dict):
            return
        self._words(node)
        for key, value in node.items():
            if key not in {"enum", "const", "examples", "default"}:
                self._walk(value)

    def _words(self, node: dict[str, Any]) -> None:
        for word in ("enum", "examples"):
            if isinstance(node.get(word), list):
                self.values.extend(node[word])
        self.values.extend(node[word] for word in ("const", "default") if word in node)
        for word in _NUMBERS:
            exact = fraction(node.get(word))
            if exact is not None:
                self.numbers += [exact, *(exact + sign * step for step in _SMALL for sign in (1, -1))]
        for word in _LENGTHS:
            length = node.get(word)
            if isinstance(length, int) and length < 5000:
                self.lengths += [length, length + 1, max(0, length - 1)]
        if isinstance(node.get("pattern"), str):
            self.patterns.append(node["pattern"])
        for word in ("properties", "dependentSchemas", "dependentRequired"):
            if isinstance(node.get(word), dict):
                self.names.extend(node[word])
        if isinstance(node.get("properties"), dict):
            for name, schema in node["properties"].items():
                self.schemas.setdefault(name, []).append(schema)
        if isinstance(node.get("required"), list):
            self.names.extend(name for name in node["required"] if isinstance(name, str))
        if isinstance(node.get("patternProperties"), dict):
            self.patterns.extend(node["patternProperties"])
