"""Two destinations that fill one audience: each takes away whom the other has put in."""

from __future__ import annotations

import json

from contracts.model.definitions import Definitions
from contracts.text.problems import Problem
from contracts.text.yaml_tree import Reader


def same_audiences(definitions: Definitions) -> list[Problem]:
    """A warning for each audience that an earlier file of the same kind and connection names, too."""
    first: dict[tuple[str, str, str], str] = {}
    found = []
    for destination in definitions.destinations:
        for segment, name in destination.audiences.items():
            key = (destination.kind, json.dumps(destination.connection, sort_keys=True), name)
            other = first.setdefault(key, destination.name)
            if other != destination.name:
                file = f"destinations/{destination.name}.yaml"
                line, place = _place(definitions.files.get(file, ""), file, segment)
                hint = "each would take away whom the other puts in; use one file, or another audience"
                found.append(Problem(file, line, place, "an audience that one file fills", f"{name}, as in {other}", hint))
    return found


def _place(text: str, file: str, segment: str) -> tuple[int, str]:
    """The line and the key of an audience in a file."""
    tree = Reader([]).parse(file, text)
    audiences = tree.value.get("audiences") if tree is not None else None
    part = audiences.value.get(segment) if audiences is not None and isinstance(audiences.value, dict) else None
    return (1, "audiences") if part is None else (part.line, part.key)
