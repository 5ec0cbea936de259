"""Numbers that would lose digits: found wherever they stand in a record, and nothing else is found."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.envelope import lost_digits, suspects
from operators.extract import identifier_text


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"userId":18446744073709551616}', "userId"),
        ('{"a":{"b":[1,{"c.d":-9223372036854775809}]}}', 'a.b[1]["c.d"]'),
        ('{ "a" : [\n 89014103211118511001 ] }', "a[0]"),
        ('{"a":89014103211118511001.0}', "a"),
        ('{"a":8.9014103211118511001e19}', "a"),
        ('{"a":' + "9" * 5000 + "}", "a"),
        ('{"\\u0061":100000000000000000000}', "a"),
        ('{"a":1,"a":89014103211118511001}', "a"),
    ],
)
def test_a_number_that_loses_digits_is_found_with_its_path(text: str, place: str) -> None:
    found = lost_digits(text.encode())
    assert found is not None
    assert found.startswith(f"{place}: expected a number that 64 bits can hold, found ")
    assert "8901410" not in found
    assert suspects([b"{}", text.encode()]) == ([text.encode()], False)


@pytest.mark.parametrize(
    "text",
    [
        '{"a":18446744073709551615,"b":-9223372036854775808}',
        '{"a":"89014103211118511001","b":"see: 89014103211118511001","c":[" 89014103211118511001"]}',
        '{"89014103211118511001":1}',
        '{"a":0.3333333333333333333333333333,"b":1e20,"c":100000000000000000000.0}',
        '{"a":89014103211118511001,"a":1}',
        '{"a":89014103211118511001',
        '{"a":' + "[" * 5000 + "89014103211118511001" + "]" * 5000 + "}",
    ],
)
def test_others_are_not(text: str) -> None:
    assert lost_digits(text.encode()) is None


_ATOMS = st.one_of(st.integers(-(2**70), 2**70), st.floats(allow_nan=False, allow_infinity=False), st.text(), st.none())
_RECORDS = st.dictionaries(st.text(), st.recursive(_ATOMS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=4))


@settings(max_examples=40)
@given(st.lists(_RECORDS, max_size=3))
def test_what_is_not_found_is_decoded_with_all_its_digits(bodies: list[dict[str, Any]]) -> None:
    records = [json.dumps(body, ensure_ascii=bool(at % 2)).encode("utf-8", "surrogatepass") for at, body in enumerate(bodies)]
    found, _ = suspects(records)
    for raw in records:
        exact = json.loads(raw)
        if raw in found and lost_digits(raw):
            assert max(map(abs, _whole(exact))) >= 2**63
        else:
            assert _whole(orjson.loads(raw)) == _whole(exact)


def _whole(value: Any) -> list[int]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [number for item in value for number in _whole(item)]
    return [value] if type(value) is int else []


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (7, "7"), (7.0, "7"), (-0.5, "-0.5"), (1.234567, "1.234567"), (2.0**53 - 1, "9007199254740991"),
        (2**64 - 1, "18446744073709551615"), (2.0**53, None), (0.1234567, None), (1e-7, None), (2.0**33 + 0.5, None), (1e300, None),
    ],
)  # fmt: skip
def test_a_float_identifies_only_where_no_other_number_is_the_same_float(number: float, text: str | None) -> None:
    assert identifier_text(number) == text
