"""What each kind of step does, as an `Edit`: it changes a top-level object that is this run's own, and copies whatever else
it changes. Of top-level names the edits are the lines of a function (`contracts/versions/upcasts/straight.py`)."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from contracts.text.scalars import scalar
from contracts.versions.upcasts import straight, values
from contracts.versions.upcasts.edits import ABSENT, Change, Owned, Path, Refused, changing, get, own, put, removing
from schemalogic.paths import parse_path

Edit = straight.Lines | Change
Place = tuple[Path, Edit]
"""The path that an edit is about, for errors."""


def base_of(path: Path) -> Path:
    """The path up to its last ``[]``: one step's paths must share it, so that each item is changed by itself."""
    return path[: max((i + 1 for i, step in enumerate(path) if step is None), default=0)]


def _in_objects(paths: list[Path], edit: Callable[..., Change]) -> Change:
    """An edit of every object at the paths' common base; ``edit`` makes it of the paths below that."""
    base = base_of(paths[0])
    inner = edit(*(path[len(base) :] for path in paths))

    def of_object(item: Any, owned: Owned) -> Any:
        if type(item) is not dict:
            return item
        try:
            return inner(item, owned)
        except Refused as refused:
            if refused.path is not None:
                refused.path = base + refused.path
            raise

    return changing(base, of_object)


def _rename(spec: dict[str, str]) -> list[Place]:
    """Names of one object change at once, so that they can be swapped; those of inner objects before those around them."""
    by_object: dict[Path, list[tuple[str, str]]] = {}
    for text, new in spec.items():
        path = parse_path(text)
        by_object.setdefault(path[:-1], []).append((str(path[-1]), str(parse_path(new)[0])))
    places: list[Place] = []
    for around, pairs in sorted(by_object.items(), key=lambda one: -len(one[0])):
        path = (*around, pairs[0][0])
        if not around:
            places.append((path, straight.rename(pairs)))
        else:
            places.append((path, changing(around, _renaming(pairs))))
    return places


def _renaming(pairs: list[tuple[str, str]]) -> Change:
    olds = frozenset(old for old, _ in pairs)

    def rename(item: Any, owned: Owned) -> Any:
        if type(item) is not dict or olds.isdisjoint(item):
            return item
        item = own(item, owned)
        found = [(new, item.pop(old)) for old, new in pairs if old in item]
        item.update(found)
        return item

    return rename


def _move(spec: dict[str, str]) -> list[Place]:
    def move(source: Path, target: Path) -> Change:
        remove = removing(source)

        def of_object(item: Any, owned: Owned) -> Any:
            value = get(item, source)
            return item if value is ABSENT else put(remove(item, owned), target, value, owned)

        return of_object

    paths = [parse_path(spec["from"]), parse_path(spec["to"])]
    return [(paths[0], _in_objects(paths, move))]


def _fresh(value: Any) -> Callable[[], Any]:
    """Documents do not share a file's lists and objects."""
    return (lambda: deepcopy(value)) if isinstance(value, (dict, list)) else (lambda: value)


def _default(spec: dict[str, Any]) -> list[Place]:
    return [(path := parse_path(text), _default_at(path, value)) for text, value in spec.items()]


def _default_at(path: Path, value: Any) -> Edit:
    name, fresh = str(path[-1]), _fresh(value)
    if len(path) == 1:
        return straight.default(name, fresh) if isinstance(value, (dict, list)) else straight.default_shared(name, value)

    def of_item(item: Any, owned: Owned) -> Any:
        if type(item) is not dict or name in item:
            return item
        item = own(item, owned)
        item[name] = fresh()
        return item

    return changing(path[:-1], of_item)


def _constant(spec: dict[str, Any]) -> list[Place]:
    return [(path := parse_path(text), _constant_at(path, value)) for text, value in spec.items()]


def _constant_at(path: Path, value: Any) -> Edit:
    fresh = _fresh(value)
    if len(path) == 1:
        return straight.constant(str(path[0]), fresh)
    return _in_objects([path], lambda target: lambda item, owned: put(item, target, fresh(), owned))


def _map(spec: dict[str, Any]) -> list[Place]:
    path = parse_path(spec["path"])
    return [(path, _value_edit(path, _mapping(spec["values"], spec.get("otherwise", "keep"))))]


