"""Lists of objects with one row an item, and money to the last digit; plain Python over the same events is the oracle."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from contracts.model.hashing import Hasher
from contracts.reading.loading import load
from skep.project.fields import fields
from state.snapshot.defined import Defined
from state.snapshot.publish import Personal, publish, sql
from tests.state.test_snapshot import FakeRows, archived, write_archive
from tests.state.test_snapshot_fields import NAMES

HASHER = Hasher("secret", "shop")
EUR = {"type": "number", "x-unit": "EUR"}
LINE = {
    "sku": {"type": "string", "description": "the article"},
    "price": {"type": "number", "x-unit": {"property": "currency"}},
    "quantity": {"type": "integer"},
    "position": {"type": "string"},
    "giver": {"type": "string", "x-personal": "direct"},
    "size": {"type": "object", "properties": {"cm": {"type": "number"}, "fee": EUR}},
    "options": {"type": "array", "items": {"type": "object", "properties": {"name": {"type": "string"}, "extra": EUR}}},
}
ORDER = {
    "currency": {"type": "string"},
    "total": EUR,
    "products": {"type": "array", "items": {"type": "object", "properties": LINE}},
    "cart": {
        "type": "object",
        "properties": {"lines": {"type": "array", "items": {"type": "object", "properties": {"n": {"type": "integer"}}}}},
    },
    "codes": {"type": "array", "items": {"type": "string"}},
}
BODIES: list[dict[str, Any]] = [
    {"total": 0.1, "products": [
        {"sku": "a", "price": 0.1, "quantity": 2, "position": "top", "giver": "Ann", "options": [{"name": "x", "extra": 0.7}, {}]},
        {"sku": "b", "price": 1.25, "size": {"cm": 1.5, "fee": 0.125}, "options": []},
    ]},
    {"total": 0.2, "products": [{"sku": "c", "price": 3, "options": [{"name": "y"}]}], "cart": {"lines": [{"n": 1}, {"n": 2}]}},
    {"total": 0.3, "products": []},
    {"products": None, "codes": ["k"]},
    {"products": "no list"},
    {"products": [None, 7, {"sku": "d"}]},
]  # fmt: skip


def schema(properties: dict[str, Any]) -> str:
    return json.dumps({"type": "object", "properties": properties})


def published(folder: Path, bodies: list[dict[str, Any]], properties: dict[str, Any], **more: Any) -> Path:
    """A snapshot of these orders; everyone's second belongs to nobody."""
    files = {"events/paid/1-0-0.json": schema(properties), **more.pop("files", {})}
    events = [archived(at, f"m{at:02}", {"properties": body}, event="paid", at=at) for at, body in enumerate(bodies, 1)]
    owners = [(f"m{at:02}", "p_1", 1.0) for at in range(1, len(bodies) + 1, 2)]
    rows = FakeRows(rows={"attributions": owners, "profiles": more.get("traits", [])})
    defined = Defined(fields=fields(load(files)))
    archive = write_archive(folder / "archive", *events)
    publish(folder / "skep.duckdb", archives={"shop": archive}, rows={"shop": rows}, personal=more.get("personal"), defined=defined)
    return folder / "skep.duckdb"


@pytest.fixture(scope="module")
def orders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    hidden = Personal(
        {":t": ()}, lambda _, text: text, lambda _, namespace, value: HASHER.personal(namespace, value),
        tagged={"paid": [(":t", ("properties", "products", None, "giver"))]},
    )  # fmt: skip
    return published(tmp_path_factory.mktemp("typed"), BODIES, ORDER, personal={"shop": hidden})


def test_a_list_of_objects_has_a_row_an_item(orders: Path) -> None:
    query = "select message_id, epoch(event_time), profile_id, position, sku, price, quantity from typed.paid__products order by 1, 4"
    found = sql(orders, query)[1]
    expected = []
    for at, body in enumerate(BODIES, 1):
        items = body.get("products")
        for place, item in enumerate(items if isinstance(items, list) else [], 1):
            said = item if isinstance(item, dict) else {}
            price = None if "price" not in said else Decimal(str(said["price"]))
            expected.append((f"m{at:02}", float(at), "p_1" if at % 2 else None, place, said.get("sku"), price, said.get("quantity")))
    assert found == expected
    assert len(found) == 6


