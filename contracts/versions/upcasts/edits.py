"""Changes of a document that copy only the objects and lists on their way, each once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from schemalogic.paths import Step

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


def changing(path: Path, how: Change) -> Change:
    """A change of everything at a path. It answers the same object if nothing changed, or if it could be changed in place."""
    if not path:
        return how
    step, inner = path[0], changing(path[1:], how)
    if isinstance(step, str):
        return _in_object(step, inner)
    return _in_items(inner) if step is None else _in_item(step, inner)


def _in_object(name: str, inner: Change) -> Change:
    def change(value: Any, owned: Owned) -> Any:
        old = value.get(name, ABSENT) if type(value) is dict else ABSENT
        if old is ABSENT:
            return value
        new = inner(old, owned)
        return value if new is old else _with(value, name, new, owned)

    return change


def _in_item(index: int, inner: Change) -> Change:
    def change(value: Any, owned: Owned) -> Any:
        if type(value) is not list or index >= len(value):
            return value
        new = inner(value[index], owned)
        return value if new is value[index] else _with(value, index, new, owned)

    return change


def _with(container: Any, at: str | int, new: Any, owned: Owned) -> Any:
    container = own(container, owned)
    if new is ABSENT:
        del container[at]
    else:
        container[at] = new
    return container


def _in_items(inner: Change) -> Change:
    def change(items: Any, owned: Owned) -> Any:
        if type(items) is not list:
            return items
        changed: list[Any] = []
        same = True
        try:
            for item in items:
                new = inner(item, owned)
                if new is not item:
                    same = False
                changed.append(new)
        except Refused as refused:
            refused.indexes.insert(0, len(changed))
            raise
        if same:
            return items
        owned[id(changed)] = changed
        if ABSENT in changed:
            changed[:] = [item for item in changed if item is not ABSENT]
        return changed

    return change


def removing(path: Path) -> Change:
    """A change that removes what is at a path."""
    return changing(path, lambda *_: ABSENT)


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
