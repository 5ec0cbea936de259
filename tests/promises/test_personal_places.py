"""Nothing personal leaves: a marked value at every place that a contract can tag, looked for in all that leaves the store."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pytest

from contracts import ContractErrors
from contracts.meaning.personal import personal_paths
from contracts.reading.lineage import properties_of
from contracts.text.names import event_name
from skep.answers.catalog.collect import collect
from skep.answers.catalog.figures import figures
from skep.answers.catalog.pages import write_pages
from skep.answers.check import checked
from skep.project.definitions import declare, keep
from skep.project.settings import Settings, load_definitions
from skep.project.spaces import control_path, open_view
from skep.runtime.snapshots import publish_snapshot
from skep.tools.odcs import export
from state.snapshot.literals import quoted
from tests.skep.test_run import skep

P = {"x-personal": "direct"}
OPEN = "to be seen"
M = "MARKED"
"""In the place of each case's own value."""
DRAFT_7 = {"$schema": "http://json-schema.org/draft-07/schema#"}


def defined(schema: dict[str, Any], name: str = "m") -> dict[str, Any]:
    return {"$defs": {name: {"type": "string", **P, **schema}}}


PLACES: dict[str, tuple[dict[str, Any], Any]] = {
    "itself": (P, M),
    "object": (P, {"a": M, "b": [M]}),
    "nested": ({"properties": {"a": {"properties": {"b": P}}}}, {"a": {"b": M}}),
    "pseudonymous": ({"x-personal": "pseudonymous"}, M),
    "items": ({"items": P}, [M, M]),
    "items of items": ({"items": {"items": {"properties": {"a": P}}}}, [[{"a": M}], [{"a": M}]]),
    "prefix": ({"prefixItems": [{"type": "integer"}, P]}, [1, M]),
    "contains": ({"contains": P}, [1, M]),
    "unevaluated items": ({"prefixItems": [{}], "unevaluatedItems": P}, [1, M]),
    "additional": ({"properties": {"a": {}}, "additionalProperties": P}, {"a": 1, "b": M}),
    "pattern": ({"patternProperties": {"^m": P}}, {"n": 1, "m": M}),
    "pattern and name": ({"properties": {"mail": {}}, "patternProperties": {"^m": P}}, {"mail": M}),
    "unevaluated": ({"allOf": [{"properties": {"a": {}}}], "unevaluatedProperties": P}, {"a": 1, "b": M}),
    "names": ({"propertyNames": P}, {M: 1}),
    "if": ({"if": {"properties": {"a": P}}, "then": True}, {"a": M}),
    "then": ({"if": {"required": ["a"]}, "then": {"properties": {"a": P}}}, {"a": M}),
    "else": ({"if": {"required": ["z"]}, "else": {"properties": {"a": P}}}, {"a": M}),
    "all": ({"allOf": [{}, {"properties": {"a": P}}]}, {"a": M}),
    "any": ({"anyOf": [{"type": "integer"}, {"type": "string", **P}]}, M),
    "one": ({"oneOf": [{"type": "integer"}, {"properties": {"a": P}, "type": "object"}]}, {"a": M}),
    "not": ({"not": {"type": "integer", **P}}, M),
    "dependent": ({"dependentSchemas": {"b": {"properties": {"a": P}}}}, {"a": M, "b": 1}),
    "content": ({"contentMediaType": "application/json", "contentSchema": {"properties": {"a": P}}}, json.dumps({"a": M})),
    "too many branches": ({"allOf": [{"oneOf": [{"maxLength": 2 * at}, {"minLength": 2 * at + 1, **P}]} for at in range(7)]}, M),
    "deep": ({"properties": {"a": {"properties": {"b": {"items": {"properties": {"c": {"allOf": [P]}}}}}}}}, {"a": {"b": [{"c": M}]}}),
}  # fmt: skip
"""What stands under ``at``."""

ROOTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "root": ({**P, "properties": {"a": {}}}, {"a": M, "undeclared": M}),
    "root additional": ({"properties": {"a": {}}, "additionalProperties": P}, {"b": M}),
    "root pattern": ({"patternProperties": {"^x": P}}, {"x1": M}),
    "root names": ({"properties": {"a": {}}, "propertyNames": {"anyOf": [{"const": "ok"}, P]}}, {"a": 1, M: 1}),
    "root branch": ({"anyOf": [{"properties": {"mail": P}}, {"required": ["none"]}]}, {"mail": M}),
    "pointer": ({"properties": {"mail": {"$ref": "#/$defs/m"}}, **defined({})}, {"mail": M}),
    "escaped": ({"properties": {"mail": {"$ref": "#/$defs/a%20b~1c~0d%25%22"}}, **defined({}, 'a b/c~d%"')}, {"mail": M}),
    "into a property": ({"properties": {"mail": {"$ref": "#/properties/other"}, "other": P}}, {"mail": M}),
    "no keyword": ({"components": {"m": P}, "properties": {"mail": {"$ref": "#/components/m"}}}, {"mail": M}),
    "siblings": ({"properties": {"mail": {"$ref": "#/$defs/m", **P}}, "$defs": {"m": {"type": "string"}}}, {"mail": M}),
    "file": ({"properties": {"mail": {"$ref": "../../types/person.json#/$defs/mail"}}}, {"mail": M}),
    "file through file": ({"properties": {"who": {"$ref": "../../types/person.json"}}}, {"who": {"contact": {"mail": M}}}),
    "file anchor": ({"properties": {"mail": {"$ref": "../../types/person.json#mail"}}}, {"mail": M}),
    "file with an id": ({"properties": {"mail": {"$ref": "../../types/named.json#/$defs/m"}}}, {"mail": M}),
    "relative id": ({"properties": {"mail": {"$ref": "mail.json"}}, **defined({"$id": "mail.json"})}, {"mail": M}),
    "absolute id": ({"properties": {"mail": {"$ref": "https://a.b/m"}}, **defined({"$id": "https://a.b/m"})}, {"mail": M}),
    "base of the root": ({"$id": "https://a.b/x/y.json", "properties": {"mail": {"$ref": "../m"}}, **defined({"$id": "https://a.b/m"})},
                         {"mail": M}),
    "urn": ({"properties": {"mail": {"$ref": "urn:a:b"}}, **defined({"$id": "urn:a:b"})}, {"mail": M}),
    "within an id": ({"properties": {"mail": {"$ref": "m.json#/$defs/in"}}, "$defs": {"m": {"$id": "m.json", "$defs": {"in": P}}}},
                     {"mail": M}),
    "from within an id": ({"properties": {"who": {"$ref": "w"}}, "$defs": {
        "w": {"$id": "w", "properties": {"mail": {"$ref": "#/$defs/m"}}, "$defs": {"m": P}}, "m": {}}}, {"who": {"mail": M}}),
    "anchor": ({"properties": {"mail": {"$ref": "#m"}}, **defined({"$anchor": "m"})}, {"mail": M}),
    "dynamic": ({"properties": {"mail": {"$dynamicRef": "#m"}}, **defined({"$dynamicAnchor": "m"})}, {"mail": M}),
    "dynamic pointer": ({"properties": {"mail": {"$dynamicRef": "#/$defs/m"}}, **defined({})}, {"mail": M}),
    "dynamic file": ({"properties": {"mail": {"$dynamicRef": "../../types/person.json#mail"}}}, {"mail": M}),
    "dynamic elsewhere": ({"properties": {"list": {"$ref": "list"}}, "$defs": {
        "mine": {"$dynamicAnchor": "item", **P}, "list": {"$id": "list", "items": {"$dynamicRef": "#item"},
        "$defs": {"any": {"$dynamicAnchor": "item"}}}}}, {"list": [M]}),
    "itself again": ({"properties": {"name": P, "below": {"items": {"$ref": "#"}}}}, {"below": [{"name": M, "below": [{"name": M}]}]}),
    "7 definitions": ({**DRAFT_7, "properties": {"mail": {"$ref": "#/definitions/m"}}, "definitions": {"m": P}}, {"mail": M}),
    "7 siblings": ({**DRAFT_7, "properties": {"mail": {"$ref": "#/definitions/m", **P}}, "definitions": {"m": {}}}, {"mail": M}),
    "7 anchor": ({**DRAFT_7, "properties": {"mail": {"$ref": "#m"}}, "definitions": {"m": {"$id": "#m", **P}}}, {"mail": M}),
    "7 id": ({**DRAFT_7, "properties": {"mail": {"$ref": "m.json"}}, "definitions": {"m": {"$id": "m.json", **P}}}, {"mail": M}),
    "7 items": ({**DRAFT_7, "properties": {"l": {"items": [{}, P], "additionalItems": {"properties": {"a": P}}}}}, {"l": [1, M, {"a": M}]}),
    "7 dependencies": ({**DRAFT_7, "properties": {"b": {"dependencies": {"c": {"properties": {"a": P}}}}}}, {"b": {"a": M, "c": 1}}),
    "7 dynamic": ({**DRAFT_7, "properties": {"mail": {"$dynamicRef": "#m"}}, "definitions": {"m": {"$dynamicAnchor": "m", **P}}},
                  {"mail": M}),
}  # fmt: skip
"""Whole contracts."""

