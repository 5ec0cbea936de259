"""Sources: files, folders, globs, gzip, torn lines, restarts, the order of reading, following."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from connectors.control import append
from connectors.errors import SourceError
from connectors.sources.lines import Lines
from connectors.sources.marks import decode
from connectors.sources.reader import Reader
from connectors.sources.source import SourceSpec
from contracts.model.batches import SourceBatch
from contracts.model.definitions import Mapping

Positions = dict[str, int]


class Clock:
    def __init__(self) -> None:
        self.us = 0

    def __call__(self) -> int:
        return self.us


def reader(
    path: Path, positions: Positions | None = None, *, follow: bool = False, size: int = 100, clock: Callable[[], int] | None = None
) -> Reader:
    known = positions or {}
    specs = [SourceSpec("web", "jsonl", path, None, "shop")]
    control = {"shop": path.parent / "control.jsonl"}
    return Reader(specs, control, lambda _space, part: known.get(part, 0), batch_size=size, follow=follow, now_us=clock or Clock())


def drain(source: Reader) -> list[SourceBatch]:
    batches = []
    while not source.done:
        batches += [batch for batch in source.poll() if batch.partition != "control"]
    return batches


def records(batches: list[SourceBatch]) -> list[bytes]:
    return [record for batch in batches for record in batch.records]


def stops(batches: list[SourceBatch]) -> list[str]:
    """Why files are read no further, as their marks tell."""
    told = [decode(batch.mark) for batch in batches]
    return [mark.stopped for mark in told if mark is not None and mark.stopped]


def line(**more: Any) -> bytes:
    return orjson.dumps(more) + b"\n"


def test_a_file_is_one_partition_and_positions_count_records(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"1\n\n  \r\n2\r\n3")
    batches = drain(reader(path, size=2))
    assert [(batch.partition, batch.first, batch.last, batch.finished) for batch in batches] == [
        ("web/a.jsonl", 1, 2, False),
        ("web/a.jsonl", 3, 3, True),
    ]
    assert records(batches) == [b"1", b"2", b"3"]


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
@pytest.mark.parametrize("after", [0, 1, 4999, 5000])
def test_reading_goes_on_behind_the_position(tmp_path: Path, name: str, after: int) -> None:
    path = tmp_path / name
    content = b"".join(b'{"n":%d}\n%s' % (n, b"\n" * (n % 3)) for n in range(1, 5001))
    path.write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    batches = drain(reader(path, {f"web/{name}": after}, size=700))
    assert batches[0].first == after + 1
    assert (batches[-1].last, batches[-1].finished) == (5000, True)
    assert records(batches) == [b'{"n":%d}' % n for n in range(after + 1, 5001)]


def test_a_file_that_got_shorter_than_its_position_stops_alone(tmp_path: Path) -> None:
    """Without a mark, as an earlier version has left it."""
    root = tmp_path / "in"
    root.mkdir()
    for name in ("a.jsonl", "b.jsonl"):
        (root / name).write_bytes(b"1\n")
    batches = drain(reader(root, {"web/a.jsonl": 2}))
    assert [(batch.partition, batch.records, batch.finished) for batch in batches] == [
        ("web/b.jsonl", [b"1"], True),
        ("web/a.jsonl", [], True),
    ]
    assert [why.partition(": ")[2] for why in stops(batches)] == [
        "expected at least the 2 records read before, found 1: it was cut or replaced"
    ]


def test_folders_and_globs_name_partitions_by_relative_path(tmp_path: Path) -> None:
    root = tmp_path / "in"
    others = (".hidden", "b/.x/y.jsonl", "_SUCCESS", "_temporary/0/x.jsonl", "c.jsonl.part", "c.tmp")
    for name in ("b/2.jsonl", "a.jsonl", "b/3.txt", *others):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"1\n")
    assert {batch.partition for batch in drain(reader(root))} == {"web/a.jsonl", "web/b/2.jsonl", "web/b/3.txt"}
    assert {batch.partition for batch in drain(reader(root / "**" / "*.jsonl"))} == {"web/a.jsonl", "web/b/2.jsonl"}


@pytest.mark.parametrize("name", ["in [2026]", "what?", "a*", "[", "[a-z] {x}"])
def test_only_what_is_behind_folders_that_exist_is_a_pattern(tmp_path: Path, name: str) -> None:
    root = tmp_path / name / "x"
    root.mkdir(parents=True)
    (root / "a.jsonl").write_bytes(b"1\n")
    assert {batch.partition for batch in drain(reader(root / "*.jsonl"))} == {"web/a.jsonl"}
    assert {batch.partition for batch in drain(reader(root.parent / "*" / "a.jsonl"))} == {"web/x/a.jsonl"}


def test_a_name_that_is_no_text_names_a_partition_by_its_bytes(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.jsonl"))
    path.write_bytes(b"1\n")
    (batch,) = drain(reader(path))
    assert (batch.partition, batch.records) == ("web/caf\\xe9.jsonl", [b"1"])


def test_what_does_not_exist_is_an_error_or_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "late.jsonl"
    with pytest.raises(SourceError, match=r"late\.jsonl: expected a file"):
        reader(path)
    clock = Clock()
    source = reader(path, follow=True, clock=clock)
    assert source.poll() == []
    path.write_bytes(b"1\n")
    clock.us = 1_000_000
    assert records(source.poll()) == [b"1"]


def test_empty_files_and_no_sources_end(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.touch()
    (only,) = drain(reader(path))
    assert (only.first, only.last, only.finished) == (1, 0, True)
    empty = Reader([], {"shop": tmp_path / "c"}, lambda _s, _p: 0, batch_size=1, follow=False, now_us=Clock())
    (control,) = empty.poll()
    assert (control.partition, control.finished, empty.done) == ("control", True, True)


def test_partitions_are_read_in_rough_order_of_time(tmp_path: Path) -> None:
    root = tmp_path / "in"
    root.mkdir()
    (root / "a").write_bytes(b"".join(line(timestamp=f"2026-01-0{day}") for day in (2, 4)))
    (root / "b").write_bytes(b"".join(line(originalTimestamp=f"2026-01-0{day}") for day in (1, 3)))
    (root / "c").write_bytes(b"not json\n")
    order = [batch.partition for batch in drain(reader(root, size=1)) if batch.records]
    assert order == ["web/c", "web/b", "web/a", "web/b", "web/a"]


def test_following_waits_for_the_end_of_a_line_and_ticks(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"1\n2")
    clock = Clock()
    source = reader(path, follow=True, clock=clock)
    (batch,) = source.poll()
    assert (batch.records, batch.caught_up, batch.finished, source.done) == ([b"1"], True, False, False)
    assert source.poll() == []
    with path.open("ab") as stream:
        stream.write(b"2\n")
    (batch,) = source.poll()
    assert (batch.first, batch.records, batch.caught_up) == (2, [b"22"], True)
    clock.us = 20_000
    (tick,) = source.poll()
    assert (tick.first, tick.last, tick.caught_up, tick.read_at_us) == (3, 2, True, 20_000)
    assert source.poll() == []


@pytest.mark.parametrize("replace", [False, True])
def test_a_followed_file_that_is_cut_or_replaced_stops_until_it_is_as_it_was(tmp_path: Path, replace: bool) -> None:
    path, clock = tmp_path / "a.jsonl", Clock()
    path.write_bytes(b"1\n2\n")
    source = reader(path, follow=True, clock=clock)
    source.poll()
    if replace:
        (tmp_path / "other").write_bytes(b"1\n3\n4\n")
        (tmp_path / "other").replace(path)
    else:
        os.truncate(path, 1)
    (batch,) = source.poll()
    assert (batch.finished, batch.records) == (True, [])
    assert (
        stops([batch]) == [f"{path}: expected what was read of it before, its first 4 bytes; found others: it was replaced"] or not replace
    )
    assert source.poll() == []
    path.write_bytes(b"1\n2\n3\n")
    clock.us = 1_000_000
    (batch,) = source.poll()
    assert (batch.first, batch.records, stops([batch])) == (3, [b"3"], [])


def test_a_followed_file_may_be_written_anew_with_what_was_read_and_more(tmp_path: Path) -> None:
    path, other = tmp_path / "a.jsonl", tmp_path / "other"
    path.write_bytes(b"1\n2\n")
    source = reader(path, follow=True)
    source.poll()
    other.write_bytes(b"1\n2\n3\n")
    other.replace(path)
    assert records(source.poll()) == [b"3"]


@pytest.mark.parametrize("name", ["a.csv", "a.parquet"])
def test_rows_of_a_followed_file_that_is_still_being_written_wait(tmp_path: Path, name: str) -> None:
    """A row for its line break, a Parquet file for its footer; then it is read, and the flow goes on meanwhile."""
    path, whole, clock = tmp_path / name, tmp_path / "whole", Clock()
    if name == "a.parquet":
        pq.write_table(pa.table({"a": ["1", "2"]}), whole)
    else:
        whole.write_bytes(b"a\n1\n2\n")
    path.write_bytes(whole.read_bytes()[:5])
    mapping = Mapping("rows", {"columns": {"userId": "a"}}, "rows.yaml")
    specs = [SourceSpec("web", name.split(".")[1], path, mapping, "shop")]  # type: ignore[arg-type]
    source = Reader(specs, {}, lambda *_: 0, batch_size=10, follow=True, now_us=clock)
    found = source.poll()
    assert [batch.caught_up for batch in found] == [True]
    path.write_bytes(whole.read_bytes())
    clock.us = 1_000_000
    found += source.poll()
    assert [orjson.loads(record)["userId"] for record in records(found)] == ["1", "2"]
    assert stops(found) == []


def test_a_row_of_several_lines_waits_for_its_last_one(tmp_path: Path) -> None:
    path, clock = tmp_path / "a.csv", Clock()
    path.write_bytes(b'a,b\n1,x\n2,"y\n')
    mapping = Mapping("rows", {"columns": {"userId": "a", "properties.b": "b"}}, "rows.yaml")
    source = Reader([SourceSpec("web", "csv", path, mapping, "shop")], {}, lambda *_: 0, batch_size=10, follow=True, now_us=clock)
    found = [batch for _ in range(2) for batch in source.poll()]
    with path.open("ab") as stream:
        stream.write(b'z"\n3,x\n')
    clock.us = 1_000_000
    found += source.poll()
    events = [orjson.loads(record) for record in records(found)]
    assert [(event["userId"], event["properties"]["b"]) for event in events] == [("1", "x"), ("2", "y\nz"), ("3", "x")]


def test_new_files_of_a_followed_folder_are_found_within_a_second(tmp_path: Path) -> None:
    root = tmp_path / "in"
    root.mkdir()
    (root / "a").write_bytes(b"1\n")
    clock = Clock()
    source = reader(root, follow=True, clock=clock)
    source.poll()
    (root / "b").write_bytes(b"2\n")
    assert source.poll() == []
    clock.us = 1_000_000
    assert b"2" in records(source.poll())


def test_control_comes_first_and_heals_a_torn_line(tmp_path: Path) -> None:
    path, control = tmp_path / "a.jsonl", tmp_path / "control.jsonl"
    path.write_bytes(b"1\n")
    assert append(control, {"type": "link"}) == 1
    with control.open("ab") as stream:
        stream.write(b'{"torn')
    assert append(control, {"type": "unlink", "messageId": "m"}) == 3
    source = reader(path)
    (batch,) = source.poll()
    assert (batch.partition, batch.first, batch.last, batch.finished) == ("control", 1, 3, True)
    entries = [orjson.loads(batch.records[0]), batch.records[1], orjson.loads(batch.records[2])]
    assert set(entries[0]) == {"type", "messageId", "timestamp"}
    assert entries[1] == b'{"torn'
    assert entries[2]["messageId"] == "m"
    assert records(drain(source)) == [b"1"]


def test_a_large_record_and_bytes_that_are_no_text_come_through(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    large = b'{"a":"' + b"x" * 5_000_000 + b'"}'
    path.write_bytes(large + b"\n\xff\xfe\x00\n" + b"3\n")
    assert records(drain(reader(path))) == [large, b"\xff\xfe\x00", b"3"]


@pytest.mark.parametrize("content", [b'{"a":1}\n{"a":2}\n', b'{"a":1}\n', b'{"a":1}', b"\n", b""])
@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_a_byte_order_mark_belongs_to_no_record(tmp_path: Path, content: bytes, name: str) -> None:
    path, marked = tmp_path / name, b"\xef\xbb\xbf" + content
    path.write_bytes(gzip.compress(marked) if name.endswith(".gz") else marked)
    lines = content.split()
    batches = drain(reader(path))
    assert (records(batches), stops(batches)) == (lines, [])
    assert records(drain(reader(path, {f"web/{name}": len(lines)}))) == []


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_json_lines_in_another_encoding_are_read_as_meant(tmp_path: Path, encoding: str, name: str) -> None:
    """Also where a byte of a line break is a part of another character, and where a block ends within one."""
    lines = [f'{{"a":"Ċਊ乊 {number}","b":"{"ž" * 50}"}}' for number in range(6_000)]
    content = "\r\n".join([*lines, ""]).encode(encoding)
    path = tmp_path / name
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    expected = [line.encode() for line in lines]
    batches = drain(reader(path))
    assert (records(batches), stops(batches)) == (expected, [])
    assert records(drain(reader(path, {f"web/{name}": 5_990}))) == expected[5_990:]


def test_a_last_line_in_another_encoding_needs_no_break(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"a":1}\n{"a":2}', encoding="utf-16")
    assert records(drain(reader(path))) == [b'{"a":1}', b'{"a":2}']
    path.write_text('{"a":1}\n{"a":', encoding="utf-16")
    assert records(drain(reader(path))) == [b'{"a":1}']
    path.write_bytes('{"a":"x"}\n{"b":1}\n'.encode("utf-16-le").replace(b"x\0", b"\0\xd8"))
    assert records(drain(reader(path))) == [b'{"a":"\\x00\\xd8"}', b'{"b":1}']


def test_a_growing_file_in_another_encoding_is_followed(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    content = '{"a":"乊"}\n{"a":"Ċ"}\n{"a":3}\n'.encode("utf-16")
    lines = Lines(path, skip=0, follow=True)
    found: list[bytes] = []
    for end in range(len(content) + 1):
        path.write_bytes(content[:end])
        found += lines.take(10)
    assert found == ['{"a":"乊"}'.encode(), '{"a":"Ċ"}'.encode(), b'{"a":3}']


def test_a_torn_gzip_hands_over_its_lines_and_stops(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    noise = os.urandom(3000).hex().encode()
    path.write_bytes(gzip.compress(b"1\n2\n" + noise)[:-20])
    batches = drain(reader(path))
    assert records(batches) == [b"1", b"2"]
    assert [why.partition(", found")[0] for why in stops(batches)] == [f"{path}: expected a complete gzip file"]


def test_gzip_that_is_copied_into_a_followed_folder_is_read_as_it_comes(tmp_path: Path) -> None:
    """Members one behind the other too; damage stops the file."""
    path, clock = tmp_path / "a.jsonl.gz", Clock()
    packed = gzip.compress(b"1\n2") + bytes(7) + gzip.compress(b"\n3\n" + os.urandom(300).hex().encode() + b"\n4\n")
    path.write_bytes(b"")
    source = reader(path, follow=True, clock=clock)
    found = source.poll()
    for at in range(0, len(packed), 50):
        with path.open("ab") as stream:
            stream.write(packed[at : at + 50])
        found += source.poll()
    taken = records(found)
    assert (taken[:3], len(taken), taken[-1], stops(found)) == ([b"1", b"2", b"3"], 5, b"4", [])
    with path.open("ab") as stream:
        stream.write(b"no gzip at all")
    found = [batch for _ in range(2) for batch in source.poll()]
    assert [why.partition(": ")[2][:32] for why in stops(found)] == ["expected a complete gzip file, f"]


def stopping(path: Path, stopped: Callable[[str, int], frozenset[str] | None], *, follow: bool = False) -> Reader:
    """A reader of the sources `web` and `till`, two records a batch."""
    specs = [SourceSpec(name, "jsonl", path / f"{name}.jsonl", None, "shop") for name in ("web", "till")]
    control = {"shop": path / "control.jsonl"}
    return Reader(specs, control, lambda *_: 0, batch_size=2, follow=follow, now_us=Clock(), stopped=stopped)


def test_a_stopped_source_rests_where_it_is_and_the_others_are_read(tmp_path: Path) -> None:
    """It says once that it ends, and does not keep the reader from its end."""
    for name in ("web", "till"):
        (tmp_path / f"{name}.jsonl").write_bytes(b"1\n2\n3\n4\n5\n")
    stopped: set[str] = set()
    source = stopping(tmp_path, lambda *_: frozenset(stopped))
    batches = [batch for _ in range(2) for batch in source.poll() if batch.partition == "web/web.jsonl"]
    stopped.add("web")
    batches += drain(source)
    told = [(batch.first, batch.last, batch.finished) for batch in batches if batch.source == "web"]
    assert told == [(1, 2, False), (3, 2, True)]
    assert records([batch for batch in batches if batch.source == "till"]) == [b"1", b"2", b"3", b"4", b"5"]


def test_a_source_that_is_resumed_goes_on_behind_the_last_record(tmp_path: Path) -> None:
    """In a flow that follows, while it runs; nothing is skipped and nothing comes twice."""
    for name in ("web", "till"):
        (tmp_path / f"{name}.jsonl").write_bytes(b"1\n2\n3\n")
    stopped = {"web", "till"}
    source = stopping(tmp_path, lambda *_: frozenset(stopped), follow=True)
    assert [(batch.source, batch.finished, batch.records) for batch in source.poll()] == [("web", True, []), ("till", True, [])]
    assert source.poll() == []
    stopped.discard("web")
    found = [batch for _ in range(3) for batch in source.poll()]
    assert {batch.source for batch in found} == {"web"}
    assert records(found) == [b"1", b"2", b"3"]


def test_nothing_is_read_while_a_resume_may_be_under_way(tmp_path: Path) -> None:
    """Whether a source is stopped is open until the control entries handed over have been applied."""
    for name in ("web", "till"):
        (tmp_path / f"{name}.jsonl").write_bytes(b"1\n")
    append(tmp_path / "control.jsonl", {"type": "resume", "source": "web"})
    applied = 0
    source = stopping(tmp_path, lambda _space, control: frozenset() if applied >= control else None)
    assert [batch.partition for batch in source.poll()] == ["control"]
    assert (source.poll(), source.done) == ([], False)
    applied = 1
    assert len(records(drain(source))) == 2


@pytest.mark.parametrize("follow", [False, True])
def test_every_batch_of_history_says_so(tmp_path: Path, follow: bool) -> None:
    """Also those without a record: that it has ended, has caught up, or rests because it is stopped."""
    (tmp_path / "old.jsonl").write_bytes(b"1\n2\n3\n")
    (tmp_path / "web.jsonl").write_bytes(b"1\n")
    specs = [SourceSpec(name, "jsonl", tmp_path / f"{name}.jsonl", None, "shop", history=name == "old") for name in ("old", "web")]
    stopped: set[str] = set()
    control = {"shop": tmp_path / "control.jsonl"}
    source = Reader(
        specs, control, lambda *_: 0, batch_size=2, follow=follow, now_us=Clock(), stopped=lambda *_: frozenset(stopped)
    )  # fmt: skip
    assert source.history == {("shop", "old/old.jsonl")}
    batches = [batch for _ in range(4) for batch in source.poll() if batch.partition != "control"]
    stopped.add("old")
    batches += source.poll()
    assert {(batch.source, batch.history) for batch in batches} == {("old", True), ("web", False)}
    assert any(batch.source == "old" and (batch.caught_up if follow else batch.finished) for batch in batches)


def test_what_was_read_of_a_record_in_the_middle_of_a_file_does_not_wait_for_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only behind the last line break of all is a record unfinished."""
    monkeypatch.setattr("connectors.sources.content.BLOCK_BYTES", 25)
    path = tmp_path / "web.jsonl"
    path.write_bytes(b'{"number": 1}\n' * 10 + b'{"half')
    source = Lines(path, skip=0, follow=True)
    assert (len(source.take(1)), source.mark().waiting) == (1, 0)
    assert (len(source.take(100)), source.mark().waiting) == (9, 6)
