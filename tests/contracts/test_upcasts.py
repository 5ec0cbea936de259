"""Upcasts: what each step does, exactly, and that nothing else happens."""

from __future__ import annotations

import json
import random
import re
from copy import deepcopy
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts import ContractErrors, load
from contracts.model.definitions import Definitions
from contracts.model.upcast_steps import Step, Upcast
from contracts.model.versions import newest, way
from contracts.versions.upcast_check import check_upcasts, prove
from contracts.versions.upcasts import KINDS, UpcastError, compile_upcasts
from contracts.versions.upcasts.examples import same
from contracts.versions.upcasts.kinds import EDITS
from contracts.versions.upcasts.straight import Lines
from tests.contracts.project import GOOD

FILE = "events/order_completed/1-0-0-to-2-0-0.yaml"
DOCS = Path(__file__).resolve().parents[2] / "docs"


def steps(*said: dict[str, Any]) -> Upcast:
    """An upcast of these steps, as a file would say them, one a line."""
    made = tuple(Step(kind, spec, line) for line, one in enumerate(said, 1) for kind, spec in one.items())
    return Upcast("order_completed", (1, 0, 0), (2, 0, 0), made, FILE)


def cast(document: dict[str, Any], *said: dict[str, Any]) -> dict[str, Any]:
    """What the steps make of a document, which they must leave as it was."""
    before = deepcopy(document)
    result = compile_upcasts([steps(*said)])(document)
    assert document == before
    return result


LINES = {"products": [{"sku": "a", "cost": 100}, {"sku": "b"}, "no object"]}


@pytest.mark.parametrize(
    ("step", "old", "new"),
    [
        ({"rename": {"mail": "email"}}, {"mail": "a@b", "x": 1}, {"email": "a@b", "x": 1}),
        ({"rename": {"mail": "email"}}, {"x": 1}, {"x": 1}),
        ({"rename": {"mail": "email"}}, {"mail": None, "email": 3}, {"email": None}),
        ({"rename": {"a": "b", "b": "a"}}, {"a": 1, "b": 2}, {"a": 2, "b": 1}),
        ({"rename": {"products[].cost": "price"}}, LINES, {"products": [{"sku": "a", "price": 100}, {"sku": "b"}, "no object"]}),
        ({"rename": {"products[1].sku": "id"}}, LINES, {"products": [{"sku": "a", "cost": 100}, {"id": "b"}, "no object"]}),
        ({"rename": {"to": "ship_to", "to.zip": "postcode"}}, {"to": {"zip": "1"}}, {"ship_to": {"postcode": "1"}}),
        ({"rename": {'["a.b"]': '["c.d"]'}}, {"a.b": 1}, {"c.d": 1}),
        ({"move": {"from": "address.city", "to": "city"}}, {"address": {"city": "Ulm", "zip": 1}}, {"address": {"zip": 1}, "city": "Ulm"}),
        ({"move": {"from": "city", "to": "to.city"}}, {"city": "Ulm"}, {"to": {"city": "Ulm"}}),
        ({"move": {"from": "city", "to": "to.city"}}, {"city": "Ulm", "to": None}, {"to": {"city": "Ulm"}}),
        ({"move": {"from": "city", "to": "to.city"}}, {"to": 3}, {"to": 3}),
        ({"move": {"from": "tags[0]", "to": "tag"}}, {"tags": ["a", "b"]}, {"tags": ["b"], "tag": "a"}),
        ({"move": {"from": "a", "to": "a.b"}}, {"a": 1}, {"a": {"b": 1}}),
        ({"move": {"from": "l[].a.b", "to": "l[].b"}}, {"l": [{"a": {"b": 1}}, {}]}, {"l": [{"a": {}, "b": 1}, {}]}),
        ({"default": {"currency": "EUR"}}, {}, {"currency": "EUR"}),
        ({"default": {"currency": "EUR"}}, {"currency": None}, {"currency": None}),
        ({"default": {"currency": "EUR"}}, {"currency": ""}, {"currency": ""}),
        ({"default": {"products[].n": 1}}, {"products": [{"n": 2}, {}]}, {"products": [{"n": 2}, {"n": 1}]}),
        ({"default": {"to.country": "DE"}}, {}, {}),
        ({"default": {"to": {}, "to.country": "DE"}}, {}, {"to": {"country": "DE"}}),
        ({"constant": {"schema": 2}}, {"schema": 1}, {"schema": 2}),
        ({"constant": {"meta.schema": 2}}, {}, {"meta": {"schema": 2}}),
        ({"constant": {"l[].v": None}}, {"l": [{}, 3]}, {"l": [{"v": None}, 3]}),
        ({"drop": ["a", "to.zip", "l[].x", "t[0]", "none.at[].all"]}, {"a": 1, "to": {"zip": 1}, "l": [{"x": 1}], "t": [1, 2]},
         {"to": {}, "l": [{}], "t": [2]}),
        ({"drop": ["t[]"]}, {"t": [1, 2]}, {"t": []}),
        ({"split": {"path": "n", "by": " ", "into": ["a", "b"]}}, {"n": "Ada King Lovelace"}, {"a": "Ada", "b": "King Lovelace"}),
        ({"split": {"path": "n", "by": " ", "into": ["n", "b"]}}, {"n": "Ada"}, {"n": "Ada"}),
        ({"split": {"path": "n", "by": " ", "into": ["a", "b"]}}, {"n": None}, {"n": None}),
        ({"split": {"path": "l[].n", "by": "-", "into": ["l[].to.a", "l[].b"]}},
         {"l": [{"n": "x-"}]}, {"l": [{"to": {"a": "x"}, "b": ""}]}),
        ({"join": {"paths": ["a", "b", "c"], "with": "/", "into": "a"}}, {"a": 1.50, "c": True}, {"a": "1.5/true"}),
        ({"join": {"paths": ["a", "b"], "with": "/", "into": "c"}}, {"a": None, "c": 1}, {"a": None, "c": 1}),
        ({"join": {"paths": ["to.a", "b"], "with": "", "into": "to.b"}}, {"to": {"a": "x"}, "b": "y"}, {"to": {"b": "xy"}}),
    ],
)  # fmt: skip
def test_a_step_does_what_it_says(step: dict[str, Any], old: dict[str, Any], new: dict[str, Any]) -> None:
    """Every kind of step, on names, inner objects and lists, with and without the values that it is about."""
    assert cast(old, step) == new


