"""Makes a document of a conjunction of schemas by construction. Most are valid; a validator has the last word."""

from __future__ import annotations

import random
from typing import Any

import orjson

from schemalogic.document import Place
from schemalogic.samples.aims import UNKNOWN, Aims
from schemalogic.samples.numbers import number_within
from schemalogic.samples.shapes import Shape, Shapes, StuckError
from schemalogic.samples.texts import matches, text_of

DEPTH_EASY = 5
"""From this depth on nothing is made that need not be."""
DEPTH_MAX = 14
WIDTH_MAX = 300
"""More items or properties are made only if a schema asks for them, up to this."""
EFFORT_MAX = 1500
"""Values made for one document, those of attempts that lead nowhere included."""
EFFORT_EASY = 150
"""After so many values of a document nothing more is made that need not be."""
_TRIES = 6
_TEXT = {"type": "string"}


class Builder:
    """Builds documents; ``spent`` counts the values made so far, those of attempts that led nowhere included."""

    def __init__(self, shapes: Shapes, aims: Aims, chance: random.Random) -> None:
        self._shapes, self._aims, self._chance = shapes, aims, chance
        self._fullness = 0.5
        self.spent = 0
        self._begun = 0

    def document(self, places: tuple[Place, ...], fullness: float) -> Any:
        """A document of all the schemas at once; ``fullness`` is the share of what may be left out that is there.

        Raises StuckError if the choices taken lead nowhere, or too far.
        """
        self._fullness, self._begun = fullness, self.spent
        return self.build(places)

    def build(self, places: tuple[Place, ...], depth: int = 0) -> Any:
        """A value of all the schemas at once."""
        for _ in range(_TRIES if depth < DEPTH_EASY else 2):
            self.spent += 1
            if self.spent > self._begun + EFFORT_MAX or depth > DEPTH_MAX:
                break
            try:
                return self._value(self._shapes.of(places), depth)
            except StuckError:
                continue
        raise StuckError

    def _value(self, shape: Shape, depth: int) -> Any:
        if shape.values is not None:
            return self._chance.choice(shape.values)
        kind = self._kind(shape, depth)
        match kind:
            case "null":
                return None
            case "boolean":
                return self._chance.random() < 0.5
            case "integer" | "number":
                return self._number(shape, whole="number" not in shape.kinds or kind == "integer")
            case "string":
                return self._text(shape)
            case "array":
                return self._array(shape, depth)
            case _:
                return self._object(shape, depth)

    def _is_easy(self, depth: int) -> bool:
        return depth >= DEPTH_EASY or self.spent > self._begun + EFFORT_EASY

    def _kind(self, shape: Shape, depth: int) -> str:
        if shape.likely and self._chance.random() < 0.85:
            return self._chance.choice(shape.likely)
        kinds = sorted(shape.kinds)
        if self._is_easy(depth):
            kinds = [kind for kind in kinds if kind not in {"array", "object"}] or kinds
        return self._chance.choice(kinds)

    def _number(self, shape: Shape, *, whole: bool) -> Any:
        is_open = (shape.open_low, shape.open_high)
        found = number_within(shape.low, shape.high, shape.steps, self._aims.numbers, self._chance, is_open=is_open, whole=whole)
        if found is None:
            raise StuckError
        return found

    def _text(self, shape: Shape) -> str:
        low, high = shape.lengths
        if self._aims.lengths and self._chance.random() < 0.3:
            aim = self._chance.choice(self._aims.lengths)
            if (low or 0) <= aim and (high is None or aim <= high):
                low = high = aim
        found = text_of((low or 0, high), shape.patterns, shape.formats, self._aims.texts, self._chance)
        if found is None:
            found = text_of((shape.lengths[0] or 0, shape.lengths[1]), shape.patterns, shape.formats, self._aims.texts, self._chance)
        if found is None:
            raise StuckError
        return found

    def _width(self, bounds: list[int | None], depth: int, usual: int) -> int:
        low, high = bounds[0] or 0, bounds[1]
        if low > WIDTH_MAX or (high is not None and low > high):
            raise StuckError
        if self._is_easy(depth):
            return low
        top = min(low + usual if high is None else high, max(low, WIDTH_MAX))
        if top > low + 8 and self._chance.random() < 0.9:
            top = low + 8
        return self._chance.choice((low, top, self._chance.randint(low, top)))

    def _array(self, shape: Shape, depth: int) -> list[Any]:
        width = self._width(shape.items, depth, 3)
        contains = [self._shapes.inner(part.schema["contains"], part) for part in shape.parts if "contains" in part.schema]
        wanted = [
            one
            for part, one in zip((part for part in shape.parts if "contains" in part.schema), contains, strict=True)
            for _ in range(int(part.schema.get("minContains", 1)))
        ]
        if len(wanted) > width:
            high = shape.items[1]
            if len(wanted) > (WIDTH_MAX if high is None else high):
                raise StuckError
            width = len(wanted)
        seats = dict(zip(self._chance.sample(range(width), len(wanted)), wanted, strict=True)) if wanted else {}
        found: list[Any] = []
        seen: set[bytes] = set()
        for at in range(width):
            places = self._item(shape, at)
            if at in seats:
                places = (*places, seats[at])
            item = self._fresh(places, depth, seen) if shape.unique else self.build(places, depth + 1)
            found.append(item)
        if shape.twice and found:
            found[self._chance.randrange(len(found))] = found[0]
            found[-1] = found[0]
        return found

    def _fresh(self, places: tuple[Place, ...], depth: int, seen: set[bytes]) -> Any:
        for _ in range(_TRIES * 2):
            item = self.build(places, depth + 1)
            key = orjson.dumps(item, option=orjson.OPT_SORT_KEYS)
            if key not in seen:
                seen.add(key)
                return item
        raise StuckError

    def _item(self, shape: Shape, at: int) -> tuple[Place, ...]:
        found = []
        for part in shape.parts:
            schema = part.schema
            items = schema.get("items")
            heads = items if isinstance(items, list) else schema.get("prefixItems", ())
            rest = schema.get("additionalItems", True) if isinstance(items, list) else schema.get("items", True)
            if at < len(heads):
                found.append(self._shapes.inner(heads[at], part))
            elif rest is not True:
                found.append(self._shapes.inner(rest, part))
        return tuple(found)

    def _object(self, shape: Shape, depth: int) -> dict[str, Any]:
        names = self._chosen_names(shape, depth)
        found: dict[str, Any] = {}
        for name in names:
            try:
                found[name] = self.build(self.property(shape, name), depth + 1)
            except StuckError:
                if name in shape.required:
                    raise
        return found

    def _chosen_names(self, shape: Shape, depth: int) -> list[str]:
        chance, easy = self._chance, self._is_easy(depth)
        low, high = shape.sizes[0] or 0, shape.sizes[1]
        names = dict.fromkeys(shape.required)
        full = self._fullness if not easy else 0.0
        for part in shape.parts:
            names.update(dict.fromkeys(name for name in part.schema.get("properties", ()) if chance.random() < full))
        if not easy and chance.random() < 0.3:
            names.update(dict.fromkeys(self._extra_names(shape)))
        for _ in range(4 + 2 * min(low, WIDTH_MAX)):
            if len(names) >= low:
                break
            names.update(dict.fromkeys(name for part in shape.parts for name in part.schema.get("properties", ())))
            names.update(dict.fromkeys(self._extra_names(shape)))
        for at in range(low * 2 if len(names) < low <= WIDTH_MAX else 0):
            names.setdefault(f"name_{at}")
        for name in list(names):
            names.update(dict.fromkeys(shape.needs.get(name, ())))
        if high is not None and len(names) > high:
            spare = [name for name in names if name not in shape.required]
            chance.shuffle(spare)
            for name in spare[: len(names) - high]:
                del names[name]
        return list(names)

    def _extra_names(self, shape: Shape) -> list[str]:
        chance, found = self._chance, []
        for part in shape.parts:
            for pattern in part.schema.get("patternProperties", ()):
                name = text_of((0, None), (pattern,), (), (), chance)
                found += [name] if name is not None else []
            if "propertyNames" in part.schema:
                try:
                    name = self.build((self._shapes.inner(part.schema["propertyNames"], part), self._shapes.inner(_TEXT, part)), DEPTH_EASY)
                except StuckError:
                    continue
                found.append(name)
        if self._aims.names and chance.random() < 0.7:
            found.append(chance.choice(self._aims.names))
        if chance.random() < 0.2:
            found.append(chance.choice(UNKNOWN))
        return [name for name in found if isinstance(name, str) and self._may_be(shape, name)]

    def _may_be(self, shape: Shape, name: str) -> bool:
        return all(place.schema is not False for place in self.property(shape, name))

    def property(self, shape: Shape, name: str) -> tuple[Place, ...]:
        """The schemas that hold of a property."""
        found = shape.properties.get(name)
        if found is None:
            found = shape.properties[name] = self._property(shape, name)
        return found

    def _property(self, shape: Shape, name: str) -> tuple[Place, ...]:
        found: list[Place] = []
        known = False
        for part in shape.parts:
            schema = part.schema
            mine = [schema["properties"][name]] if name in schema.get("properties", ()) else []
            mine += [value for pattern, value in schema.get("patternProperties", {}).items() if matches(pattern, name)]
            known = known or bool(mine)
            if not mine:
                mine = [schema[word] for word in ("additionalProperties", "$extra") if word in schema]
                known = known or bool(mine)
            found += [self._shapes.inner(one, part) for one in mine if one is not True]
        if not known:
            found += [
                self._shapes.inner(part.schema["unevaluatedProperties"], part)
                for part in shape.parts
                if part.schema.get("unevaluatedProperties", True) is not True
            ]
        return tuple(found)
