"""The data of lookups: read whole or not at all, and what is wrong with it is said with its place."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from connectors.lookups import data as reading
from connectors.lookups.data import load_lookup
from contracts.model.lookup import Lookup
from contracts.text.problems import ContractErrors

REGION = Lookup("region", "csv", "regions.csv", "code", ("properties.code",), lines={"path": 2, "column": 3, "values": 5})


def loaded(folder: Path, text: str | bytes, **more: Any) -> dict[str, Any]:
    (folder / "regions.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    return rows(load_lookup(said(**more), folder))


def said(**more: Any) -> Lookup:
    return Lookup(**{**{name: getattr(REGION, name) for name in REGION.__dataclass_fields__}, **more})


def rows(found: reading.Loaded) -> dict[str, Any]:
    return {key: orjson.loads(value) for key, value in zip(*found, strict=True)}


def test_columns_are_numbers_truths_or_texts(tmp_path: Path) -> None:
    text = "code,people,area,open,phone,note\n01067,12,1.5,true,030,a\n10115, 28 ,,false,0,\n 7 ,,2,,1,\n"
    assert loaded(tmp_path, text) == {
        "01067": {"people": 12, "area": 1.5, "open": True, "phone": "030", "note": "a"},
        "10115": {"people": 28, "open": False, "phone": "0"},
        "7": {"area": 2, "phone": "1"},
    }


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_separators_quotes_and_line_ends(tmp_path: Path, separator: str) -> None:
    text = f'\ufeffcode{separator}name\r\n1{separator}"a{separator}""b""\nc"\r\n\r\n2{separator}d\r\n'
    assert loaded(tmp_path, text) == {"1": {"name": f'a{separator}"b"\nc'}, "2": {"name": "d"}}


def test_one_column_and_no_rows(tmp_path: Path) -> None:
    assert loaded(tmp_path, "code\n1\n2\n") == {"1": {}, "2": {}}
    assert loaded(tmp_path, "code,name\n") == {}


BAD: dict[str, tuple[str | bytes, dict[str, Any], str]] = {
    "empty": ("", {}, "lookups/region.yaml:2: path: expected a first line that names the columns, found an empty file"),
    "cut in a row": ("code,name\n1,a\n2", {}, "path: expected 2 cells in every row, as in the first, found 1 in line 3"),
    "cut in a cell": ("code,name\n1,a\n2,Ham", {}, "path: expected a line break behind the last row, found none in line 3"),
    "cut in quotes": ('code,name\n1,a\n2,"Ham\nb', {}, "path: expected a readable CSV file, found unexpected end of data in line 3"),
    "too many cells": ("code,name\n1,a,b\n", {}, "found 3 in line 2"),
    "no UTF-8": (b"code,name\n1,a\n2,\xff\n", {}, "path: expected a text in UTF-8, found other bytes in line 3"),
    "twice": (
        "code,name\n1,a\n2,b\n1,c\n",
        {},
        "region.yaml:3: column: expected every key once, found '1' in line 4 and, with other values,",
    ),
    "twice as digits": ("code,name\nD-1,a\n1,b\n", {"normalize": "digits"}, "found '1' in line 3 and, with other values, in line 2"),
    "no key": ("code,name\n1,a\n ,b\n", {}, "column: expected a key of at most 1000 bytes in code, found none in line 3"),
    "no digits": ("code,name\nx,a\n", {"normalize": "digits"}, "expected a key of at most 1000 bytes in code, found 'x' in line 2"),
    "long key": ("code,name\n" + "é" * 501 + ",a\n", {}, "column: expected a key of at most 1000 bytes"),
    "long values": ("code,name\n1," + "a" * 2001 + "\n", {}, "values: expected at most 2000 bytes of values for a key, found 2012"),
    "no column": ("cod,name\n1,a\n", {}, "region.yaml:3: column: expected a column of the data, found code (did you mean cod?)"),
    "no value": ("code,name\n1,a\n", {"values": (("x", "nam"),)}, "region.yaml:5: values: expected a column of the data, found nam (did"),
    "two columns": ("code,name,name\n1,a,b\n", {}, "path: expected columns that have names of their own, found name twice"),
    "no name": ("code,\n1,a\n", {}, "path: expected columns that have names of their own, found one without a name"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_has_its_place(tmp_path: Path, name: str) -> None:
    text, more, words = BAD[name]
    with pytest.raises(ContractErrors) as error:
        loaded(tmp_path, text, **more)
    assert words in str(error.value), str(error.value)
    assert str(error.value).startswith("contracts/lookups/region.yaml:")


def test_the_same_row_twice_is_one(tmp_path: Path) -> None:
    assert loaded(tmp_path, "code,name\n1,a\n1,a\n") == {"1": {"name": "a"}}


def test_no_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(ContractErrors, match=r"path: expected a file at regions.csv, found none"):
        load_lookup(REGION, tmp_path)
    (tmp_path / "regions.csv").mkdir()
    with pytest.raises(ContractErrors, match=r"path: expected a file at regions.csv, found a folder"):
        load_lookup(REGION, tmp_path)


def test_a_file_that_changes_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: Callable[..., Any] = reading.csv_table

    def slowly(path: Path, key: str) -> Any:
        found = read(path, key)
        path.write_text("code,name\n1,a\n2,b\n")
        return found

    monkeypatch.setattr(reading, "csv_table", slowly)
    with pytest.raises(ContractErrors, match="expected a file that stays as it is while it is read"):
        loaded(tmp_path, "code,name\n1,a\n")


def test_parquet(tmp_path: Path) -> None:
    table = pa.table(
        {
            "code": [7, 1067, 10115],
            "price": pa.array([Decimal("1.50"), None, Decimal("3.25")], pa.decimal128(10, 2)),
            "tags": [["a"], None, []],
            "share": [0.5, float("nan"), 1.0],
        }
    )
    path = tmp_path / "regions.parquet"
    pq.write_table(table, path)
    lookup = said(kind="parquet", path="regions.parquet")
    assert rows(load_lookup(lookup, tmp_path)) == {
        "7": {"price": 1.5, "tags": ["a"], "share": 0.5},
        "1067": {},
        "10115": {"price": 3.25, "tags": [], "share": 1.0},
    }
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    with pytest.raises(ContractErrors, match=r"region.yaml:2: path: expected a complete Parquet file.*half written"):
        load_lookup(lookup, tmp_path)
