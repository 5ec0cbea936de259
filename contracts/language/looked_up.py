"""Paths ``context.lookup.…``: what a lookup has found when the event was accepted."""

from __future__ import annotations

from collections.abc import Mapping

from contracts.model.lookup import RESERVED, Lookup
from contracts.text.problems import choices
from contracts.text.yaml_tree import Reader, Tree
from schemalogic.paths import Step


def found_by(reader: Reader, at: Tree, steps: tuple[Step, ...], known: Mapping[str, Lookup | None]) -> bool:
    """Whether a path ``context.lookup.…`` leads to what a lookup of these can find; a problem if not. None is one that cannot be read."""
    name = steps[2] if len(steps) > 2 else None
    if name not in known:
        said = str(name) if name is not None else "no name behind it"
        reader.refuse(at, "context.lookup and the name of a file of lookups/", said, choices(str(name or ""), known))
        return False
    lookup = known[str(name)]
    below = next((step for step in steps[3:] if type(step) is str), None)
    names = lookup.names if lookup is not None else ()
    if names and below is not None and below not in {*names, *RESERVED}:
        reader.refuse(at, f"a value of lookups/{name}.yaml", below, choices(below, [*names, *RESERVED]))
        return False
    return True