def test_a_list_within_a_list_has_the_positions_of_both(orders: Path) -> None:
    query = "select message_id, products_position, position, name, extra from typed.paid__products__options order by all"
    assert sql(orders, query)[1] == [("m01", 1, 1, "x", Decimal("0.70")), ("m01", 1, 2, None, None), ("m02", 1, 1, "y", None)]
    joined = """select p.sku, o.name from typed.paid__products p join typed.paid__products__options o
        on o.message_id = p.message_id and o.space = p.space and o.products_position = p.position where o.name is not null order by all"""
    assert sql(orders, joined)[1] == [("a", "x"), ("c", "y")]
    assert sql(orders, "select message_id, position, n from typed.paid__cart__lines order by all")[1] == [("m02", 1, 1), ("m02", 2, 2)]


def test_an_item_keeps_its_own_position_and_its_personal_values_hidden(orders: Path) -> None:
    assert sql(orders, "select properties_position, giver from typed.paid__products where sku = 'a'")[1] == [
        ("top", HASHER.personal(":t", "Ann"))
    ]
    assert "Ann" not in orders.read_bytes().decode("latin-1")


def test_every_typed_column_has_its_type_and_comment(orders: Path) -> None:
    columns = {
        (view, name): (kind, comment)
        for view, name, kind, comment in sql(
            orders, "select table_name, column_name, data_type, comment from duckdb_columns() where schema_name = 'typed'"
        )[1]
    }
    assert columns["paid__products", "price"] == ("DECIMAL(18,2)", "Unit: as currency says")
    assert columns["paid__products", "sku"] == ("VARCHAR", "the article")
    assert columns["paid__products", "giver"] == ("VARCHAR", "Personal: direct")
    assert columns["paid__products", "size"][0] == columns["paid__products", "options"][0] == "JSON"
    assert columns["paid__products", "position"] == ("INTEGER", "Its place in the list, from 1")
    assert columns["paid__products__options", "products_position"][1] == "Place of the item of products in which it stands, from 1"
    comments = dict(sql(orders, "select view_name, comment from duckdb_views() where schema_name = 'typed'")[1])
    assert comments["paid__products__options"] == "Event paid: one row an item of products[].options[], one column a property of it"
    kinds = dict(sql(orders, "select path, type from fields")[1])
    assert kinds["products[].size.fee"] == "DECIMAL(18,3)"
    assert kinds["products[].size.cm"] == "DOUBLE"


def test_lists_of_any_name_have_a_view(tmp_path: Path) -> None:
    """Also names that SQL does not tell apart, and two paths of one look."""
    item = {"type": "array", "items": {"type": "object", "properties": {name: {"type": "string"} for name in NAMES}}}
    names = [*NAMES, "a", "a__b"]
    properties = dict.fromkeys(names, item) | {"a": {"type": "object", "properties": {"b": item}}}
    body = {name: [{one: f"{at}/{one}" for one in NAMES}] for at, name in enumerate(names)} | {"a": {"b": [{"*": "inner"}]}}
    target = published(tmp_path, [body], properties)
    with duckdb.connect(str(target), read_only=True) as con:
        views = con.execute("select view_name from duckdb_views() where schema_name = 'typed' and view_name <> 'paid'").fetchall()
        rows = [con.execute('select * from typed."' + view.replace('"', '""') + '"').fetchall() for (view,) in views]
    assert len(views) == len(names)
    found = sorted(row[0][5 + NAMES.index("*")] for row in rows if len(row) == 1)
    assert found == sorted(["inner", *(f"{at}/*" for at, name in enumerate(names) if name != "a")])


MONEY: dict[str, tuple[list[Any], str]] = {
    "usual": ([0.1, 0.2, 0.3, 12.5, 7, -3.99], "DECIMAL(18,2)"),
    "none": ([], "DECIMAL(18,2)"),
    "places": ([0.1, 1.23456, 5], "DECIMAL(18,5)"),
    "small": ([1e-07, 2.5], "DECIMAL(18,7)"),
    "written otherwise": ([1.5e3, 1e2, 2.50], "DECIMAL(18,2)"),
    "large": ([123456789012345.25, 0.1], "DECIMAL(18,2)"),
    "large and fine": ([1234567890123.25, 0.000125], "DECIMAL(38,6)"),
    "whole beyond 64 bits": ([2**64 - 1, 0.01], "DECIMAL(38,2)"),
    "too wide": ([1e300, 0.01], "JSON"),
    "tiny": ([1e-30, 1e20], "JSON"),
    "other kinds": (["much", "12.50", "1e300", None, True, [1], 0.25], "DECIMAL(18,2)"),
}


