"""`skep sources infer`: what it drafts is a mapping by which the file is read."""

# ruff: noqa: DTZ001 - files have times without a zone

from __future__ import annotations

import gzip
import json
import re
from datetime import datetime
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from connectors.sources.csv_guess import guess_form, guess_signs
from connectors.sources.csv_rows import CsvForm
from connectors.sources.numerals import Numerals
from connectors.sources.rows import Rows
from contracts import load
from contracts.text.times import parse_time
from skep.project.errors import CommandError
from skep.project.settings import Settings, load_definitions
from skep.tools.mapping_guess import Column, Field, columns_of, guess_fields
from skep.tools.mapping_inference import infer
from tests.skep.test_cli import refused, skep

GERMAN = (
    "Bestellnr;Kundennr;E-Mail;Betrag;PLZ;Straße;Bestelldatum\r\n"
    '1;K-1;anna@example.de;1.234,50;01067;"Weg 1; Hof";13.05.2026 10:15\r\n2;K-2;bob@example.de;12,90;10115;Weg 2;02.05.2026 11:00\r\n'
)


def test_a_draft_is_a_mapping_by_which_the_file_is_read(tmp_path: Path) -> None:
    """Of a file from a spreadsheet, packed; with the line for skep.yaml that it prints."""
    (tmp_path / "contracts").mkdir()
    (tmp_path / "skep.yaml").write_text("horizon: 400d\n")
    file = tmp_path / "Orders 2026-05.csv.gz"
    file.write_bytes(gzip.compress(GERMAN.encode("cp1252")))
    done = skep("sources", "infer", str(file), project=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "orders has no contract" in done.stdout
    assert "would be refused" not in done.stdout
    source = done.stdout.splitlines()[-1]
    assert source == '  - {name: orders, kind: csv, path: "Orders 2026-05.csv.gz", mapping: orders}'
    (tmp_path / "skep.yaml").write_text(f"horizon: 400d\nsources:\n{source}\n")
    spec = load_definitions(Settings.load(tmp_path)).mappings["orders"].spec
    assert spec["csv"] == {"delimiter": ";", "encoding": "cp1252", "decimal": ",", "thousands": "."}
    source_rows = Rows(file, "csv", spec, skip=0)
    first, _ = map(orjson.loads, source_rows.take(10))
    source_rows.close()
    assert (first["userId"], first["traits"], first["timestamp"]) == ("K-1", {"email": "anna@example.de"}, "2026-05-13T10:15:00.000Z")
    assert first["properties"] == {"Bestellnr": 1, "Betrag": 1234.5, "PLZ": "01067", "Straße": "Weg 1; Hof"}
    assert "--force" in refused(skep("sources", "infer", str(file), project=tmp_path))


@pytest.mark.parametrize(("text", "expected"), [
    ("id,at\n1,2\n", CsvForm()), ("id;at\n1;2,5\n2;3,5\n", CsvForm(";")), ("id\tat\n1\t2\n", CsvForm("\t")),
    ("a|b|c\n1|2,3|4\n", CsvForm("|")),
    ("1,2026-05-01\n2,2026-05-02\n", CsvForm(header=False)), ("ann@b.org,x\nbob@b.org,y\n", CsvForm(header=False)),
    ("id,name\n1,'Ann, Bo'\n2,'Cid'\n", CsvForm(quote="'")), ('id,name\n1,"Ann; Bo; Cy"\n', CsvForm()), ("only\n1\n", CsvForm()),
    ("id,x,x\n1,a,b\n2,c,d\n", CsvForm()), ("id,name,,\n1,a,,\n", CsvForm()), ("no,no,yes\nyes,no,yes\n", CsvForm(header=False)),
    ("sep=;\nid;name\n1;a\n", CsvForm()),
])  # fmt: skip
def test_forms(text: str, expected: CsvForm) -> None:
    assert guess_form(Path("a.csv"), text.encode()) == expected


@pytest.mark.parametrize(("encoding", "expected"), [("utf-8", "utf-8"), ("utf-8-sig", "utf-8"),
                                                ("utf-16", "utf-8"), ("utf-16-le", "utf-16-le"),
                                                ("utf-16-be", "utf-16-be"), ("cp1252", "cp1252")])  # fmt: skip
def test_encodings(encoding: str, expected: str) -> None:
    """A byte order mark needs no setting."""
    assert guess_form(Path("a.csv"), "id,näme\n1,Zoë\n".encode(encoding)).encoding == expected


def test_russian() -> None:
    assert guess_form(Path("a.csv"), "номер,имя\n1,Анна Петрова\n2,Мария\n".encode("cp1251")).encoding == "cp1251"


@pytest.mark.parametrize(("column", "signs"), [
    (["1.5", "2"], (".", "")), (["1,5", "2,25"], (",", "")), (["1,234.5", "7"], (".", ",")), (["1.234,5"], (",", ".")),
    (["1 234,50"], (",", " ")),
    (["1'234.50"], (".", "'")), (["1,234", "2,500", "12,000"], (".", ",")), (["a", "b"], (".", "")),
])  # fmt: skip
def test_signs_of_numbers(column: list[str], signs: tuple[str, str]) -> None:
    assert guess_signs([column, ["x"]]) == signs


def fields(file: str, names: list[str], *rows: list[object]) -> tuple[dict[str, object], dict[str, object]]:
    found, constants = guess_fields(Path(file), columns_of(names, rows), Numerals())
    return {field.field: field.how for field in found}, constants


def test_events_of_a_table() -> None:
    names = ["event_id", "Event Name", "visitorId", "phone", "ts", "birthday", "price", "zip", "ok", "", "x", "x"]
    row = [
        "5b0c2d1e-93b2-4a58-8f4e-1f0a3c1d2e3",
        "Cart",
        "d-1",
        "+44 20 7946 0958",
        1777600000,
        "1990-01-31",
        "1.50",
        "01067",
        "yes",
        "",
        "1",
        "2",
    ]
    found, constants = fields("web.csv", names, *[[f"{row[0]}{at}", *row[1:]] for at in range(3)])
    assert constants == {"type": "track"}
    assert found == {
        "messageId": "event_id", "event": "Event Name", "anonymousId": "visitorId", "traits.phone": "phone",
        "timestamp": {"column": "ts", "type": "integer"}, "properties.birthday": "birthday",
        "properties.price": {"column": "price", "type": "number"}, "properties.zip": "zip",
        "properties.ok": {"column": "ok", "type": "boolean"},
    }  # fmt: skip


def test_digits_that_no_number_holds_stay_text() -> None:
    """Else each row would be refused."""
    names = ["iccid_x", "most", "weight"]
    found, _ = fields("cards.csv", names, ["89014103211118511720", str(2**64 - 1), "90071992547409931.5"], ["1", "0", "1"])
    assert found == {
        "properties.iccid_x": "iccid_x",
        "properties.most": {"column": "most", "type": "integer"},
        "properties.weight": "weight",
    }


@pytest.mark.parametrize(("name", "content", "found"), [
    ("a.csv", b"id,at\n", "a line of names alone"), ("a.csv.gz", b"id,at\n1,2\n", "Not a gzipped file"),
    ("a.csv.gz", gzip.compress(b"id,at\n1,2\n", mtime=0)[:-9], "ended before"), ("a.csv", b"", "nothing"),
])  # fmt: skip
def test_files_of_which_nothing_can_be_seen(tmp_path: Path, name: str, content: bytes, found: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CommandError, match=f"{re.escape(str(tmp_path / name))}: expected .*{found}"):
        infer(tmp_path / name)


def test_a_parquet_file_without_columns(tmp_path: Path) -> None:
    pq.write_table(pa.table({}), tmp_path / "a.parquet")
    with pytest.raises(CommandError, match=r"a\.parquet: expected columns"):
        infer(tmp_path / "a.parquet")


def test_people_of_a_table() -> None:
    found, constants = fields("Customers_2026.csv", ["id", "email", "created_at"], ["1", "a@b.org", "05/31/2026 3:05 PM"])
    assert constants == {"type": "identify"}
    assert found == {"userId": "id", "traits.email": "email",
                     "timestamp": {"column": "created_at", "format": "%m/%d/%Y %I:%M %p", "zone": "UTC"}}  # fmt: skip


def test_days_that_may_be_months_are_told() -> None:
    found, _ = guess_fields(Path("a.csv"), [Column("date", ["01/02/2026", "03/04/2026"], unique=True)], Numerals())
    assert found == [
        Field(
            "timestamp", {"column": "date", "format": "%d/%m/%Y", "zone": "UTC"}, "day before month; month before day reads every row, too"
        )
    ]


def test_parquet_and_json_lines(tmp_path: Path) -> None:
    pq.write_table(pa.table({"user id": ["u1"], "at": [datetime(2026, 5, 1)], "a.b": [1.5], "n": [7]}), tmp_path / "orders.parquet")
    found = infer(tmp_path / "orders.parquet")
    columns = load({"sources/a.yaml": found.mapping}, unknown_events_ok=True).mappings["a"].spec["columns"]
    assert columns == {"userId": "user id", "timestamp": {"column": "at", "zone": "UTC"}, 'properties["a.b"]': "a.b", "properties.n": "n"}
    event = json.loads(found.records[0])
    assert (event["properties"], parse_time(event["timestamp"])) == ({"a.b": 1.5, "n": 7}, 1_777_593_600_000_000)

    (tmp_path / "e.jsonl").write_bytes(b'{"type":"track"}\n')
    assert infer(tmp_path / "e.jsonl").mapping == ""
    for content, says in ((b"", "found nothing"), (b'[{"a": 1}]', "JSON array"), (b",\n,\n", "found none with a name")):
        (tmp_path / "e.csv").write_bytes(content)
        with pytest.raises(CommandError, match=says):
            infer(tmp_path / "e.csv")
    with pytest.raises(CommandError, match="expected a file"):
        infer(tmp_path / "none.csv")
