"""The step that a change of a schema deserves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from contracts.versions.bump import claimed, claims_less, deserved, following
from schemalogic.validation import compile_schema
from skep.cli.main import app

OPEN = {"type": "object", "properties": {"a": {"type": "string"}, "n": {"type": "integer", "minimum": 0}}, "required": ["a"]}
CLOSED = {**OPEN, "additionalProperties": False}


def _with(schema: dict[str, Any], **properties: Any) -> dict[str, Any]:
    return {**schema, "properties": {**schema["properties"], **properties}}


CASES = [
    ("a property more in a closed object", CLOSED, _with(CLOSED, b={"type": "string"}), "addition"),
    ("a property without a type in an open object", OPEN, _with(OPEN, b={}), "addition"),
    ("another description", OPEN, {**OPEN, "description": "x"}, "addition"),
    ("a wider bound", OPEN, _with(OPEN, n={"type": "integer"}), "addition"),
    ("an optional property", OPEN, {**OPEN, "required": []}, "addition"),
    ("a typed property in an open object", OPEN, _with(OPEN, b={"type": "string"}), "revision"),
    ("a tighter bound", OPEN, _with(OPEN, n={"type": "integer", "minimum": 1}), "revision"),
    ("a named property becomes required", OPEN, {**OPEN, "required": ["a", "n"]}, "revision"),
    ("an object closes", OPEN, CLOSED, "revision"),
    ("fewer values", {"enum": ["a", "b"]}, {"enum": ["a"]}, "revision"),
    ("a new required property in an open object", OPEN, {**_with(OPEN, b={}), "required": ["a", "b"]}, "model"),
    ("a new required property in a closed object", CLOSED, {**_with(CLOSED, b={}), "required": ["a", "b"]}, "model"),
    ("another type of a required property", OPEN, _with(OPEN, a={"type": "integer"}), "model"),
    ("another type of an optional property", OPEN, _with(OPEN, n={"type": "string"}), "model"),
    ("a renamed property of a closed object", CLOSED, {**CLOSED, "properties": {"a": {}, "m": {"type": "integer"}}}, "model"),
    (
        "another type within the items of a list",
        {"type": "object", "properties": {"l": {"type": "array", "items": OPEN}}},
        {"type": "object", "properties": {"l": {"type": "array", "items": _with(OPEN, a={"type": "null"})}}},
        "model",
    ),
    (
        "properties that exclude each other",
        {**OPEN, "not": {"required": ["a", "n"]}},
        {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
        "model",
    ),
]


@pytest.mark.parametrize(("title", "old", "new", "step"), CASES, ids=[case[0] for case in CASES])
def test_a_change_deserves_its_step(title: str, old: Any, new: Any, step: str) -> None:
    """Additions break nothing, models all that is described in full, revisions some; each break has a document."""
    found = deserved(old, new, {})
    assert found.step == step
    assert not found.undecided
    if step != "addition":
        assert found.breaks is not None
        assert compile_schema(old).is_valid(found.breaks.example)
        assert not compile_schema(new).is_valid(found.breaks.example)
    for document in found.stays:
        assert compile_schema(old).is_valid(document)
        assert compile_schema(new).is_valid(document)
    assert bool(found.stays) == (step == "revision")


def test_no_change_is_told_from_an_addition() -> None:
    """A schema that only reads otherwise changes nothing in what is valid."""
    assert not deserved(OPEN, {**OPEN, "title": "x"}, {}).changes
    assert deserved(CLOSED, OPEN, {}).changes


def test_a_typed_property_of_an_open_object_is_named() -> None:
    """The classic trap is told from other breaks."""
    assert deserved(OPEN, _with(OPEN, b={"type": "string"}), {}).typed == ("/b",)
    assert deserved(OPEN, CLOSED, {}).typed == ()


def test_steps_between_numbers() -> None:
    """Only what goes up is a step."""
    assert claimed((1, 0, 0), (1, 0, 1)) == "addition"
    assert claimed((1, 0, 3), (1, 1, 0)) == "revision"
    assert claimed((1, 2, 3), (2, 0, 0)) == "model"
    assert claimed((1, 0, 0), (1, 0, 0)) is None
    assert claimed((2, 0, 0), (1, 9, 9)) is None
    assert [following((1, 2, 3), step) for step in ("addition", "revision", "model")] == [(1, 2, 4), (1, 3, 0), (2, 0, 0)]


def test_a_number_that_claims_less_is_said() -> None:
    """What is expected, found, and a document; a number that claims enough is fine."""
    typed = _with(OPEN, b={"type": "string"})
    claim = claims_less((1, 0, 0), (1, 0, 1), OPEN, typed, {})
    assert claim is not None
    assert (claim.expected, claim.found) == ("at least 1-1-0", "1-0-1")
    assert claim.hint.startswith("a revision: some old documents break")
    assert claims_less((1, 0, 0), (1, 1, 0), OPEN, typed, {}) is None
    assert claims_less((1, 0, 0), (2, 0, 0), OPEN, typed, {}) is None
    required = {**OPEN, "required": ["a", "b"]}
    claim = claims_less((1, 0, 0), (1, 1, 0), OPEN, required, {})
    assert claim is not None
    assert claim.expected == "at least 2-0-0"


def test_types_are_followed() -> None:
    """A reference to a type counts with what the type says."""
    old, new = {"$ref": "../../types/t.json"}, {"type": "integer"}
    assert deserved(old, new, {"t": {"type": "string"}}).step == "model"
    assert deserved(old, new, {"t": {"type": "integer", "minimum": 0}}).step == "addition"


def _run(folder: Path, old: tuple[str, Any], new: tuple[str, Any], *options: str) -> Any:
    for name, schema in (old, new):
        (folder / name).write_text(schema if isinstance(schema, str) else json.dumps(schema))
    return CliRunner().invoke(app, ["contracts", "bump", str(folder / old[0]), str(folder / new[0]), *options])


def test_the_command_says_the_next_number_and_what_would_be_an_addition(tmp_path: Path) -> None:
    """A file name that claims less than it deserves ends with 1."""
    result = _run(tmp_path, ("1-0-0.json", OPEN), ("1-0-1.json", _with(OPEN, b={"type": "string"})))
    assert result.exit_code == 1
    for text in ("revision", "1-1-0", "1-0-1", "/b", "additionalProperties", "stays valid"):
        assert text in result.output


@pytest.mark.parametrize(
    ("old", "new", "schema", "code"),
    [
        ("1-0-0.json", "1-0-1.json", _with(OPEN, b={}), 0),
        ("1-0-0.json", "1-1-0.json", CLOSED, 0),
        ("1-0-0.json", "1-0-1.json", CLOSED, 1),
        ("a.json", "b.json", CLOSED, 0),
        ("1-0-0.json", "b.json", CLOSED, 0),
        ("1-0-0.json", "0-9-9.json", CLOSED, 1),
        ("1-0-0.json", "1-1-0.json", "{", 2),
        ("1-0-0.json", "1-1-0.json", {"type": "nothing"}, 2),
    ],
)
def test_exit_codes(tmp_path: Path, old: str, new: str, schema: Any, code: int) -> None:
    """0: it claims enough or the names are no numbers; 1: it claims less; 2: a file is unusable."""
    assert _run(tmp_path, (old, OPEN), (new, schema)).exit_code == code


def test_the_report_for_programs(tmp_path: Path) -> None:
    """The same in JSON, with a document that breaks."""
    result = _run(tmp_path, ("1-0-0.json", OPEN), ("1-0-1.json", {**OPEN, "required": ["a", "b"]}), "--json")
    report = json.loads(result.output)
    assert (report["deserves"], report["claims"], report["enough"], report["next"]) == ("model", "addition", False, "2-0-0")
    assert compile_schema(OPEN).is_valid(report["example"])
    assert result.exit_code == 1


def test_a_missing_file_and_a_wrong_call_end_with_2(tmp_path: Path) -> None:
    """What cannot be judged never looks like an answer."""
    assert CliRunner().invoke(app, ["contracts", "bump", str(tmp_path / "a.json"), str(tmp_path / "b.json")]).exit_code == 2
    assert CliRunner().invoke(app, ["contracts", "bump"]).exit_code == 2