@pytest.mark.parametrize(
    ("otherwise", "value", "new"),
    [
        ("keep", "P", "paid"),
        ("keep", 1, "one"),
        ("keep", 1.0, "one"),
        ("keep", "1", "one"),
        ("keep", True, "yes"),
        ("keep", None, "nothing"),
        ("keep", "X", "X"),
        ("keep", [], []),
        ("drop", "X", None),
        ({"value": "other"}, {}, "other"),
    ],
)
def test_a_map_tells_texts_from_other_values_by_how_they_are_written(otherwise: Any, value: Any, new: Any) -> None:
    """A key stands for the text and for the number, boolean or null that is written like it; true is not 1."""
    table = {"P": "paid", "1": "one", "true": "yes", "null": "nothing"}
    for document, path in (({"s": value}, "s"), ({"l": [{"s": value}]}, "l[].s")):
        result = cast(document, {"map": {"path": path, "values": table, "otherwise": otherwise}})
        assert (result if path == "s" else result["l"][0]).get("s") == new
    with pytest.raises(UpcastError, match=r"l\[1\]\.s: expected one of P, 1, true, null, found 'X'"):
        cast({"l": [{"s": "P"}, {"s": "X"}]}, {"map": {"path": "l[].s", "values": table, "otherwise": "refuse"}})


