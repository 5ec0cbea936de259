"""What is to be warned of about the audiences of destinations: what two of them fill, and what nothing fills."""

from __future__ import annotations

import json

from contracts.model.definitions import Definitions
from contracts.text.problems import Problem
from contracts.text.yaml_tree import Reader


def same_audiences(definitions: Definitions) -> list[Problem]:
    """A warning for each audience that an earlier file of the same kind and connection names, too: each takes away whom the other has put
    in."""
    first: dict[tuple[str, str, str], str] = {}
    found = []
    for destination in definitions.destinations:
        for segment, name in destination.audiences.items():
            key = (destination.kind, json.dumps(destination.connection, sort_keys=True), name)
            other = first.setdefault(key, destination.name)
            if other != destination.name:
                hint = "each would take away whom the other puts in; use one file, or another audience"
                place = _place(definitions, destination.name, segment)
                found.append(Problem(*place, "an audience that one file fills", f"{name}, as in {other}", hint))
    return found


def idle_audiences(definitions: Definitions) -> list[Problem]:
    """A warning for each audience of a segment that does not name the destination, so that nobody is told of it."""
    activated = {(name, segment.name) for segment in definitions.segments for name in segment.activate}
    return [
        Problem(
            *_place(definitions, destination.name, segment), f"a segment that names {destination.name} in `activate`", "one that does not",
            f"add it there, in contracts/segments/{segment}.yaml: until then nobody is told of it",
        )
        for destination in definitions.destinations
        for segment in destination.audiences
        if (destination.name, segment) not in activated
    ]  # fmt: skip


def _place(definitions: Definitions, destination: str, segment: str) -> tuple[str, int, str]:
    """The file, the line and the key of an audience."""
    file = f"destinations/{destination}.yaml"
    tree = Reader([]).parse(file, definitions.files.get(file, ""))
    audiences = tree.value.get("audiences") if tree is not None else None
    part = audiences.value.get(segment) if audiences is not None and isinstance(audiences.value, dict) else None
    return (file, 1, "audiences") if part is None else (file, part.line, part.key)
