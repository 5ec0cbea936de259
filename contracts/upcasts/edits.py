"""Changes of a document that copy only the objects and lists on their way, each once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from contracts.paths import Step

ABSENT: Any = object()
"""What stands where a document has no value; as the answer of a change it removes the value."""

Owned = dict[int, Any]
"""The containers that this run of an upcast has made, by id: they may be changed in place. Holding them keeps the ids theirs."""

Path = tuple[Step, ...]
Change = Callable[[Any, Owned], Any]


class Refused(Exception):  # noqa: N818 - an answer of a change, told as an UpcastError
    """A value that cannot be changed as asked. ``path``: where, if not where the step says; ``indexes``: of its lists."""

    def __init__(self, expected: str, value: object, path: Path | None = None) -> None:
        super().__init__(expected)
        self.expected, self.value, self.path = expected, value, path
        self.indexes: list[int] = []


def own(container: Any, owned: Owned) -> Any:
    """The container if it is this run's own, else a shallow copy that is."""
    if id(container) in owned:
        return container
    copy = container.copy()
    owned[id(copy)] = copy
    return copy


def get(value: Any, path: Path) -> Any:
    """The value at a path of names and indexes, or ABSENT."""
    for step in path:
        if type(step) is str:
            value = value.get(step, ABSENT) if type(value) is dict else ABSENT
        else:
            assert isinstance(step, int)
            value = value[step] if type(value) is list and step < len(value) else ABSENT
    return value


def change(value: Any, path: Path, how: Change, owned: Owned) -> Any:
    """The value with everything at the path changed; the same object if nothing was, or if it could be changed in place."""
    if not path:
        return how(value, owned)
    step, rest = path[0], path[1:]
    if type(step) is str:
        if type(value) is not dict or step not in value:
            return value
        return _set(value, step, change(value[step], rest, how, owned), owned)
    if type(value) is not list:
        return value
    if step is None:
        return _change_items(value, rest, how, owned)
    assert isinstance(step, int)
    return _set(value, step, change(value[step], rest, how, owned), owned) if step < len(value) else value


def _set(container: Any, at: str | int, new: Any, owned: Owned) -> Any:
    if new is container[at]:
        return container
    container = own(container, owned)
    if new is ABSENT:
        del container[at]
    else:
        container[at] = new
    return container


def _change_items(items: list[Any], rest: Path, how: Change, owned: Owned) -> list[Any]:
    changed, same = [], True
    for i, item in enumerate(items):
        try:
            new = change(item, rest, how, owned)
        except Refused as refused:
            refused.indexes.insert(0, i)
            raise
        same = same and new is item
        if new is not ABSENT:
            changed.append(new)
    if same:
        return items
    owned[id(changed)] = changed
    return changed


def remove(value: Any, path: Path, owned: Owned) -> Any:
    """The value without what is at the path."""
    return change(value, path, lambda *_: ABSENT, owned)


def put(value: dict[str, Any], path: Path, new: Any, owned: Owned) -> dict[str, Any]:
    """The object with ``new`` at a path of names. Objects that are missing (or null) on the way are made; `Refused` if
    something else is in the way."""
    top: dict[str, Any] = own(value, owned)
    at: dict[Any, Any] = top
    for depth, name in enumerate(path[:-1]):
        inner = at.get(name)
        if inner is None:
            inner = {}
        elif type(inner) is not dict:
            raise Refused("an object to put a value into", inner, path[: depth + 1])
        at[name] = inner = own(inner, owned)
        at = inner
    at[path[-1]] = new
    return top
