"""Rows of the shard on their way into DuckDB: Arrow record batches of a fixed size, never row by row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Protocol

import pyarrow as pa

from state.snapshot.personal import Hider, dump_json

BATCH_ROWS = 50_000

Settled = tuple[str, str, int, int | None]
"""A record that has left the quarantine otherwise than by passing as it was: id, partition, position, and the position of
the control entry that applied it (None: it was dropped)."""


Happened = tuple[str, int, int | None, int | None, str, str | None, list[tuple[str, str]], str, str, int]
"""Profile, sequence, clock, time of the cause, type, other profile, identifiers (of one that is gone no namespace and a hash),
type and id of the cause, version of the rules."""


class Rows(Protocol):
    """What one space's shard tells the snapshot, all of one moment. Times are microseconds since 1970."""

    @property
    def clock_us(self) -> int | None: ...
    def applied(self) -> dict[str, int]: ...
    def identifiers(self) -> Iterable[tuple[str, str, str, int, int, float]]: ...
    def links(self) -> Iterable[tuple[str, str, str, str, str, str, int, int, str, int, int, float | None]]: ...
    def history(self) -> Iterable[Happened]: ...
    def profiles(self) -> Iterable[tuple[str, int | None, int | None, dict[str, Any], float]]: ...
    def attributions(self) -> Iterable[tuple[str, str, float]]: ...
    def consents(self) -> Iterable[tuple[str, str, bool, int]]: ...
    def quarantine(self) -> Iterable[tuple[str, str, str, str, str, str, int, int | None, bytes]]: ...
    def settled(self) -> Iterable[Settled]: ...
    def changes(self) -> Iterable[tuple[int, bytes]]: ...
    def quality(self) -> Iterable[tuple[Any, ...]]:
        """In the order of the columns of table ``quality``, without the space; JSON columns as dictionaries."""
        ...

    def readings(self) -> Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]]:
        """By the name of an old contract: how the documents that it accepted are read now."""
        ...


_TEXT, _TIME, _WHOLE, _SHARE = pa.string(), pa.timestamp("us"), pa.int64(), pa.float64()

SCHEMAS: dict[str, pa.Schema] = {
    "identifiers": pa.schema(
        [("namespace", _TEXT), ("value", _TEXT), ("profile_id", _TEXT), ("first_seen", _TIME), ("last_seen", _TIME), ("confidence", _SHARE)]
    ),
    "identity_links": pa.schema(
        [(name, _TEXT) for name in ("a_namespace", "a_value", "b_namespace", "b_value", "kind", "state")]
        + [("first_seen", _TIME), ("last_seen", _TIME), ("message_id", _TEXT), ("events", _WHOLE), ("rules", _WHOLE), ("weight", _SHARE)]
    ),
    "identity_history": pa.schema(
        {
            "profile_id": _TEXT,
            "sequence": _WHOLE,
            "clock": _TIME,
            "event_time": _TIME,
            "type": _TEXT,
            "other_profile_id": _TEXT,
            "identifiers": pa.list_(_TEXT),
            "cause": _TEXT,
            "cause_id": _TEXT,
            "rules": _WHOLE,
        }
    ),
    "profiles": pa.schema([("profile_id", _TEXT), ("first_seen", _TIME), ("last_seen", _TIME), ("traits", _TEXT), ("confidence", _SHARE)]),
    "attributions": pa.schema([("message_id", _TEXT), ("profile_id", _TEXT), ("confidence", _SHARE)]),
    "consents": pa.schema([("profile_id", _TEXT), ("purpose", _TEXT), ("granted", pa.bool_()), ("decided_at", _TIME)]),
    "quarantine": pa.schema(
        [(name, _TEXT) for name in ("id", "reason", "detail", "event", "contract", "source")]
        + [("position", _WHOLE), ("received_at", _TIME), ("raw", pa.binary())]
    ),
    "changes": pa.schema([("sequence", _WHOLE), ("body", _TEXT)]),
    "quality": pa.schema(
        {
            "hour": _TIME,
            "source": _TEXT,
            "event": _TEXT,
            "events": _WHOLE,
            "refused": _WHOLE,
            "reasons": _TEXT,
            "newest": _TIME,
            "completeness": pa.float64(),
            "properties": _TEXT,
            "unknown_events": _WHOLE,
            "unknown_properties": _TEXT,
            "looked": _WHOLE,
            "outside": _TEXT,
        }
    ),
}