@pytest.mark.parametrize(
    ("how", "value", "new"),
    [
        ({"unit": {"from": "cent", "to": "euro"}}, 1999, 19.99),
        ({"unit": {"from": "euro", "to": "cent"}}, 19.99, 1999),
        ({"unit": {"from": "cent", "to": "euro"}}, 2000, 20),
        ({"unit": {"from": "lb", "to": "kg"}}, 1, 0.45359237),
        ({"unit": {"from": "s", "to": "h"}}, 1800, 0.5),
        ({"unit": {"from": "s", "to": "h"}}, 1, 1 / 3600),
        ({"unit": {"from": "percent", "to": "ratio"}}, 7.1, 0.071),
        ({"multiply": 0.1}, 3, 0.3),
        ({"multiply": 1.1}, 1.1, 1.21),
        ({"multiply": -100, "places": 0}, 0.125, -12),
        ({"multiply": 100, "places": 0}, 0.135, 14),
        ({"multiply": 1, "places": 2}, 2.675, 2.68),
        ({"multiply": 10}, 10**19, 1e20),
        ({"multiply": 0.5}, None, None),
        ({"type": "integer"}, " 42 ", 42),
        ({"type": "integer"}, "4.0e1", 40),
        ({"type": "integer"}, 3.0, 3),
        ({"type": "number"}, "19.90", 19.9),
        ({"type": "number"}, "+.5", 0.5),
        ({"type": "number", "places": 1}, "0.25", 0.2),
        ({"type": "number"}, "0.1234567890123456789", 0.12345678901234568),
        ({"type": "text"}, 12.50, "12.5"),
        ({"type": "text"}, 1e21, "1000000000000000000000"),
        ({"type": "text"}, 100, "100"),
        ({"type": "text"}, False, "false"),
        ({"type": "boolean"}, "Yes", True),
        ({"type": "boolean"}, 0, False),
        ({"time": "seconds"}, 1_700_000_000.5, "2023-11-14T22:13:20.500000Z"),
        ({"time": "milliseconds"}, 1_700_000_000_001, "2023-11-14T22:13:20.001000Z"),
        ({"time": "seconds"}, -1, "1969-12-31T23:59:59.000000Z"),
        ({"time": {"format": "%d.%m.%Y"}}, "31.01.2026", "2026-01-31"),
        ({"time": {"format": "%d.%m.%Y %H:%M", "zone": "Europe/Berlin"}}, "31.01.2026 10:00", "2026-01-31T09:00:00.000000Z"),
        ({"time": {"format": "%d.%m.%Y %H:%M"}}, "31.01.2026 10:00", "2026-01-31T10:00:00.000000Z"),
        ({"time": {"format": "%Y%m%d%H%M%z"}}, "202601311000+0500", "2026-01-31T05:00:00.000000Z"),
    ],
)
def test_a_convert_is_exact(how: dict[str, Any], value: Any, new: Any) -> None:
    """Numbers are calculated in decimals, and whole ones come out as integers."""
    for document, path in (({"v": value}, "v"), ({"l": [value]}, "l[]")):
        (result,) = cast(document, {"convert": {"path": path, **how}}).values()
        result = result if path == "v" else result[0]
        assert result == new
        assert type(result) is type(new)
    assert cast({}, {"convert": {"path": "v", **how}}) == {}


@pytest.mark.parametrize(
    ("how", "value", "expected"),
    [
        ({"type": "integer"}, "abc", "expected a whole number, found 'abc'"),
        ({"type": "integer"}, 1.5, "expected a whole number, found 1.5"),
        ({"type": "integer"}, "89014103211118511001", "expected a number that 64 bits can hold, found '89014103211118511001'"),
        ({"multiply": 10}, 2**62, "expected a number that 64 bits can hold, found 4611686018427387904"),
        ({"type": "number"}, "1,99", "expected a number, found '1,99'"),
        ({"type": "number"}, "9" * 500, "expected a number, found '999"),
        ({"type": "number"}, "1e999", "expected a number that stays below 10³⁰⁸, found '1e999'"),
        ({"type": "number"}, "1e999999999", "expected a number, found '1e999999999'"),
        ({"type": "number"}, "NaN", "expected a number, found 'NaN'"),
        ({"type": "number"}, "١", "expected a number, found '١'"),
        ({"type": "number"}, True, "expected a number, found true"),
        ({"type": "text"}, [1], "expected a text, a number or a boolean, found a list"),
        ({"type": "boolean"}, 2, "expected true, yes, 1, false, no or 0, found 2"),
        ({"multiply": 2}, "1", "expected a number, found '1'"),
        ({"multiply": 2}, True, "expected a number, found true"),
        ({"multiply": 10}, 1e308, "expected a number that stays below 10³⁰⁸, found 1e+308"),
        ({"multiply": 2}, float("inf"), "expected a number, found inf"),
        ({"time": "seconds"}, 1e15, "expected a number of seconds since 1970, in the years 1 to 9999, found 1000000000000000.0"),
        ({"time": "seconds"}, "1", "expected a number of seconds since 1970, in the years 1 to 9999, found '1'"),
        ({"time": {"format": "%d.%m.%Y"}}, "31.02.2026", "expected a time of the form %d.%m.%Y, found '31.02.2026'"),
        ({"time": {"format": "%d.%m.%Y"}}, 3, "expected a time of the form %d.%m.%Y, found 3"),
    ],
)
def test_what_cannot_be_converted_is_said(how: dict[str, Any], value: Any, expected: str) -> None:
    """The error names file, line, path with its index, what was expected, and the value."""
    with pytest.raises(UpcastError) as raised:
        cast({"l": [{"v": None}, {"v": value}]}, {"drop": ["x"]}, {"convert": {"path": "l[].v", **how}})
    assert (raised.value.line, raised.value.path, raised.value.file) == (2, "l[1].v", FILE)
    assert raised.value.value == value
    assert str(raised.value).startswith(f"{FILE}:2: l[1].v: {expected}")


