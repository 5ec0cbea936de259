"""What a step of an upcast may say, by kind: each check reads the operands and reports what is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from contracts.text.keys import Key, Own, Schema, text_schema
from contracts.text.problems import closest, listed
from contracts.text.times import time_format, time_zone
from contracts.text.yaml_tree import Reader, Tree
from contracts.versions.upcasts import values
from contracts.versions.upcasts.edits import Path
from contracts.versions.upcasts.kinds import base_of
from schemalogic.paths import parse_path

_PLACES_MAX = 12
_DEPTH_MAX = 100
"""Events are not deeper."""
_DATE = (r"%[YyGcx]", r"%[mbBjUWVcx]", r"%[djuwaAcx]")
_OTHERWISE = ("keep", "drop", "refuse")
_WAYS = ("unit", "multiply", "type", "time")


def _rename(reader: Reader, at: Tree) -> None:
    taken: dict[tuple[Path, str], str] = {}
    for text, target in _pairs(reader, at, "a mapping of old names to new names").items():
        path = _path(reader, target, text, named=True)
        new = reader.text(target, expected="the new name")
        if path is None or not new:
            continue
        name = _path(reader, target, new)
        if name is None:
            continue
        if len(name) != 1 or not isinstance(name[0], str):
            reader.refuse(target, "a name in the same object", new, f"write `move: {{from: {text}, to: {new}}}`")
        elif name[0] == path[-1]:
            reader.refuse(target, "another name than the old one", new)
        elif (path[:-1], name[0]) in taken:
            reader.refuse(target, f"every new name once; {taken[path[:-1], name[0]]} has it already", new)
        else:
            taken[path[:-1], name[0]] = text


def _move(reader: Reader, at: Tree) -> None:
    parts = reader.fields(at, ("from", "to"))
    source = _path_at(reader, reader.required(at, parts, "from", "the path that a value is moved from"), item=True)
    target = _path_at(reader, reader.required(at, parts, "to", "the path that it is moved to"), target=True)
    if source is None or target is None:
        return
    if source == target:
        reader.refuse(parts["to"], "another path than `from`")
    else:
        _same_list(reader, parts["to"], source, target)


def _assigned(reader: Reader, at: Tree) -> None:
    for text, value in _pairs(reader, at, "a mapping of paths to values").items():
        _path(reader, value, text, named=True)
        _json(reader, value)


def _constant(reader: Reader, at: Tree) -> None:
    for text, value in _pairs(reader, at, "a mapping of paths to values").items():
        _path(reader, value, text, named=True, target=True)
        _json(reader, value)


def _json(reader: Reader, at: Tree) -> None:
    """Documents are written as JSON again: their whole numbers have 64 bits."""
    if type(at.value) is int and not -(2**63) <= at.value < 2**63:
        reader.refuse(at, "a whole number of at most 64 bits")
    for part in at:
        _json(reader, part)


def _map(reader: Reader, at: Tree) -> None:
    parts = reader.fields(at, ("path", "values", "otherwise"))
    _path_at(reader, reader.required(at, parts, "path", "the path of the values"))
    table = reader.required(at, parts, "values", "a mapping of old values to new values")
    if table is not None:
        for new in _pairs(reader, table, "a mapping of old values to new values").values():
            _json(reader, new)
    if "otherwise" in parts:
        _otherwise(reader, parts["otherwise"])


def _otherwise(reader: Reader, at: Tree) -> None:
    if isinstance(at.value, dict):
        value = reader.required(at, reader.fields(at, ("value",)), "value", "the value of all others")
        if value is not None:
            _json(reader, value)
    elif at.value not in _OTHERWISE:
        hint = closest(str(at.value), _OTHERWISE) or f"write `otherwise: {{value: {at.value}}}`"
        reader.refuse(at, "keep, drop, refuse or {value: …}", None, hint if not isinstance(at.value, list) else "")


def _convert(reader: Reader, at: Tree) -> None:
    parts = reader.fields(at, ("path", *_WAYS, "places"))
    _path_at(reader, reader.required(at, parts, "path", "the path of the values"))
    ways = [way for way in _WAYS if way in parts]
    if len(ways) != 1:
        if isinstance(at.value, dict):
            reader.refuse(at, f"one of {listed(_WAYS)}", " and ".join(ways) or "none of them")
        return
    way = parts[ways[0]]
    {"unit": _unit, "multiply": _multiply, "type": _type, "time": _time}[ways[0]](reader, way)
    if "places" in parts:
        _places(reader, parts["places"], rounds=ways[0] in {"unit", "multiply"} or way.value == "number")


def _places(reader: Reader, at: Tree, *, rounds: bool) -> None:
    if not rounds:
        reader.refuse(at, "places only with unit, multiply or type: number", "places", "places: 0 rounds to whole numbers")
    elif not (type(at.value) is int and 0 <= at.value <= _PLACES_MAX):
        reader.refuse(at, f"a whole number of 0 to {_PLACES_MAX}")


def _unit(reader: Reader, at: Tree) -> None:
    parts = reader.fields(at, ("from", "to"))
    found = []
    for name in ("from", "to"):
        part = reader.required(at, parts, name, "a unit such as cent or kg") if isinstance(at.value, dict) else None
        if part is None:
            continue
        if part.value in values.UNITS:
            found.append(str(part.value))
        else:
            reader.refuse(part, f"one of the units {listed(values.UNITS)}", None, closest(str(part.value), values.UNITS))
    if len(found) < 2:
        return
    if found[0] == found[1]:
        reader.refuse(parts["to"], "another unit than `from`")
    elif values.ratio_of_units(found[0], found[1]) is None:
        hint = f"other factors: `multiply`; {found[0]} goes with {listed(values.units_beside(found[0]))}"
        reader.refuse(parts["to"], f"a unit that measures what {found[0]} does", found[1], hint)


def _multiply(reader: Reader, at: Tree) -> None:
    if type(at.value) not in {int, float} or at.value in {0, 1}:
        reader.refuse(at, "a number other than 0 and 1, such as 0.01")


def _type(reader: Reader, at: Tree) -> None:
    reader.choice(at, values.TYPES, "text")


def _time(reader: Reader, at: Tree) -> None:
    if not isinstance(at.value, dict):
        if at.value not in values.EPOCHS:
            reader.refuse(at, "seconds, milliseconds or {format: …, zone: …}", None, closest(str(at.value), values.EPOCHS))
        return
    parts = reader.fields(at, ("format", "zone"))
    form = reader.read(reader.required(at, parts, "format", "a time format such as %d.%m.%Y %H:%M"), "", _time_format)
    zone = parts.get("zone")
    reader.read(zone, "UTC", time_zone)
    if zone is not None and form and (not values.has_clock(form) or "%z" in form):
        why = "its texts carry an offset" if "%z" in form else "its texts are dates"
        reader.refuse(zone, f"no zone with the format {form}", hint=why)


def _time_format(value: object) -> str:
    expected = "a time format such as %d.%m.%Y %H:%M"
    if not isinstance(value, str) or "%" not in value:
        raise ValueError(expected)
    if "%Z" in value:
        raise ValueError("a time format without %Z: names of zones are not read; %z reads an offset such as +0100")
    if not all(re.search(part, value) for part in _DATE):
        raise ValueError("a time format with year, month and day, such as %d.%m.%Y")
    return time_format(value, expected)


def _split(reader: Reader, at: Tree) -> None:
    parts = reader.fields(at, ("path", "by", "into"))
    source = _path_at(reader, reader.required(at, parts, "path", "the path of the text"), item=True)
    by = reader.required(at, parts, "by", "the text between the parts")
    if by is not None and not (isinstance(by.value, str) and by.value):
        reader.refuse(by, "a text of at least one character", hint="" if by.value == "" else "put it into quotes")
    _several(reader, at, parts, "into", source, target=True)


def _join(reader: Reader, at: Tree) -> None:
    parts = reader.fields(at, ("paths", "with", "into"))
    between = reader.required(at, parts, "with", "the text between the parts")
    if between is not None and not isinstance(between.value, str):
        reader.refuse(between, "a text, which may be empty", hint="put it into quotes")
    target = _path_at(reader, reader.required(at, parts, "into", "the path of the joined text"), target=True)
    _several(reader, at, parts, "paths", target, target=False)


def _several(reader: Reader, at: Tree, parts: dict[str, Tree], name: str, other: Path | None, *, target: bool) -> None:
    """A list of at least two different paths in the same item as ``other``."""
    tree = reader.required(at, parts, name, "a list of paths")
    items = reader.items(tree, "a list of paths")
    if tree is not None and isinstance(tree.value, list) and len(items) < 2:
        reader.refuse(tree, "at least two paths", str(len(items)))
    seen: set[Path] = set()
    for item in items:
        path = _path_at(reader, item, item=True, target=target)
        if path is None:
            continue
        if path in seen:
            reader.refuse(item, "every path once")
        elif other is not None:
            _same_list(reader, item, other, path)
        seen.add(path)


def _drop(reader: Reader, at: Tree) -> None:
    items = reader.items(at, "a list of paths")
    if at.value == []:
        reader.refuse(at, "at least one path", "none")
    for item in items:
        _path_at(reader, item)


def _pairs(reader: Reader, at: Tree, expected: str) -> dict[str, Tree]:
    pairs = reader.mapping(at, expected)
    if at.value == {}:
        reader.refuse(at, expected, "an empty one")
    return pairs


def _path_at(reader: Reader, at: Tree | None, *, item: bool = False, target: bool = False) -> Path | None:
    """The path that a tree says. ``item``: it may not end in ``[]``."""
    text = reader.text(at, expected="a path such as address.city or products[].price")
    return _path(reader, at, text, named=target, item=item, target=target) if at is not None and text else None


def _path(reader: Reader, at: Tree, text: str, *, named: bool = False, item: bool = False, target: bool = False) -> Path | None:
    """``named``: it ends in a name; ``target``: below its last ``[]`` are only names, of objects that can be made."""
    try:
        path = parse_path(text)
    except ValueError as error:
        reader.refuse(at, "a path such as address.city or products[].price", str(error))
        return None
    if len(path) > _DEPTH_MAX:
        reader.refuse(at, f"a path of at most {_DEPTH_MAX} steps", str(len(path)))
        return None
    if not isinstance(path[0], str):
        reader.refuse(at, "a path that begins with a name", text)
    elif (named and not isinstance(path[-1], str)) or (item and path[-1] is None):
        reader.refuse(at, "a path that ends in a name", text)
    elif target and not all(isinstance(step, str) for step in path[len(base_of(path)) :]):
        reader.refuse(at, "a path without an index", text, "an item of a list is not made")
    else:
        return path
    return None


def _same_list(reader: Reader, at: Tree, one: Path, other: Path) -> None:
    if base_of(one) != base_of(other):
        reader.refuse(at, "paths below the same `[]`, or none of them below one", hint="each item of a list is changed by itself")


_PATH = text_schema("a path such as address.city or products[].price")
_PATHS: Schema = {"type": "array", "items": _PATH, "minItems": 2}
_VALUES: Schema = {"type": "object", "minProperties": 1}


def _with(required: Sequence[str], more: Schema | None = None, **properties: Schema) -> Schema:
    """A mapping of these keys; a keyword of Python has a `_` at its end."""
    known = {name.rstrip("_"): schema for name, schema in properties.items()}
    return {"type": "object", "properties": known, "additionalProperties": False, "required": list(required), **(more or {})}


_UNIT: Schema = {"enum": list(values.UNITS)}
_CONVERSIONS: dict[str, Schema] = {
    "unit": _with(("from", "to"), from_=_UNIT, to=_UNIT),
    "multiply": {"type": "number", "not": {"enum": [0, 1]}},
    "type": {"enum": list(values.TYPES)},
    "time": {"anyOf": [{"enum": list(values.EPOCHS)}, _with(("format",), format=text_schema(), zone=text_schema())]},
}
_DECIMALS: Schema = {"type": "integer", "minimum": 0, "maximum": _PLACES_MAX, "description": "decimal places that are kept"}
_TO_NUMBER: Schema = {"properties": {"type": {"const": "number"}}, "required": ["type"]}
_ROUNDED: Schema = {"anyOf": [{"required": ["unit"]}, {"required": ["multiply"]}, _TO_NUMBER]}
_CONVERT: Schema = {"oneOf": [{"required": [way]} for way in _WAYS], "dependencies": {"places": _ROUNDED}}
_OTHERS: Schema = {"anyOf": [{"enum": list(_OTHERWISE)}, _with(("value",), value={})]}

STEPS = {
    key.name: key
    for key in (
        Key("rename", Own({**_VALUES, "additionalProperties": text_schema()}, _rename),
            "old names and their new names in the same object"),
        Key("move", Own(_with(("from", "to"), from_=_PATH, to=_PATH), _move), "to another path"),
        Key("default", Own(_VALUES, _assigned), "a value where there is none"),
        Key("constant", Own(_VALUES, _constant), "a value, whatever is there"),
        Key("map", Own(_with(("path", "values"), path=_PATH, values=_VALUES, otherwise=_OTHERS), _map), "each old value to a new one"),
        Key("convert", Own(_with(("path",), _CONVERT, path=_PATH, **_CONVERSIONS, places=_DECIMALS), _convert),
            "to another unit, type or way to write a time"),
        Key("split", Own(_with(("path", "by", "into"), path=_PATH, by={"type": "string", "minLength": 1}, into=_PATHS), _split),
            "a text into several"),
        Key("join", Own(_with(("paths", "with", "into"), paths=_PATHS, with_={"type": "string"}, into=_PATH), _join),
            "several texts into one"),
        Key("drop", Own({"type": "array", "items": _PATH, "minItems": 1}, _drop), "paths that go"),
    )
}  # fmt: skip
"""What a step may do, by its key."""
