"""CSV and Parquet by a mapping: values, times, message ids that survive a restart."""

from __future__ import annotations

import gzip
from contextlib import nullcontext
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from structlog.testing import capture_logs

from connectors.errors import SourceError
from connectors.sources.rows import Rows
from contracts.model.unreadable import KEY

SPEC: dict[str, Any] = {
    "columns": {
        "userId": "Customer",
        "properties.Quantity": {"column": "Quantity", "type": "integer"},
        "properties.Price": {"column": "Price", "type": "number"},
        "properties.Gift": {"column": "Gift", "type": "boolean"},
        "properties.Amount": {"product": ["Quantity", "Price"]},
        "timestamp": {"column": "Date", "format": "%Y-%m-%d %H:%M:%S", "zone": "Europe/Berlin"},
        "event": {"column": "Invoice", "cases": [{"starts_with": "C", "value": "Line Cancelled"}], "otherwise": "Line Ordered"},
        "context.channel": {"constant": "shop"},
    },
    "constants": {"type": "track"},
}
HEADER = "Customer,Quantity,Price,Gift,Date,Invoice\n"
ROW = "42,6,2.55,yes,2026-07-01 12:00:00,1\n"


def rows(path: Path, spec: dict[str, Any] | None = None, skip: int = 0, kind: str = "csv") -> list[dict[str, Any]]:
    source = Rows(path, kind, spec or SPEC, skip=skip)
    first = source.peek()
    taken = source.take(1000)
    assert source.peek() is None
    assert taken[:1] == ([first] if first else [])
    return [orjson.loads(record) for record in taken]


def csv(tmp_path: Path, body: str) -> Path:
    path = tmp_path / "lines.csv"
    path.write_text(HEADER + body)
    return path


def test_columns_become_fields(tmp_path: Path) -> None:
    (event,) = rows(csv(tmp_path, ROW))
    assert event.pop("messageId").startswith("r_")
    assert event == {
        "type": "track",
        "userId": "42",
        "properties": {"Quantity": 6, "Price": 2.55, "Gift": True, "Amount": 15.3},
        "timestamp": "2026-07-01T10:00:00.000Z",
        "event": "Line Ordered",
        "context": {"channel": "shop"},
    }


def test_what_cannot_be_read_stays_its_text_and_empty_is_absent(tmp_path: Path) -> None:
    (event,) = rows(csv(tmp_path, ",six,,perhaps,today,C1\n"))
    assert event["properties"] == {"Quantity": "six", "Gift": "perhaps"}
    assert (event["timestamp"], event["event"], event.get("userId")) == ("today", "Line Cancelled", None)


def test_numbers_are_exact(tmp_path: Path) -> None:
    path = csv(tmp_path, "1,123456789012345678901234567890,0.10,0,2026-07-01 12:00:00,1\n")
    source = Rows(path, "csv", SPEC, skip=0)
    record = source.take(1)[0]
    source.close()
    assert b'"Quantity":123456789012345678901234567890,' in record
    assert b'"Price":0.10,' in record
    assert b'"Amount":12345678901234567890123456789.00' in record


@pytest.mark.parametrize("packed", [False, True])
def test_identical_rows_have_ids_of_their_own_that_a_restart_repeats(tmp_path: Path, packed: bool) -> None:
    path = csv(tmp_path, (ROW * 3 + "\n" + ROW.replace("42", "43")) * 2)
    if packed:
        content, path = path.read_bytes(), tmp_path / "lines.csv.gz"
        path.write_bytes(gzip.compress(content))
    ids = [event["messageId"] for event in rows(path)]
    assert len(set(ids)) == len(ids) == 8
    for skip in range(9):
        assert [event["messageId"] for event in rows(path, skip=skip)] == ids[skip:]
    plain = {**SPEC, "message_id": {"columns": ["Customer"], "occurrence": False}}
    assert len({event["messageId"] for event in rows(path, plain)}) == 2


def test_parquet_values_keep_their_types(tmp_path: Path) -> None:
    path = tmp_path / "lines.parquet"
    table = {
        "n": pa.array([1, None]),
        "price": pa.array([Decimal("2.50"), None], pa.decimal128(9, 2)),
        "at": pa.array([datetime(2026, 1, 1, tzinfo=UTC), None], pa.timestamp("ns", "UTC")),
        "tags": pa.array([["a"], None]),
    }
    pq.write_table(pa.table(table), path)
    spec = {"columns": {"properties.n": "n", "properties.price": "price", "timestamp": "at", "properties.tags": "tags"}}
    first, second = rows(path, spec, kind="parquet")
    assert first.pop("messageId") != second.pop("messageId")
    assert (first, second) == ({"timestamp": "2026-01-01T00:00:00.000Z", "properties": {"n": 1, "price": 2.5, "tags": ["a"]}}, {})


