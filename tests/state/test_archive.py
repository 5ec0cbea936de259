"""The archive: what is durable, what a crash leaves, what reading again adds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from contracts.model.batches import ControlEntry, Event, JudgedBatch, Refused
from contracts.text.times import DAY_US, MAX_US, MIN_US
from state.archive import Archive
from state.errors import DiskFull


def event(position: int, time_us: int = 0) -> Event:
    raw = b'{"n":%d}' % position
    return Event(position, time_us, f"m{position}", "track", "done", "done/1-0-0", (), {}, None, None, None, {}, raw)


def batch(first: int, last: int, *, partition: str = "web/a.jsonl", day: int = 0, read_at_us: int = 0, **more: Any) -> JudgedBatch:
    events = [event(position, day * DAY_US) for position in range(first, last + 1)]
    found = JudgedBatch("shop", "web", partition, first, last, "digest", events, [], [], read_at_us)
    for key, value in more.items():
        setattr(found, key, value)
    return found


def archive(root: Path, rows: int = 1000, interval_us: int = 1000) -> Archive:
    return Archive(root, "shop", rows, interval_us)


def files(root: Path) -> list[str]:
    return sorted(path.relative_to(root / "shop").as_posix() for path in root.glob("shop/day=*/*"))


def ids(root: Path) -> list[str]:
    tables = [pq.ParquetFile(path).read() for path in sorted(root.glob("shop/day=*/*.parquet"))]
    return sorted(message for table in tables for message in table["message_id"].to_pylist())


def test_files_are_named_by_day_partition_and_positions(tmp_path: Path) -> None:
    kept = archive(tmp_path)
    kept.append(batch(1, 2))
    kept.append(batch(3, 4, day=1))
    kept.append(batch(1, 1, partition="b~1/ü", day=1))
    assert files(tmp_path) == []
    kept.close()
    assert files(tmp_path) == [
        "day=1970-01-01/web%2Fa.jsonl~1-4.parquet",
        "day=1970-01-02/b~1%2F%C3%BC~1-1.parquet",
        "day=1970-01-02/web%2Fa.jsonl~1-4.parquet",
    ]
    (row,) = pq.ParquetFile(tmp_path / "shop" / files(tmp_path)[1]).read().to_pylist()
    assert (row["partition"], row["space"], row["raw"], row["definitions"], row["replay_of"]) == (
        "b~1/ü",
        "shop",
        '{"n":1}',
        "digest",
        None,
    )
    assert archive(tmp_path).positions == {"web/a.jsonl": 4, "b~1/ü": 1}


def _written(kept: Archive) -> dict[str, int]:
    """The positions, once the archive's thread has written what it was given."""
    while kept._writer is not None and kept._writer.is_alive():
        kept._writer.join()
    return kept.positions


def test_rows_age_and_the_end_flush(tmp_path: Path) -> None:
    kept = archive(tmp_path, rows=5)
    kept.append(batch(1, 5))
    assert _written(kept) == {"web/a.jsonl": 5}
    kept.append(batch(6, 6, read_at_us=10))
    kept.append(batch(7, 6, read_at_us=1009))
    assert _written(kept) == {"web/a.jsonl": 5}
    kept.append(batch(7, 6, read_at_us=1010))
    assert _written(kept) == {"web/a.jsonl": 6}
    kept.append(batch(7, 7, finished=True))
    assert kept.positions == {"web/a.jsonl": 7}


