"""Leaves out of people and events what a destination may not be told. What is given is never changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from contracts.model.destinations import Path, Withheld

WHOLE = "whole"
"""The key beside `traits` and `properties` of what goes where a file names all of them."""


def person_without(person: dict[str, Any], withheld: Withheld) -> dict[str, Any]:
    """The person without traits that may not serve, and under `whole` (of what is named whole) without sensitive ones."""
    if not withheld.traits and not withheld.whole_traits:
        return person
    kept = {name: value for name, value in (person.get("traits") or {}).items() if name not in withheld.traits}
    whole = {name: value for name, value in kept.items() if name not in withheld.whole_traits}
    return {**person, "traits": kept, WHOLE: {"traits": whole}}


def event_without(body: dict[str, Any], name: str, withheld: Withheld) -> dict[str, Any]:
    """The same of an event of this normalised name: its properties, of identify and group its traits."""
    part = "traits" if name in {"identify", "group"} else "properties"
    away, sensitive = withheld.properties.get(name, ()), withheld.whole_properties.get(name, ())
    if not away and not sensitive:
        return body
    kept = _without(body.get(part), away)
    return {**body, part: kept, WHOLE: {part: _without(kept, sensitive)}}


def whole(holder: Mapping[str, Any], part: str) -> Any:
    """All that may go of a part."""
    kept = holder.get(WHOLE)
    return kept[part] if kept is not None and part in kept else holder.get(part)


def _without(value: Any, paths: Iterable[Path]) -> Any:
    for path in paths:
        value = _one_less(value, path)
    return value


def _one_less(value: Any, path: Path) -> Any:
    step, below = path[0], path[1:]
    if step is None or type(step) is int:
        return [_one_less(item, below) if below else item for item in value] if type(value) is list else value
    if type(value) is not dict or step not in value:
        return value
    if not below or (below == (None,)):
        return {key: inside for key, inside in value.items() if key != step}
    return {**value, str(step): _one_less(value[step], below)}
