"""The steps of upcasts, compiled into one function.

A step becomes an `Edit`: it changes a top-level object that is this run's own, and copies whatever else it changes.
Steps on top-level names, which are most, are made without walking a path.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import Any

from contracts.definitions import Step, Upcast
from contracts.paths import parse_path
from contracts.upcasts import values
from contracts.upcasts.edits import ABSENT, Owned, Path, Refused, change, get, own, put, remove
from contracts.yaml_tree import scalar, shown

Document = dict[str, Any]
Edit = Callable[[Document, Owned], Any]
Place = tuple[Path, Edit]
"""The path that an edit is about, for errors."""


class UpcastError(ValueError):
    """A document that a step cannot change. ``path`` is the value's, with its indexes; ``reason`` says all but the place in the file."""

    def __init__(self, file: str, step: Step, path: str, expected: str, value: object) -> None:
        self.file, self.step, self.line, self.path, self.expected, self.value = file, step, step.line, path, expected, value
        self.reason = f"{path}: expected {expected}, found {shown(value)}"
        super().__init__(f"{file}:{step.line}: {self.reason}")


def compile_upcasts(upcasts: Iterable[Upcast]) -> Callable[[Document], Document]:
    """What makes of a document of the first upcast's start one of the last one's end, and raises `UpcastError`.

    The document is not changed; what the steps leave alone is shared with it.
    """
    return compile_steps([(one.file, step) for one in upcasts for step in one.steps])


def compile_steps(steps: Iterable[tuple[str, Step]]) -> Callable[[Document], Document]:
    """`compile_upcasts` of single steps, each with the file that it is of."""
    origins: dict[Edit, tuple[str, Step, Path]] = {}
    edits: list[Edit] = []
    for file, step in steps:
        for path, edit in _EDITS[step.kind](step.spec):
            edits.append(edit)
            origins[edit] = (file, step, path)

    def upcast(document: Document) -> Document:
        top = document.copy()
        owned: Owned = {id(top): top}
        edit: Edit
        try:
            for edit in edits:
                edit(top, owned)
        except Refused as refused:
            file, step, path = origins[edit]
            at = _path_text(refused.path or path, refused.indexes)
            raise UpcastError(file, step, at, refused.expected, refused.value) from None
        return top

    return upcast


def _path_text(path: Path, indexes: list[int]) -> str:
    counted = iter(indexes)
    text = ""
    for step in path:
        if isinstance(step, str):
            text += f'["{step}"]' if any(char in step for char in '.[]"') else f".{step}"
        else:
            text += f"[{next(counted, '') if step is None else step}]"
    return text.removeprefix(".")


def base_of(path: Path) -> Path:
    """The path up to its last ``[]``: one step's paths must share it, so that each item is changed by itself."""
    return path[: max((i + 1 for i, step in enumerate(path) if step is None), default=0)]


def _in_items(paths: list[Path], edit: Callable[..., Any]) -> Edit:
    """An edit of every object at the paths' common base; ``edit`` takes it, the paths below it, and what is owned."""
    base = base_of(paths[0])
    below = [path[len(base) :] for path in paths]

    def of_item(item: Any, owned: Owned) -> Any:
        if type(item) is not dict:
            return item
        try:
            return edit(item, below, owned)
        except Refused as refused:
            if refused.path is not None:
                refused.path = base + refused.path
            raise

    return lambda top, owned: change(top, base, of_item, owned)


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
            places.append((path, _rename_top(pairs)))
        else:
            places.append((path, _changing(around, _renaming(pairs))))
    return places


def _rename_top(pairs: list[tuple[str, str]]) -> Edit:
    if len(pairs) > 1:
        return _renaming(pairs)
    old, new = pairs[0]

    def rename(top: Document, _owned: Owned) -> None:
        if old in top:
            top[new] = top.pop(old)

    return rename


def _renaming(pairs: list[tuple[str, str]]) -> Edit:
    def rename(item: Any, owned: Owned) -> Any:
        if type(item) is not dict or not any(old in item for old, _ in pairs):
            return item
        item = own(item, owned)
        found = [(new, item.pop(old)) for old, new in pairs if old in item]
        item.update(found)
        return item

    return rename


