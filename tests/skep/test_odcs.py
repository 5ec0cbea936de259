"""Contracts leave as Open Data Contract Standard documents, and come back as they were."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft201909Validator

from contracts import load
from contracts.model.definitions import Contract
from contracts.model.sla import Sla
from contracts.text.yaml_tree import Reader
from skep.project.errors import CommandError
from skep.project.settings import Settings, load_definitions
from skep.tools.odcs import document, export, yaml_text
from skep.tools.odcs_read import read, write
from skep.tools.starter import create
from tests.skep.test_cli import skep

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(__file__).parent / "data/odcs"
STANDARD = [Draft201909Validator(json.loads((DATA / f"odcs-{version}.schema.json").read_text())) for version in ("3.1.0", "3.2.0")]

EVERYTHING: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Order paid",
    "description": "Said\nin two lines: with a colon",
    "owner": "shop team",
    "sla": {"freshness": "2h", "completeness": 0.95},
    "status": {"deprecated": "2027-01-01"},
    "x-team-channel": {"slack": "#shop"},
    "type": "object",
    "properties": {
        "order_id": {"type": "string", "minLength": 1, "maxLength": 40, "pattern": "^[A-Z]{2}\\d+$", "examples": ["AB1", "yes", "1.0"]},
        "paid_at": {"type": "string", "format": "date-time", "description": "when"},
        "due": {"type": ["string", "null"], "format": "date"},
        "day": {"type": "string", "format": "date", "minLength": 10},
        "total": {"type": "number", "minimum": 0, "exclusiveMaximum": 1e6, "multipleOf": 0.01, "x-unit": {"property": "currency"}},
        "currency": {"enum": ["EUR", "NO", "yes"], "title": "ISO 4217"},
        "count": {"type": "integer", "minimum": 1, "format": "int32"},
        "email": {"type": "string", "x-personal": "direct", "x-purpose": ["marketing"], "x-retention": "365d"},
        "gift": {"type": "boolean", "default": False},
        "lines": {
            "type": "array",
            "minItems": 1,
            "uniqueItems": True,
            "items": {
                "type": "object",
                "properties": {"sku": {"type": "string"}, "attributes": {"type": "object", "additionalProperties": {"type": "string"}}},
                "required": ["sku"],
                "additionalProperties": False,
            },
        },
        "tuple": {"type": "array", "prefixItems": [{"type": "integer"}, True], "items": False},
        "anything": True,
        "nothing": False,
        "money": {"$ref": "../../types/money.json#/$defs/amount"},
        "either": {"anyOf": [{"type": "string"}, {"type": "integer", "minimum": 3}]},
        "fixed": {"const": 1.0},
        "a.b \u2028 \U0001f41d": {"description": "an odd name"},
    },
    "required": ["total", "order_id", "not_declared"],
    "additionalProperties": False,
    "allOf": [{"if": {"required": ["gift"]}, "then": {"required": ["email"]}}],
}


def _contract(schema: Any, version: tuple[int, int, int] = (2, 1, 3)) -> Contract:
    status = schema.get("status", "live")
    word: Any = "deprecated" if isinstance(status, dict) else status
    return Contract("order_paid", version, schema, "events/order_paid/2-1-3.json", schema.get("owner", ""), Sla(), word)


def _valid(made: Any) -> None:
    for standard in STANDARD:
        assert [f"{error.json_path}: {error.message}" for error in standard.iter_errors(made)] == []


def _data(text: str) -> Any:
    tree = Reader([]).parse("x", text)
    assert tree is not None
    return tree.plain()


def test_the_demo_shops_contracts_are_documents_of_the_standard() -> None:
    """Each version's document passes the standard's own JSON Schema, 3.1 and 3.2, and gives the very same contract back."""
    definitions = load_definitions(Settings.load(ROOT))
    made = export(definitions)
    assert len(made) == sum(map(len, definitions.contracts.values()))
    for name, text in made:
        _valid(_data(text))
        (back,) = read(name, text)
        assert back.schema == json.loads(definitions.files[back.file])
        assert back.left == ()


def test_a_contract_that_uses_everything_comes_back() -> None:
    """What the standard has words for is said in them; what it has none for is kept beside it."""
    made = document(_contract(EVERYTHING), EVERYTHING)
    _valid(_data(yaml_text(made)))
    assert _data(yaml_text(made)) == made
    assert made["version"] == "2.1.3"
    assert made["status"] == "deprecated"
    assert made["team"] == {"name": "shop team"}
    assert made["slaProperties"] == [
        {"property": "freshness", "value": 2, "unit": "h"},
        {"property": "completeness", "value": 0.95},
        {"property": "endOfSupport", "value": "2027-01-01"},
    ]
    by_name = {part["name"]: part for part in made["schema"][0]["properties"]}
    assert by_name["order_id"]["required"] is True
    assert by_name["order_id"]["logicalTypeOptions"] == {"minLength": 1, "maxLength": 40, "pattern": "^[A-Z]{2}\\d+$"}
    assert "customProperties" not in by_name["order_id"]
    assert (by_name["paid_at"]["logicalType"], by_name["day"]["logicalType"]) == ("timestamp", "date")
    assert by_name["email"]["classification"] == "direct"
    assert by_name["lines"]["items"]["properties"][0] == {"name": "sku", "required": True, "logicalType": "string"}
    assert by_name["currency"]["quality"][0]["arguments"] == {"validValues": ["EUR", "NO", "yes"]}
    (back,) = read("x.yaml", yaml_text(made))
    assert (back.event, back.file, back.left) == ("order_paid", "events/order_paid/2-1-3.json", ())
    assert back.schema == EVERYTHING
    assert list(back.schema)[:6] == ["$schema", "title", "description", "owner", "sla", "status"]


def test_what_is_edited_in_a_document_is_in_the_contract() -> None:
    """A property that is added in ODCS, a bound that is changed there and another owner arrive; the rest stays."""
    made = document(_contract(EVERYTHING), EVERYTHING)
    properties = made["schema"][0]["properties"]
    properties[0]["logicalTypeOptions"]["maxLength"] = 50
    properties.append({"name": "note", "logicalType": "string"})
    made["team"]["name"] = "crm"
    (back,) = read("x.yaml", yaml_text(made))
    assert back.schema["properties"]["order_id"]["maxLength"] == 50
    assert back.schema["properties"]["note"] == {"type": "string"}
    assert back.schema["owner"] == "crm"
    assert back.schema["properties"]["lines"] == EVERYTHING["properties"]["lines"]


_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
_scalars = st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.floats(allow_nan=False, allow_infinity=False) | _texts
_values = st.recursive(_scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3), max_leaves=5)
_kinds = st.sampled_from(["string", "number", "integer", "boolean", "object", "array", "null"])


def _schemas(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(
        {},
        optional={
            "type": _kinds | st.lists(_kinds, min_size=1, unique=True),
            "title": _texts, "description": _texts, "format": st.sampled_from(["date", "date-time", "email", "time"]),
            "minLength": st.integers(0, 9), "maximum": st.integers() | st.floats(-1e9, 1e9), "multipleOf": st.floats(0.001, 10),
            "uniqueItems": st.booleans(), "minProperties": st.integers(0, 3),
            "enum": st.lists(_values, min_size=1, max_size=3), "const": _values, "examples": st.lists(_values, max_size=2),
            "x-personal": st.sampled_from(["none", "direct"]) | _values, "x-note": _values,
            "properties": st.dictionaries(_texts, inner, max_size=4), "required": st.lists(_texts, max_size=3, unique=True),
            "items": inner, "additionalProperties": inner, "anyOf": st.lists(inner, min_size=1, max_size=2),
        },
    )  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.recursive(st.booleans() | _schemas(st.booleans()), _schemas, max_leaves=6))
def test_any_schema_comes_back(inner: Any) -> None:
    """Whatever a property says, its document passes the standard's schema and gives the same contract."""
    schema = {"type": "object", "properties": {"it": inner}, **(inner if isinstance(inner, dict) else {})}
    made = document(_contract(schema), schema)
    _valid(made)
    (back,) = read("x.yaml", yaml_text(made))
    assert json.dumps(back.schema, sort_keys=True) == json.dumps(schema, sort_keys=True)


