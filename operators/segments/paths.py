"""Reading a path's value out of properties or traits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from schemalogic.paths import Step, parse_path


def values(steps: tuple[Step, ...], value: Any) -> list[Any]:
    """What the path finds: one value, or one for each item where it has ``[]``; missing ones, and lists that are none, are None."""
    found = [value]
    for step in steps:
        if step is None:
            found = [item for each in found for item in (each if type(each) is list else (None,))]
        elif type(step) is int:
            found = [each[step] if type(each) is list and step < len(each) else None for each in found]
        else:
            found = [each.get(step) if type(each) is dict else None for each in found]
    return found


def getter(path: str) -> tuple[Callable[[Any], Any], bool]:
    """A function that reads the path, and whether it yields a list of candidates (the path has ``[]``)."""
    steps = parse_path(path)
    if None in steps:
        return (lambda value: values(steps, value)), True
    if len(steps) == 1 and type(steps[0]) is str:
        name = steps[0]
        return (lambda value: value.get(name)), False
    return (lambda value: values(steps, value)[0]), False


def satisfied(path: str, test: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """Whether the value at the path (some value, if it has ``[]``) satisfies the test."""
    read, several = getter(path)
    if several:
        return lambda value: any(test(item) for item in read(value))
    return lambda value: test(read(value))