INSERTS: dict[str, str] = {
    "attributions": "INSERT INTO work.attributed SELECT message_id, profile_id, confidence, $space FROM batch",
    "changes": """INSERT INTO changes (id, type, profile_id, version, clock, body, sequence, space)
        SELECT body ->> '$.id', body ->> '$.type', body ->> '$.profile', CAST(body ->> '$.version' AS BIGINT),
               CAST(body ->> '$.clock' AS TIMESTAMP), CAST(body AS JSON), sequence, $space FROM batch""",
}
"""What is not a plain copy of the columns."""


def insert_sql(table: str) -> str:
    """The statement that puts the registered ``batch`` into a table."""
    columns = ", ".join(SCHEMAS[table].names)
    return INSERTS.get(table, f"INSERT INTO {table} ({columns}, space) SELECT {columns}, $space FROM batch")


def batches(table: str, rows: Iterable[tuple[Any, ...]], size: int = BATCH_ROWS) -> Iterator[pa.RecordBatch]:
    """The rows as record batches of the table's schema."""
    schema = SCHEMAS[table]
    source = iter(rows)
    while chunk := list(islice(source, size)):
        columns = zip(*chunk, strict=True)
        yield pa.RecordBatch.from_arrays([pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)], schema=schema)


def visible(rows: Rows, hider: Hider | None) -> dict[str, Iterable[tuple[Any, ...]]]:
    """The rows of each table as they may be seen; tables whose rows others name come first."""
    return {
        "quarantine": _quarantine(rows, hider),
        "identifiers": _identifiers(rows, hider),
        "identity_links": _links(rows, hider),
        "identity_history": _history(rows, hider),
        "profiles": _profiles(rows, hider),
        "attributions": rows.attributions(),
        "consents": rows.consents(),
        "changes": ((sequence, _text(hider.change(body) if hider else body)) for sequence, body in rows.changes()),
        "quality": _quality(rows, hider),
    }


def _quality(rows: Rows, hider: Hider | None) -> Iterator[tuple[Any, ...]]:
    names = SCHEMAS["quality"].names
    for row in rows.quality():
        cells = dict(zip(names, row, strict=True))
        if hider:
            cells["unknown_properties"] = hider.names(cells["event"], cells["unknown_properties"])
        yield tuple(dump_json(cell) if isinstance(cell, dict) else cell for cell in cells.values())


def _text(text: str | bytes) -> str:
    return text if isinstance(text, str) else text.decode("utf-8", "replace")


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _identifiers(rows: Rows, hider: Hider | None) -> Iterator[tuple[Any, ...]]:
    for namespace, value, *rest in rows.identifiers():
        yield namespace, _encodable(hider.identifier(namespace, value) if hider else value), *rest


def _links(rows: Rows, hider: Hider | None) -> Iterator[tuple[Any, ...]]:
    for a_ns, a, b_ns, b, *rest in rows.links():
        if hider:
            a, b = hider.identifier(a_ns, a), hider.identifier(b_ns, b)  # noqa: PLW2901 - the same things, hidden
        yield a_ns, _encodable(a), b_ns, _encodable(b), *rest


def _history(rows: Rows, hider: Hider | None) -> Iterator[tuple[Any, ...]]:
    for *begin, identifiers, cause, cause_id, rules in rows.history():
        shown = [
            _encodable(f"{namespace}:{hider.identifier(namespace, value) if hider else value}") if namespace else value
            for namespace, value in identifiers
        ]
        yield *begin, shown, cause, _encodable(cause_id), rules


def _profiles(rows: Rows, hider: Hider | None) -> Iterator[tuple[Any, ...]]:
    for profile, first, last, traits, confidence in rows.profiles():
        yield profile, first, last, dump_json(hider.traits(traits) if hider else traits), confidence


def _quarantine(rows: Rows, hider: Hider | None) -> Iterator[tuple[Any, ...]]:
    for key, reason, detail, event, contract, partition, position, received, raw in rows.quarantine():
        seen, words = hider.record(raw, detail) if hider else (raw, detail)
        yield str(key), reason, _encodable(words), _encodable(event) or None, contract or None, partition, position, received, seen