def test_nothing_is_written_after_what_could_not_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that the thread has lost must not be passed over by later positions."""
    kept = archive(tmp_path, rows=2)
    kept.append(batch(1, 1))
    monkeypatch.setattr(pq, "write_table", lambda *_, **__: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    kept.append(batch(2, 2))
    _written(kept)
    monkeypatch.undo()
    for again in (lambda: kept.append(batch(3, 3)), kept.flush, kept.close):
        with pytest.raises(DiskFull):
            again()
    assert archive(tmp_path).positions == {}
    assert files(tmp_path) == []


def test_reading_again_adds_nothing_wherever_batches_begin(tmp_path: Path) -> None:
    kept = archive(tmp_path)
    kept.append(batch(1, 3))
    kept.append(batch(2, 4))
    kept.flush()
    again = archive(tmp_path)
    again.append(batch(1, 2))
    again.append(batch(3, 6))
    again.close()
    assert ids(tmp_path) == [f"m{n}" for n in range(1, 7)]


def test_rows_stay_in_order_however_many_become_columns_at_once(tmp_path: Path) -> None:
    kept = archive(tmp_path, rows=100_000, interval_us=1000)
    for first, last in ((1, 3), (4, 1_999), (2_000, 4_500), (4_501, 4_501)):
        kept.append(batch(first, last))
    kept.close()
    (written,) = files(tmp_path)
    table = pq.ParquetFile(tmp_path / "shop" / written).read()
    assert table["position"].to_pylist() == list(range(1, 4_502))
    assert table["raw"].to_pylist() == [f'{{"n":{position}}}' for position in range(1, 4_502)]
    assert [table[name].unique().to_pylist() for name in ("source", "definitions", "replay_of")] == [["web"], ["digest"], [None]]


def test_what_stands_beside_events_may_change_from_batch_to_batch(tmp_path: Path) -> None:
    kept = archive(tmp_path, rows=100_000)
    for first, last, digest in ((1, 2, "one"), (3, 2_100, "two"), (2_101, 2_102, "two")):
        kept.append(batch(first, last, digest=digest))
    kept.append(batch(2_103, 2_104, events=[event(2_103, DAY_US), event(2_104)]))
    kept.close()
    rows = [row for path in files(tmp_path) for row in pq.ParquetFile(tmp_path / "shop" / path).read().to_pylist()]
    found = {row["position"]: (row["definitions"], row["event_time"].day, row["space"], row["source"]) for row in rows}
    digests = {at: "one" if at < 3 else "two" if at < 2_103 else "digest" for at in range(1, 2_105)}
    assert found == {at: (digests[at], 2 if at == 2_103 else 1, "shop", "web") for at in digests}


def test_opening_removes_what_lies_beyond_the_positions(tmp_path: Path) -> None:
    kept = archive(tmp_path)
    kept.append(batch(1, 3))
    kept.flush()
    positions = (tmp_path / "shop/positions.json").read_bytes()
    kept.append(batch(4, 5))
    kept.append(batch(1, 1, partition="web/b"))
    kept.close()
    (tmp_path / "shop/positions.json").write_bytes(positions)
    (tmp_path / "shop/day=1970-01-01/web%2Fa.jsonl~1-3.parquet.new").touch()
    archive(tmp_path)
    assert files(tmp_path) == ["day=1970-01-01/web%2Fa.jsonl~1-3.parquet"]


def test_positions_pass_refused_records(tmp_path: Path) -> None:
    kept = archive(tmp_path)
    kept.append(batch(1, 9, events=[], refused=[Refused(n, "invalid", "", "", None, b"") for n in range(1, 10)]))
    kept.close()
    assert (archive(tmp_path).positions, files(tmp_path)) == ({"web/a.jsonl": 9}, [])


def test_replayed_events_name_what_they_replay(tmp_path: Path) -> None:
    outcomes: list[tuple[str, Event | Refused]] = [("q1", event(1)), ("q2", Refused(1, "invalid", "", "", None, b""))]
    entry = {"type": "replay", "entries": [{"id": "q1", "partition": "crm/a.jsonl"}, {"id": "q2"}]}
    kept = archive(tmp_path)
    kept.append(batch(1, 1, partition="control", events=[], control=[ControlEntry(1, entry, outcomes)]))
    kept.close()
    (row,) = pq.ParquetFile(tmp_path / "shop" / files(tmp_path)[0]).read().to_pylist()
    assert (row["partition"], row["replay_of"], row["source"]) == ("control", "q1", "crm")


def test_the_years_1_and_9999_have_days(tmp_path: Path) -> None:
    kept = archive(tmp_path)
    kept.append(batch(1, 2, events=[event(1, MIN_US), event(2, MAX_US)]))
    kept.close()
    assert [name.split("/")[0] for name in files(tmp_path)] == ["day=0001-01-01", "day=9999-12-31"]
    years = [pq.ParquetFile(tmp_path / "shop" / name).read()["event_time"][0].as_py().year for name in files(tmp_path)]
    assert years == [1, 9999]


@pytest.mark.parametrize("name", ["я" * 40, "x" * 300, "日" * 80])
def test_long_partitions_have_short_file_names_that_differ(tmp_path: Path, name: str) -> None:
    """Also with large positions; the rows say the whole partition."""
    kept = archive(tmp_path)
    partitions = [f"web/{name}{end}.jsonl" for end in ("", "1", "/@2")]
    for partition in partitions:
        kept.append(batch(10**15, 10**15, partition=partition))
    kept.close()
    names = [path.rpartition("/")[2] for path in files(tmp_path)]
    assert (len(names), max(len(one.encode()) for one in names) + len(".new") <= 255) == (3, True)
    rows = [row for path in files(tmp_path) for row in pq.ParquetFile(tmp_path / "shop" / path).read().to_pylist()]
    assert sorted(row["partition"] for row in rows) == sorted(partitions)
    assert (archive(tmp_path).positions, len(files(tmp_path))) == (dict.fromkeys(partitions, 10**15), 3)


def test_long_file_names_of_an_earlier_version_are_known(tmp_path: Path) -> None:
    partition = "web/" + "x" * 200
    kept = archive(tmp_path)
    kept.append(batch(1, 2, partition=partition))
    kept.close()
    (written,) = files(tmp_path)
    folder = (tmp_path / "shop" / written).parent
    for last in (2, 3):
        (folder / f"web%2F{'x' * 200}~1-{last}.parquet").write_bytes((tmp_path / "shop" / written).read_bytes())
    archive(tmp_path)
    assert files(tmp_path) == sorted([written, f"{folder.name}/web%2F{'x' * 200}~1-2.parquet"])