@pytest.mark.parametrize(
    ("step", "document", "told"),
    [
        ({"move": {"from": "a", "to": "to.a"}}, {"a": 1, "to": "x"}, "to: expected an object to put a value into, found 'x'"),
        ({"constant": {"l[].to.b.c": 1}}, {"l": [{}, {"to": {"b": []}}]},
         "l[1].to.b: expected an object to put a value into, found a list"),
        ({"split": {"path": "n", "by": " ", "into": ["a", "b"]}}, {"n": 3}, "n: expected a text, found 3"),
        ({"join": {"paths": ["l[].a", "l[].b"], "with": "", "into": "l[].c"}}, {"l": [{"a": "1", "b": {}}]},
         "l[0].b: expected a text, a number or a boolean, found a mapping"),
    ],
)  # fmt: skip
def test_what_is_in_the_way_is_said(step: dict[str, Any], document: dict[str, Any], told: str) -> None:
    """A step that would have to overwrite or guess refuses the document."""
    with pytest.raises(UpcastError, match=re.escape(told)):
        cast(document, step)


@given(st.decimals(-(10**9), 10**9, places=2), st.sampled_from([("euro", "cent", 100), ("kg", "g", 1000), ("km", "mm", 10**6)]))
def test_a_unit_and_back_is_the_same_number(amount: Decimal, units: tuple[str, str, int]) -> None:
    """A decimal amount becomes the whole number of smaller units, and that the amount again."""
    large, small, factor = units
    value = int(amount) if amount == int(amount) else float(amount)
    (there,) = cast({"v": value}, {"convert": {"path": "v", "unit": {"from": large, "to": small}}}).values()
    assert there == int(amount * factor)
    assert type(there) is int
    assert cast({"v": there}, {"convert": {"path": "v", "unit": {"from": small, "to": large}}}) == {"v": value}


# Against an interpreter that copies everything and walks the paths anew for each step.

NAMES = st.sampled_from("abcd")
LEAVES = st.sampled_from([None, True, 0, 1, 2.5, 10, "a", "x y", "1", ""])
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=8)
OBJECTS = st.dictionaries(NAMES, VALUES | st.lists(st.dictionaries(NAMES, VALUES, max_size=3), max_size=3), max_size=4)
PATHS = st.sampled_from(["a", "b", "c", "a.b", "b.c", "a[].b", "b[].a", "c[].a.b", "a[0].c"])
NAMED = st.sampled_from(["a", "b", "c", "d", "a.b", "b.c", "c.d.a"])
STEPS = st.one_of(
    st.dictionaries(NAMES, NAMES, min_size=1, max_size=3).map(lambda pairs: {"rename": pairs}),
    st.tuples(NAMED, NAMED).map(lambda two: {"move": {"from": two[0], "to": two[1]}}),
    st.tuples(PATHS, VALUES).map(lambda two: {"default": dict([two])}),
    st.tuples(st.sampled_from(["a", "a.b", "b[].c", "c[].d.a"]), VALUES).map(lambda two: {"constant": dict([two])}),
    st.tuples(PATHS | st.just("a[]"), st.sampled_from(["keep", "drop", {"value": []}])).map(
        lambda two: {"map": {"path": two[0], "values": {"a": "b", "1": [1]}, "otherwise": two[1]}}
    ),
    st.tuples(PATHS | st.just("b[]"), st.sampled_from(["integer", "text"])).map(lambda two: {"convert": {"path": two[0], "type": two[1]}}),
    st.lists(PATHS | st.just("c[]"), min_size=1, max_size=2).map(lambda paths: {"drop": paths}),
    st.tuples(NAMED, NAMED).map(lambda two: {"split": {"path": two[0], "by": " ", "into": [two[1], "d"]}}),
    st.tuples(NAMED, NAMED).map(lambda two: {"join": {"paths": [two[0], "d"], "with": "-", "into": two[1]}}),
)
STRAIGHT = st.one_of(
    st.dictionaries(NAMES, NAMES, min_size=1, max_size=3).map(lambda pairs: {"rename": pairs}),
    st.tuples(NAMES, VALUES).map(lambda two: {"default": dict([two])}),
    st.tuples(NAMES, VALUES).map(lambda two: {"constant": dict([two])}),
    st.tuples(NAMES, st.sampled_from(["keep", "drop", {"value": []}])).map(
        lambda two: {"map": {"path": two[0], "values": {"a": "b", "1": [1], "null": {}}, "otherwise": two[1]}}
    ),
    st.tuples(NAMES, st.sampled_from(["integer", "text"])).map(lambda two: {"convert": {"path": two[0], "type": two[1]}}),
    st.lists(NAMES, min_size=1, max_size=2).map(lambda paths: {"drop": paths}),
)


