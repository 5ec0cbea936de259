"""``csv`` of a mapping: what `skep check` and the editor say of it."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft7Validator
from ruamel.yaml import YAML

from contracts import ContractErrors, load
from skep.tools.editor.schemas import schemas

SCHEMA = Draft7Validator(schemas()["source"])
GOOD = [
    '{delimiter: ";", encoding: cp1252, quote: "\'", decimal: ",", thousands: ".", header: false}',
    r'{delimiter: "\t", quote: "", thousands: " ", header: [id, at]}',
    "{encoding: utf-16, header: true}",
    "{}",
]
BAD = [
    ("{delimiter: ab}", "csv.delimiter: expected one character between fields"),
    ("{delimiter: '\"'}", "csv.delimiter: expected one character between fields"),
    ("{quote: ab}", "csv.quote: expected the character around fields"),
    ("{quote: ','}", "csv.quote: expected another character than the delimiter"),
    ("{encoding: klingon}", "csv.encoding: expected an encoding of text"),
    ("{encoding: base64}", "csv.encoding: expected an encoding of text"),
    ("{encoding: 8}", "csv.encoding: expected an encoding of text"),
    ("{decimal: ';'}", "csv.decimal: expected . or ,"),
    ("{thousands: 1}", "csv.thousands: expected the character between thousands"),
    ("{thousands: '.'}", "csv.thousands: expected another character than the decimal sign"),
    ("{header: []}", "csv.header: expected true, false, or a list of the names"),
    ("{header: [a, a]}", "csv.header\\[1\\]: expected every name once"),
    ("{header: [a, 1]}", "csv.header\\[1\\]: expected the name of a column"),
    ("{delimeter: ;}", r"csv.delimeter: expected one of the keys .* \(did you mean delimiter\?\)"),
]


def mapping(form: str) -> str:
    return f"columns: {{userId: id}}\ncsv: {form}\n"


def data(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text)


@pytest.mark.parametrize("form", GOOD)
def test_good_forms(form: str) -> None:
    assert load({"sources/a.yaml": mapping(form)}).mappings["a"].spec["csv"] == data(form)
    assert [error.message for error in SCHEMA.iter_errors(data(mapping(form)))] == []


@pytest.mark.parametrize(("form", "says"), BAD)
def test_bad_forms_are_named_with_their_line(form: str, says: str) -> None:
    with pytest.raises(ContractErrors, match=rf"contracts/sources/a\.yaml:2: {says}"):
        load({"sources/a.yaml": mapping(form)})


def test_parquet_has_no_form() -> None:
    with pytest.raises(ContractErrors, match="expected no csv: the format is parquet"):
        load({"sources/a.yaml": "format: parquet\n" + mapping("{}")})
