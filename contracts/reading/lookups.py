"""``lookups/<name>.yaml``: reference data by a key, which is looked up for every event as it is accepted."""

from __future__ import annotations

from contracts.model.lookup import LOOKUP_KINDS, NAMES, NORMALIZE, ON_ERROR, RESERVED, Lookup, LookupKind
from contracts.text.keys import Choice, Fields, Key, Own, Text, texts_schema
from contracts.text.problems import closest, listed
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
    Key("kind", Choice(LOOKUP_KINDS), "what the data is", required=listed(LOOKUP_KINDS)),
    Key("path", Text(), "the file, relative to the project folder"),
    Key("query", Text(), "a query of DuckDB that gives the rows"),
    Key("column", Text(), "the column that holds the key"),
    Key("key", Own(texts_schema(_KEY)), _KEY),
    Key("values", Own(_VALUES_SCHEMA), f"what is found, below context.lookup: {_VALUES}; leave it out for every other column"),
    Key("normalize", Choice(NORMALIZE), "which keys are the same: text, lower (of any case) or digits (only these count)", default="text"),
    Key("on_error", Choice(ON_ERROR), "what happens while there is no data: no flow starts, events say so, or they wait in quarantine",
        default="refuse"),
))  # fmt: skip
_TABLE = ("column", "key")
NEEDED: dict[str, tuple[str, ...]] = {
    "csv": ("path", *_TABLE), "parquet": ("path", *_TABLE), "duckdb": ("query", *_TABLE), "maxmind": ("path", "values"),
    "user_agent": (), "channel": (),
}  # fmt: skip
"""By kind the keys that must be there."""
_FREE: dict[str, tuple[str, ...]] = {
    "csv": ("values", "normalize"), "parquet": ("values", "normalize"), "duckdb": ("path", "values", "normalize"),
    "maxmind": ("key",), "user_agent": ("key", "values"), "channel": ("path", "values"),
}  # fmt: skip
_KEYS = {"maxmind": ("context.ip",), "user_agent": ("context.userAgent",)}
"""What is looked up where nothing is said."""
_EVERYWHERE = ("title", "kind", "on_error")


def read_lookup(reader: Reader, at: Tree, name: str) -> Lookup:
    """One lookup, named after its file."""
    parts = LOOKUP.parts(reader, at)
    said = LOOKUP.values(reader, at, parts)
    kind: LookupKind = said["kind"] or "csv"
    if said["kind"]:
        for key in NEEDED[kind]:
            reader.required(at, parts, key, _EXPECTED[key])
        for key, part in parts.items():
            if key not in (*_EVERYWHERE, *NEEDED[kind], *_FREE[kind]):
                reader.refuse(part, f"one of the keys {listed([*_EVERYWHERE, *NEEDED[kind], *_FREE[kind]])} of kind {kind}", key)
    return Lookup(
        name,
        kind,
        said["path"] or "",
        said["column"] or "",
        _paths(reader, parts.get("key")) or _KEYS.get(kind, ()),
        _values(reader, parts.get("values"), kind),
        said["normalize"],
        said["on_error"],
        said["query"] or "",
        {key: part.line for key, part in parts.items()},
    )


_EXPECTED = {
    "path": "the file, relative to the project folder",
    "query": "a query of DuckDB that gives the rows",
    "column": "the column that holds the key",
    "key": _KEY,
    "values": "what of a record is found, such as {country: country.iso_code}",
}


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


def _values(reader: Reader, at: Tree | None, kind: str) -> tuple[tuple[str, str], ...]:
    if at is None:
        return ()
    if isinstance(at.value, dict):
        found = {name: (part, reader.text(part, expected="the name of a column")) for name, part in at.value.items()}
    else:
        found = {part.value: (part, part.value) for part in reader.texts(at, _VALUES)}
    for name, (part, column) in found.items():
        known = NAMES.get(kind)
        if known is not None and column not in known:
            reader.refuse(part, f"one of {listed(known)}", column, closest(column, known))
        if kind == "maxmind" and not _is_path(column):
            reader.refuse(part, "a path in the record such as country.iso_code, without []", column)
        if name in RESERVED:
            reader.refuse(part, "a name other than version and error, which Skep writes itself", name, f"write `other_name: {name}`")
    return tuple((name, column) for name, (_, column) in found.items())


def _is_path(text: str) -> bool:
    try:
        return None not in parse_path(text)
    except ValueError:
        return not text