@settings(max_examples=400, deadline=None)
@given(OBJECTS, st.lists(STEPS | STRAIGHT, min_size=1, max_size=5))
def test_compiled_steps_equal_the_naive_interpreter(document: dict[str, Any], said: list[dict[str, Any]]) -> None:
    """The same result, or both refuse; the input stays as it was, and no change of the result reaches a file's values."""
    said = [one for one in said if "rename" not in one or len(set(one["rename"].values())) == len(one["rename"])]
    before, specs = json.dumps(document), json.dumps(said)
    try:
        expected = naive(document, said)
    except NaiveError:
        with pytest.raises(UpcastError):
            cast(document, *said)
        assert json.dumps(document) == before
        return
    upcast = compile_upcasts([steps(*said)])
    result = upcast(document)
    assert same(result, expected)
    assert json.dumps(document) == before
    _spoil(result, document)
    assert same(upcast(document), expected)
    assert json.dumps(said) == specs


def test_steps_on_top_level_names_take_the_straight_way_and_mix_with_the_others() -> None:
    """None of them is called, whatever the kind; what lies deeper is."""
    top: list[dict[str, Any]] = [
        {"rename": {"a": "b", "c": "d"}}, {"default": {"e": 1, "f": {"g": []}}}, {"constant": {"e": "x"}}, {"drop": ["d", "k"]},
        {"map": {"path": "e", "values": {"x": "y"}}}, {"convert": {"path": "b", "unit": {"from": "euro", "to": "cent"}}},
        {"convert": {"path": "b", "type": "text"}},
    ]  # fmt: skip
    deep: list[dict[str, Any]] = [{"rename": {"f.g": "h"}}, {"move": {"from": "f.h", "to": "i"}}, {"default": {"l[].n": 0}}]
    for said, straight in ((top, True), (deep, False)):
        edits = [edit for one in said for kind, spec in one.items() for _, edit in EDITS[kind](spec)]
        assert [isinstance(edit, Lines) for edit in edits] == [straight] * len(edits)
    document = {"a": 1.5, "c": 2, "k": 3, "l": [{}, {"n": 1}]}
    mixed = [*top[:2], *deep[:1], *top[2:], *deep[1:], {"constant": {"z": 0}}]
    assert cast(document, *mixed) == {"b": "150", "e": "y", "f": {}, "i": [], "l": [{"n": 0}, {"n": 1}], "z": 0}
    with pytest.raises(UpcastError, match=rf"^{FILE}:7: b: expected a number, found 'x'$"):
        cast({**document, "a": "x"}, *mixed)


def test_names_of_a_file_are_never_read_as_python() -> None:
    """Whatever they are, braces and quotes among them."""
    names = ["{0}", "'", '\\"', "top", "a]; raise", "{operand_0}"]
    said: list[dict[str, Any]] = [
        {"rename": {json.dumps([one]): json.dumps([f"{one}2"]) for one in names}},
        {"drop": [json.dumps(["{0}2"])]},
    ]
    assert cast(dict.fromkeys(names, 1), *said) == {f"{one}2": 1 for one in names[1:]}


def _spoil(value: Any, kept: Any) -> None:
    """Change every container of a result that is not one of the document's own."""
    shared = {id(one) for one in _containers(kept)}
    for one in [one for one in _containers(value) if id(one) not in shared]:
        one.clear()


def _containers(value: Any) -> list[Any]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return [] if inner is None else [value, *(one for part in inner for one in _containers(part))]


@pytest.mark.parametrize(
    "step",
    [
        {"default": {"v": {"a": []}}},
        {"constant": {"v": {"a": []}}},
        {"map": {"path": "s", "values": {"P": {"a": []}}}},
        {"map": {"path": "s", "values": {"Q": 1}, "otherwise": {"value": {"a": []}}}},
    ],
)
def test_documents_do_not_share_the_values_of_a_file(step: dict[str, Any]) -> None:
    """Who changes one result changes no later one."""
    upcast = compile_upcasts([steps(step)])
    first = upcast({"s": "P"})
    kept = deepcopy(first)
    _spoil(first, {})
    assert upcast({"s": "P"}) == kept