@pytest.mark.parametrize("case", MONEY)
def test_no_amount_is_rounded(tmp_path: Path, case: str) -> None:
    """Whatever the values, each of them stands in its column to the last digit."""
    values, kind = MONEY[case]
    target = published(tmp_path, [{"total": value} for value in values], {"total": EUR})
    shown = sql(target, "select total from typed.paid order by message_id")[1]
    assert sql(target, "select distinct data_type from duckdb_columns() where table_name = 'paid' and column_name = 'total'")[1] == [
        (kind,)
    ]
    assert sql(target, "select type from fields where path = 'total'")[1] == [(kind,)]
    numbers = [Decimal(repr(value)) if isinstance(value, (int, float)) and not isinstance(value, bool) else None for value in values]
    assert [None if one is None else Decimal(one) for (one,) in shown] == numbers
    if kind != "JSON":
        assert sql(target, "select sum(total) from typed.paid")[1] == [(sum(filter(None, numbers)) if any(numbers) else None,)]


def test_a_value_of_another_type_is_null(tmp_path: Path) -> None:
    """Events that were accepted before there was a contract hold whatever they hold; nothing is read into it, nothing rounded."""
    kinds = {"n": "integer", "x": "number", "yes": "boolean", "text": "string"}
    values: list[Any] = [7, 7.0, 12.7, 1e20, -(2**63), "7", "nan", "true", 1, True, [1], {"a": 1}, None]
    target = published(tmp_path, [dict.fromkeys(kinds, value) for value in values], {name: {"type": kind} for name, kind in kinds.items()})
    whole, number, boolean, text = zip(*sql(target, "select n, x, yes, text from typed.paid order by message_id")[1], strict=True)
    assert whole == (7, 7, None, None, -(2**63), None, None, None, 1, None, None, None, None)
    assert number == (7, 7, 12.7, 1e20, -(2.0**63), None, None, None, 1, None, None, None, None)
    assert boolean == (*[None] * 9, True, None, None, None)
    assert text[5:8] == ("7", "nan", "true")
    assert text[9:] == ("true", "[1]", '{"a":1}', None)


def test_what_is_money(tmp_path: Path) -> None:
    unit = {"type": "number", "x-unit": {"property": "unit"}}
    properties = {
        "code": EUR, "cents": {"type": "number", "x-unit": "cent"}, "step": {"type": "number", "multipleOf": 0.05},
        "whole": {"type": "integer", "x-unit": "EUR"}, "weight": {"type": "number", "x-unit": "kg"}, "share": {"type": "number"},
        "half": {"type": "number", "multipleOf": 2}, "named": {"type": "number", "x-unit": {"property": "currency"}}, "measured": unit,
        "currency": {"enum": ["EUR", "JPY"]}, "unit": {"enum": ["kg", "lb"]},
    }  # fmt: skip
    identify = {"credit": EUR, "height": {"type": "number", "x-unit": "cm"}}
    traits = """traits:
  - {name: spent, sum: code, did: paid}
  - {name: in_euro, sum: named, did: paid, where: {currency: EUR}}
  - {name: carried, sum: weight, did: paid}
  - {name: last_code, last: code, did: paid}
"""
    files = {"events/identify/1-0-0.json": schema(identify), "traits.yaml": traits}
    person = ("p_1", None, None, {"spent": 0.1 + 0.2, "credit": 5, "carried": 1.5, "in_euro": 2}, 1.0)
    target = published(tmp_path, [], properties, files=files, traits=[person])
    kinds = dict(sql(target, "select path, type from fields")[1])
    money = {path for path, kind in kinds.items() if kind.startswith("DECIMAL")}
    assert money == {"code", "cents", "step", "named", "spent", "in_euro", "last_code", "credit"}
    assert kinds["spent"] == "DECIMAL(38,17)"
    assert (kinds["whole"], kinds["weight"], kinds["carried"], kinds["height"]) == ("BIGINT", "DOUBLE", "DOUBLE", "DOUBLE")
    assert sql(target, "select spent, credit, in_euro from typed.traits")[1] == [(Decimal("0.30000000000000004"), 5, 2)]
