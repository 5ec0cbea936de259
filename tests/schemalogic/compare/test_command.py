"""`skep contracts compat` from outside: exit codes, JSON, and files that are no schemas."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from schemalogic.validation import compile_schema
from skep.cli.main import app
from skep.tools.compat import UNUSABLE, Comparison, Outcome, compare_here
from tests.processes import completed, plain_environment

PAIRS = [
    pair
    for file in sorted((Path(__file__).parent / "pairs").glob("*.json"))
    for pair in json.loads(file.read_text(encoding="utf-8"))
    if "formats" not in pair
]
SAMPLE = PAIRS[:: len(PAIRS) // 6]
"""Every answer of the command costs a process; the others are asked of the engine itself."""


def _run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return completed("skep.cli", "contracts", "compat", *arguments, env=plain_environment(), cwd=folder)


def _compare(folder: Path, old: Any, new: Any, *options: str, types: dict[str, Any] | None = None) -> subprocess.CompletedProcess[str]:
    events = folder / "contracts" / "events" / "e"
    events.mkdir(parents=True, exist_ok=True)
    for name, schema in {"1-0-0": old, "1-0-1": new}.items():
        content = schema if isinstance(schema, bytes) else json.dumps(schema).encode()
        (events / f"{name}.json").write_bytes(content)
    for name, schema in (types or {}).items():
        (folder / "contracts" / "types").mkdir(exist_ok=True)
        (folder / "contracts" / "types" / f"{name}.json").write_text(json.dumps(schema))
    return _run(folder, str(events / "1-0-0.json"), str(events / "1-0-1.json"), *options)


def _here(folder: Path, old: bytes, new: bytes) -> Outcome:
    """What the command would say, without a process of its own."""
    (folder / "old.json").write_bytes(old)
    (folder / "new.json").write_bytes(new)
    return compare_here(Comparison(folder / "old.json", folder / "new.json", "backward"))


@pytest.mark.parametrize("pair", SAMPLE, ids=lambda pair: pair["why"])
def test_pairs_through_the_command(pair: dict[str, Any], tmp_path: Path) -> None:
    """The exit code says it, the JSON says why, and its example is one."""
    types = pair.get("types", {})
    result = _compare(tmp_path, pair["old"], pair["new"], "--json", types=types)
    assert result.returncode == (0 if pair["backward"] else 1), result.stderr
    report = json.loads(result.stdout)
    assert (report["compatible"], report["mode"]) == (pair["backward"], "backward")
    assert bool(report["reasons"]) != pair["backward"]
    for reason in report["reasons"]:
        assert {"path", "keyword", "old", "new"} <= set(reason)
        assert compile_schema(pair["old"], types, linear=False).is_valid(reason["example"])
        assert not compile_schema(pair["new"], types, linear=False).is_valid(reason["example"])


@pytest.mark.parametrize(("mode", "code"), [("forward", 1), ("full", 1)])
def test_modes(mode: str, code: int, tmp_path: Path) -> None:
    """Beside backward: forward, and both ways."""
    result = _compare(tmp_path, {"type": "integer"}, {"type": "number"}, "--mode", mode, "--json")
    assert result.returncode == code
    assert json.loads(result.stdout)["mode"] == mode


def test_for_people(tmp_path: Path) -> None:
    """Without --json the same is said in words."""
    result = _compare(tmp_path, {"type": "number"}, {"type": "integer"})
    assert result.returncode == 1
    assert "not compatible" in result.stdout
    assert "type" in result.stdout


BAD: list[tuple[str, bytes]] = [
    ("no JSON", b"{"),
    ("empty", b""),
    ("a key twice", b'{"type": "string", "type": "string"}'),
    ("no number", b'{"minimum": NaN}'),
    ("a list", b"[]"),
    ("a text", b'"string"'),
    ("null", b"null"),
    ("wrong by the meta-schema", b'{"type": "text"}'),
    ("a wrong bound", b'{"minLength": -1}'),
    ("a wrong pattern", b'{"pattern": "("}'),
    ("a reference to nowhere", b'{"$ref": "#/$defs/a"}'),
    ("a reference to another host", b'{"$ref": "https://example.com/a.json"}'),
    ("draft-04", b'{"$schema": "http://json-schema.org/draft-04/schema#", "type": "string"}'),
    ("an unknown draft", b'{"$schema": "https://example.com/my-schema"}'),
    ("no UTF-8", b'{"title": "\xff"}'),
]


@pytest.mark.parametrize(("title", "content"), BAD, ids=[title for title, _ in BAD])
def test_unusable_input_is_no_answer(title: str, content: bytes, tmp_path: Path) -> None:
    """On either side, also where the other one allows nothing or anything; the file is named."""
    outcomes = _here(tmp_path, content, b"true"), _here(tmp_path, b"false", content)
    assert [outcome.code for outcome in outcomes] == [UNUSABLE, UNUSABLE]
    assert "old.json" in outcomes[0].errors[0]
    assert "new.json" in outcomes[1].errors[0]


def test_unusable_input_ends_with_2(tmp_path: Path) -> None:
    """Nothing on stdout, the file named on stderr."""
    result = _compare(tmp_path, False, b"{", "--json")
    assert (result.returncode, result.stdout) == (2, "")
    assert "1-0-1.json" in result.stderr


def test_a_missing_file_ends_with_2(tmp_path: Path) -> None:
    """And it is named."""
    (tmp_path / "a.json").write_text("{}")
    result = _run(tmp_path, "a.json", "missing.json")
    assert result.returncode == 2
    assert "missing.json" in result.stderr


WRONG = [[], ["a.json"], ["a.json", "a.json", "a.json"], ["a.json", "a.json", "--mode", "sideways"], ["--nope"]]


@pytest.mark.parametrize("arguments", WRONG)
def test_a_wrong_call_ends_with_2(arguments: list[str], tmp_path: Path) -> None:
    """Too few files, too many, an unknown mode, an unknown option."""
    (tmp_path / "a.json").write_text("{}")
    found = [str(tmp_path / one) if one.endswith(".json") else one for one in arguments]
    assert CliRunner().invoke(app, ["contracts", "compat", *found]).exit_code == 2


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (b"true", b"{}", 0),
        (b"true", b"false", 1),
        (b"false", b'{"type": "string"}', 0),
        (b'\xef\xbb\xbf{"type": "string"}', b'{"type": "string"}', 0),
        (b' \n{"type": "string"}\n\n', b'{"type": ["string", "null"]}', 0),
    ],
)
def test_what_else_is_a_schema(old: bytes, new: bytes, code: int, tmp_path: Path) -> None:
    """true, false, a byte order mark, white space."""
    assert _here(tmp_path, old, new).code == code