class NaiveError(Exception):
    """The interpreter cannot do a step."""


def naive(document: dict[str, Any], said: list[dict[str, Any]]) -> dict[str, Any]:
    """The document after the steps, by the words of docs/contracts.md."""
    document = deepcopy(document)
    for one in said:
        ((kind, spec),) = one.items()
        spec = deepcopy(spec)
        if kind == "rename":
            found = {new: document.pop(old) for old, new in spec.items() if old in document}
            document.update(found)
        elif kind == "move":
            _naive_move(document, spec["from"], spec["to"])
        elif kind in {"default", "constant"}:
            for path, value in spec.items():
                for parent in _parents(document, path, make=kind == "constant"):
                    if kind == "constant" or _last(path) not in parent:
                        parent[_last(path)] = deepcopy(value)
        elif kind == "drop":
            for path in spec:
                _each(document, path, lambda _: ...)
        elif kind == "map":
            _each(document, spec["path"], lambda value, spec=spec: _naive_map(value, spec))
        elif kind == "convert":
            _each(document, spec["path"], lambda value, spec=spec: _naive_convert(value, spec["type"]))
        elif kind == "split":
            _naive_split(document, spec)
        else:
            _naive_join(document, spec)
    return document


def _last(path: str) -> str:
    return path.rpartition(".")[2]


def _parents(value: Any, path: str, *, make: bool) -> list[dict[str, Any]]:
    """The objects that hold (or could hold) the last name of a path, made on the way below its last ``[]`` if asked for."""
    head, dot, rest = path.partition(".")
    if not dot:
        return [value] if isinstance(value, dict) else []
    if not isinstance(value, dict):
        return []
    if head.endswith("]"):
        items = value.get(head.partition("[")[0])
        if not isinstance(items, list):
            return []
        return [parent for item in (items if head.endswith("[]") else items[:1]) for parent in _parents(item, rest, make=make)]
    if make and "[]" not in rest and value.get(head) is None:
        value[head] = {}
    if make and "[]" not in rest and not isinstance(value[head], dict):
        raise NaiveError
    return _parents(value.get(head), rest, make=make)


def _each(document: dict[str, Any], path: str, how: Any) -> None:
    """Replace each value at a path; `...` as the new value removes it."""
    items = path.endswith("[]")
    name = _last(path).removesuffix("[]")
    for parent in _parents(document, path.removesuffix("[]"), make=False):
        if name not in parent:
            continue
        if not items:
            new = how(parent[name])
            parent[name] = new
            if new is ...:
                del parent[name]
        elif isinstance(parent[name], list):
            parent[name] = [new for new in map(how, parent[name]) if new is not ...]


def _take(document: dict[str, Any], path: str) -> Any:
    for parent in _parents(document, path, make=False):
        if _last(path) in parent:
            return parent.pop(_last(path))
    return ...


def _put(document: dict[str, Any], path: str, value: Any) -> None:
    for parent in _parents(document, path, make=True):
        parent[_last(path)] = value


def _naive_move(document: dict[str, Any], source: str, target: str) -> None:
    value = _take(document, source)
    if value is not ...:
        _put(document, target, value)


def _naive_map(value: Any, spec: dict[str, Any]) -> Any:
    if not isinstance(value, bool) and value in ("a", "1", 1):
        return "b" if value == "a" else [1]
    return value if spec["otherwise"] == "keep" else ... if spec["otherwise"] == "drop" else []


def _naive_convert(value: Any, kind: str) -> Any:
    if value is None:
        return None
    if kind == "text":
        if isinstance(value, (list, dict)):
            raise NaiveError
        return value if isinstance(value, str) else json.dumps(value)
    if isinstance(value, bool) or not isinstance(value, (int, float, str)) or value == 2.5:
        raise NaiveError
    try:
        return int(value)
    except ValueError:
        raise NaiveError from None


def _naive_split(document: dict[str, Any], spec: dict[str, Any]) -> None:
    value = _take(document, spec["path"])
    if value is None:
        _put(document, spec["path"], None)
    elif value is not ...:
        if not isinstance(value, str):
            raise NaiveError
        for path, part in zip(spec["into"], value.split(" ", 1), strict=False):
            _put(document, path, part)


def _naive_join(document: dict[str, Any], spec: dict[str, Any]) -> None:
    copy = deepcopy(document)
    values = [deepcopy(value) for path in spec["paths"] for value in [_seen(copy, path)] if value is not ... and value is not None]
    if not values:
        return
    for path in spec["paths"]:
        _take(document, path)
    _put(document, spec["into"], "-".join(_naive_convert(value, "text") for value in values))


