"""The one reading of JSON Schema: patterns, numbers, drafts, references, and nothing fetched."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from schemalogic.document import BrokenReference, RemoteReference
from schemalogic.keywords import UnreadableDraft
from schemalogic.patterns import NotLinear, PatternError
from schemalogic.references import check_references
from schemalogic.validation import compile_schema

SEVEN = "http://json-schema.org/draft-07/schema#"
NEWER = "https://json-schema.org/draft/2020-12/schema"
TYPES: dict[str, Any] = {
    "money": {
        "$defs": {
            "amount": {"$ref": "#/$defs/number", "multipleOf": 0.01},
            "number": {"type": "number"},
            "code": {"type": "string", "pattern": r"^\w{3}$"},
        }
    },
    "order": {"$id": "https://example.com/order.json", "properties": {"total": {"$ref": "types/money.json#/$defs/amount"}}},
    "old": {"$schema": SEVEN, "definitions": {"pair": {"items": [{"type": "string"}], "additionalItems": False}}},
}

CASES: dict[str, tuple[Any, list[Any], list[Any]]] = {
    "true": (True, [1, None], []),
    "false": (False, [], [1, None]),
    "digits are ASCII": ({"pattern": r"^\d$"}, ["5"], ["٣"]),
    "word boundaries are ASCII": ({"pattern": r"\bfoo"}, ["foo", "éfoo"], ["xfoo"]),
    "word boundaries are ASCII in draft-07": ({"$schema": SEVEN, "pattern": r"\bfoo"}, ["foo", "éfoo"], ["xfoo"]),
    "patterns browsers take": ({"$schema": SEVEN, "pattern": r"^[\d-x]{$"}, ["-{", "x{"], ["y{"]),
    "patterns are searched": ({"pattern": "b"}, ["abc"], ["ac"]),
    "the end is the end": ({"pattern": "a$"}, ["a"], ["a\n"]),
    "equal keys": (
        {"patternProperties": {r"^\d": {"type": "integer"}, "^[0-9]": {"minimum": 3}}},
        [{"1": 3}, {"a": ""}],
        [{"1": 2}, {"1": "x"}],
    ),
    "keys and other properties": (
        {"patternProperties": {r"^\w+$": True}, "additionalProperties": False},
        [{"a_1": 1}],
        [{"é": 1}, {"a b": 1}],
    ),
    "names": ({"propertyNames": {"pattern": r"^\w+$"}}, [{"a": 1}], [{"é": 1}]),
    "no pattern in values": ({"const": {"pattern": r"\d"}}, [{"pattern": r"\d"}], [{"pattern": "[0-9]"}]),
    "no pattern in lists of values": ({"enum": [{"pattern": "(?=a)"}, {"$ref": "#/no"}]}, [{"pattern": "(?=a)"}, {"$ref": "#/no"}], [{}]),
    "a property named pattern": ({"properties": {"pattern": {"pattern": r"^\d$"}}}, [{"pattern": "1"}], [{"pattern": r"^\d$"}]),
    "1 is 1.0 and not true": ({"const": 1}, [1, 1.0], [True, "1"]),
    "one of them": ({"enum": [0, "a"]}, [0, 0.0, -0.0, "a"], [False]),
    "deeply equal": ({"const": {"a": [1]}}, [{"a": [1.0]}], [{"a": [True]}]),
    "1.0 is an integer": ({"type": "integer"}, [1, 1.0, 1e300, 2**200], [1.5, True]),
    "unique": ({"uniqueItems": True}, [[1, True], [0, False], [{"a": 1}, {"a": 2}]], [[1, 1.0], [{"a": 1}, {"a": 1.0}]]),
    "length in code points": ({"minLength": 2, "maxLength": 2}, ["😀😀", "ab"], ["😀", "abc"]),
    "integers of any size": ({"maximum": 2**64, "multipleOf": 3}, [3 * 2**60], [2**64 + 2, 2**60]),
    "formats say nothing": ({"format": "ipv4"}, ["x"], []),
    "formats say nothing in draft-07": ({"$schema": SEVEN, "format": "ipv4"}, ["x"], []),
    "encodings say nothing": ({"contentEncoding": "base64", "contentMediaType": "application/json"}, ["!"], []),
    "encodings say nothing in draft-07": (
        {"$schema": SEVEN, "contentEncoding": "base64", "contentMediaType": "application/json"},
        ["!"],
        [],
    ),
    "beside $ref": ({"$ref": "#/$defs/a", "maxLength": 2, "$defs": {"a": {"type": "string"}}}, ["ab"], ["abc", 1]),
    "beside $ref in draft-07": (
        {
            "$schema": "http://json-schema.org/draft-07/schema",
            "items": {"$ref": "#/definitions/a", "maxLength": 2},
            "definitions": {"a": {"type": "string"}},
        },
        [["abc"]],
        [[1]],
    ),
    "tuples of draft-07": ({"$schema": SEVEN, "items": [{"type": "string"}], "additionalItems": False}, [["a"], []], [[1], ["a", 1]]),
    "tuples": ({"prefixItems": [{"type": "string"}], "items": False}, [["a"], []], [[1], ["a", 1]]),
    "no prefixItems in draft-07": ({"$schema": SEVEN, "prefixItems": [{"type": "string"}], "unevaluatedItems": False}, [[1]], []),
    "dependencies of draft-07": (
        {"$schema": SEVEN, "dependencies": {"a": ["b"], "c": {"required": ["d"]}}},
        [{}, {"a": 1, "b": 1}, {"c": 1, "d": 1}],
        [{"a": 1}, {"c": 1}],
    ),
    "no dependencies in 2020-12": ({"dependencies": {"a": ["b"]}}, [{"a": 1}], []),
    "dependent": (
        {"dependentRequired": {"a": ["b"]}, "dependentSchemas": {"c": {"required": ["d"]}}},
        [{"a": 1, "b": 1}],
        [{"a": 1}, {"c": 1}],
    ),
    "contains, or not": ({"contains": {"const": 1}, "minContains": 0, "maxContains": 1}, [[], [2], [1, 2]], [[1, 1]]),
    "contains none": ({"contains": {"const": 1}, "minContains": 0, "maxContains": 0}, [[], [2]], [[1]]),
    "unevaluated properties": (
        {"allOf": [{"properties": {"a": True}}], "patternProperties": {r"^\d$": True}, "unevaluatedProperties": False},
        [{"a": 1, "5": 1}],
        [{"b": 1}, {"٣": 1}],
    ),
    "unevaluated items": ({"contains": {"type": "integer"}, "unevaluatedItems": False}, [[1]], [[1, "a"]]),
    "anchors": ({"$ref": "#a", "$defs": {"x": {"$anchor": "a", "type": "string"}}}, ["x"], [1]),
    "anchors of draft-07": (
        {"$schema": SEVEN, "allOf": [{"$ref": "#a"}], "definitions": {"x": {"$id": "#a", "type": "string"}}},
        ["x"],
        [1],
    ),
    "a schema of its own within": (
        {"$id": "https://e.com/a/b", "$ref": "c", "$defs": {"x": {"$id": "c", "$ref": "#/$defs/y", "$defs": {"y": {"type": "string"}}}}},
        ["x"],
        [1],
    ),
    "dynamic": (
        {
            "$id": "https://e.com/strings",
            "$ref": "list",
            "$defs": {
                "item": {"$dynamicAnchor": "item", "type": "string"},
                "list": {"$id": "list", "items": {"$dynamicRef": "#item"}, "$defs": {"any": {"$dynamicAnchor": "item"}}},
            },
        },
        [["a"]],
        [[1]],
    ),
    "where no keyword leads": ({"$ref": "#/x-parts/0", "x-parts": [{"pattern": r"^\d$"}]}, ["5"], ["٣"]),
    "through a pattern": ({"items": {"$ref": r"#/patternProperties/%5E%5Cd"}, "patternProperties": {r"^\d": {"const": 1}}}, [[1]], [[2]]),
    "a tree": ({"properties": {"next": {"$ref": "#"}, "v": {"type": "string"}}}, [{"next": {"next": {}}}], [{"next": {"next": {"v": 1}}}]),
    "types": ({"$ref": "../../types/money.json#/$defs/amount"}, [1.23], [1.234, "x"]),
    "types from draft-07": ({"$schema": SEVEN, "items": {"$ref": "types/money.json#/$defs/code"}}, [["EUR"]], [["éUR"]]),
    "types of draft-07": ({"$ref": "../types/old.json#/definitions/pair"}, [["a"]], [["a", 1]]),
    "types within types": ({"$id": "https://x.org/y/z.json", "$ref": "types/order.json"}, [{"total": 1.23}], [{"total": 1.234}]),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_valid(name: str) -> None:
    """The first values are valid and the second are not; errors say the same."""
    schema, valid, invalid = CASES[name]
    validator = compile_schema(schema, TYPES)
    assert [validator.is_valid(value) for value in valid + invalid] == [True] * len(valid) + [False] * len(invalid)
    assert [bool(list(validator.errors(value))) for value in valid + invalid] == [False] * len(valid) + [True] * len(invalid)


_NUMBERS = st.one_of(
    st.integers(-(10**6), 10**6).map(lambda number: number / 100),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-(2**80), 2**80),
)
_STEPS = st.one_of(st.sampled_from([0.01, 0.1, 1e-7, 0.05, 2, 3, 1.5, 1e22]), st.floats(1e-12, 1e12), st.integers(1, 2**70))


@settings(max_examples=500, deadline=None)
@given(_NUMBERS, _STEPS)
@example(19.99, 0.01)
@example(4.35, 0.01)
@example(1e22, 1e-7)
@example(1e308, 0.1)
@example(3e-7, 1e-7)
@example(0.30000000000000004, 0.1)
@example(-0.0, 0.01)
@example(2**70, 3)
@example(3 * 2**70, 3)
@example(10**30, 0.01)
def test_multiples_are_exact_decimals(value: float, step: float) -> None:
    """By the shortest decimal form of both numbers."""
    (number, over), (part, under) = Decimal(repr(value)).as_integer_ratio(), Decimal(repr(step)).as_integer_ratio()
    assert compile_schema({"multipleOf": step}).is_valid(value) == (number * under % (over * part) == 0)


def test_formats_assert_when_asked_to() -> None:
    """In both drafts, strictly, and without a word on formats that nobody knows."""
    for schema in ({"format": "date"}, {"$schema": SEVEN, "format": "date"}):
        validator = compile_schema(schema, formats=True)
        assert [validator.is_valid(text) for text in ("2024-02-29", "2023-02-29", "20-0-01-01")] == [True, False, False]
    assert compile_schema({"format": "phone"}, formats=True).is_valid("x")


def test_errors_have_the_patterns_as_they_were_written() -> None:
    """In the message and in the path; names that look like numbers are names."""
    validator = compile_schema(
        {"patternProperties": {r"^\d": {"pattern": r"\bx\d"}}, "properties": {"7": {"$ref": "types/money.json#/$defs/code"}}}, TYPES
    )
    wrong = list(validator.errors({"1": "y", "7": "x1€"}))
    assert [(error.message, error.instance_path, error.schema_path) for error in wrong] == [
        (r'"x1€" does not match "^\w{3}$"', ["7"], ["$defs", "code", "pattern"]),
        (r'"y" does not match "\bx\d"', ["1"], ["patternProperties", r"^\d", "pattern"]),
    ]
    assert wrong[1].evaluation_path == ["patternProperties", r"^\d", "pattern"]


def test_the_hot_path_is_the_library_itself() -> None:
    """No Python between the caller and the validator."""
    validator = compile_schema({"type": "string"})
    assert type(validator.is_valid).__name__ == "builtin_function_or_method"
    assert isinstance(validator.is_valid.__self__, jsonschema_rs.Validator)  # type: ignore[attr-defined]


def test_a_schema_is_left_as_it_is() -> None:
    """Compiling rewrites copies."""
    schema = {"pattern": r"\d", "patternProperties": {r"\w": {"$ref": "types/money.json#/$defs/code"}}, "dependencies": {"a": ["b"]}}
    before = repr((schema, TYPES))
    compile_schema(schema, TYPES)
    assert repr((schema, TYPES)) == before


def test_lookarounds_only_without_linear() -> None:
    """For examples a pattern may look around; for the flow it may not, and the error says where it stands."""
    schema = {"properties": {"a": {"anyOf": [{"pattern": r"^(?=.*\d)(?<l>[a-z])\k<l>\b"}]}}}
    with pytest.raises(NotLinear) as refused:
        compile_schema(schema)
    assert refused.value.path == ("properties", "a", "anyOf", 0, "pattern")
    validator = compile_schema(schema, linear=False)
    assert [validator.is_valid({"a": text}) for text in ("aa 1", "ab 1", "aa", "aab1")] == [True, False, False, False]


def test_backtracking_has_an_end() -> None:
    """Without linear, a text that would take for ever is invalid after a while."""
    validator = compile_schema({"pattern": "^(?=a)?(a|aa)*(?!b)c$"}, linear=False)
    assert validator.is_valid("aaac")
    assert not validator.is_valid("a" * 60)


@pytest.mark.parametrize(
    ("schema", "kind", "path"),
    [
        ({"properties": {"a": {"pattern": "(a"}}}, PatternError, ("properties", "a", "pattern")),
        ({"patternProperties": {"[b-a]": True}}, PatternError, ("patternProperties", "[b-a]")),
        ({"pattern": "(a{1000}){1000}"}, NotLinear, ("pattern",)),
        ({"$schema": "http://json-schema.org/draft-04/schema#"}, UnreadableDraft, ("$schema",)),
        ({"items": {"$ref": "https://example.com/a.json"}}, RemoteReference, ("items", "$ref")),
        ({"items": {"$ref": "types/nope.json"}}, RemoteReference, ("items", "$ref")),
        ({"items": {"$ref": NEWER}}, RemoteReference, ("items", "$ref")),
        ({"items": {"$ref": "#/$defs/a"}}, BrokenReference, ("items", "$ref")),
        ({"items": {"$ref": "#nope"}}, BrokenReference, ("items", "$ref")),
        ({"items": {"$ref": "http://[x"}}, BrokenReference, ("items", "$ref")),
        ({"$ref": "#/title", "title": "x"}, BrokenReference, ("$ref",)),
        ({"$ref": "#"}, BrokenReference, ("$ref",)),
        ({"allOf": [{"$ref": "#/$defs/a"}], "$defs": {"a": {"anyOf": [{"$ref": "#"}]}}}, BrokenReference, ("allOf", 0, "$ref")),
        ({"$dynamicAnchor": "a", "not": {"$dynamicRef": "#a"}}, BrokenReference, ("not", "$dynamicRef")),
    ],
)
def test_what_cannot_be_used_is_refused(schema: Any, kind: type[Exception], path: tuple[str | int, ...]) -> None:
    """With the way to where it stands."""
    with pytest.raises(kind) as refused:
        compile_schema(schema, TYPES)
    assert refused.value.path == path  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "schema", [{"type": "strin"}, {"minLength": "x"}, {"pattern": 5}, {"$schema": SEVEN, "items": 3}, {"required": "a"}, 5]
)
def test_what_is_no_schema_is_refused(schema: Any) -> None:
    """By the meta-schema of its draft."""
    with pytest.raises(jsonschema_rs.ValidationError):
        compile_schema(schema)


def test_references_are_checked_all_at_once() -> None:
    """Nowhere, elsewhere and round and round are told together; recursion through the value is fine."""
    schema = {
        "properties": {"a": {"$ref": "#/$defs/none"}, "b": {"$ref": "https://example.com/x"}, "c": {"$ref": "#/$defs/tree"}},
        "$defs": {"tree": {"properties": {"t": {"$ref": "#/$defs/tree"}}}, "loop": {"oneOf": [{"$ref": "#/$defs/loop"}]}},
    }
    assert check_references(schema, TYPES) == [
        (("properties", "a", "$ref"), "#/$defs/none leads to nothing: there is no none"),
        (("properties", "b", "$ref"), "https://example.com/x leads to another document, and none of contracts/types"),
        (("$defs", "loop", "oneOf", 0, "$ref"), "#/$defs/loop leads back to itself without going into the value"),
    ]
    assert check_references(TYPES["order"], TYPES) == []
    assert check_references(True, {}) == []


def test_deep_and_big_schemas() -> None:
    """A hundred levels, as schemas and as values, and two megabytes of properties."""
    schema: dict[str, Any] = {"type": "string"}
    value: Any = "x"
    for _ in range(100):
        schema, value = {"properties": {"a": schema}}, {"a": value}
    assert compile_schema(schema).is_valid(value)
    assert compile_schema({"properties": {"a": {"$ref": "#"}}, "type": ["object", "string"]}).is_valid(value)
    big = {"properties": {f"p{index}": {"type": "string", "pattern": r"^\w{2,5}$", "maxLength": index} for index in range(25_000)}}
    validator = compile_schema(big)
    assert validator.is_valid({"p24999": "abc"})
    assert not validator.is_valid({"p24999": "é€"})


def test_a_urn_is_a_base_like_any_other() -> None:
    judge = compile_schema({"$id": "urn:shop:order", "$ref": "#/$defs/n", "$defs": {"n": {"type": "integer"}}})
    assert judge.is_valid(1)
    assert not judge.is_valid("1")


def test_errors_below_a_property_without_a_name_are_told() -> None:
    judge = compile_schema({"properties": {"": {"properties": {"a": {"type": "integer"}}}}})
    (error,) = judge.errors({"": {"a": "x"}})
    assert error.message == '"x" is not of type "integer"'


def test_of_a_long_value_one_error_is_found() -> None:
    """A record may hold a hundred thousand errors; the first of them refuses it as all would."""
    validator = compile_schema({"items": {"type": "integer"}})
    for count, found in ((100, 100), (50_000, 1)):
        errors = list(validator.errors([1] + ["x"] * count))
        assert len(errors) == found
        assert (errors[0].instance_path, errors[0].message) == ([1], '"x" is not of type "integer"')
    assert not list(validator.errors([1] * 50_000))
