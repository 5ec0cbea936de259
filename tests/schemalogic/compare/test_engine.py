"""The decision procedure itself: every keyword by the JSON Schema test suite, recursion, limits of time, and the command."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from schemalogic.compare import Found, Impossible, Undecided, included, parse, satisfiable, unusable
from schemalogic.compare.merging import Graph, Merger
from schemalogic.compare.nodes import Space
from schemalogic.compare.reading import Reader
from schemalogic.document import Document
from skep.tools.compat import Comparison, compare
from tests.processes import completed, plain_environment

SUITE = [json.loads(line) for line in (Path(__file__).parent / "suite.jsonl").read_text().splitlines()]
"""[keyword, schema, valid documents, invalid documents] of the JSON-Schema-Test-Suite (MIT, suite.LICENSE), both drafts."""
KEYWORDS = sorted({keyword for keyword, *_ in SUITE})
TREE = {"type": "object", "properties": {"left": {"$ref": "#"}, "right": {"$ref": "#"}, "key": {"type": "integer"}}}


def _decided(old: Any, new: Any) -> bool:
    answer = included(old, new, 60.0)
    assert not answer.undecided, (old, new)
    return answer.compatible


@pytest.mark.parametrize("keyword", KEYWORDS)
def test_the_suite(keyword: str) -> None:
    """A document as the only one of a schema is included in another exactly if it is valid, and in its negation exactly if not."""
    for _, schema, valid, invalid in (case for case in SUITE if case[0] == keyword):
        if unusable(schema):
            continue
        for document, good in [(one, True) for one in valid] + [(one, False) for one in invalid]:
            only = {"const": document}
            assert _decided(only, schema) is good, (schema, document)
            assert isinstance(satisfiable([(only, True), (schema, False)], 60.0), Impossible if good else Found), (schema, document)


def test_most_of_the_suite_is_usable() -> None:
    """What the suite fetches from elsewhere is refused, and nothing else but URNs and meta-schemas."""
    refused = [case for case in SUITE if unusable(case[1])]
    assert len(refused) < 0.05 * len(SUITE)


def _literals(*schemas: Any) -> list[int]:
    graph, space = Graph(), Space()
    return Merger(space).literals(graph, [Reader(graph, Document("", one)).root() for one in schemas])


def test_equal_schemas_are_one_node() -> None:
    """Also where they are written differently: through references, unrolled recursion, and mutual recursion."""
    unrolled = {**TREE, "properties": {**TREE["properties"], "left": {"$ref": "#/$defs/tree"}}, "$defs": {"tree": TREE}}
    unrolled["$defs"]["tree"] = {**TREE, "properties": {**TREE["properties"], "left": {"$ref": "#/$defs/tree"}, "right": {"$ref": "#"}}}
    one, other, different = _literals(TREE, unrolled, {**TREE, "required": ["key"]})
    assert one == other
    assert one != different


@pytest.mark.parametrize(
    ("schema", "found"),
    [
        ({"type": "object", "required": ["next"], "properties": {"next": {"$ref": "#"}}}, Impossible),
        ({"type": "array", "minItems": 1, "items": {"anyOf": [{"type": "null"}, {"$ref": "#"}]}}, Found),
        ({"$ref": "#/$defs/a", "$defs": {"a": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/a"}}}}, Impossible),
        ({"type": "array", "uniqueItems": True, "minItems": 3, "items": {"enum": [1, 1.0, True, [1], [1.0]]}}, Found),
        ({"type": "array", "uniqueItems": True, "minItems": 4, "items": {"enum": [1, 1.0, True, [1], [1.0]]}}, Impossible),
        (
            {"prefixItems": [{"enum": [1, 2]}, {"enum": [1, 2]}, {"enum": [1, 2, 3]}], "minItems": 3, "uniqueItems": True, "items": False},
            Found,
        ),
        ({"type": "array", "uniqueItems": True, "minItems": 3, "items": {"maxLength": 0, "type": ["string", "null"]}}, Impossible),
        ({"type": "object", "minProperties": 3, "propertyNames": {"enum": ["a", "b"]}}, Impossible),
        ({"type": "object", "minProperties": 3, "propertyNames": {"pattern": "^[ab]$"}}, Impossible),
        ({"type": "object", "minProperties": 2, "patternProperties": {"^[ab]$": True}, "additionalProperties": False}, Found),
        ({"type": "integer", "multipleOf": 0.3, "exclusiveMinimum": 0, "maximum": 2.9}, Impossible),
        ({"type": "number", "multipleOf": 0.3, "not": {"multipleOf": 0.2}, "minimum": 0.5, "maximum": 1}, Found),
        ({"type": "array", "contains": {"minimum": 5}, "maxContains": 2, "items": {"minimum": 3}, "minItems": 3}, Found),
        (
            {"type": "array", "contains": {"minimum": 3}, "maxContains": 2, "items": {"type": "number", "minimum": 3}, "minItems": 3},
            Impossible,
        ),
    ],
)
def test_is_there_a_document(schema: Any, found: type) -> None:
    """Finite and infinite recursion, different values, names that run out, multiples that never meet."""
    assert isinstance(satisfiable([(schema, True)], 60.0), found)


def test_reasons_name_place_keyword_and_both_values() -> None:
    """Several changes are several reasons, each with an example of its own."""
    old = {"properties": {"items": {"items": {"properties": {"price": {"type": "number", "minimum": 0}, "sku": {"type": "string"}}}}}}
    new = {"properties": {"items": {"items": {"properties": {"price": {"type": "number", "minimum": 1}, "sku": {"maxLength": 5}}}}}}
    answer = included(old, new)
    said = {(one.path, one.keyword, one.old, one.new) for one in answer.reasons}
    assert said == {("/items/[]/price", "minimum", 0, 1), ("/items/[]/sku", "maxLength", None, 5)}
    assert all(one.has_example for one in answer.reasons)


def test_null_is_an_example_like_any() -> None:
    """An example may be null itself, which is not the same as none."""
    reason = included(True, {"not": {"type": "null"}}).reasons[0]
    assert reason.has_example
    assert reason.example is None


def _pigeons(count: int) -> dict[str, Any]:
    """More pigeons than holes, one to a hole: there is no such object, and no short proof of it."""
    holes = range(count - 1)
    somewhere = [{"anyOf": [{"required": [f"{pigeon} in {hole}"]} for hole in holes]} for pigeon in range(count)]
    pairs = [(one, other) for one in range(count) for other in range(one)]
    alone = [{"not": {"required": [f"{one} in {hole}", f"{other} in {hole}"]}} for one, other in pairs for hole in holes]
    return {"type": "object", "allOf": somewhere + alone}


def test_out_of_time_is_undecided() -> None:
    """What takes longer than its time is called undecided; no exception escapes, nothing is called compatible."""
    assert included(_pigeons(4), False, 60.0).compatible
    answer = included(_pigeons(12), False, 0.3)
    assert (answer.compatible, answer.undecided) == (False, True)
    assert [(one.keyword, one.has_example) for one in answer.reasons] == [("undecided", False)]
    assert isinstance(satisfiable([(_pigeons(12), True)], 0.3), Undecided)


def test_types_are_referred_to_by_file() -> None:
    """A reference whose path ends in types/<name>.json leads to the type of that name."""
    money = {"$defs": {"amount": {"type": "number", "minimum": 0}}}
    price = {"properties": {"price": {"$ref": "../../types/money.json#/$defs/amount"}}}
    plain = {"properties": {"price": {"type": "number", "minimum": 0}}}
    assert included(parse(price, {"money": money}), parse(plain)).compatible
    assert included(parse(plain), parse(price, {"money": money})).compatible
    assert unusable(price, {"money": money}) == []
    assert unusable(price)[0][0] == ("properties", "price", "$ref")


def _files(folder: Path, old: str | bytes, new: str | bytes) -> tuple[Path, Path]:
    paths = folder / "old.json", folder / "new.json"
    for path, text in zip(paths, (old, new), strict=True):
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return paths


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("true", "true", 0),
        (b"\xef\xbb\xbf" + b'{"type": "string"}', "{}", 0),
        ("false", '{"minimum": 1}', 0),
        ("true", "false", 1),
        ("{}", '{"type": "string", "type": "null"}', 2),
        ("{}", '{"minimum": NaN}', 2),
        ("{}", '{"minimum": "1"}', 2),
        ("{}", '{"pattern": "("}', 2),
        ("{}", '{"$ref": "#/$defs/no"}', 2),
        ("{}", '{"$ref": "https://example.com/x.json"}', 2),
        ("{}", '{"$ref": "#"}', 2),
        ("{}", '{"$schema": "http://json-schema.org/draft-04/schema#"}', 2),
        ("{}", "[]", 2),
        ("{}", "nothing", 2),
        ("{}", b"\xff", 2),
    ],
)
def test_exit_codes(tmp_path: Path, old: str | bytes, new: str | bytes, code: int) -> None:
    """0 compatible, 1 not, 2 unusable, and a line for each unusable file."""
    outcome = compare(Comparison(*_files(tmp_path, old, new), "backward"))
    assert outcome.code == code
    assert bool(outcome.errors) == (code == 2)


def test_what_hangs_is_killed(tmp_path: Path) -> None:
    """The process of the comparison gets no more than its time; the answer is then undecided, with an exit code of 1."""
    outcome = compare(Comparison(*_files(tmp_path, "{}", "{}"), "full"), kill_s=0.0)
    assert outcome.code == 1
    assert [(one.keyword, one.mode) for one in outcome.report.reasons] == [("undecided", "backward"), ("undecided", "forward")]


def test_deep_schemas_do_not_break_it(tmp_path: Path) -> None:
    """Nesting far beyond Python's usual stack still gets an answer."""
    text = '{"type":"number"}'
    for _ in range(100):
        text = f'{{"properties":{{"a":{text}}}}}'
    assert compare(Comparison(*_files(tmp_path, text, text.replace("number", "integer")), "full")).code == 1