def _seen(document: dict[str, Any], path: str) -> Any:
    return next((parent[_last(path)] for parent in _parents(document, path, make=False) if _last(path) in parent), ...)


# Files, chains and proofs.

OLD = json.dumps({
    "type": "object",
    "properties": {
        "mail": {"type": "string"}, "price": {"type": "number", "minimum": 0, "multipleOf": 0.01}, "status": {"enum": ["P", "R"]},
    },
    "required": ["mail"],
    "additionalProperties": False,
})  # fmt: skip
NEW = json.dumps({
    "type": "object",
    "properties": {
        "email": {"type": "string"}, "price": {"type": "integer", "minimum": 0},
        "status": {"enum": ["paid", "refunded"]}, "currency": {"$ref": "../../types/money.json#/$defs/currency"},
    },
    "required": ["email", "currency"],
    "additionalProperties": False,
})  # fmt: skip
MONEY = json.dumps({"$defs": {"currency": {"enum": ["EUR", "GBP"]}}})
RENAME = "  - rename: {mail: email}\n"
DEFAULT = "  - default: {currency: EUR}\n"
CONVERT = "  - convert: {path: price, unit: {from: euro, to: cent}}\n    examples: [{old: {price: 19.99}, new: {price: 1999}}]\n"
MAP = "  - map: {path: status, values: {P: paid, R: refunded}}\n    examples: [{old: {status: P}, new: {status: paid}}]\n"


def project(text: str, **files: str) -> dict[str, str]:
    """A project with an event of two models and this upcast between them; `v1_0_1_json=` adds `1-0-1.json`."""
    more = {f"events/paid/{name.removeprefix('v').replace('_json', '.json').replace('_yaml', '.yaml').replace('_', '-')}": one
            for name, one in files.items()}  # fmt: skip
    return {
        **GOOD,
        "types/money.json": MONEY,
        "events/paid/1-0-0.json": OLD,
        "events/paid/2-0-0.json": NEW,
        "events/paid/1-0-0-to-2-0-0.yaml": f"upcast: 1-0-0 to 2-0-0\nsteps:\n{text}",
        **more,
    }


def told(text: str, **files: str) -> list[str]:
    """What a check says of an upcast, without the name of its file."""
    problems = check_upcasts(load(project(text, **files)), seed=1)
    return [str(one).removeprefix("contracts/events/paid/1-0-0-to-2-0-0.yaml:") for one in problems]


def test_a_right_upcast_is_proved() -> None:
    """Every generated document of the old version is valid under the new one, references to types included."""
    assert told(RENAME + DEFAULT + CONVERT + MAP) == []


@pytest.mark.parametrize(
    ("text", "starts"),
    [
        (RENAME + CONVERT + MAP, ["1: expected every document of paid/1-0-0 to be valid under paid/2-0-0, found {"]),
        (DEFAULT + CONVERT + MAP, ["1: expected every document"]),
        (RENAME + "  - default: {currency: USD}\n" + CONVERT + MAP, ["4: steps[1].default: expected every document"]),
        (RENAME + DEFAULT + MAP, ["1: expected every document"]),
        (RENAME + DEFAULT + MAP + CONVERT.replace("euro, to: cent", "cent, to: euro").replace("1999", "0.1999"),
         ["7: steps[3].convert: expected every document"]),
        (RENAME + DEFAULT + CONVERT + MAP.replace("R: refunded", "R: repaid"), ["7: steps[3].map: expected every document"]),
        (RENAME + DEFAULT + CONVERT + MAP.replace("{P: paid, R: refunded}", "{P: paid}, otherwise: refuse"),
         ["7: steps[3].map: expected to be able to change every document of paid/1-0-0, found status: expected one of P, found 'R' in {"]),
        (RENAME + DEFAULT + CONVERT + MAP + "  - drop: [leagcy_id]\n",
         ["9: steps[4].drop: expected a step that changes some document, found none of those generated (is the path right?"]),
        (RENAME + DEFAULT + CONVERT + MAP + "examples:\n  - {old: {mail: a, x: 1}, new: {email: a, x: 1, currency: EUR}}\n",
         ["10: examples[0].old: expected a document of paid/1-0-0, found Additional",
          "10: examples[0].new: expected a document of paid/2-0-0"]),
    ],
)  # fmt: skip
def test_a_wrong_upcast_is_told_at_its_step(text: str, starts: list[str]) -> None:
    """The problem names the step that wrote the value, and shows a document."""
    found = told(text)
    assert [one[: len(start)] for one, start in zip(found, starts, strict=False)] == starts, found


