"""The archive: accepted events as Parquet files by day, each named by the partition and the positions that it covers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from hashlib import blake2b
from pathlib import Path
from threading import Thread
from typing import Any, Protocol
from urllib.parse import quote

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from state.errors import DiskFull
from state.files import put, replace, sync

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
    ]
)
"""``raw`` is the event as received, JSON; ``replay_of`` the id of the quarantined record that a control entry replayed."""

_DAY_US = 86_400_000_000
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_FILE = re.compile(r"(?P<partition>.+)~(?P<first>\d+)-(?P<last>\d+)\.parquet")
_POSITIONS = "positions.json"
_NAME_MAX = 180
"""Bytes of a file name that a partition may take; file systems allow 255, and positions, the ending and ``.new`` take up to 54."""
_CHUNK = 2000
"""Rows that are turned into columns at once; more would stall the flow."""
_WHOLE = 500
"""From so many events on a batch is worth columns of its own."""
_OF_ROWS = (
    "message_id", "type", "event", "event_time", "received_at", "source", "position", "contract", "definitions", "replay_of", "raw",
)  # fmt: skip
"""The columns of a row that waits to become columns."""
_REPEATING = ["type", "event", "space", "source", "partition", "contract", "definitions"]


class Judged(Protocol):
    """What is read of a judged batch (`contracts.model.batches.JudgedBatch`)."""

    source: str
    partition: str
    first: int
    last: int
    digest: str
    events: list[Any]
    control: list[Any]
    read_at_us: int
    finished: bool


class Archive:
    """The archive of one space. Rows wait in memory until there are ``rows`` of them or the first is ``interval_us`` old.

    Then a thread writes them, so that the flow does not stand still meanwhile; there is one at a time.
    ``positions`` is what is durable, by partition: a source may start right behind it. Opening removes what lies
    beyond it, which a crash between files and positions has left.
    """

    def __init__(self, root: Path, space: str, rows: int, interval_us: int) -> None:
        self._folder = root / space
        self._space = space
        self._rows_max, self._interval_us = rows, interval_us
        self._folder.mkdir(parents=True, exist_ok=True)
        self.positions = load_positions(self._folder / _POSITIONS)
        self._remove_leftovers()
        self._handed = dict(self.positions)
        """What the writing thread has, or has written."""
        self._writer: Thread | None = None
        self._failed: BaseException | None = None
        self._chunks: dict[tuple[str, int], list[pa.RecordBatch]] = {}
        self._buffers: dict[tuple[str, int], list[tuple[Any, ...]]] = {}
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
        self._to_columns(1)
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
        if isinstance(error, OSError) and "No space left" in str(error):
            raise DiskFull(
                f"the disk of {self._folder} is full; what waited for the archive will be read again. "
                "Free some space and start the flow again."
            ) from error
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
        replace(self._folder / _POSITIONS, orjson.dumps(positions, option=orjson.OPT_SORT_KEYS))
        self.positions = positions

    def close(self) -> None:
        """Writes what waits."""
        self.flush()

    def _take(self, batch: Judged, after: int) -> None:
        if not self._take_whole(batch, after):
            self._take_rows(batch, after)

    def _take_whole(self, batch: Judged, after: int) -> bool:
        """A large batch of one day, all of it new, becomes columns at once; False of any other."""
        events = batch.events
        if batch.control or len(events) < _WHOLE or events[0].position <= after:
            return False
        times = [event.time_us for event in events]
        day = min(times) // _DAY_US
        if max(times) // _DAY_US != day:
            return False
        key = batch.partition, day
        # What came before it stays before it.
        self._rows_to_columns(key, 1)
        columns: dict[str, list[Any]] = {
            "message_id": [event.message_id for event in events],
            "type": [event.type for event in events],
            "event": [event.name for event in events],
            "event_time": times,
            "received_at": [event.received_at_us for event in events],
            "position": [event.position for event in events],
            "contract": [event.contract for event in events],
            "raw": [event.raw for event in events],
        }
        same = {"source": batch.source, "partition": batch.partition, "definitions": batch.digest}
        self._chunks.setdefault(key, []).append(self._table(len(events), columns, same))
        self._rows += len(events)
        return True

    def _take_rows(self, batch: Judged, after: int) -> None:
        source, partition, digest, buffers = batch.source, batch.partition, batch.digest, self._buffers
        taken = 0
        for event, replay_of in _accepted(batch):
            position, time_us = event.position, event.time_us
            if position <= after:
                continue
            row = (
                event.message_id,
                event.type,
                event.name,
                time_us,
                event.received_at_us,
                source,
                position,
                event.contract,
                digest,
                replay_of,
                event.raw,
            )
            key = (partition, time_us // _DAY_US)
            found = buffers.get(key)
            if found is None:
                buffers[key] = [row]
            else:
                found.append(row)
            taken += 1
        self._rows += taken
        self._to_columns(_CHUNK)

    def _to_columns(self, least: int) -> None:
        """Turn rows into columns wherever there are enough of them: bit by bit, because it holds up everything else."""
        for key in self._buffers:
            self._rows_to_columns(key, least)

    def _rows_to_columns(self, key: tuple[str, int], least: int) -> None:
        rows = self._buffers.get(key, [])
        while len(rows) >= least:
            columns = dict(zip(_OF_ROWS, zip(*rows[:_CHUNK], strict=True), strict=True))
            self._chunks.setdefault(key, []).append(self._table(len(rows[:_CHUNK]), columns, {"partition": key[0]}))
            del rows[:_CHUNK]

    def _write(self, partition: str, day: int, chunks: list[pa.RecordBatch], last: int) -> Path:
        folder = self._folder / f"day={date.fromordinal(day + _EPOCH_DAY).isoformat()}"
        folder.mkdir(exist_ok=True)
        first = self.positions.get(partition, 0) + 1
        path = folder / f"{_file_name(partition)}~{first}-{last}.parquet"
        fresh = path.with_name(path.name + ".new")
        table = pa.Table.from_batches(chunks, schema=SCHEMA)
        pq.write_table(table, fresh, compression="zstd", compression_level=1, use_dictionary=_REPEATING)
        put(fresh, path, sync_folder=False)
        return folder

    def _table(self, rows: int, columns: Mapping[str, Sequence[Any]], same: Mapping[str, str]) -> pa.RecordBatch:
        """Columns by name, those that are the same in every row by their value; what is in neither is null."""
        same = {"space": self._space, **same}
        arrays = []
        for field in SCHEMA:
            if field.name in columns:
                arrays.append(_array(columns[field.name], field.type))
            elif field.name in same:
                arrays.append(pa.repeat(pa.scalar(same[field.name]), rows))
            else:
                arrays.append(pa.nulls(rows, field.type))
        return pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)

    def _remove_leftovers(self) -> None:
        for path in self._folder.glob("*.new"):
            path.unlink()
        # An earlier version did not shorten names.
        known = {name: last for partition, last in self.positions.items() for name in (quote(partition, safe=""), _file_name(partition))}
        for path in self._folder.glob("day=*/*"):
            found = _FILE.fullmatch(path.name)
            if path.suffix == ".new" or (found and int(found["last"]) > known.get(found["partition"], 0)):
                path.unlink()


def _file_name(partition: str) -> str:
    """What the files of a partition begin with: its name, or its beginning and a digest. A quoted name has no ``+``."""
    quoted = quote(partition, safe="")
    if len(quoted) <= _NAME_MAX:
        return quoted
    digest = blake2b(partition.encode(), digest_size=8).hexdigest()
    return f"{quoted[: _NAME_MAX - len(digest) - 1]}+{digest}"


def _accepted(batch: Judged) -> Iterable[tuple[Any, str | None]]:
    """A batch's events, and those that its control entries replay with the quarantine's id."""
    if not batch.control:
        return ((event, None) for event in batch.events)
    replayed = ((event, quarantined) for entry in batch.control for quarantined, event in entry.outcomes)
    return ((event, quarantined) for event, quarantined in replayed if hasattr(event, "message_id"))


def _array(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    if pa.types.is_timestamp(kind):
        return pa.array(values, pa.int64()).cast(kind)
    return pa.array(values, kind)


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