def test_the_command_prints_json(tmp_path: Path) -> None:
    """Path, keyword, both values and an example, each way of `full` with its own; a wrong call is 2."""
    old, new = _files(tmp_path, '{"maximum": 3}', '{"maximum": 2, "minimum": -1}')
    command = partial(completed, "skep.cli", "contracts", "compat", env=plain_environment(), cwd=tmp_path)
    done = command(str(old), str(new), "--mode", "full", "--json")
    report = json.loads(done.stdout)
    assert done.returncode == 1, done.stderr
    assert report["compatible"] is False
    assert {(one["mode"], one["path"], one["keyword"], one["old"], one["new"]) for one in report["reasons"]} == {
        ("backward", "", "maximum", 3, 2),
        ("backward", "", "minimum", None, -1),
    }
    assert all("example" in one for one in report["reasons"])
    assert command(str(old), str(new), "--mode", "sideways").returncode == 2
    assert command(str(old), str(tmp_path / "no.json")).returncode == 2


def test_a_world_of_countries_is_no_trouble() -> None:
    """Different items out of a long list: at most so many, and all of them."""
    countries = [f"c{number}" for number in range(249)]
    different = {"type": "array", "items": {"enum": countries}, "uniqueItems": True}
    assert included(different, {"maxItems": 249}).compatible
    answer = included(different, {"maxItems": 248})
    assert not answer.compatible
    assert sorted(answer.reasons[0].example) == sorted(countries)