KEYS = [
    "e\r", "\n", "\t", "\0", "a\0b", "\x1b[31m", "\x7f", "", "*", "**", '"', "'", "\\", 'a\\"b', "a.b", "a[0]", "[]", "[0]", "$", "$.a",
    "?", "/", "a/b", "~", "~1", "0", "-1", "#-1", "é", "e\u0301", "ﬁ", "\u2028", "\u202e", "😀", "x" * 3000, "properties", "traits", "Mail",
    "mail", "MAIL", " mail", "mail ", "%", "%20", "<b>", "true", "null", "--", ";", "__proto__", "name", "event", "typed",
]  # fmt: skip


def contracts() -> dict[str, dict[str, Any]]:
    """By event what its contract says."""
    found = {f"place {name}": {"properties": {"at": schema}} for name, (schema, _) in PLACES.items()}
    found |= {f"way {name}": schema for name, (schema, _) in ROOTS.items()}
    inside = {"o": {"properties": {key: {"items": P} for key in KEYS}}}
    found |= {"key": {"properties": dict.fromkeys(KEYS, P)}, "inside": {"properties": inside}}
    return {event_name(name): {**schema, "type": "object"} for name, schema in found.items()}


def cases() -> dict[str, tuple[str, dict[str, Any]]]:
    """By name: an event, and properties that its contract accepts."""
    found = {f"place {name}": (f"place {name}", {"at": value}) for name, (_, value) in PLACES.items()}
    found |= {f"way {name}": (f"way {name}", value) for name, (_, value) in ROOTS.items()}
    found |= {f"key {key!r}": ("key", {key: M}) for key in KEYS}
    return found | {f"inside {key!r}": ("inside", {"o": {key: [M]}}) for key in KEYS}


TYPES = {
    "person": {"properties": {"contact": {"$ref": "contact.json#/$defs/c"}}, "$defs": {"mail": {"$anchor": "mail", **P}}},
    "contact": {"$defs": {"c": {"properties": {"mail": {"$ref": "person.json#mail"}}}}},
    "named": {"$id": "https://a.b/types/named.json", "$defs": {"m": {"$ref": "#/$defs/n"}, "n": P}},
}
LAST = ("way relative id", "way dynamic", "way dynamic elsewhere", "place items", "place too many branches", "way file through file")
"""Cases of which a trait shows the value."""
SHOWN = {"way dynamic elsewhere": "list", "place items": "at", "place too many branches": "at", "way file through file": "who.contact.mail"}


def marked(value: Any, mark: str) -> Any:
    return orjson.loads(orjson.dumps(value).replace(M.encode(), mark.encode()))


