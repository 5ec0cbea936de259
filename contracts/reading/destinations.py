"""``destinations/<name>.yaml``: who is told of changes."""

from __future__ import annotations

from contracts.model.definitions import CHANGES, DESTINATION_KINDS, Destination
from contracts.reading.confidence import FLOOR
from contracts.text.keys import Choice, Fields, Items, Key, Text
from contracts.text.yaml_tree import Reader, Tree

DESTINATION = Fields((
    Key("kind", Choice(DESTINATION_KINDS), "what is told", required="file"),
    Key("path", Text(), "the file to write, relative to the project folder", required="the file to write, relative to the project folder"),
    Key("changes", Items(Choice(CHANGES), "a list of types of changes", {"minItems": 1}),
        "what it is told of; leave it out for everything"),
    Key("confidence", FLOOR, "of people of whom we are less sure who it is, only what their segments gain and lose is told"),
))  # fmt: skip


def read_destination(reader: Reader, at: Tree, name: str) -> Destination:
    """One destination, named after its file."""
    told = f"a segment says that it goes here: `activate: [{name}]`" if isinstance(at.value, dict) and "segments" in at.value else ""
    parts = DESTINATION.parts(reader, at, beside=told)
    said = DESTINATION.values(reader, at, parts)
    if "changes" in parts and parts["changes"].value == []:
        reader.refuse(parts["changes"], "at least one type of change", "an empty list", "leave `changes` out for all of them")
    changes = tuple(dict.fromkeys(filter(None, said["changes"] or ())))
    return Destination(name, said["kind"] or "file", said["path"], changes or CHANGES, said["confidence"])
