"""Schemas for editors refuse what `skep check` refuses, as far as structure goes, and nothing that it takes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from jsonschema import Draft7Validator

from contracts import ContractErrors, load, read_files
from contracts.language.forms import FORMS
from contracts.text.problems import Problem
from contracts.text.yaml_tree import Reader
from skep.project.settings import Settings, load_definitions
from skep.tools.editor import schemas as editor
from skep.tools.editor.schemas import modeline, schema_name, schemas
from skep.tools.starter import create
from tests.contracts.project import GOOD
from tests.drawn_definitions import definitions_files
from tests.skep.test_cli import skep

ROOT = Path(__file__).resolve().parents[2]
CASES = sorted((ROOT / "tests/contracts/errors").glob("*.txt"))
PROJECTS = (ROOT, ROOT / "examples/online_retail")
GENERAL = schemas()

STRUCTURE = re.compile(
    r"expected (only )?one of |expected a whole number, at least|expected true|found nothing( \(|$)|expected a duration such as"
    r"|expected [\w.-]+(, [\w.-]+)* or [\w.-]+, found|expected a text,|expected a (list|mapping)|expected at least (one|two|\d)"
)
"""What is wrong by structure alone; the rest takes knowledge of other files, of values, or of paths."""
ONLY_CHECK = re.compile(
    r"is not supported yet|found (no answer|nothing \(the versions)|a list of at least one purpose"
    r"|: connection\.\w+(\.default)?: expected one of"
)


def _files(project: Path) -> Iterator[tuple[PurePosixPath, Any]]:
    """The YAML files of a project, as data."""
    for path in [project / "skep.yaml", *sorted((project / "contracts").rglob("*.yaml"))]:
        yield PurePosixPath(path.relative_to(project).as_posix()), _data(path.read_text())


def _data(text: str) -> Any:
    tree = Reader([]).parse("x", text)
    return None if tree is None else tree.plain()


@pytest.mark.parametrize("project", PROJECTS, ids=lambda path: path.name)
def test_the_projects_files_are_good(project: Path) -> None:
    """Every file of the demo shop and of the example is taken, with and without knowledge of its names."""
    for known in (GENERAL, schemas(load_definitions(Settings.load(project)))):
        for path, data in _files(project):
            name = schema_name(path)
            assert name is not None, path
            assert [error.message for error in Draft7Validator(known[name]).iter_errors(data)] == [], path


def test_what_check_takes_is_never_refused() -> None:
    """Generated identity, consent, traits and segments, all of them good, pass; also where the schemas know their names."""
    general = {name: Draft7Validator(schema) for name, schema in GENERAL.items()}
    for seed in range(100):
        files = definitions_files(seed)
        known = {name: Draft7Validator(schema) for name, schema in schemas(load(files)).items()} if seed < 10 else general
        for path, text in files.items():
            name = schema_name(PurePosixPath("contracts") / path)
            if name is not None:
                assert [error.message for error in known[name].iter_errors(_data(text))] == [], (seed, path)


UPCAST = """upcast: 1-0-0 to 2-0-0
steps:
  - rename: {total: amount}
  - {move: {from: city, to: address.city}}
  - {default: {currency: EUR}}
  - {constant: {channel: shop}}
  - {map: {path: status, values: {p: paid}, otherwise: {value: open}}, examples: [{old: {status: p}, new: {status: paid}}]}
  - {convert: {path: amount, unit: {from: cent, to: euro}, places: 2}, examples: [{old: {amount: 150}, new: {amount: 1.5}}]}
  - {convert: {path: when, time: {format: "%d.%m.%Y"}}, examples: [{old: {when: 01.02.2026}, new: {when: 2026-02-01}}]}
  - {convert: {path: count, type: integer}, examples: [{old: {count: "3"}, new: {count: 3}}]}
  - {split: {path: name, by: " ", into: [first, last]}, examples: [{old: {name: A B}, new: {first: A, last: B}}]}
  - {join: {paths: [zip, town], with: " ", into: place}, examples: [{old: {zip: "1", town: X}, new: {place: 1 X}}]}
  - drop: [note]
"""
QUALITY = """expectations:
  - {event: order_*, completeness: {gte: 0.9}, quarantined: {lte: 0.01}, within: 24h}
  - {event: order_completed, completeness: {currency: {gte: 0.5}}, out_of_range: {revenue: {lte: 0.1}}, severity: stop-source}
  - {event: Order Completed, source: web, freshness: {lte: 2h}, volume: {gte: 0.5, lte: 2}, unknown_properties: {lte: 0}}
ranges:
  order_completed: {revenue: {gte: 0, lte: 1000}}