def test_the_standards_own_example_becomes_drafts() -> None:
    """Two tables are two draft contracts with types, descriptions, enumerations and required names, and a list of what has no place."""
    tbl, receivers = read("full.yaml", (DATA / "full-example-v3.2.0.odcs.yaml").read_text())
    assert (tbl.file, receivers.file) == ("events/tbl/1-1-0.json", "events/receivers/1-1-0.json")
    assert (tbl.schema["status"], tbl.schema["owner"], tbl.schema["title"]) == ("draft", "my-team", "Core Payment Metrics")
    properties = tbl.schema["properties"]
    assert properties["transaction_reference_date"]["format"] == "date"
    assert properties["transaction_reference_date"]["examples"] == ["2022-10-03", "2020-01-28"]
    assert properties["rcvr_cntry_code"]["enum"] == ["US", "CA", "MX"]
    assert receivers.schema["required"] == ["id", "country_code", "receiver_name"]
    assert receivers.schema["properties"]["receiver_attributes"]["additionalProperties"] == {
        "type": "string",
        "description": "Attribute value.",
    }
    assert {
        "servers",
        "price",
        "roles",
        "slaProperties.latency",
        "quality of rcvr_cntry_code, tbl",
        "physicalName of transaction_reference_date, tbl",
    } <= set(tbl.left)
    assert "primaryKey of rcvr_id" in tbl.left
    assert "primaryKey of id, country_code" in receivers.left
    assert load({one.file: one.text for one in (tbl, receivers)}).contracts["tbl"][0].status == "draft"


