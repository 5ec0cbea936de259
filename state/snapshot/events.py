"""Table ``events``: from the archive's Parquet files, each applied message once, in SQL that returns named statements."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pyarrow as pa

from contracts.envelope import canonical, judged_part
from state.snapshot.filling import BATCH_ROWS
from state.snapshot.literals import pointer, quote
from state.snapshot.personal import Hider, Step, dump_json
from state.snapshot.repeats import load_once
from state.snapshot.rows import Settled
from state.snapshot.tables.events import EVENTS

_COLUMNS = ", ".join(one.name for one in EVENTS.columns)
_JSON_COLUMNS = ("properties", "traits", "context")
_TEXT_COLUMNS = {"user_id": "userId", "anonymous_id": "anonymousId"}
Readings = Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]]
_BODY_PATHS = ("userId", "anonymousId", "properties", "traits", "context", "name", "context.lookup")


def load_events(
    con: duckdb.DuckDBPyConnection,
    space: str,
    files: Sequence[Path],
    applied: dict[str, int],
    hider: Hider | None,
    *,
    settled: Iterable[Settled] = (),
    readings: Readings | None = None,
) -> None:
    """Fills ``events`` for one space; table ``quarantine`` must be filled before.

    ``settled``: records of the quarantine that were dropped, or applied after an edit.
    ``readings``: by the name of an old contract, how the documents that it accepted are read now.
    """
    if not files or not applied:
        return
    source = source_of(files)
    prepared(con, applied, settled)
    con.execute(chosen_sql(source), {"space": space})
    raw = raw_text(con, source)
    _choose_among_equals(con, source, raw)
    load_once(con, source, raw)
    shown = shown_sql(source, raw)
    readings = readings or {}
    flag = f"({personal_flag_sql(hider)}) OR ({_old_flag_sql(readings)})"
    con.execute(f"INSERT INTO events SELECT {_COLUMNS} FROM ({shown}) WHERE NOT ({flag})", {"space": space})
    if flag != "(false) OR (false)":
        for batch in _by_hand(con, f"SELECT {_COLUMNS} FROM ({shown}) WHERE {flag}", space, hider, readings):
            con.register("batch", batch)
            con.execute(f"INSERT INTO events SELECT {_COLUMNS} FROM batch")
            con.unregister("batch")
    con.execute("DROP TABLE work.chosen; DROP TABLE work.once")


def source_of(files: Sequence[Path]) -> str:
    """All rows of these files, in SQL; ``filename`` and ``file_row_number`` say which each is."""
    names = ", ".join(quote(str(path)) for path in files)
    read = f"read_parquet([{names}], union_by_name = true, hive_partitioning = false, filename = true, file_row_number = true)"
    # Files of an earlier version have no column of what was looked up.
    return f"(SELECT CAST(NULL AS VARCHAR) AS lookup WHERE false UNION ALL BY NAME FROM {read})"


def prepared(con: duckdb.DuckDBPyConnection, applied: Mapping[str, int], settled: Iterable[Settled]) -> None:
    """Make the tables that `accepted_sql` looks into, beside ``quarantine``."""
    _register_applied(con, applied)
    _register_settled(con, settled)


def raw_text(con: duckdb.DuckDBPyConnection, source: str) -> str:
    """The bytes of a row as a text, in SQL; an older version had a column of bytes."""
    kinds = {name: kind for name, kind, *_ in con.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()}
    return "decode(raw)" if kinds["raw"] == "BLOB" else "CAST(raw AS VARCHAR)"


def _register_applied(con: duckdb.DuckDBPyConnection, applied: Mapping[str, int]) -> None:
    con.execute(
        "CREATE OR REPLACE TABLE work.applied AS SELECT unnest($names) AS partition, unnest($positions) AS position",
        {"names": list(applied), "positions": list(applied.values())},
    )


def _register_settled(con: duckdb.DuckDBPyConnection, settled: Iterable[Settled]) -> None:
    con.execute("CREATE OR REPLACE TABLE work.settled (id VARCHAR, source VARCHAR, position BIGINT, settled_at BIGINT)")
    rows = iter(settled)
    while chunk := list(islice(rows, BATCH_ROWS)):
        ids, sources, positions, at = zip(*chunk, strict=True)
        kinds = (pa.string(), pa.string(), pa.int64(), pa.int64())
        columns = [pa.array(values, kind) for values, kind in zip((ids, sources, positions, at), kinds, strict=True)]
        con.register("batch", pa.RecordBatch.from_arrays(columns, names=["id", "source", "position", "settled_at"]))
        con.execute("INSERT INTO work.settled FROM batch")
        con.unregister("batch")


def accepted_sql(source: str, columns: str) -> str:
    """The rows of the archive that stand for accepted events, repeats among them: up to the applied positions, and not in quarantine."""
    return f"""
        WITH refused AS (
            SELECT id, source, position, NULL AS settled_at FROM quarantine WHERE space = $space UNION ALL FROM work.settled
        )
        SELECT {columns}
        FROM {source} a JOIN work.applied p ON p.partition = a.partition AND a.position <= p.position
        WHERE NOT EXISTS (FROM refused r WHERE r.source = a.partition AND r.position = a.position)
          AND NOT EXISTS (FROM refused r WHERE r.id = a.replay_of AND r.settled_at IS DISTINCT FROM a.position)
    """


def chosen_sql(source: str) -> str:
    """The row of the archive that stands for each message: of repeats one that a contract accepted, then of the smallest time.

    Several, numbered from 1 in the order of the sources, if these are equal; `_choose_among_equals` leaves one.
    """
    columns = f"""message_id, {_utc("event_time")} AS event_time, a.contract = '' AS bare, filename, file_row_number,
                a.replay_of IS NOT NULL AS replayed, a.partition, a.position, a.source"""
    return f"""
        CREATE TABLE work.chosen AS
        WITH accepted AS ({accepted_sql(source, columns)}),
        repeats AS (SELECT message_id, count(*) AS times FROM accepted GROUP BY message_id),
        best AS (
            SELECT a.*, list_sort(list_distinct(list(source) OVER (PARTITION BY message_id))) AS sources
            FROM accepted a JOIN repeats r USING (message_id) WHERE r.times > 1
            QUALIFY rank() OVER (PARTITION BY message_id ORDER BY bare, event_time) = 1
        )
        SELECT a.filename, a.file_row_number, a.event_time, [a.source] AS sources, NULL AS message_id, 1 AS nth
        FROM accepted a JOIN repeats r USING (message_id) WHERE r.times = 1
        UNION ALL
        SELECT filename, file_row_number, event_time, sources, message_id, row_number() OVER (
            PARTITION BY message_id ORDER BY replayed, partition, position, filename, file_row_number
        ) FROM best
    """


def _choose_among_equals(con: duckdb.DuckDBPyConnection, source: str, raw: str) -> None:
    """Leave one row of each message: that of the smallest canonical bytes, as `contracts.envelope.replaces` has it."""
    row = "a.filename = c.filename AND a.file_row_number = c.file_row_number"
    tied = con.execute(f"""
        SELECT c.message_id, {raw}, a.contract, coalesce(a.lookup, '') AS found, c.nth FROM work.chosen c JOIN {source} a ON {row}
        WHERE c.message_id IN (SELECT message_id FROM work.chosen WHERE nth > 1)
        QUALIFY min((raw, a.contract, found)) OVER (PARTITION BY c.message_id)
            <> max((raw, a.contract, found)) OVER (PARTITION BY c.message_id)
    """)
    best: dict[str, tuple[bytes, str, bytes, bytes, int]] = {}
    while rows := tied.fetchmany(BATCH_ROWS):
        for message, text, contract, found, nth in rows:
            key = canonical(text), contract, text.encode(), found.encode(), nth
            best[message] = min(best.get(message, key), key)
    con.execute(
        "CREATE TABLE work.best AS SELECT unnest($ids::VARCHAR[]) AS message_id, unnest($numbers::BIGINT[]) AS nth",
        {"ids": list(best), "numbers": [key[-1] for key in best.values()]},
    )
    con.execute("""
        DELETE FROM work.chosen c
        WHERE message_id IS NOT NULL AND nth <> coalesce((SELECT b.nth FROM work.best b WHERE b.message_id = c.message_id), 1)
    """)
    con.execute("DROP TABLE work.best")


def shown_sql(source: str, raw: str) -> str:
    """The columns of ``events`` before anything is hidden. The ``name`` of a page or screen goes among its properties."""
    paths = ", ".join(quote(f"$.{name}") for name in _BODY_PATHS)
    return f"""
        SELECT message_id, type, nullif(event, '') AS event, event_time, received_at, $space AS space, source, sources,
            {_text("part[1]")} AS user_id, {_text("part[2]")} AS anonymous_id,
            CASE WHEN type IN ('page', 'screen') THEN {_named_properties()} ELSE {_object("part[3]")} END AS properties,
            {_object("part[4]")} AS traits, {_context()} AS context, contract, definitions
        FROM (
            SELECT a.message_id, a.type, a.event, c.event_time, {_utc("a.received_at")} AS received_at, a.source, c.sources,
                a.contract, a.definitions, a.lookup,
                json_extract(coalesce(o.said, {raw}), [{paths}]) AS part
            FROM {source} a JOIN work.chosen c ON c.filename = a.filename AND c.file_row_number = a.file_row_number
                LEFT JOIN work.once o ON o.filename = a.filename AND o.file_row_number = a.file_row_number
        )
    """


def _utc(column: str) -> str:
    """A plain cast of a time with a zone would be into the zone of the machine."""
    return f"make_timestamp(epoch_us({column}))"


def _text(part: str) -> str:
    """An id; a whole number stands for its decimal text, however it is written (``5.0`` comes from data frames)."""
    return f"CASE WHEN json_type({part}) = 'DOUBLE' THEN CAST(CAST({part} AS BIGINT) AS VARCHAR) ELSE {part} ->> '$' END"


def _present(part: str) -> str:
    return f"CASE WHEN json_type({part}) <> 'NULL' THEN {part} END"


def _object(part: str) -> str:
    """PHP's empty list stands for an empty object."""
    return f"CASE WHEN CAST({part} AS VARCHAR) = '[]' THEN CAST('{{}}' AS JSON) ELSE {_present(part)} END"


