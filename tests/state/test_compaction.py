"""The archive compacted: every row once, in its order, whatever runs beside it and wherever it is killed."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from state import compaction
from state.archive import Archive
from state.archive_files import archive_files, reading, whole
from state.compaction import merge
from state.errors import DiskFull, StateError
from tests.killing import killed_at_each
from tests.state.test_archive import archive, batch, files


def rows(root: Path) -> list[tuple[str, int, str]]:
    """Partition, position and bytes of every row that a reader finds, in the order of partitions and positions."""
    found = []
    for path in archive_files(root / "shop"):
        with pq.ParquetFile(path) as file:
            table = file.read()
        positions = table["position"].to_pylist()
        assert positions == sorted(positions), path
        found += list(zip(table["partition"].to_pylist(), positions, table["raw"].to_pylist(), strict=True))
    return sorted(found)


def filled(root: Path, rng: Random, flushes: int = 12, days: int = 3) -> Archive:
    """An archive of two partitions and some days, written in small files."""
    kept = archive(root)
    ends = {"web/a": 0, "web/b": 0}
    for _ in range(flushes):
        for partition in ("web/a", "web/b"):
            for day in range(days):
                first, last = ends[partition] + 1, ends[partition] + rng.randrange(3)
                if last >= first:
                    kept.append(batch(first, last, partition=partition, day=day))
                    ends[partition] = last
        kept.flush()
    return kept


def test_small_files_of_a_day_and_partition_become_one(tmp_path: Path) -> None:
    seed = 14
    kept = filled(tmp_path, Random(seed))
    before, names = rows(tmp_path), files(tmp_path)
    merged = merge(tmp_path / "shop")
    assert rows(tmp_path) == before
    assert (merged.files, merged.files_now, len(names)) == (len(names), 6, len(names))
    assert len(files(tmp_path)) == 6
    again = merge(tmp_path / "shop")
    assert (again.files, again.files_now, again.bytes) == (6, 6, again.bytes_now)
    # The flow goes on, and a newly opened archive takes none of it for what a crash has left.
    kept.append(batch(kept.positions["web/a"] + 1, kept.positions["web/a"] + 2, partition="web/a"))
    kept.close()
    now = rows(tmp_path)
    assert archive(tmp_path).positions == kept.positions
    assert (rows(tmp_path), len(now)) == (now, len(before) + 2)


def merged(root: Path) -> None:
    """The step that is killed."""
    merge(root / "shop")


def test_killed_at_any_step_every_row_is_there_once(tmp_path: Path) -> None:
    seed = 15
    filled(tmp_path / "made", Random(seed), 10, 1).close()
    before = rows(tmp_path / "made")
    left = killed_at_each(merged, ("os.replace", "os.unlink", "os.fsync"), tmp_path / "made", tmp_path / "killed")
    assert len(left) > 15
    half = 0
    for step, folder in enumerate(left, 1):
        half += bool(whole(folder / "shop")[1])
        assert rows(folder) == before, step
        if step % 2:
            # The flow starts first: behind it the files hold every row once for whoever reads them by themselves.
            archive(folder)
            assert archive_files(folder / "shop") == sorted((folder / "shop").glob("day=*/*"))
            assert rows(folder) == before, step
        merge(folder / "shop")
        assert (rows(folder), len(files(folder))) == (before, 2), step
        assert list((folder / "shop/.compacting").iterdir()) == []
    assert half > 2


def test_a_flow_and_readers_go_on_beside_it(tmp_path: Path) -> None:
    """What is written meanwhile, and not durable yet, is the flow's; who reads finds all that was there, once."""
    seed = 16
    kept = filled(tmp_path, Random(seed), 40)
    done = threading.Event()
    wrong: list[str] = []

    def read() -> None:
        while not done.is_set():
            sure = dict(kept.positions)
            with reading(tmp_path / "shop"):
                found = rows(tmp_path)
            keys = [row[:2] for row in found]
            if len(set(keys)) != len(keys):
                wrong.append("a row twice")
            for partition, last in sure.items():
                if sum(row[0] == partition and row[1] <= last for row in found) != last:
                    wrong.append(f"{partition}: not all {last} rows")

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for _ in range(6):
            last = kept.positions["web/b"]
            kept.append(batch(last + 1, last + 3, partition="web/b", day=1))
            kept.flush()
            merge(tmp_path / "shop")
    finally:
        done.set()
        reader.join()
    assert wrong == []
    assert len(files(tmp_path)) == 6