def _mapping(table: dict[str, Any], otherwise: Any) -> values.Convert:
    """A key is the text, and the number, boolean or null that is written like it."""
    numbers = {scalar(key): new for key, new in table.items() if type(scalar(key)) in {int, float}}
    others = {True: table.get("true", ABSENT), False: table.get("false", ABSENT)}
    null = table.get("null", ABSENT)

    def convert(value: Any) -> Any:
        if type(value) is str:
            new = table.get(value, ABSENT)
        elif type(value) is bool:
            new = others[value]
        elif value is None:
            new = null
        else:
            new = numbers.get(value, ABSENT) if type(value) in {int, float} else ABSENT
        if new is not ABSENT:
            return deepcopy(new) if isinstance(new, (dict, list)) else new
        if otherwise == "refuse":
            raise Refused("one of " + ", ".join(table), value)
        return value if otherwise == "keep" else ABSENT if otherwise == "drop" else deepcopy(otherwise["value"])

    return convert


def _convert(spec: dict[str, Any]) -> list[Place]:
    path = parse_path(spec["path"])
    convert = converter(spec)
    if len(path) == 1:
        return [(path, straight.converted(str(path[0]), convert))]
    return [(path, changing(path, lambda value, _: value if value is None else convert(value)))]


def converter(spec: dict[str, Any]) -> values.Convert:
    """What a checked ``convert`` does with one value that is not null."""
    places = spec.get("places")
    if "type" in spec:
        return values.to_type(spec["type"], places)
    if "time" in spec:
        time = spec["time"]
        return values.from_epoch(time) if isinstance(time, str) else values.from_format(time["format"], time.get("zone", "UTC"))
    ratio = values.ratio_of_units(spec["unit"]["from"], spec["unit"]["to"]) if "unit" in spec else values.factor(spec["multiply"])
    assert ratio is not None
    return values.scaling(*ratio, places)


def _value_edit(path: Path, convert: values.Convert) -> Edit:
    if len(path) > 1:
        return changing(path, lambda value, _: convert(value))
    return straight.mapped(str(path[0]), convert)


def _split(spec: dict[str, Any]) -> list[Place]:
    by, pieces = spec["by"], len(spec["into"])

    def split(source: Path, *targets: Path) -> Change:
        remove = removing(source)

        def of_object(item: Any, owned: Owned) -> Any:
            value = get(item, source)
            if value is ABSENT or value is None:
                return item
            if type(value) is not str:
                raise Refused("a text", value)
            item = remove(item, owned)
            # The last one takes the rest; with fewer parts the last ones get nothing.
            for target, part in zip(targets, value.split(by, pieces - 1), strict=False):
                put(item, target, part, owned)
            return item

        return of_object

    paths = [parse_path(spec["path"]), *map(parse_path, spec["into"])]
    return [(paths[0], _in_objects(paths, split))]


def _join(spec: dict[str, Any]) -> list[Place]:
    def join(target: Path, *sources: Path) -> Change:
        removes = [removing(source) for source in sources]

        def of_object(item: Any, owned: Owned) -> Any:
            parts = [text for source in sources if (text := _part(item, source)) is not None]
            if not parts:
                return item
            for remove in removes:
                item = remove(item, owned)
            return put(item, target, spec["with"].join(parts), owned)

        return of_object

    paths = [parse_path(spec["into"]), *map(parse_path, spec["paths"])]
    return [(paths[0], _in_objects(paths, join))]


def _part(item: Any, source: Path) -> str | None:
    value = get(item, source)
    if value is ABSENT or value is None:
        return None
    text = values.text_of(value)
    if text is None:
        raise Refused("a text, a number or a boolean", value, source)
    return text


def _drop(spec: list[str]) -> list[Place]:
    return [(path := parse_path(text), _drop_at(path)) for text in spec]


def _drop_at(path: Path) -> Edit:
    if len(path) == 1:
        return straight.dropped(str(path[0]))
    return removing(path)


EDITS: dict[str, Callable[[Any], list[Place]]] = {
    "rename": _rename, "move": _move, "default": _default, "constant": _constant, "map": _map,
    "convert": _convert, "split": _split, "join": _join, "drop": _drop,
}  # fmt: skip