def _context() -> str:
    """What was looked up stands in the place of whatever the sender wrote there. A merge with null takes a key away."""
    given = _object("part[5]")
    object_ = f"CASE WHEN json_type({given}) = 'OBJECT' THEN {given} ELSE CAST('{{}}' AS JSON) END"
    without = f"""json_merge_patch({object_}, CAST('{{"lookup": null}}' AS JSON))"""
    found = f"json_merge_patch({without}, json_object('lookup', CAST(lookup AS JSON)))"
    written = "coalesce(json_type(part[7]), 'NULL') <> 'NULL'"
    return f"CASE WHEN lookup IS NOT NULL THEN {found} WHEN {written} THEN {without} ELSE {given} END"


def _named_properties() -> str:
    """A merge keeps the nulls of what is merged into."""
    given = "part[6] IS NOT NULL AND json_type(part[6]) <> 'NULL'"
    unnamed = "coalesce(json_type(json_extract(part[3], '$.name')), 'NULL') = 'NULL'"
    mergeable = f"coalesce(json_type({_object('part[3]')}), 'OBJECT') = 'OBJECT'"
    properties = f"coalesce({_object('part[3]')}, CAST('{{}}' AS JSON))"
    named = f"json_merge_patch({properties}, json_object('name', part[6]))"
    return f"CASE WHEN {given} AND {unnamed} AND {mergeable} THEN {named} ELSE {_object('part[3]')} END"