def events(name: str, value: dict[str, Any], mark: str) -> list[bytes]:
    """What is accepted, and records that are refused: misspelt, of no version, of the wrong shape, of a wrong time, in large letters."""
    said = marked(value, mark)
    good = {
        "type": "track",
        "event": name,
        "userId": mark[3:7],
        "timestamp": "2026-01-01T10:00:00Z",
        "properties": said,
        "context": {"a": OPEN},
    }
    refused: list[dict[str, Any]] = [
        {"event": name + " no contract"},
        {"context": {"contract": f"{event_name(name)}/9-9-9"}},
        {"properties": [said]},
        {"timestamp": "no time", "properties": {key.upper(): inner for key, inner in said.items()}},
    ]
    return [orjson.dumps({**good, **wrong}) for wrong in ({}, *refused)]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A flow over all cases, its snapshot and its catalog; what it printed is in run.log."""
    folder = tmp_path_factory.mktemp("personal")
    traits = [f"{{name: t{at}, last: {SHOWN.get(name, 'mail')}, did: {event_name(name)}, emit: true}}" for at, name in enumerate(LAST)]
    files = {f"contracts/types/{name}.json": json.dumps(schema) for name, schema in TYPES.items()}
    files |= {f"contracts/events/{name}/1-0-0.json": json.dumps(schema) for name, schema in contracts().items()}
    files["contracts/traits.yaml"] = "traits:\n" + "".join(f"  - {one}\n" for one in traits)
    files["contracts/destinations/out.yaml"] = "kind: file\npath: told.jsonl\nchanges: [profile.updated]\n"
    files["skep.yaml"] = "sources: [{name: e, kind: jsonl, path: e.jsonl}]\n"
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    marks = {name: f"ann{at:04}@secret.example" for at, name in enumerate(cases())}
    lines = [line for name, (event, value) in cases().items() for line in events(event, value, marks[name])]
    (folder / "e.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    done = skep("run", "--once", project=folder)
    (folder / "run.log").write_text(done.stdout + done.stderr)
    assert done.returncode == 0, done.stderr
    settings = Settings.load(folder)
    publish_snapshot(settings)
    catalog = collect(load_definitions(settings), figures(settings))
    write_pages(catalog, folder / "catalog")
    (folder / "catalog" / "catalog.json").write_text(repr(catalog))
    return folder


def looked_for(text: str) -> list[str]:
    """The cases whose value stands in a text."""
    names = list(cases())
    return sorted({names[int(at)] for at in re.findall(r"ann(\d{4})@se", text)})


def test_the_snapshot_holds_no_marked_value(project: Path) -> None:
    """In no row of a table or view, and nowhere in the bytes of the file."""
    with duckdb.connect(str(project / "data" / "skep.duckdb"), read_only=True) as con:
        names = con.execute("SELECT table_schema, table_name FROM information_schema.tables").fetchall()
        texts = {name: str(con.execute(f"SELECT * FROM {quoted(schema)}.{quoted(name)}").fetchall()) for schema, name in names}
        counts = con.execute("SELECT (SELECT count(*) FROM events), (SELECT count(*) FROM quarantine WHERE raw IS NOT NULL)").fetchone()
    assert {name: found for name, text in texts.items() if (found := looked_for(text))} == {}
    assert counts == (len(cases()), 4 * len(cases()))
    assert texts["events"].count(OPEN) == len(cases()), "what is not personal is there"
    assert len(re.findall("h_[0-9a-f]{32}", texts["events"])) >= len(cases())
    assert b"@secret" not in (project / "data" / "skep.duckdb").read_bytes()


def test_no_change_event_and_no_destination_is_told(project: Path) -> None:
    view = open_view(Settings.load(project), "shop")
    changes = b"".join(body for _, body in view.changes()).decode()
    view.close()
    assert changes.count('"profile.updated"') == len(LAST)
    told = (project / "told.jsonl").read_text()
    assert looked_for(changes + told) == []
    assert told.count('"h_') >= len(LAST)


def test_neither_catalog_nor_export_nor_log_tells(project: Path) -> None:
    pages = "".join(path.read_text() for path in (project / "catalog").rglob("*") if path.is_file())
    exported = "".join(text for _, text in export(load_definitions(Settings.load(project))))
    logged = (project / "run.log").read_text()
    assert looked_for(pages + exported + logged) == []


def test_what_is_hidden_is_said_to_be_personal(project: Path) -> None:
    """Table `fields`, the catalog and the exported contract show a class for each property that a reference tags."""
    with duckdb.connect(str(project / "data" / "skep.duckdb"), read_only=True) as con:
        said = con.execute("SELECT DISTINCT name FROM fields WHERE kind = 'event' AND personal <> 'none'").fetchall()
    unsaid = {name for name in contracts() if (name,) not in said}
    # What is tagged there has no name, or lies in a list of which the contract does not say that it is one.
    assert unsaid == {"place_items_of_items", "place_deep", "way_root_additional", "way_root_pattern", "way_root_names"}
    exported = dict(export(load_definitions(Settings.load(project))))
    assert "classification: direct" in exported["way_relative_id-1.0.0.odcs.yaml"]


UNKNOWN = {
    "recursive": ({"type": "object", "properties": {"a": {"$recursiveRef": "#"}, "b": {}}}, "properties.a.$recursiveRef"),
    "dynamic of 7": ({**DRAFT_7, "properties": {"a": {"$dynamicRef": "#none"}, "b": {}}}, "properties.a.$dynamicRef"),
    "no keyword": ({"properties": {"a": {"propertys": {"c": P}}, "b": {}}}, "properties.a.propertys.c"),
    "another spelling": ({"properties": {"a": {"X_Personal": "direct"}, "b": {}}}, "properties.a.X_Personal"),
    "no class, far away": (
        {"properties": {"a": {"$ref": "#/parts/a"}, "b": {}}, "parts": {"a": {"x-personal": "Direct"}}},
        "parts.a.x-personal",
    ),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_cannot_be_followed_is_hidden_and_refused_unless_it_is_in_force(tmp_path: Path, name: str) -> None:
    schema, key = UNKNOWN[name]
    file = tmp_path / "contracts" / "events" / "paid" / "1-0-0.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(schema))
    (tmp_path / "skep.yaml").write_text("spaces: [shop]\n")
    settings = Settings.load(tmp_path)
    definitions = load_definitions(settings)
    assert personal_paths(properties_of(definitions)) == {"paid": [("", ("properties", "a"))]}
    with pytest.raises(ContractErrors) as refused:
        checked(settings)
    assert [(one.file, one.line, one.key) for one in refused.value.problems] == [("events/paid/1-0-0.json", 1, key)]
    keep(settings, definitions)
    declare(control_path(settings, "shop"), definitions.digest, None)
    assert [one.key for one in checked(settings)[1]] == [key]
    file.write_text(json.dumps({**schema, "title": "Paid"}))
    with pytest.raises(ContractErrors):
        checked(settings)