"""


def test_good_upcasts_and_expectations_are_taken() -> None:
    """Every kind of step, of check and of bound that the readers take passes its schema."""
    versions = {f"events/paid/{version}.json": '{"type": "object"}' for version in ("1-0-0", "2-0-0")}
    files = {**GOOD, **versions, "events/paid/1-0-0-to-2-0-0.yaml": UPCAST, "quality.yaml": QUALITY}
    definitions = load(files)
    assert [step.kind for step in definitions.upcasts["paid"][0].steps][:3] == ["rename", "move", "default"]
    known = schemas(definitions)
    for name, text in (("upcast", UPCAST), ("quality", QUALITY)):
        assert [f"{error.json_path}: {error.message}" for error in Draft7Validator(known[name]).iter_errors(_data(text))] == []


def _places(error: Any) -> Iterator[str]:
    """Where an error of the schema points, as keys of `Problem` are written; also the errors of the branches that it chose from."""
    path = list(error.absolute_path)
    if error.validator == "additionalProperties":
        known, patterns = error.schema.get("properties", {}), error.schema.get("patternProperties", {})
        for key in error.instance:
            if key not in known and not any(re.search(pattern, key) for pattern in patterns):
                yield _key([*path, key])
    elif error.validator == "required":
        yield from (_key([*path, name]) for name in error.validator_value if name not in error.instance)
    elif error.validator in {"not", "oneOf", "minProperties"} and isinstance(error.instance, dict):
        yield from (_key([*path, key]) for key in error.instance)
    if error.validator == "type":
        # What is no mapping lacks its keys, too.
        yield _key([*path, "*"])
    way = list(error.absolute_schema_path)
    if "dependencies" in way:
        yield _key([*path, way[way.index("dependencies") + 1]])
    yield _key(path)
    for inner in error.context or ():
        yield from _places(inner)


def _points(places: set[str], key: str) -> bool:
    return key in places or f"{key.rpartition('.')[0]}.*" in places


def _key(path: list[Any]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")


def _structural(case: Path) -> Iterator[tuple[Problem, set[str]]]:
    """The problems of a wrong project that are such by structure, with the places that the file's schema points at."""
    parts = re.split(r"^--- (.*)\n", case.read_text().partition("==== problems\n")[0], flags=re.MULTILINE)[1:]
    files = dict(zip(parts[::2], parts[1::2], strict=True))
    known = schemas(load(GOOD))
    with pytest.raises(ContractErrors) as raised:
        load({**GOOD, **files})
    for problem in raised.value.problems:
        name = schema_name(PurePosixPath("contracts") / problem.file)
        data = _data(files.get(problem.file, "")) if name else None
        if name is not None and data is not None and STRUCTURE.search(str(problem)) and not ONLY_CHECK.search(str(problem)):
            yield problem, {place for error in Draft7Validator(known[name]).iter_errors(data) for place in _places(error)}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_what_check_refuses_is_refused_at_its_place(case: Path) -> None:
    """Of every wrong file in tests/contracts/errors, what is wrong by its structure is underlined where it stands."""
    assert [f"{problem} … {sorted(places)}" for problem, places in _structural(case) if not _points(places, problem.key)] == []


def test_most_kinds_of_wrong_files_are_among_the_cases() -> None:
    """The cases do not pass because none of their problems is looked at."""
    looked_at = [problem for case in CASES for problem, _ in _structural(case)]
    assert len(looked_at) > 80
    assert {problem.file.split("/")[0] for problem in looked_at} >= {"identity.yaml", "consent.yaml", "traits.yaml", "segments", "sources"}