def personal_flag_sql(hider: Hider | None) -> str:
    """Whether a shown row holds anything at a personal path."""
    if hider is None:
        return "false"
    roots = hider.roots
    flags = _path_flags(roots)
    for event, tagged in sorted(hider.tagged.items()):
        flags += [f"(coalesce(event, type) = {quote(event)} AND {flag})" for flag in _path_flags(tagged)]
    flags += [f"{column} IS NOT NULL" for column, root in _TEXT_COLUMNS.items() if root in roots]
    return " OR ".join(flags) or "false"


def _path_flags(roots: Mapping[str, Sequence[tuple[str, tuple[Step, ...]]]]) -> list[str]:
    flags = []
    for column in _JSON_COLUMNS:
        paths = sorted({pointer(rest) for _, rest in roots.get(column, ())})
        if paths:
            flags.append(f"coalesce(list_any_value(json_extract({column}, [{', '.join(paths)}])) IS NOT NULL, false)")
    return flags


def _old_flag_sql(readings: Readings) -> str:
    return f"contract IN ({', '.join(map(quote, sorted(readings)))})" if readings else "false"


def _by_hand(con: duckdb.DuckDBPyConnection, query: str, space: str, hider: Hider | None, readings: Readings) -> Iterator[pa.RecordBatch]:
    """The rows that SQL alone cannot show: old documents read as they are now, then personal values hashed."""
    reader: pa.RecordBatchReader = con.cursor().sql(query, params={"space": space}).to_arrow_reader(BATCH_ROWS)
    for batch in reader:
        now = read_batch(batch, readings) if readings else batch
        yield now if hider is None else hide_batch(now, hider)