def test_other_versions_of_the_model_are_proved_as_well() -> None:
    """What a version without an upcast of its own accepts goes through the file of another, and must come out valid."""
    wider = OLD.replace('"R"]', '"R", "X"]')
    found = told(RENAME + DEFAULT + CONVERT + MAP, v1_0_1_json=wider)
    assert [one.partition(", found")[0] for one in found] == [
        "7: steps[3].map: expected every document of paid/1-0-1 to be valid under paid/2-0-0"
    ]


def test_a_proof_shows_the_shortest_document_of_each_fault() -> None:
    """`prove` takes a chain and tells each fault once."""
    definitions = load(project(RENAME + DEFAULT + CONVERT))
    old, new = definitions.contracts["paid"]
    (problem,) = prove(definitions.upcasts["paid"], old, new, definitions.types, seed=3, count=200)
    assert re.search(r'of \{"mail": ".{0,3}", "status": "[PR]"\}: ', problem.found)
    assert prove(definitions.upcasts["paid"], old, new, definitions.types, seed=3, count=200) == [problem]


def test_upcasts_chain() -> None:
    """A document of model 1 goes over model 2 to model 3, one error names the file that it is of."""
    third = {
        "v3_0_0_json": "{}",
        "v2_0_0_to_3_0_0_yaml": "upcast: 2-0-0 to 3-0-0\nsteps: [{rename: {email: contact}}, {move: {from: a, to: b.c}}]",
    }
    definitions = load(project(RENAME + DEFAULT, **third))
    chain = way((1, 0, 0), definitions.upcasts["paid"], newest(definitions.contracts["paid"]).version)
    assert [(one.old, one.new) for one in chain] == [((1, 0, 0), (2, 0, 0)), ((2, 0, 0), (3, 0, 0))]
    upcast = compile_upcasts(chain)
    assert upcast({"mail": "a"}) == {"contact": "a", "currency": "EUR"}
    with pytest.raises(UpcastError, match=r"^events/paid/2-0-0-to-3-0-0.yaml:2: b: expected an object"):
        upcast({"a": 1, "b": 2})


def test_a_model_of_drafts_needs_no_upcast() -> None:
    """Neither from an old model that nobody may send unasked, nor to a new one that nobody reads yet."""
    files = {name: text for name, text in project(RENAME).items() if not name.endswith(".yaml") or "paid" not in name}
    with pytest.raises(ContractErrors, match=r"expected an upcast from model 1: contracts/events/paid/1-0-0-to-2-0-0\.yaml"):
        load(files)
    for draft in ("1-0-0", "2-0-0"):
        path = f"events/paid/{draft}.json"
        assert load({**files, path: json.dumps({**json.loads(files[path]), "status": "draft"})}).upcasts == {}


def test_the_example_of_the_documentation_runs() -> None:
    """The file in docs/contracts.md is read, and with it the examples in it; every kind of step occurs."""
    section = (DOCS / "contracts.md").read_text().split("\n## Upcasts\n")[1].split("\n## ")[0]
    (text,) = re.findall(r"```yaml\n(.*?)```", section, re.DOTALL)
    files = {**GOOD, "events/order_completed/1-0-0.json": "{}", "events/order_completed/2-0-0.json": "{}", FILE: text}
    definitions: Definitions = load(files, unknown_events_ok=True)
    (upcast,) = definitions.upcasts["order_completed"]
    assert {step.kind for step in upcast.steps} == set(KINDS)
    for kind in KINDS:
        assert f"| `{kind}: " in section
    assert same(compile_upcasts([upcast])(upcast.examples[0].old), upcast.examples[0].new)


def test_floats_are_scaled_as_the_decimals_that_they_are_written_as() -> None:
    """The short way and the way over text agree, at the edges too."""
    rng = random.Random(7)
    numbers = [rng.uniform(-1, 1) * 10.0 ** rng.randrange(-12, 17) for _ in range(2000)]
    numbers += [round(rng.uniform(-1e4, 1e4), rng.randrange(8)) for _ in range(2000)] + [0.1, -0.0, 999999999.999999, 1e15, 5e-324]
    convert = compile_upcasts([steps({"convert": {"path": "a", "multiply": 3}})])
    for number in numbers:
        exact = Decimal(repr(number)) * 3
        above, below = exact.as_integer_ratio()
        assert convert({"a": number}) == {"a": above // below if above % below == 0 and abs(exact) < 2**63 else above / below}