MAPPINGS = (
    ("identity", "properties", "identity.yaml", "zzz: 1"),
    ("identity", "properties/namespaces/items/properties", "identity.yaml", "namespaces: [{name: a, from: b, zzz: 1}]"),
    ("identity", "properties/blocked/properties", "identity.yaml", "blocked: {zzz: 1}"),
    ("identity", "properties/limits/properties", "identity.yaml", "limits: {zzz: 1}"),
    ("identity", "properties/stitching/properties", "identity.yaml", "stitching: {zzz: 1}"),
    ("identity", "properties/probabilistic/properties", "identity.yaml", "probabilistic: {zzz: 1}"),
    (
        "identity",
        "properties/probabilistic/properties/compare/items/properties",
        "identity.yaml",
        "probabilistic: {block: [a], compare: [{trait: a, zzz: 1}]}",
    ),
    ("consent", "properties", "consent.yaml", "zzz: 1"),
    ("consent", "properties/purposes/items/properties", "consent.yaml", "purposes: [{name: a, default: granted, zzz: 1}]"),
    ("traits", "properties", "traits.yaml", "zzz: 1"),
    ("traits", "properties/traits/items/properties", "traits.yaml", "traits: [{name: a, zzz: 1}]"),
    ("segment", "properties", "segments/a.yaml", "segment: a\nzzz: 1"),
    ("destination", "allOf/0/then/propertyNames/enum", "destinations/a.yaml", "kind: file\npath: a\nzzz: 1"),
    ("source", "properties", "sources/a.yaml", "columns: {}\nzzz: 1"),
    ("quality", "properties", "quality.yaml", "zzz: 1"),
    ("quality", "properties/expectations/items/properties", "quality.yaml", "expectations: [{event: page_viewed, zzz: 1}]"),
    ("upcast", "properties", "events/a/1-0-0-to-2-0-0.yaml", "zzz: 1"),
    ("upcast", "properties/steps/items/properties", "events/a/1-0-0-to-2-0-0.yaml", "steps: [{zzz: 1}]"),
    ("upcast", "properties/steps/items/properties/convert/properties", "events/a/1-0-0-to-2-0-0.yaml", "steps: [{convert: {zzz: 1}}]"),
    ("source", "properties/message_id/properties", "sources/a.yaml", "columns: {}\nmessage_id: {zzz: 1}"),
    ("source", "properties/csv/properties", "sources/a.yaml", "columns: {}\ncsv: {zzz: 1}"),
)


@pytest.mark.parametrize(("name", "pointer", "file", "text"), MAPPINGS, ids=lambda value: str(value)[:40])
def test_the_keys_are_those_that_the_readers_know(name: str, pointer: str, file: str, text: str) -> None:
    """An unknown key makes each reader list the keys that it knows: they are the keys of the schema."""
    with pytest.raises(ContractErrors) as raised:
        load({file: text})
    (problem,) = [one for one in raised.value.problems if one.found == "zzz"]
    assert set(_listed(problem.expected)) == set(_at(GENERAL[name], pointer))


@pytest.mark.parametrize(
    ("pointer", "text"),
    [
        ("properties", "zzz: 1"),
        ("properties/sources/items/properties", "sources: [{name: a, kind: jsonl, path: x, zzz: 1}]"),
        ("properties/archive/properties", "archive: {zzz: 1}"),
        ("properties/snapshot/properties", "snapshot: {zzz: 1}"),
    ],
)
def test_the_keys_of_the_settings_are_those_that_are_read(tmp_path: Path, pointer: str, text: str) -> None:
    """Of skep.yaml likewise."""
    (tmp_path / "skep.yaml").write_text(text)
    with pytest.raises(ContractErrors) as raised:
        Settings.load(tmp_path)
    (problem,) = [one for one in raised.value.problems if one.found == "zzz"]
    assert set(_listed(problem.expected)) == set(_at(GENERAL["skep"], pointer))


def _listed(expected: str) -> list[str]:
    return re.split(r", | or ", expected.removeprefix("one of the keys "))


def _at(schema: Any, pointer: str) -> Any:
    for part in pointer.split("/"):
        schema = schema[int(part) if isinstance(schema, list) else part]
    return schema


def test_every_form_of_a_condition_has_its_schema() -> None:
    """The forms of conditions are those that are read, and `did` in its ways."""
    forms = {ref["$ref"].rsplit("/", 1)[1] for ref in GENERAL["segment"]["definitions"]["condition"]["anyOf"]}
    assert forms == {*FORMS, "since", "measure", "end", "whether"}


def test_names_of_the_project_are_offered() -> None:
    """Events, properties, segments, purposes, traits and destinations of the demo shop can be completed; misspelt ones are refused."""
    known = schemas(load_definitions(Settings.load(ROOT)))
    segment = known["segment"]
    assert segment["properties"]["purpose"]["enum"] == ["marketing", "analytics"]
    assert "lapsing_vips" in segment["definitions"]["segment"]["properties"]["segment"]["enum"]
    did = segment["definitions"]["did"]["properties"]["did"]["anyOf"][0]["anyOf"][0]["enum"]
    assert {"order_completed", "page_viewed"} <= set(did)
    assert not {"identify", "group"} & set(did)
    assert "city" in segment["definitions"]["trait"]["properties"]["trait"]["anyOf"][0]["enum"]
    assert "revenue" in known["traits"]["definitions"]["of_event"]["allOf"][-1]["else"]["properties"]["sum"]["anyOf"][0]["enum"]
    wrong = {"segment": "a", "who": {"segment": "lapsing_vip"}, "purpose": "marketng", "activate": ["changes"]}
    assert {_key(list(error.absolute_path)) for error in Draft7Validator(segment).iter_errors(wrong)} == {"who", "purpose", "activate[0]"}
    assert not list(Draft7Validator(segment).iter_errors({"segment": "a", "who": {"did": ["Order Completed", "order_*"]}}))