def test_what_later_versions_of_the_standard_added_is_taken_or_told() -> None:
    """Maps, vectors and objects within them are read; synonyms and contexts are told."""
    turnover, notes = read("new.yaml", (DATA / "all-new-fields-v3.2.0.odcs.yaml").read_text())
    properties = turnover.schema["properties"]
    assert properties["attributes"]["additionalProperties"]["properties"]["unit"]["enum"] == ["EUR"]
    assert properties["embedding"] == {"type": "array", "items": {"type": "number"}}
    assert properties["legacy_flag"]["deprecated"] is True
    assert {"context of the document, turnover", "servers", "synonyms of total_turnover_euros, turnover"} <= {*turnover.left, *notes.left}
    assert notes.file == "events/notes/1-0-0.json"
    assert load({one.file: one.text for one in (turnover, notes)}).contracts["notes"]


def test_what_is_no_such_document_is_said_with_its_line() -> None:
    """Another kind of document, a version before 3, no schema, and YAML that cannot be read."""
    for text, words in (
        ("kind: DataProduct\napiVersion: v1.0.0\n", "x.yaml:2: apiVersion: expected a document of kind DataContract, apiVersion v3.…"),
        ("kind: DataContract\napiVersion: v3.1.0\n", "expected an ODCS document with a schema, found none"),
        ("# one\n---\nkind: DataContract\napiVersion: v2.2.2\n", "x.yaml:4: apiVersion"),
        ("kind: [", "x.yaml:1: expected YAML 1.2"),
        ("kind: DataContract\napiVersion: v3.0.2\nschema: [{name: '–'}]\n", "schema[0].name: expected a name of letters and digits"),
    ):
        with pytest.raises(CommandError) as raised:
            read("x.yaml", text)
        assert words in str(raised.value)
        assert not str(raised.value).startswith("contracts/")


def test_files_are_never_overwritten_unless_asked(tmp_path: Path) -> None:
    """Nothing is written while one of the files is there; --force writes all of them."""
    found = read("full.yaml", (DATA / "full-example-v3.2.0.odcs.yaml").read_text())
    (tmp_path / "events/tbl").mkdir(parents=True)
    (tmp_path / "events/tbl/1-1-0.json").write_text("mine")
    with pytest.raises(CommandError, match="--force"):
        write(found, tmp_path)
    assert (tmp_path / "events/tbl/1-1-0.json").read_text() == "mine"
    assert not (tmp_path / "events/receivers").exists()
    assert len(write(found, tmp_path, force=True)) == 2
    assert json.loads((tmp_path / "events/tbl/1-1-0.json").read_text()) == found[0].schema


def test_a_file_of_several_documents_is_read_whole() -> None:
    """What `skep contracts export` prints for all events is one file that can be imported."""
    definitions = load_definitions(Settings.load(ROOT))
    text = "".join(f"---\n{text}" for _, text in export(definitions))
    assert [one.file for one in read("all.yaml", text)] == [one.file for versions in definitions.contracts.values() for one in versions]
    with pytest.raises(CommandError, match=r"order_complete .*did you mean order_completed"):
        export(definitions, "order_complete")


def test_the_commands_export_and_import(tmp_path: Path) -> None:
    """What is exported, removed and imported again is the same project; drafts of others are told with what is not carried over."""
    create(tmp_path / "shop")
    shop = tmp_path / "shop"
    exported = skep("contracts", "export", "--format", "odcs", project=shop)
    (tmp_path / "all.odcs.yaml").write_text(exported.stdout)
    skep("contracts", "export", "--event", "order_completed", "--out", str(tmp_path / "made"), project=shop)
    assert [path.name for path in (tmp_path / "made").iterdir()] == ["order_completed-1.0.0.odcs.yaml"]
    before = load_definitions(Settings.load(shop))
    assert "--force overwrites" in skep("contracts", "import", str(tmp_path / "all.odcs.yaml"), project=shop).stderr
    for file in (shop / "contracts/events").glob("*/*.json"):
        file.unlink()
    assert skep("contracts", "import", str(tmp_path / "all.odcs.yaml"), "--format", "odcs", project=shop).returncode == 0
    assert load_definitions(Settings.load(shop)).contracts == before.contracts
    foreign = skep("contracts", "import", str(DATA / "full-example-v3.2.0.odcs.yaml"), project=shop)
    assert "events/tbl/1-1-0.json: draft" in foreign.stdout
    assert "not carried over: servers" in foreign.stdout
