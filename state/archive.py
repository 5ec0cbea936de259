"""The archive: accepted events as Parquet files by day, each named by the partition and the positions that it covers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from hashlib import blake2b
from pathlib import Path
from threading import Thread
from typing import Any, Protocol
from urllib.parse import quote

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from contracts.model.event import Event
from state.archive_files import POSITIONS, ArchiveFile, save_positions, tidy
from state.files import needing_room, put, sync

SCHEMA = pa.schema(
    [
        ("message_id", pa.string()),
        ("type", pa.string()),
        ("event", pa.string()),
        ("event_time", pa.timestamp("us", tz="UTC")),
        ("received_at", pa.timestamp("us", tz="UTC")),
        ("space", pa.string()),
        ("source", pa.string()),
        ("partition", pa.string()),
        ("position", pa.int64()),
        ("contract", pa.string()),
        ("definitions", pa.string()),
        ("replay_of", pa.string()),
        ("raw", pa.string()),
        ("lookup", pa.string()),
    ]
)
"""``raw`` is the event as received, JSON; ``lookup``, which an earlier version did not write, what was looked up for it; ``replay_of``
the id of the quarantined record that a control entry replayed."""

_DAY_US = 86_400_000_000
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_NAME_MAX = 180
"""Bytes of a file name that a partition may take; file systems allow 255, and positions, the ending and ``.new`` take up to 54."""
_CHUNK = 2000
"""So many rows of a day are turned into columns as soon as they are there: all of them in the end would stall the flow."""
_REPEATED_MAX = 100
"""Columns of one value that are kept; all are let go of when there are more."""
_REPEATING = ["type", "event", "space", "source", "partition", "contract", "definitions"]
COMPRESSION: dict[str, Any] = {"compression": "zstd", "compression_level": 1, "use_dictionary": _REPEATING}
"""How its files are written."""


class Judged(Protocol):
    """What is read of a judged batch (`contracts.model.batches.JudgedBatch`)."""

    source: str
    partition: str
    first: int
    last: int
    digest: str
    events: list[Event]
    control: list[Any]
    looked: bool
    read_at_us: int
    finished: bool


class _Waiting:
    """The values of a partition and day that wait to become columns, by the name of the column; and ``beside`` them, for how many
    rows, which source, definitions and replayed record those have."""

    def __init__(self) -> None:
        self.rows = 0
        self.message_id: list[str] = []
        self.type: list[str] = []
        self.event: list[str] = []
        self.event_time: list[int] = []
        self.received_at: list[int | None] = []
        self.position: list[int] = []
        self.contract: list[str] = []
        self.raw: list[bytes] = []
        self.lookup: list[bytes | None] = []
        """Shorter than the others if nothing was looked up for those at the end."""
        self.beside: list[tuple[int, tuple[str, str, str | None]]] = []

    def add(self, events: list[Event], beside: tuple[str, str, str | None], *, looked: bool) -> None:
        """Take what the events say; ``looked``: something may have been looked up for them."""
        if looked:
            self.lookup += [None] * (self.rows - len(self.lookup))
            self.lookup += [event.lookup or None for event in events]
        self.rows += len(events)
        self.message_id += [event.message_id for event in events]
        self.type += [event.type for event in events]
        self.event += [event.name for event in events]
        self.event_time += [event.time_us for event in events]
        self.received_at += [event.received_at_us for event in events]
        self.position += [event.position for event in events]
        self.contract += [event.contract for event in events]
        self.raw += [event.raw for event in events]
        self.beside.append((len(events), beside))


class Archive:
    """The archive of one space. Rows wait in memory until there are ``rows`` of them or the first is ``interval_us`` old.

    Then a thread writes them, so that the flow does not stand still meanwhile; there is one at a time.
    ``positions`` is what is durable, by partition: a source may start right behind it. Opening removes what lies
    beyond it, which a crash between files and positions has left.
    """

    def __init__(self, root: Path, space: str, rows: int, interval_us: int, positions: dict[str, int] | None = None) -> None:
        """``positions``: of one who writes ahead, beside others; nothing is removed then."""
        self._folder = root / space
        self._space = space
        self._rows_max, self._interval_us = rows, interval_us
        self._folder.mkdir(parents=True, exist_ok=True)
        self.positions = load_positions(self._folder / POSITIONS) if positions is None else positions
        if positions is None:
            self._remove_leftovers()
        self._handed = dict(self.positions)
        """What the writing thread has, or has written."""
        self._writer: Thread | None = None
        self._failed: BaseException | None = None
        self._chunks: dict[tuple[str, int], list[pa.RecordBatch]] = {}
        self._waiting: dict[tuple[str, int], _Waiting] = {}
        """By partition and day."""
        self._repeated: dict[str, pa.Array] = {}
        """Columns of one value, of which others are a part."""
        self._reached: dict[str, int] = {}
        self._rows = 0
        self._since_us: int | None = None

    def append(self, batch: Judged) -> None:
        """Takes a batch's accepted events; what the archive has already is left out. Raises DiskFull, also for an earlier batch."""
        if self._failed is not None:
            self._wait()
        reached = self._reached.get(batch.partition, self._handed.get(batch.partition, 0))
        if batch.last > reached:
            self._take(batch, reached)
            self._reached[batch.partition] = batch.last
            if self._since_us is None:
                self._since_us = batch.read_at_us
        waited = self._since_us is not None and batch.read_at_us - self._since_us >= self._interval_us
        if batch.finished:
            self.flush()
        elif waited or self._rows >= self._rows_max:
            self._hand_over()

    def flush(self) -> None:
        """Writes what waits, one file for each partition and day, and then the positions. Raises DiskFull."""
        self._hand_over()
        self._wait()

    def _hand_over(self) -> None:
        """Let a thread write what waits, as soon as it has written what came before."""
        self._wait()
        if not self._reached:
            return
        for key in list(self._waiting):
            self._to_columns(key)
        chunks, reached = self._chunks, self._reached
        self._handed = {**self._handed, **reached}
        self._chunks, self._reached, self._rows, self._since_us = {}, {}, 0, None
        self._writer = Thread(target=self._try_to_store, args=(chunks, reached), name=f"archive-{self._space}")
        self._writer.start()

    def _wait(self) -> None:
        """Wait for the thread. What it could not write is gone from memory, so nothing is written any more after that."""
        if self._writer is not None:
            self._writer.join()
            self._writer = None
        error = self._failed
        if error is None:
            return
        words = "what waited for the archive will be read again. Free some space and start the flow again."
        with needing_room(self._folder, words):
            raise error

    def _try_to_store(self, chunks: dict[tuple[str, int], list[pa.RecordBatch]], reached: dict[str, int]) -> None:
        try:
            self._store(chunks, reached)
        except BaseException as error:  # noqa: BLE001 - raised where the flow waits for it
            self._failed = error

    def _store(self, chunks: dict[tuple[str, int], list[pa.RecordBatch]], reached: dict[str, int]) -> None:
        for folder in {self._write(partition, day, rows, reached[partition]) for (partition, day), rows in chunks.items()}:
            sync(folder)
        positions = {**self.positions, **reached}
        save_positions(self._folder, positions)
        self.positions = positions

    def write_ahead(self) -> None:
        """Writes what waits without saying so: the files count once somebody has saved positions that reach so far."""
        for key in list(self._waiting):
            self._to_columns(key)
        chunks, self._chunks = self._chunks, {}
        for folder in {self._write(partition, day, rows, self._reached[partition]) for (partition, day), rows in chunks.items()}:
            sync(folder)
        self._reached, self._rows, self._since_us = {}, 0, None

    def close(self) -> None:
        """Writes what waits."""
        self.flush()

    def _take(self, batch: Judged, after: int) -> None:
        for events, source, replay_of in _accepted(batch):
            new = events if batch.first > after else [event for event in events if event.position > after]
            days = [event.time_us // _DAY_US for event in new]
            for day in sorted(set(days)):
                found = new if days.count(day) == len(days) else [event for event, its in zip(new, days, strict=True) if its == day]
                self._add(batch, day, found, (source, batch.digest, replay_of))

    def _add(self, batch: Judged, day: int, events: list[Event], beside: tuple[str, str, str | None]) -> None:
        """Events of one day."""
        key = batch.partition, day
        waiting = self._waiting.get(key)
        if waiting is None:
            waiting = self._waiting[key] = _Waiting()
        waiting.add(events, beside, looked=batch.looked)
        self._rows += len(events)
        if waiting.rows >= _CHUNK:
            self._to_columns(key)

    def _to_columns(self, key: tuple[str, int]) -> None:
        waiting = self._waiting.pop(key)
        source, definitions, replay_of = [self._beside(waiting, at) for at in range(3)]
        columns = [
            pa.array(waiting.message_id, pa.string()),
            pa.array(waiting.type, pa.string()),
            pa.array(waiting.event, pa.string()),
            _times(waiting.event_time),
            _times(waiting.received_at),
            self._same(self._space, waiting.rows),
            source,
            self._same(key[0], waiting.rows),
            pa.array(waiting.position, pa.int64()),
            pa.array(waiting.contract, pa.string()),
            definitions,
            replay_of,
            pa.array(waiting.raw, pa.string()),
            pa.array(waiting.lookup + [None] * (waiting.rows - len(waiting.lookup)), pa.string())
            if waiting.lookup
            else pa.nulls(waiting.rows, pa.string()),
        ]
        self._chunks.setdefault(key, []).append(pa.RecordBatch.from_arrays(columns, schema=SCHEMA))

    def _beside(self, waiting: _Waiting, at: int) -> pa.Array:
        """The column of what stands beside the events, by its place there."""
        if len({beside[at] for _, beside in waiting.beside}) == 1:
            return self._same(waiting.beside[0][1][at], waiting.rows)
        return pa.array([beside[at] for count, beside in waiting.beside for _ in range(count)], pa.string())

    def _same(self, value: str | None, count: int) -> pa.Array:
        """A column of one value."""
        if value is None:
            return pa.nulls(count, pa.string())
        found = self._repeated.get(value)
        if found is None or len(found) < count:
            if len(self._repeated) >= _REPEATED_MAX:
                self._repeated.clear()
            found = self._repeated[value] = pa.repeat(pa.scalar(value), max(count, 2 * _CHUNK))
        return found.slice(0, count)

    def _write(self, partition: str, day: int, chunks: list[pa.RecordBatch], last: int) -> Path:
        folder = self._folder / f"day={date.fromordinal(day + _EPOCH_DAY).isoformat()}"
        folder.mkdir(exist_ok=True)
        first = self.positions.get(partition, 0) + 1
        path = folder / f"{_file_name(partition)}~{first}-{last}.parquet"
        fresh = path.with_name(path.name + ".new")
        table = pa.Table.from_batches(chunks, schema=SCHEMA)
        pq.write_table(table, fresh, **COMPRESSION)
        put(fresh, path, sync_folder=False)
        return folder

    def _remove_leftovers(self) -> None:
        for path in self._folder.glob("*.new"):
            path.unlink()
        known = named(self.positions)
        for path in self._folder.glob("day=*/*"):
            found = ArchiveFile.of(path)
            if path.suffix == ".new" or (found and found.last > known.get(found.partition, 0)):
                path.unlink()
        tidy(self._folder)


def named(positions: dict[str, int]) -> dict[str, int]:
    """Positions by what the files of a partition begin with; an earlier version did not shorten that."""
    return {name: last for partition, last in positions.items() for name in (quote(partition, safe=""), _file_name(partition))}


def _file_name(partition: str) -> str:
    """What the files of a partition begin with: its name, or its beginning and a digest. A quoted name has no ``+``."""
    quoted = quote(partition, safe="")
    if len(quoted) <= _NAME_MAX:
        return quoted
    digest = blake2b(partition.encode(), digest_size=8).hexdigest()
    return f"{quoted[: _NAME_MAX - len(digest) - 1]}+{digest}"


def _accepted(batch: Judged) -> Iterator[tuple[list[Event], str, str | None]]:
    """A batch's events and their source, or those that its control entries replay, each with the quarantine's id."""
    if not batch.control:
        yield batch.events, batch.source, None
    for entry in batch.control:
        came = {item["id"]: item.get("partition") for item in entry.entry.get("entries", ())}
        for quarantined, event in entry.outcomes:
            if isinstance(event, Event):
                partition = came.get(quarantined)
                yield [event], partition.partition("/")[0] if isinstance(partition, str) else batch.source, quarantined


def _times(values: list[Any]) -> pa.Array:
    return pa.array(values, pa.int64()).cast(pa.timestamp("us", tz="UTC"))


def load_positions(path: Path) -> dict[str, int]:
    try:
        return {str(partition): int(last) for partition, last in orjson.loads(path.read_bytes()).items()}
    except FileNotFoundError:
        return {}
    except (orjson.JSONDecodeError, AttributeError, TypeError, ValueError) as error:
        raise ValueError(
            f"{path}: expected the archive's positions by partition ({error}); it is written by Skep only. "
            "Restore it from a backup, or delete the archive and the space's shard together to read everything again"
        ) from error
