"""In editors a condition knows its event: nothing that `skep check` takes is refused, and little that it refuses is taken."""

from __future__ import annotations

import json
from itertools import product
from typing import Any

import pytest
from jsonschema import Draft7Validator

from contracts import ContractErrors, load
from contracts.model.definitions import Definitions
from skep.tools.editor.events import offers, spellings
from skep.tools.editor.schemas import schemas
from tests.contracts.project import GOOD

PAID = {
    "type": "object",
    "properties": {
        "amount": {"type": ["number", "null"], "description": "what was paid", "minimum": 0},
        "status": {"type": "string", "enum": ["open", "paid"]},
        "level": {"enum": [1, 2]},
        "either": {"type": ["string", "number"]},
        "gift": {"type": "boolean"},
        "card": {"type": "object", "properties": {"last4": {"type": "string"}}},
        "parts": {"type": "array", "items": {"type": "object", "properties": {"sku": {"type": "string"}, "price": {"type": "number"}}}},
        "a.b": {"type": "string"},
        "anything": {},
        "choice": {"anyOf": [{"const": "x"}, {"type": "number"}]},
    },
    "additionalProperties": False,
}
OPEN = {"type": "object", "properties": {"amount": {"type": "number"}}, "additionalProperties": True}
NAMED = {"type": "object", "properties": {"amount": {"type": "number"}}, "patternProperties": {"^x_": {"type": "string"}}}
FILES = {
    **GOOD,
    "events/paid/1-0-0.json": json.dumps(PAID),
    "events/open/1-0-0.json": json.dumps(OPEN),
    "events/named/1-0-0.json": json.dumps(NAMED),
    "events/page_viewed/1-0-0.json": json.dumps({"type": "object", "properties": {"path": {"type": "string"}}}),
}
PATHS = (
    "amount", "status", "level", "either", "gift", "card", "card.last4", "card.other", "parts", "parts[].sku", "parts[0].price",
    "parts[].weight", '["a.b"]', '["amount"]', "anything", "anything.deep", "choice", "amont", "x_note", "name", "path", "context.ip",
    "amount.deep",
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    5, "5", "open", "shut", True, ["open", "shut"], ["shut"], [5, "5"], [5], {"eq": "open"}, {"eq": 5}, {"ne": 5}, {"in": ["open", "shut"]},
    {"in": [7]}, {"gt": 5}, {"gt": "a"}, {"between": [1, 2]}, {"between": ["a", "b"]}, {"exists": False}, {"is": "empty"}, {"is": "text"},
    {"is": "number"}, {"starts_with": "o"}, {"not_contains": "o"}, {"eq": True}, {"not_in": ["open"]}, {"eq": None}, {}, {"gtt": 5},
)  # fmt: skip
EVENTS = (
    "paid",
    "Paid",
    "open",
    "named",
    "page_viewed",
    "order_completed",
    "order_*",
    ["paid", "open"],
    "piad",
    "Order Completed",
    "identify",
)


@pytest.fixture(scope="module")
def definitions() -> Definitions:
    return load(FILES)


@pytest.fixture(scope="module")
def known(definitions: Definitions) -> dict[str, Any]:
    return schemas(definitions)


def _refused(conditions: list[dict[str, Any]]) -> list[bool]:
    """Which of the conditions `skep check` refuses."""
    segments = {f"segments/s{at}.yaml": json.dumps({"segment": f"s{at}", "who": who}) for at, who in enumerate(conditions)}
    with pytest.raises(ContractErrors) as raised:
        load({**FILES, **segments})
    files = {problem.file for problem in raised.value.problems}
    return [f"segments/s{at}.yaml" in files for at in range(len(conditions))]


def _underlined(validator: Draft7Validator, who: dict[str, Any]) -> bool:
    return not validator.is_valid({"segment": "s", "who": who})


def test_a_condition_is_underlined_only_if_check_refuses_it(known: dict[str, Any]) -> None:
    """Each path by each value, each event by each path, and measures of them; most of what is wrong is underlined."""
    values = [{"did": "paid", "where": {path: value}} for path, value in product(PATHS[:8], VALUES)]
    paths = [{"did": event, "where": {path: {"exists": True}}} for event, path in product(EVENTS, PATHS[6:])]
    measures = [{"did": event, how: path, "gt": 5} for event, how, path in product(("paid", "open"), ("sum", "distinct"), PATHS)]
    conditions = [*values, *paths, *measures]
    validator = Draft7Validator(known["segment"])
    both = [(refused, _underlined(validator, who), who) for refused, who in zip(_refused(conditions), conditions, strict=True)]
    assert [who for refused, underlined, who in both if underlined and not refused] == []
    wrong = [underlined for refused, underlined, _ in both if refused]
    assert sum(wrong) / len(wrong) > 0.6


def test_traits_know_their_events_too(known: dict[str, Any]) -> None:
    """A sum of texts and a first value of nothing are underlined in traits.yaml."""
    validator = Draft7Validator(known["traits"])
    good = [{"name": "a", "did": "paid", "sum": "amount"}, {"name": "b", "did": "paid", "first": "status", "where": {"status": "paid"}}]
    assert validator.is_valid({"traits": good})
    for wrong in ({"sum": "status"}, {"first": "stats"}, {"count": True, "where": {"status": "shut"}}):
        assert not validator.is_valid({"traits": [{"name": "a", "did": "paid", **wrong}]})


def test_names_are_taken_as_check_takes_them(known: dict[str, Any], definitions: Definitions) -> None:
    """Every spelling of a known event, every prefix; others are underlined unless the settings let unknown events be."""
    validator = Draft7Validator(known["segment"])
    good = (
        "order_completed",
        "Order Completed",
        "orderCompleted",
        "ORDER  completed!",
        "order\u200b_completed",
        "Order *",
        "screen viewed",
    )
    assert [name for name in good if _underlined(validator, {"did": name})] == []
    bad = ("order_complete", "orders_completed", "identify", "Identify", "")
    assert [name for name in bad if not _underlined(validator, {"did": name})] == []
    lenient = Draft7Validator(schemas(definitions, unknown_events_ok=True)["segment"])
    assert not _underlined(lenient, {"did": "order_complete"})


def test_only_spellings_of_the_very_event_count() -> None:
    """Words that are written as one are another event; capitals that would be other words are left out."""
    assert spellings("sign_up") == ["sign_up", "Sign Up", "SignUp", "signUp", "sign up", "sign-up"]
    assert "Plan2 B" in spellings("plan2_b")


def test_properties_say_what_they_mean(definitions: Definitions) -> None:
    """Kinds, choices and descriptions are those of the newest contract; what may hold others is open."""
    found = offers(definitions)
    assert found["paid"].properties["amount"].meaning == "what was paid"
    assert found["paid"].properties["status"].choices == ("open", "paid")
    assert [path for path, one in found["paid"].properties.items() if not one.numeric] == [
        "status", "gift", "card", "card.last4", "parts", "parts[].sku", '["a.b"]',
    ]  # fmt: skip
    assert {event: offer.closed for event, offer in found.items()} == {
        "named": False, "open": False, "order_completed": True, "page_viewed": False, "paid": True,
    }  # fmt: skip
