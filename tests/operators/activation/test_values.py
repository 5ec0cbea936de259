"""The language of values: every form and function on plain data."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.reading.said_values import WORDS
from operators.activation.applied import FUNCTIONS, applied
from operators.activation.saying import NotSayable, compiled, segments

SCOPE: dict[str, Any] = {
    "person": {"profile": "p/1", "traits": {"plan": "gold", "age": "41", "n": 2.5, "name": "Ann", "none": None, "yes": "true"}},
    "event": {"properties": {"products": [{"id": "a", "price": 2}, {"id": "b"}], "revenue": 12.5, "a b": 1, "tags": [" X ", "y"]}},
    "audience": "12",
}
VALUES = [
    ("person.traits.plan", "gold"),
    ("person.traits.nothing", None),
    ("event.properties.products[].id", ["a", "b"]),
    ("event.properties.products[1].id", "b"),
    (7, 7),
    (True, True),
    ({"constant": {"x": [None]}}, {"x": [None]}),
    ({"a": "person.traits.plan", "b": "person.traits.none", "c": {"d": "person.traits.none"}}, {"a": "gold"}),
    ({"{audience}": {"constant": True}, "x{person.traits.plan}": 1}, {"12": True, "xgold": 1}),
    (["person.traits.plan", "person.traits.none", 3], ["gold", 3]),
    ({"from": "audience", "type": "integer"}, 12),
    ({"from": "person.traits.plan", "type": "integer"}, None),
    ({"from": "person.traits.age", "type": "number"}, 41),
    ({"from": "event.properties.revenue", "type": "text"}, "12.5"),
    ({"from": "person.traits.yes", "type": "boolean"}, True),
    ({"from": "person.traits.none", "default": 0}, 0),
    ({"first": ["person.traits.none", "person.traits.plan"]}, "gold"),
    ({"first": ["person.traits.none", {"constant": 1}], "type": "text"}, "1"),
    ({"text": "Hi {person.traits.name}, {person.traits.none}{event.properties.revenue}"}, "Hi Ann, 12.5"),
    ({"cases": {"path": "person.traits.plan", "of": {"gold": 1}, "otherwise": 0}}, 1),
    ({"cases": {"path": "person.traits.none", "of": {"gold": 1}, "otherwise": 0}}, 0),
    ({"cases": {"path": "person.traits.yes", "of": {"false": 1}}}, None),
    ({"merge": [{"plan": {"constant": 1}, "x": 2}, "person.traits.none", {"from": "person.traits", "without": ["age", "n", "yes"]}]},
     {"plan": "gold", "x": 2, "name": "Ann"}),
    ({"each": "event.properties.products", "item": {"sku": "item.id", "price": "item.price"}}, [{"sku": "a", "price": 2}, {"sku": "b"}]),
    ({"each": "person.traits", "item": "item"}, None),
    ({"from": "event.properties", "without": ["products", "tags", "revenue"], "keys": ["slug", {"cut": 2}]}, {"a_": 1}),
    ({"from": "event.properties.tags", "apply": ["trim", "lower"]}, ["x", "y"]),
    ({"text": {"text": "a"}}, {"text": "a"}),
]  # fmt: skip


@pytest.mark.parametrize(("spec", "value"), VALUES, ids=lambda one: str(one)[:50])
def test_a_value_is_what_its_form_makes_of_the_scope(spec: Any, value: Any) -> None:
    assert compiled(spec)(SCOPE) == value


def test_who_has_no_required_value_cannot_be_told() -> None:
    with pytest.raises(NotSayable, match="invalid"):
        compiled({"a": {"from": "person.traits.none", "required": True}})(SCOPE)


def test_numbers_stay_what_they_are_in_json_and_are_its_text_elsewhere() -> None:
    assert compiled({"n": "person.traits.n"})(SCOPE) == {"n": 2.5}
    assert segments("/p/{person.traits.n}/{person.profile}")(SCOPE) == "/p/2.5/p%2F1"


def test_a_path_of_which_a_part_is_missing_is_none() -> None:
    with pytest.raises(NotSayable, match="no_identifier"):
        segments("/p/{person.traits.none}")(SCOPE)
    with pytest.raises(NotSayable, match="invalid"):
        segments("/p/{event.properties.none}")(SCOPE)


APPLIED = [
    (["trim", "upper"], " a ", "A"),
    (["digits"], "+44 (0)77", "44077"),
    (["e164"], "07700 900123", "+447700900123"),
    (["e164"], "+1 (212) 555-0123", "+12125550123"),
    (["e164"], "no number", None),
    (["slug"], "Order Completed! (v2)", "Order_Completed_v2_"),
    (["strip_spaces"], " a b\tc ", "abc"),
    (["lower", "strip_punctuation"], "St. Louis-d'Évry_2", "st louisdévry2"),
    (["zip5"], "63101-1234", "63101"),
    (["zip5"], "SW1A 1AA", "SW1A 1AA"),
    (["zip5"], "1000-001", "1000-001"),
    (["iso"], 1767225600, "2026-01-01T00:00:00.000Z"),
    (["iso"], "2026-01-01T01:00:00.123456+01:00", "2026-01-01T00:00:00.123456Z"),
    (["epoch"], "2026-01-01T00:00:00.900Z", 1767225600),
    (["epoch_ms"], "2026-01-01T00:00:00.900Z", 1767225600900),
    (["epoch"], "yesterday", None),
    (["json"], {"a": [1]}, '{"a":[1]}'),
    (["base64"], "é", "w6k="),
    (["gmail"], "An.n.B+shop@gmail.com", "AnnB@gmail.com"),
    (["gmail"], "a.b+c@googlemail.com", "ab@googlemail.com"),
    (["gmail"], "a.b+c@example.org", "a.b+c@example.org"),
    ([{"cut": 3}], "abcdef", "abc"),
    ([{"cut": 3}], 12345, 12345),
]


@pytest.mark.parametrize(("names", "value", "found"), APPLIED, ids=str)
def test_functions(names: list[Any], value: Any, found: Any) -> None:
    assert applied(names)(value) == found


def test_hashes_are_those_of_the_standard_in_lower_case() -> None:
    """The examples of FIPS 180 and RFC 1321."""
    assert applied(["sha256"])("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert str(applied(["sha512"])("abc")).startswith("ddaf35a193617abacc417349ae204131")
    assert applied(["md5"])("abc") == "900150983cd24fb0d6963f7d28e17f72"
    assert applied(["sha256"])(["abc", None]) == ["ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"]


def test_every_function_that_a_file_may_name_is_there() -> None:
    assert set(WORDS) == set(FUNCTIONS)
