"""Documents that aim at where two schemas may differ: of both, of one and not the other, and with small edits."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator, Mapping
from typing import Any

from schemalogic.document import Place
from schemalogic.keywords import Schema
from schemalogic.samples.aims import UNKNOWN, Aims
from schemalogic.samples.numbers import fraction, plain
from schemalogic.samples.shapes import StuckError
from schemalogic.samples.source import NOTHING, Source

_NO_TYPES: Mapping[str, Schema] = {}


def near(schema: Schema, other: Schema, types: Mapping[str, Schema] = _NO_TYPES, *, seed: int, count: int) -> Iterator[Any]:
    """Up to ``count`` documents, valid under ``schema`` or nearly so, that aim at where the two schemas may differ."""
    source = Source([schema, other], types, seed, count)
    for turn in range(count):
        document = _next(source, turn)
        if document is not NOTHING:
            yield document


def _next(source: Source, turn: int) -> Any:
    here, there = source.roots
    if turn % 4 == 0:
        places: tuple[Place, ...] = (here,)
    elif turn % 4 == 1:
        places = (here, _outside(source, there))
    else:
        places = (here, there) if source.chance.random() < 0.7 else (there,)
    document = source.next(turn, places)
    if document is NOTHING:
        document = source.next(turn, (here,))
    if document is NOTHING:
        return source.aims.value(source.chance)
    for _ in range(source.chance.choice((0, 1, 1, 2)) if turn % 4 > 1 else 0):
        document = mutated(document, source.aims, source.chance)
    return document


def _outside(source: Source, place: Place) -> Place:
    try:
        return source.shapes.broken(place)
    except StuckError:
        return source.roots[0]


def mutated(document: Any, aims: Aims, chance: random.Random) -> Any:
    """A copy with one edit at one place."""
    box = [copy.deepcopy(document)]
    holder, key = _place(box, chance)
    holder[key] = _edited(holder[key], aims, chance)
    return box[0]


def _place(box: list[Any], chance: random.Random) -> tuple[Any, Any]:
    holder: Any = box
    key: Any = 0
    while chance.random() < 0.7:
        inner = holder[key]
        keys: list[Any] = list(inner) if isinstance(inner, dict) else list(range(len(inner))) if isinstance(inner, list) else []
        if not keys:
            break
        holder, key = inner, chance.choice(keys)
    return holder, key


def _edited(value: Any, aims: Aims, chance: random.Random) -> Any:
    if chance.random() < 0.25:
        return aims.value(chance)
    if isinstance(value, bool) or value is None:
        return aims.value(chance)
    if isinstance(value, (int, float)):
        return _number(value, aims, chance)
    if isinstance(value, str):
        return _text(value, aims, chance)
    return _list(value, aims, chance) if isinstance(value, list) else _object(value, aims, chance)


def _number(value: Any, aims: Aims, chance: random.Random) -> Any:
    exact = fraction(value)
    if exact is None or (aims.numbers and chance.random() < 0.5):
        return plain(chance.choice(aims.numbers)) if aims.numbers else 0
    return chance.choice(
        (plain(exact + 1), plain(exact - 1), plain(exact + exact / 2), -value, float(value) if abs(value) < 10**300 else 0, str(value))
    )


def _text(value: str, aims: Aims, chance: random.Random) -> Any:
    if aims.texts and chance.random() < 0.3:
        return chance.choice(aims.texts)
    at = chance.randint(0, len(value))
    length = chance.choice(aims.lengths) if aims.lengths else len(value) + 1
    longer = (value or "a") * (length // max(len(value), 1) + 1)
    char = chance.choice("a0Z -_é\n")
    return chance.choice(
        (
            value + char,
            char + value,
            value[:at] + value[at + 1 :],
            value[:at] + char + value[at:],
            longer[:length],
            value.upper(),
            value.lower(),
        )
    )


def _list(value: list[Any], aims: Aims, chance: random.Random) -> list[Any]:
    at = chance.randrange(len(value)) if value else 0
    length = chance.choice(aims.lengths) if aims.lengths else 1
    return chance.choice(
        (
            value[:at] + value[at + 1 :],
            [*value, aims.value(chance)],
            value + value[at : at + 1],
            value[::-1],
            (value * (length // max(len(value), 1) + 1))[:length] if length <= 100 else value,
            [],
        )
    )


def _object(value: dict[str, Any], aims: Aims, chance: random.Random) -> dict[str, Any]:
    if value and chance.random() < 0.5:
        gone = chance.choice(list(value))
        return {name: one for name, one in value.items() if name != gone}
    name = chance.choice(aims.names) if aims.names and chance.random() < 0.8 else chance.choice(UNKNOWN)
    return {**value, name: aims.value(chance)}
