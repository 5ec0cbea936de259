"""``lookups/<name>.yaml``: reference data by a key, which is looked up for every event as it is accepted."""

from __future__ import annotations

from contracts.model.lookup import LOOKUP_KINDS, NORMALIZE, ON_ERROR, RESERVED, Lookup
from contracts.text.keys import Choice, Fields, Key, Own, Text, texts_schema
from contracts.text.yaml_tree import Reader, Tree
from schemalogic.paths import parse_path

FOLDER = "lookups"
_KEY = "the path in the event that is looked up, such as properties.sku, or a list of paths"
_VALUES = "a list of columns, or a mapping of names to columns"
_VALUES_SCHEMA = {
    "anyOf": [
        {"type": "array", "items": {"type": "string", "pattern": r"\S"}, "minItems": 1},
        {"type": "object", "additionalProperties": {"type": "string", "pattern": r"\S"}, "minProperties": 1},
    ]
}
LOOKUP = Fields((
    Key("title", Text(), "what it says, for people"),
    Key("kind", Choice(LOOKUP_KINDS), "what the data is", required="csv or parquet"),
    Key("path", Text(), "the file, relative to the project folder", required="the file, relative to the project folder"),
    Key("column", Text(), "the column of the file that holds the key", required="the column of the file that holds the key"),
    Key("key", Own(texts_schema(_KEY)), _KEY, required=_KEY),
    Key("values", Own(_VALUES_SCHEMA), f"what is found, below context.lookup: {_VALUES}; leave it out for every other column"),
    Key("normalize", Choice(NORMALIZE), "which keys are the same: text, lower (of any case) or digits (only these count)", default="text"),
    Key("on_error", Choice(ON_ERROR), "what happens while there is no data: no flow starts, events say so, or they wait in quarantine",
        default="refuse"),
))  # fmt: skip


def read_lookup(reader: Reader, at: Tree, name: str) -> Lookup:
    """One lookup, named after its file."""
    parts = LOOKUP.parts(reader, at)
    said = LOOKUP.values(reader, at, parts)
    lines = {key: part.line for key, part in parts.items()}
    return Lookup(
        name,
        said["kind"] or "csv",
        said["path"],
        said["column"],
        _paths(reader, parts.get("key")),
        _values(reader, parts.get("values")),
        said["normalize"],
        said["on_error"],
        lines,
    )


def _paths(reader: Reader, at: Tree | None) -> tuple[str, ...]:
    found = []
    for part in reader.texts(at, _KEY):
        try:
            steps = parse_path(part.value)
        except ValueError as error:
            reader.refuse(part, "a path such as properties.products[].sku", str(error))
            continue
        if steps[0] == "context" and steps[1:2] == ("lookup",):
            reader.refuse(part, "what the sender says", part.value, "one lookup does not read what another has found")
        else:
            found.append(part.value)
    return tuple(found)


def _values(reader: Reader, at: Tree | None) -> tuple[tuple[str, str], ...]:
    if at is None:
        return ()
    if isinstance(at.value, dict):
        found = {name: (part, reader.text(part, expected="the name of a column")) for name, part in at.value.items()}
    else:
        found = {part.value: (part, part.value) for part in reader.texts(at, _VALUES)}
    for name, (part, _) in found.items():
        if name in RESERVED:
            reader.refuse(part, "a name other than version and error, which Skep writes itself", name, f"write `other_name: {name}`")
    return tuple((name, column) for name, (_, column) in found.items())
