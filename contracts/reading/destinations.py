"""``destinations/<name>.yaml``: who is told of changes."""

from __future__ import annotations

from contracts.model.definitions import Destination
from contracts.reading.confidence import read_floor
from contracts.text.yaml_tree import Reader, Tree

CHANGES = (
    "profile.created", "profile.updated", "identity.merged", "identity.split", "identity.confidence", "events.reassigned",
    "segment.entered", "segment.exited", "consent.changed", "profile.erased",
    "quality.broken", "quality.restored",
)  # fmt: skip
"""All types of change events; what a destination is told of by default."""

MEMBERSHIPS = frozenset({"segment.entered", "segment.exited"})
"""Those that the ``activate`` of a segment chooses destinations for."""


def read_destination(reader: Reader, at: Tree, name: str) -> Destination:
    """One destination, named after its file."""
    told = f"a segment says that it goes here: `activate: [{name}]`" if isinstance(at.value, dict) and "segments" in at.value else ""
    parts = reader.fields(at, ("kind", "path", "changes", "confidence"), beside=told)
    reader.choice(reader.required(at, parts, "kind", "file"), ("file",), "file")
    path = reader.text(reader.required(at, parts, "path", "the file to write, relative to the project folder"))
    before = len(reader.problems)
    changes = tuple(reader.choice(item, CHANGES, CHANGES[0]) for item in reader.items(parts.get("changes"), "a list of types of changes"))
    changes = changes if len(reader.problems) == before else CHANGES
    if "changes" in parts and parts["changes"].value == []:
        reader.refuse(parts["changes"], "at least one type of change", "an empty list", "leave `changes` out for all of them")
    floor = read_floor(reader, parts.get("confidence"))
    return Destination(name, "file", path, tuple(dict.fromkeys(changes)) or CHANGES, floor)