def test_a_merged_file_that_comes_while_files_are_listed_doubles_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(tmp_path, Random(19), 6, 1).close()
    before = rows(tmp_path)
    merge(shutil.copytree(tmp_path / "shop", tmp_path / "merged/shop"))
    listing = Path.glob

    def glob(folder: Path, pattern: str) -> list[Path]:
        """What is there; right behind it the merged files are put in place."""
        found = list(listing(folder, pattern))
        shutil.copytree(tmp_path / "merged/shop", tmp_path / "shop", dirs_exist_ok=True)
        return found

    monkeypatch.setattr(Path, "glob", glob)
    assert rows(tmp_path) == before
    assert rows(tmp_path) == before
    assert len(whole(tmp_path / "shop")[0]) == 2


def test_what_is_beyond_the_positions_is_left(tmp_path: Path) -> None:
    kept = archive(tmp_path)
    for position in (1, 2, 3):
        kept.append(batch(position, position))
        kept.flush()
        if position == 2:
            durable = (tmp_path / "shop/positions.json").read_bytes()
    (tmp_path / "shop/positions.json").write_bytes(durable)
    merge(tmp_path / "shop")
    assert files(tmp_path) == ["day=1970-01-01/web%2Fa.jsonl~1-2.parquet", "day=1970-01-01/web%2Fa.jsonl~3-3.parquet"]


def test_merged_files_have_a_largest_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = archive(tmp_path)
    for position in range(1, 7):
        kept.append(batch(position, position))
        kept.flush()
    size = archive_files(tmp_path / "shop")[0].stat().st_size
    monkeypatch.setattr(compaction, "LARGEST", size * 5 // 2)
    before = rows(tmp_path)
    merge(tmp_path / "shop")
    assert (rows(tmp_path), len(files(tmp_path))) == (before, 3)


def test_files_of_another_form_are_left(tmp_path: Path) -> None:
    """What an older version wrote with other columns, and what somebody else has put there."""
    kept = archive(tmp_path)
    for position in range(1, 5):
        kept.append(batch(position, position))
        kept.flush()
    other = archive_files(tmp_path / "shop")[1]
    table = pq.ParquetFile(other).read()
    pq.write_table(table.set_column(table.schema.get_field_index("raw"), "raw", table["raw"].cast(pa.binary())), other)
    (other.parent / "notes.parquet").write_bytes(other.read_bytes())
    merge(tmp_path / "shop")
    ranges = [name.partition("~")[2] for name in files(tmp_path) if "~" in name]
    assert ranges == ["1-1.parquet", "2-2.parquet", "3-4.parquet"]


def test_a_full_disk_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(tmp_path, Random(17), 3).close()
    before, names = rows(tmp_path), files(tmp_path)
    monkeypatch.setattr(pq.ParquetWriter, "write_table", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(DiskFull, match="Free some space and compact it again"):
        merge(tmp_path / "shop")
    assert (rows(tmp_path), files(tmp_path)) == (before, names)


def test_one_at_a_time(tmp_path: Path) -> None:
    filled(tmp_path, Random(18), 3).close()
    with compaction._scratch(tmp_path / "shop"), pytest.raises(StateError, match="compacted by another process"):
        merge(tmp_path / "shop")


def test_an_archive_that_is_not_there_yet(tmp_path: Path) -> None:
    assert merge(tmp_path / "shop").files == 0
    assert not (tmp_path / "shop").exists()
