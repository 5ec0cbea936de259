"""Parquet values of every type: exact, as a text, or their row refused; none ends the file."""

# ruff: noqa: DTZ001 - files have times without a zone

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from connectors.errors import SourceError
from connectors.sources.rows import Rows
from contracts.model.unreadable import KEY

FAR_US = 300_000_000_000_000_000
"""Microseconds since 1970 of the year 11476."""
NOT_UTF8 = pa.Array.from_buffers(
    pa.string(), 2, [None, pa.py_buffer(bytes([0, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0])), pa.py_buffer(b"\xff\xfea")]
)


def records(path: Path, spec: dict[str, Any]) -> list[dict[str, Any]]:
    source = Rows(path, "parquet", spec, skip=0)
    found = [orjson.loads(record) for record in source.take(100_000)]
    assert source.peek() is None
    return found


def value(tmp_path: Path, column: Any, how: dict[str, Any] | str = "v", **options: Any) -> list[Any]:
    """What the mapping makes of a column."""
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"n": pa.array(range(len(column))), "v": column}), path, **options)
    found = records(path, {"columns": {"properties.n": "n", "properties.v": how}})
    assert [event["properties"]["n"] for event in found] == list(range(len(column)))
    return [event["properties"].get("v") for event in found]


ID = UUID("12345678-1234-5678-1234-567812345678")
CASES: list[tuple[str, Any, list[Any]]] = [
    ("bytes", pa.array([b"\xff\x00", b"\xfe\x00", b"", None]), ["ff00", "fe00", None, None]),
    ("fixed bytes", pa.array([b"\x01\x02"], pa.binary(2)), ["0102"]),
    ("uuid", pa.array([ID.bytes, None], pa.uuid()), [str(ID), None]),
    ("map", pa.array([[("plan", "pro"), ("seats", "5")], [], None], pa.map_(pa.string(), pa.string())),
     [{"plan": "pro", "seats": "5"}, {}, None]),
    ("map of numbers", pa.array([[(1, 2.5)], [(2, None)]], pa.map_(pa.int32(), pa.float64())), [{"1": 2.5}, {"2": None}]),
    ("map of days", pa.array([[(date(2026, 1, 1), b"\x0f")]], pa.map_(pa.date32(), pa.binary())), [{"2026-01-01": "0f"}]),
    ("maps in lists", pa.array([[[("a", 1)], []], None], pa.list_(pa.map_(pa.string(), pa.int64()))), [[{"a": 1}, {}], None]),
    ("nanoseconds in structs", pa.array([{"t": 1_001}, {"t": None}, None], pa.struct([("t", pa.timestamp("ns"))])),
     [{"t": "1970-01-01T00:00:00.000001Z"}, {"t": None}, None]),
    ("nanoseconds in lists", pa.array([[1_001], []], pa.list_(pa.timestamp("ns", "Europe/Berlin"))), [["1970-01-01T00:00:00.000001Z"], []]),
    ("nanoseconds in maps", pa.array([[("a", 1_001)]], pa.map_(pa.string(), pa.time64("ns"))), [{"a": "00:00:00.000001"}]),
    ("far times", pa.array([FAR_US, -FAR_US, 0], pa.timestamp("us", "UTC")),
     [f"{FAR_US} us since 1970", f"{-FAR_US} us since 1970", "1970-01-01T00:00:00.000Z"]),
    ("far times in structs", pa.array([{"t": FAR_US // 1000}], pa.struct([("t", pa.timestamp("ms"))])),
     [{"t": f"{FAR_US // 1000} ms since 1970"}]),
    ("days", pa.array([date(2026, 1, 31), None]), ["2026-01-31", None]),
    ("far days", pa.array([10**9, -(10**6)], pa.date32()), ["1000000000 days since 1970", "-1000000 days since 1970"]),
    ("times of day", pa.array([time(23, 59, 1)], pa.time32("s")), ["23:59:01"]),
    ("times of no day", pa.array([90_000_000], pa.time32("ms")), ["90000000 ms since midnight"]),
    ("durations", pa.array([1_500, -1], pa.duration("ms")), [1.5, -0.001]),
    ("nanosecond durations", pa.array([1], pa.duration("ns")), [1e-9]),
    ("floats", pa.array([1.5, float("nan"), float("inf")]), [1.5, None, "Infinity"]),
    ("half floats", pa.array([1.5, float("nan")], pa.float16()), [1.5, None]),
    ("decimals", pa.array([Decimal("1.10"), Decimal("0E-8")], pa.decimal256(70, 8)), [1.1, 0]),
    ("dictionaries", pa.array([b"\x01", b"\x01", None]).dictionary_encode(), ["01", "01", None]),
    ("fixed lists", pa.array([[1.0, float("nan")], None], pa.list_(pa.float32(), 2)), [[1.0, None], None]),
    ("large lists", pa.array([["a"], None], pa.large_list(pa.large_string())), [["a"], None]),
    ("text views", pa.array(["a", None], pa.string_view()), ["a", None]),
    ("nothing", pa.array([None], pa.null()), [None]),
    ("zones that are none", pa.array([0], pa.timestamp("us", "Mars/Base")), ["1970-01-01T00:00:00.000Z"]),
]  # fmt: skip


@pytest.mark.parametrize(("column", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_values(tmp_path: Path, column: Any, expected: list[Any]) -> None:
    """Bytes of no length are the empty text, and so absent."""
    assert value(tmp_path, column) == expected
    # Inside a struct, and in the middle of a batch.
    nested = pa.StructArray.from_arrays([column], names=["x"])
    inside = value(tmp_path, nested if column.type == pa.string_view() else pa.concat_arrays([nested, nested]).slice(1))
    assert [one["x"] or None for one in inside[-len(column) :]] == [one or None for one in expected]


def test_int96_has_times_without_end(tmp_path: Path) -> None:
    """9999-12-31 in nanoseconds is a time of 1816."""
    column = pa.array([datetime(9999, 12, 31), datetime(2026, 1, 1, 0, 0, 0, 1), datetime(1, 1, 1)], pa.timestamp("us"))
    found = value(tmp_path, column, {"column": "v", "zone": "UTC"}, use_deprecated_int96_timestamps=True)
    assert found == ["9999-12-31T00:00:00.000Z", "2026-01-01T00:00:00.000001Z", "0001-01-01T00:00:00.000Z"]


def test_types_of_a_mapping_see_texts(tmp_path: Path) -> None:
    assert value(tmp_path, pa.array([["a", None]]), {"column": "v", "type": "text"}) == ['["a",null]']
    assert value(tmp_path, pa.array([1e-7, 2.0]), {"column": "v", "type": "number"}) == [1e-7, 2.0]
    assert value(tmp_path, pa.array([b"\x00\xff"]), {"column": "v", "cases": [{"eq": "00ff", "value": 1}]}) == [1]
    assert value(tmp_path, pa.array([[1], [2]]), {"column": "v", "zone": "UTC"}) == ["[1]", "[2]"]


def test_a_value_that_cannot_be_read_refuses_its_row(tmp_path: Path) -> None:
    """Of a column that the mapping names; others only go into the message id."""
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"n": pa.array([1, 2]), "v": NOT_UTF8}), path)
    bad, good = records(path, {"columns": {"userId": "n", "properties.v": "v"}})
    assert (bad[KEY]["at"], bad[KEY]["found"]) == ("row 1", "bytes that are no UTF-8 (fffe)")
    assert good["properties"] == {"v": "a"}
    first, second = records(path, {"columns": {"userId": "n"}})
    assert first["messageId"] != second["messageId"]


def test_only_the_columns_that_are_needed_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"a": [1], "a.b": [2], "s": [{"x": 3}], "c": ["m"]}), path)
    asked: list[Any] = []
    batches = pq.ParquetFile.iter_batches
    monkeypatch.setattr(pq.ParquetFile, "iter_batches", lambda file, **how: asked.append(how.get("columns")) or batches(file, **how))
    assert records(path, {"columns": {"properties.v": "a.b", "messageId": "c"}}) == [{"properties": {"v": 2}, "messageId": "m"}]
    assert records(path, {"columns": {"properties.v": "s"}, "message_id": {"columns": ["a"]}})[0]["properties"] == {"v": {"x": 3}}
    records(path, {"columns": {"properties.v": "s"}})
    assert asked == [["a.b", "c"], ["a", "s"], None]