@pytest.mark.parametrize("name", sorted(GENERAL))
def test_schemas_are_schemas_and_say_what_keys_mean(name: str) -> None:
    """They pass the meta-schema of draft-07, and every key of the file has a description."""
    Draft7Validator.check_schema(GENERAL[name])
    assert GENERAL[name]["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert [key for key, part in GENERAL[name]["properties"].items() if "description" not in part] == []


def test_a_new_project_names_the_schema_of_every_file(tmp_path: Path) -> None:
    """`skep init` writes the line into each YAML file, the schema that it names is there, and what the files mean is not changed."""
    create(tmp_path / "shop")
    found = sorted((tmp_path / "shop").rglob("*.yaml"))
    assert len(found) > 10
    for path in found:
        first = path.read_text().splitlines()[0]
        assert first.startswith("# yaml-language-server: $schema="), path
        target = (path.parent / first.partition("$schema=")[2]).resolve()
        assert json.loads(target.read_text())["title"]
        relative = PurePosixPath(path.relative_to(tmp_path / "shop").as_posix())
        assert target.stem == schema_name(relative)
        assert not list(Draft7Validator(json.loads(target.read_text())).iter_errors(_data(path.read_text())))
    assert load_definitions(Settings.load(tmp_path / "shop")).segments == load_definitions(Settings.load(ROOT)).segments


def test_hidden_schemas_are_no_definitions(tmp_path: Path) -> None:
    """Schemas beside and below the contracts leave the digest as it is."""
    create(tmp_path / "shop")
    before = load(read_files(tmp_path / "shop/contracts")).digest
    editor.write(tmp_path / "shop/contracts/.skep", GENERAL)
    assert load(read_files(tmp_path / "shop/contracts")).digest == before


def test_schemas_follow_the_contracts(tmp_path: Path) -> None:
    """A refreshed project knows its new purpose; what is not changed is not written; without schemas nothing is."""
    create(tmp_path / "shop")
    consent = tmp_path / "shop/contracts/consent.yaml"
    consent.write_text(consent.read_text() + "  - {name: research, default: denied}\n")
    definitions = load_definitions(Settings.load(tmp_path / "shop"))
    editor.refresh(Settings.load(tmp_path / "shop"), definitions)
    written = json.loads((tmp_path / "shop" / editor.PLACE / "segment.json").read_text())
    assert "research" in written["properties"]["purpose"]["enum"]
    assert editor.write(tmp_path / "shop" / editor.PLACE, schemas(definitions)) == []
    editor.refresh(replace(Settings.load(tmp_path / "shop"), root=tmp_path / "none"), definitions)
    assert not (tmp_path / "none").exists()


def test_a_line_is_written_once() -> None:
    """A file that names its schema keeps its line; what is no file of a project gets none."""
    path = PurePosixPath("contracts/segments/a.yaml")
    once = editor.with_modeline(path, "segment: a\n")
    assert once == "# yaml-language-server: $schema=../../.skep/schemas/segment.json\nsegment: a\n"
    assert editor.with_modeline(path, once) == once
    assert modeline(PurePosixPath("README.md")) == ""
    assert modeline(PurePosixPath("docs/segments/a.yaml")) == ""


def test_the_command_writes_schemas_and_says_how_to_name_them(tmp_path: Path) -> None:
    """`skep schemas --out` writes each schema; the lines that it prints lead from the files to them; broken contracts leave names out."""
    create(tmp_path / "shop")
    words = ("schemas", "--out", str(tmp_path / "made"), "--json")
    rows = json.loads(skep(*words, project=tmp_path / "shop").stdout)
    assert {row["files"] for row in rows} >= {"skep.yaml", "contracts/identity.yaml", "contracts/segments/*.yaml"}
    for row in rows:
        place = tmp_path / "shop" / row["files"]
        assert (place.parent / row["line"].partition("$schema=")[2]).resolve() == Path(row["schema"]).resolve()
        Draft7Validator.check_schema(json.loads(Path(row["schema"]).read_text()))
    (tmp_path / "shop/contracts/segments/bad.yaml").write_text("segment: bad")
    assert skep(*words, project=tmp_path / "shop").returncode == 0
    assert "enum" not in json.loads((tmp_path / "made/segment.json").read_text())["properties"]["purpose"]