def read_batch(batch: pa.RecordBatch, readings: Readings) -> pa.RecordBatch:
    """The same rows with the documents of old contracts as they are read now."""
    columns, names = list(batch.columns), batch.schema.names
    contracts, types = (columns[names.index(name)].to_pylist() for name in ("contract", "type"))
    for name in ("properties", "traits"):
        at = names.index(name)
        shown = columns[at].to_pylist()
        for row, contract in enumerate(contracts):
            reading = readings.get(contract)
            if reading is not None and judged_part(types[row]) == name:
                shown[row] = dump_json(reading(orjson.loads(shown[row]) if shown[row] else {}))
        columns[at] = pa.array(shown, pa.string())
    return pa.RecordBatch.from_arrays(columns, names=names)


def hide_batch(batch: pa.RecordBatch, hider: Hider) -> pa.RecordBatch:
    """The same rows with personal values hashed."""
    columns, names = list(batch.columns), batch.schema.names
    types, events = (columns[names.index(name)].to_pylist() for name in ("type", "event"))
    called = [kind if event is None else event for kind, event in zip(types, events, strict=True)]
    tagged = {root for event in set(called) for root in hider.tagged.get(event, ())}
    for at, name in enumerate(names):
        root = _TEXT_COLUMNS.get(name, name)
        if (root not in hider.roots and root not in tagged) or (name not in _TEXT_COLUMNS and name not in _JSON_COLUMNS):
            continue
        hide = _hide_text if name in _TEXT_COLUMNS else _hide_json
        values = zip(columns[at].to_pylist(), called, strict=True)
        columns[at] = pa.array([None if value is None else hide(hider, root, value, event) for value, event in values], pa.string())
    return pa.RecordBatch.from_arrays(columns, names=names)


def _hide_text(hider: Hider, root: str, value: str, event: str) -> str:
    return str(hider.below(root, value, event))


def _hide_json(hider: Hider, root: str, value: str, event: str) -> str:
    return dump_json(hider.below(root, orjson.loads(value), event))