def _changing(path: Path, how: Callable[[Any, Owned], Any]) -> Edit:
    return lambda top, owned: change(top, path, how, owned)


def _move(spec: dict[str, str]) -> list[Place]:
    paths = [parse_path(spec["from"]), parse_path(spec["to"])]

    def move(item: Document, below: list[Path], owned: Owned) -> Any:
        source, target = below
        value = get(item, source)
        return item if value is ABSENT else put(remove(item, source, owned), target, value, owned)

    return [(paths[0], _in_items(paths, move))]


def _fresh(value: Any) -> Callable[[], Any]:
    """Documents do not share a file's lists and objects."""
    return (lambda: deepcopy(value)) if isinstance(value, (dict, list)) else (lambda: value)


def _default(spec: dict[str, Any]) -> list[Place]:
    return [(path := parse_path(text), _default_at(path, value)) for text, value in spec.items()]


def _default_at(path: Path, value: Any) -> Edit:
    name, fresh = str(path[-1]), _fresh(value)
    if len(path) == 1 and not isinstance(value, (dict, list)):
        return lambda top, _owned: top.setdefault(name, value)

    def of_item(item: Any, owned: Owned) -> Any:
        if type(item) is not dict or name in item:
            return item
        item = own(item, owned)
        item[name] = fresh()
        return item

    return _changing(path[:-1], of_item)


def _constant(spec: dict[str, Any]) -> list[Place]:
    return [(path := parse_path(text), _constant_at(path, value)) for text, value in spec.items()]


def _constant_at(path: Path, value: Any) -> Edit:
    fresh = _fresh(value)
    return _in_items([path], lambda item, below, owned: put(item, below[0], fresh(), owned))


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
    return [(path, _value_edit(path, lambda value: value if value is None else convert(value)))]


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
        return _changing(path, lambda value, _: convert(value))
    name = str(path[0])

    def edit(top: Document, _owned: Owned) -> None:
        if name in top:
            new = convert(top[name])
            if new is ABSENT:
                del top[name]
            else:
                top[name] = new

    return edit


def _split(spec: dict[str, Any]) -> list[Place]:
    paths = [parse_path(spec["path"]), *map(parse_path, spec["into"])]
    by = spec["by"]

    def split(item: Document, below: list[Path], owned: Owned) -> Any:
        source, targets = below[0], below[1:]
        value = get(item, source)
        if value is ABSENT or value is None:
            return item
        if type(value) is not str:
            raise Refused("a text", value)
        item = remove(item, source, owned)
        # The last one takes the rest; without enough parts the last ones get nothing.
        for target, part in zip(targets, value.split(by, len(targets) - 1), strict=False):
            item = put(item, target, part, owned)
        return item

    return [(paths[0], _in_items(paths, split))]


def _join(spec: dict[str, Any]) -> list[Place]:
    paths = [parse_path(spec["into"]), *map(parse_path, spec["paths"])]

    def join(item: Document, below: list[Path], owned: Owned) -> Any:
        target, sources = below[0], below[1:]
        parts = []
        for source in sources:
            value = get(item, source)
            if value is ABSENT or value is None:
                continue
            text = values.text_of(value)
            if text is None:
                raise Refused("a text, a number or a boolean", value, source)
            parts.append(text)
        if not parts:
            return item
        for source in sources:
            item = remove(item, source, owned)
        return put(item, target, spec["with"].join(parts), owned)

    return [(paths[0], _in_items(paths, join))]


def _drop(spec: list[str]) -> list[Place]:
    return [(path := parse_path(text), _drop_at(path)) for text in spec]


def _drop_at(path: Path) -> Edit:
    if len(path) == 1:
        name = str(path[0])
        return lambda top, _owned: top.pop(name, None)
    return _changing(path, lambda *_: ABSENT)


_EDITS: dict[str, Callable[[Any], list[Place]]] = {
    "rename": _rename, "move": _move, "default": _default, "constant": _constant, "map": _map,
    "convert": _convert, "split": _split, "join": _join, "drop": _drop,
}  # fmt: skip
KINDS = tuple(_EDITS)
