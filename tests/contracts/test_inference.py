"""Contracts drafted from events: what is concluded, how sure it is said to be, and that what was seen stays valid."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.drafting.guesses import guess_by_name, guess_by_value
from contracts.drafting.inference import Seen, draft
from schemalogic.validation import compile_schema


def drafted(documents: list[dict[str, Any]]) -> dict[str, Any]:
    seen = Seen()
    for document in documents:
        seen.add(document)
    return draft("order_completed", seen)


def test_what_is_always_there_is_required() -> None:
    found = drafted([{"a": 1, "b": None, **({"c": "x"} if number % 2 else {})} for number in range(100)])
    assert found["required"] == ["a"]
    assert found["additionalProperties"] is False
    assert found["properties"]["a"] == {
        "type": "integer",
        "minimum": 0,
        "examples": [1],
        "$comment": "in 100 of 100 (every one); from 1 to 1",
    }
    assert found["properties"]["b"]["type"] == "null"
    assert found["properties"]["c"]["$comment"] == "in 50 of 100 (50.0 %); only this value"


def test_few_events_conclude_nothing_from_what_did_not_happen() -> None:
    found = drafted([{"a": 1, "b": "x"}] * 3)
    assert "required" not in found
    assert "minimum" not in found["properties"]["a"]
    assert "enum" not in found["properties"]["b"]
    assert found["$comment"].startswith("Drafted from 3 events; that is few")
    assert found["properties"]["b"]["$comment"] == "in 3 of 3 (every one); too few to be sure"


def test_enumerations_are_drafted_when_nothing_new_is_to_be_expected() -> None:
    rng = Random(1)
    found = drafted([{"size": rng.choice("SML"), "name": f"n{rng.randrange(400)}", "rare": "b" if at == 7 else "a"} for at in range(90)])
    assert found["properties"]["size"]["enum"] == ["L", "M", "S"]
    assert "enum" not in found["properties"]["name"]
    assert "enum" not in found["properties"]["rare"]


def test_types_formats_and_nesting() -> None:
    found = drafted(
        [
            {
                "at": f"2026-01-{day:02d}T10:00:00Z",
                "day": f"2026-01-{day:02d}",
                "price": 1 if day % 2 else 1.5,
                "items": [{"sku": "a", "n": day}],
                "mixed": "x" if day == 3 else 5,
            }
            for day in range(1, 31)
        ]
    )["properties"]
    assert (found["at"]["format"], found["day"]["format"], found["price"]["type"]) == ("date-time", "date", "number")
    assert found["items"]["items"]["properties"]["n"]["type"] == "integer"
    assert found["mixed"]["type"] == ["integer", "string"]
    assert "1 times string" in found["mixed"]["$comment"]


def test_names_that_are_data_become_a_map() -> None:
    found = drafted([{"stock": {f"sku-{at}-{part}": at for part in range(3)}} for at in range(40)])["properties"]["stock"]
    assert "properties" not in found
    assert found["additionalProperties"]["type"] == "integer"
    assert "120 different names, which seem to be data" in found["$comment"]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("ann@example.com", "e-mail address"),
        ("+44 20 7946 0958", "phone number"),
        ("4111 1111 1111 1111", "card number"),
        ("4111 1111 1111 1112", None),
        ("DE89 3704 0044 0532 0130 00", "IBAN"),
        ("DE89 3704 0044 0532 0130 01", None),
        ("192.168.0.1", "IP address"),
        ("2001:db8::1", "IP address"),
        ("1.2.3.456", None),
        ("2026-01-31", None),
        ("hello there", None),
        ("a@b", None),
    ],
)
def test_personal_data_is_known_by_its_value(text: str, what: str | None) -> None:
    guess = guess_by_value(text)
    assert (guess and guess.what) == what


@pytest.mark.parametrize(
    ("name", "what"),
    [("firstName", "name of a person"), ("E-Mail", "e-mail address"), ("dob", "date of birth"), ("zip", "postal address"), ("name", None),
     ("product_id", None), ("user_id", "id of a person or device"), ("shipping", None), ("IBAN", "IBAN")],
)  # fmt: skip
def test_personal_data_is_known_by_its_name(name: str, what: str | None) -> None:
    guess = guess_by_name(name)
    assert (guess and guess.what) == what


def test_personal_values_are_tagged_and_not_shown() -> None:
    found = drafted([{"contact": f"user{at}@example.com", "surname": "Smith"} for at in range(30)])
    assert found["properties"]["contact"]["x-personal"] == "direct"
    assert found["properties"]["contact"]["x-identifier"] == "email"
    assert found["properties"]["contact"]["$comment"] == "in 30 of 30 (every one); 30 of 30 texts look like an e-mail address"
    assert found["properties"]["surname"]["x-personal"] == "direct"
    assert "Smith" not in json.dumps(found)
    assert "@" not in json.dumps(found)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 10**20) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=8,
)


@given(st.lists(st.dictionaries(st.sampled_from("abc"), _JSON, max_size=3), min_size=1, max_size=40))
def test_what_was_seen_is_valid_under_the_draft(documents: list[dict[str, Any]]) -> None:
    schema = drafted(documents)
    judge = compile_schema(schema)
    for document in documents:
        assert judge.is_valid(document), (schema, document)
