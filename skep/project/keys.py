"""The keys of ``skep.yaml``, each declared once: what is read, what editors know, and which variable says it instead."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from connectors.sources.kafka.spec import OURS
from contracts.model.definitions import SOURCE_KINDS
from contracts.model.hashing import DEFAULT_SECRET
from contracts.text.keys import Boolean, Choice, Duration, Fields, Integer, Key, Own, Plain, Schema, Text, text_schema, texts_schema
from contracts.text.times import parse_time
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


def _of(*kinds: str) -> Schema:
    return {"properties": {"kind": {"enum": [*kinds]}}, "required": ["kind"]}


def _topics(reader: Reader, at: Tree) -> tuple[str, ...]:
    names: list[str] = []
    for one in reader.texts(at, "a topic, or a list of them"):
        name = str(one.value)
        try:
            good = bool(re.compile(name)) if name.startswith("^") else re.fullmatch(r"[A-Za-z0-9._-]{1,249}", name)
        except re.error as error:
            reader.refuse(one, "a pattern of topics", name, str(error))
            continue
        if not good or name in names:
            reader.refuse(one, "the name of a topic, once, or a pattern that begins with ^")
        names.append(name)
    return tuple(names)


def _start(value: object) -> str | int:
    if value in {"earliest", "latest"}:
        return str(value)
    time_us = parse_time(value) if isinstance(value, str) else None
    if time_us is None:
        raise ValueError("earliest, latest or a time such as 2026-01-31T00:00:00Z")
    return time_us


def _config(reader: Reader, at: Tree) -> dict[str, str]:
    said: dict[str, str] = {}
    for key, part in reader.mapping(at).items():
        if key in OURS:
            reader.refuse(part, "a setting of librdkafka that is the source's own", key, OURS[key])
        elif isinstance(part.value, str | int | float):
            said[key] = str(part.value).lower() if isinstance(part.value, bool) else str(part.value)
        else:
            reader.refuse(part, "a text, a number, true or false")
    return said


KAFKA = Fields((
    Key("servers", Text("the brokers, as host:port,host:port"), "the brokers that are asked first, as host:port,host:port",
        required="the brokers, as host:port,host:port"),
    Key("topics", Own(texts_schema(), _topics), "topics, or patterns of them that begin with ^", required="a topic, or a list of them"),
    Key("start", Plain(_start, text_schema()), "where a partition begins that was never read: earliest, latest or a time",
        default="earliest"),
    Key("wait", Duration(), "how long a start waits for the cluster", default="5m"),
    Key("config", Own({"type": "object", "additionalProperties": {"type": ["string", "number", "boolean"]}}, _config),
        "settings of librdkafka; ${NAME} is a variable, ${file:/path} what is in a file"),
))  # fmt: skip
OF_FILES = ("path", "mapping", "history", "changed")
"""Keys of a source that only files have."""
_NO_KAFKA = dict.fromkeys(KAFKA.names, False)
SOURCE = Fields(
    (
        Key("name", Own(_NAME, lambda reader, at: reader.text(at)), "part of what is remembered of how far it was read",
            required="the name of the source", default="", shown=False),
        Key("kind", Choice(SOURCE_KINDS), "jsonl is one event a line, kafka one a message", required="jsonl, csv, parquet or kafka",
            default="jsonl", shown=False),
        Key("path", Own(text_schema()), "a file, a folder or a glob, relative to the project folder"),
        Key("mapping", Own(lambda names: Text(names="mappings").schema(names, "")), "the name of a file in contracts/sources/"),
        Key("space", Own(text_schema()), "the space that it feeds; the first of `spaces` without it"),
        Key("history", Own({"type": "boolean"}), "written down before it is read: none of it is late. CSV and Parquet always are"),
        Key("changed", Choice(("stop", "reread")), "what becomes of a file with other content than when it was read", default="stop"),
        *(Key(key.name, Own(key.kind.schema({}, "")), key.says) for key in KAFKA.keys),
    ),
    {
        "allOf": [
            {"if": _of("jsonl"), "then": {"required": ["path"], "properties": {"mapping": False, **_NO_KAFKA}}},
            {"if": _of("csv", "parquet"), "then": {"required": ["path", "mapping"], "properties": _NO_KAFKA}},
            {"if": _of("kafka"), "then": {"required": ["servers", "topics"], "properties": dict.fromkeys(OF_FILES, False)}},
        ]
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