def test_message_ids_do_not_depend_on_the_order_of_columns(tmp_path: Path) -> None:
    """A re-export is the same rows; another column makes other ones, and equal values of other columns are other rows."""

    def ids(content: str, spec: dict[str, Any]) -> list[str]:
        path = tmp_path / "a.csv"
        path.write_text(content)
        return [event["messageId"] for event in rows(path, spec)]

    by_all: dict[str, Any] = {"columns": {"userId": "id"}}
    first = ids("id,at,name\n1,2,3\n1,2,3\n4,5,6\n", by_all)
    assert ids("name,id,at\n3,1,2\n3,1,2\n6,4,5\n", by_all) == first
    assert len(set(first)) == 3
    assert not set(first) & set(ids("id,at,name,more\n1,2,3,\n1,2,3,\n4,5,6,\n", by_all))
    assert not set(first) & set(ids("id,name,at\n1,2,3\n1,2,3\n4,5,6\n", by_all))
    listed: dict[str, Any] = {**by_all, "message_id": {"columns": ["id", "at"]}}
    assert ids("id,at\n1,2\n", listed) == ids("at,more,id\n2,9,1\n", listed)
    assert ids("id,at\n1,2\n", listed) == ["r_1bd8dcc58d7fbcbde924d8b4b63415eb"]


def test_decimal_signs_are_those_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes('id;n;price\n1;2;"1.234,50"\n2;3;n/a\n'.encode("utf-16"))
    columns = {"userId": "id", "properties.price": {"column": "price", "type": "number"}, "properties.sum": {"product": ["n", "price"]}}
    first, second = rows(path, {"columns": columns, "csv": {"delimiter": ";", "decimal": ",", "thousands": "."}})
    assert (first["properties"], second["properties"]) == ({"price": 1234.5, "sum": 2469}, {"price": "n/a", "sum": "3 × n/a"})
    said = rows(path, {"columns": columns, "csv": {"delimiter": ";", "decimal": ","}})[0]
    unsaid = rows(path, {"columns": columns, "csv": {"delimiter": ";"}})[0]
    assert (said["properties"]["price"], unsaid["properties"]["price"]) == (1234.5, "1.234,50")


def test_hours_that_come_twice_are_told(tmp_path: Path) -> None:
    with capture_logs() as told:
        rows(csv(tmp_path, ROW.replace("2026-07-01 12", "2026-10-25 02") * 2))
    assert [(one["log_level"], one["times"]) for one in told] == [("warning", 2)]


def test_rows_that_cannot_be_read_are_records_of_their_own(tmp_path: Path) -> None:
    """They count as positions, so that a restart goes on behind them."""
    path = csv(tmp_path, ROW + "42,6\n" + ROW + ROW)
    found = rows(path)
    assert [event.get(KEY, {}).get("at") for event in found] == [None, "line 3", None, None]
    for skip in range(5):
        assert rows(path, skip=skip) == found[skip:]


@pytest.mark.parametrize("content", ["", "\n\n", HEADER])
def test_a_file_that_holds_nothing_has_no_rows(tmp_path: Path, content: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(content)
    assert rows(path) == []


def test_errors_name_the_file_and_what_was_expected(tmp_path: Path) -> None:
    path = csv(tmp_path, ROW)
    with pytest.raises(SourceError, match="expected a column 'Nope'"):
        Rows(path, "csv", {"columns": {"userId": "Nope"}}, skip=0)
    for spec, hint in (({"userId": "customer"}, "do you mean 'Customer'"), ({"userId": "Gift", "event": "Gift"}, None)):
        with pytest.raises(SourceError, match=hint) if hint else nullcontext():
            Rows(path, "csv", {"columns": spec}, skip=0).close()
    path.write_text("id,id\n1,2\n")
    with pytest.raises(SourceError, match="found it as the columns 1 and 2"):
        Rows(path, "csv", {"columns": {"userId": "id"}}, skip=0)
    path.write_text("id;at\n1;2\n")
    with pytest.raises(SourceError, match="is that one column"):
        Rows(path, "csv", {"columns": {"userId": "id"}}, skip=0)
    path.write_bytes("id,at\n1,2\n".encode("utf-16-le"))
    with pytest.raises(SourceError, match="is that UTF-16"):
        Rows(path, "csv", {"columns": {"userId": "id"}}, skip=0)
    path = csv(tmp_path, ROW)
    with pytest.raises(SourceError, match="expected at least the 2 rows"):
        Rows(path, "csv", SPEC, skip=2)
    with pytest.raises(SourceError, match="expected a complete Parquet file"):
        Rows(path, "parquet", SPEC, skip=0)


@pytest.mark.parametrize("content", ["", "\n \n\r\n", "\ufeff\n"])
def test_a_file_without_any_text_has_no_rows(tmp_path: Path, content: str) -> None:
    path = tmp_path / "lines.csv"
    path.write_text(content)
    assert rows(path) == []


def test_a_parquet_file_without_any_bytes_has_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "lines.parquet"
    path.touch()
    assert rows(path, kind="parquet") == []


@pytest.mark.parametrize(("last", "read"), [("43,6,2.55,yes,now,1", 2), ("43,6,2.5", 1), ('43,6,2.55,yes,now,"1', 1), ("", 1)])
def test_a_last_row_without_its_line_break_is_read_if_it_is_whole(tmp_path: Path, last: str, read: int) -> None:
    path = csv(tmp_path, ROW + last)
    source = Rows(path, "csv", SPEC, skip=0)
    taken = source.take(10)
    assert (len(taken), source.peek()) == (read, None)
    mark = source.mark()
    assert (mark.torn, mark.waiting) == (read == 2, len(last) if read == 1 else 0)