def test_two_columns_of_one_name(tmp_path: Path) -> None:
    """An error only where the mapping names them."""
    path = tmp_path / "a.parquet"
    pq.write_table(pa.Table.from_arrays([pa.array([1]), pa.array([2]), pa.array([3])], names=["x", "y", "x"]), path)
    assert records(path, {"columns": {"properties.y": "y"}})[0]["properties"] == {"y": 2}
    with pytest.raises(SourceError, match="found it as the columns 1 and 3"):
        Rows(path, "parquet", {"columns": {"properties.x": "x"}}, skip=0)


def test_an_empty_file_has_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(b"")
    assert records(path, {"columns": {"userId": "id"}}) == []


def test_rows_over_several_batches(tmp_path: Path) -> None:
    """Lists of a batch are those of its rows, not of the row group."""
    path = tmp_path / "a.parquet"
    table = pa.table({"v": pa.array([[number, number + timedelta(1)] for number in (datetime(2026, 1, 1, tzinfo=UTC),) * 9000])})
    pq.write_table(table.append_column("n", pa.array(range(9000))), path)
    found = records(path, {"columns": {"properties.n": "n", "properties.v": "v"}})
    assert [event["properties"]["n"] for event in found] == list(range(9000))
    assert {str(event["properties"]["v"]) for event in found} == {"['2026-01-01T00:00:00.000Z', '2026-01-02T00:00:00.000Z']"}
