"""The keys of ``skep.yaml``, each declared once: what is read, what editors know, and which variable says it instead."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from contracts.model.definitions import SOURCE_KINDS
from contracts.model.hashing import DEFAULT_SECRET
from contracts.text.keys import Boolean, Choice, Duration, Fields, Integer, Key, Own, Plain, Text, text_schema
from contracts.text.yaml_tree import Reader, Tree

NAME = "^[a-z0-9][a-z0-9_-]*$"
_NAME = {"type": "string", "pattern": NAME}


def _spaces(reader: Reader, at: Tree) -> tuple[str, ...]:
    names: list[str] = []
    for item in reader.items(at, "a list of spaces such as [shop]"):
        if isinstance(item.value, str) and re.fullmatch(NAME, item.value) and item.value not in names:
            names.append(item.value)
        else:
            reader.refuse(item, "a name of small letters, digits, `_` and `-`, once")
    if not names and isinstance(at.value, list) and not at.value:
        reader.refuse(at, "at least one space", "an empty list")
    return tuple(names) or ("shop",)


def _url(value: object) -> str:
    if isinstance(value, str) and re.fullmatch(r"https?://[^\s/]+\S*", value):
        return value
    raise ValueError("the address of a schema registry such as http://localhost:8081")


SOURCE = Fields(
    (
        Key("name", Own(_NAME, lambda reader, at: reader.text(at)), "part of what is remembered of how far it was read",
            required="the name of the source", default="", shown=False),
        Key("kind", Choice(SOURCE_KINDS), "jsonl is one event a line", required="jsonl, csv or parquet",
            default="jsonl", shown=False),
        Key("path", Text(), "a file, a folder or a glob, relative to the project folder",
            required="a file, folder or glob, relative to the project folder"),
        Key("mapping", Own(lambda names: Text(names="mappings").schema(names, "")), "the name of a file in contracts/sources/"),
        Key("space", Own(text_schema()), "the space that it feeds; the first of `spaces` without it"),
        Key("history", Own({"type": "boolean"}), "written down before it is read: none of it is late. CSV and Parquet always are"),
        Key("changed", Choice(("stop", "reread")), "what becomes of a file with other content than when it was read", default="stop"),
    ),
    {
        "if": {"properties": {"kind": {"const": "jsonl"}}, "required": ["kind"]},
        "then": {"properties": {"mapping": False}},
        "else": {"required": ["mapping"]},
    },
)  # fmt: skip
ARCHIVE = Fields((
    Key("rows", Integer(), "events in memory before the archive writes a file", default=100_000),
    Key("interval", Duration(), "the archive writes at least this often", default="10s"),
))  # fmt: skip
SNAPSHOT = Fields((
    Key("personal", Choice(("hash", "clear")), "clear puts personal values into snapshot and change log", default="hash"),
    Key("interval", Duration(), "how often `skep run` publishes the snapshot", default="60s"),
    Key("storage", Choice(("v1.2.0", "v1.4.0", "latest")), "the oldest DuckDB that is to open the snapshot", default="v1.2.0"),
))  # fmt: skip
SETTINGS = Fields((
    Key("spaces", Own({"type": "array", "items": _NAME, "minItems": 1, "uniqueItems": True}, _spaces),
        "the brands or regions; each has its own store", default=("shop",), shown=False),
    Key("data", Text("a folder, relative to the project folder"),
        "the folder of all that is remembered, relative to the project folder", default="data"),
    Key("horizon", Duration(), "how late an event may be behind the clock", default="30d"),
    Key("future_skew", Duration(), "how far an event may lie ahead of the moment at which it was received", default="10m"),
    Key("unknown_events", Choice(("quarantine", "accept")), "what becomes of events that have no contract", default="quarantine"),
    Key("formats", Choice(("annotate", "assert")), "whether `format` in a contract is checked", default="annotate"),
    Key("apply", Choice(("by_command", "on_start")), "when edits of contracts/ take effect", default="by_command"),
    Key("follow", Boolean(), "wait for more at the end of the input", default=False),
    Key("sources", SOURCE.listed(), "where events come from"),
    Key("batch_size", Integer(), "records in one batch and one commit", default=2000),
    Key("registry", Plain(_url, {"type": "string", "pattern": "^https?://."}),
        "the address of a schema registry such as http://localhost:8081", default="", shown=False),
    Key("secret", Text("a text of your own, in quotes if it is a number"),
        "the key of all hashes of identifiers; prefer the variable SKEP_SECRET", default=DEFAULT_SECRET, shown=False),
    Key("max_event_bytes", Integer(100), "longer records are quarantined", default=1_000_000),
    Key("sync", Boolean(), "wait for the disk at every commit", default=False),
    Key("cache_mb", Integer(8), "memory for the people seen lately, in MB", default=512),
    Key("repair_moments", Integer(100), "stored events that are read for one event before others have their turn", default=20_000),
    Key("archive", ARCHIVE, "how the archive is written"),
    Key("snapshot", SNAPSHOT, "what the snapshot shows, and how often"),
    Key("log", Choice(("console", "json")), "console for people, json for machines", default="console"),
))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Leaf:
    """A key that holds no others, and the name of the one that it stands in."""

    key: Key
    outer: str = ""


def _leaves() -> Iterator[tuple[str, Leaf]]:
    for key in SETTINGS.keys:
        if isinstance(key.kind, Fields):
            yield from ((f"{key.name}_{inner.name}", Leaf(inner, key.name)) for inner in key.kind.keys)
        elif key.name != "sources":
            yield key.name, Leaf(key)


LEAVES = dict(_leaves())
VARIABLES = (*LEAVES, "source_path")
"""Settings that a variable of this name in capitals, behind ``SKEP_``, says."""
