"""What a contract keeps for other purposes, or calls sensitive, does not leave by a destination that is told of all of it."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest

from contracts import ContractErrors, load
from contracts.model.definitions import Definitions
from operators.activation.kept_back import event_without, person_without
from operators.activation.renderer import Renderer
from operators.activation.told import Told

ORDER = {
    "type": "object",
    "properties": {
        "total": {"type": "number"},
        "illness": {"type": "string", "x-personal": "sensitive"},
        "score": {"type": "number", "x-purpose": ["analytics"]},
        "items": {"type": "array", "items": {"type": "object", "properties": {"sku": {}, "why": {"x-personal": "sensitive"}}}},
    },
}
IDENTIFY = {"type": "object", "properties": {
    "plan": {"type": "string"}, "faith": {"type": "string", "x-personal": "sensitive"}, "risk": {"x-purpose": ["analytics"]},
}}  # fmt: skip
FILES = {
    "events/order_completed/1-0-0.json": json.dumps(ORDER),
    "events/identify/1-0-0.json": json.dumps(IDENTIFY),
    "consent.yaml": "purposes: [{name: marketing, default: denied}, {name: analytics, default: denied}]",
    "traits.yaml": "traits: [{name: illnesses, count: true, did: order_completed, where: {illness: {exists: true}}}]",
}
HEAD = 'kind: http\nconnection: {url: "https://x.example"}\nevents: [order_completed, identify]\npurpose: marketing\n'
EVENT = {
    "type": "track", "event": "Order Completed", "messageId": "m", "timestamp": "2026-01-01T00:00:00Z",
    "properties": {"total": 1, "illness": "flu", "score": 3, "items": [{"sku": "a", "why": "flu"}]},
}  # fmt: skip
PERSON: dict[str, Any] = {"profile": "p", "traits": {"plan": "gold", "faith": "x", "risk": 2, "illnesses": 1}}


def loaded(requests: str, head: str = HEAD) -> Definitions:
    return load({**FILES, "destinations/crm.yaml": f"{head}requests: {requests}\n"})


def sent(requests: str, call: Any = "event", event: Any = EVENT, head: str = HEAD) -> Any:
    (one,) = Renderer(loaded(requests, head).destinations[0]).render([Told(call, PERSON, "k", "vips", {}, event)]).requests
    return orjson.loads(one.body or b"null")


def test_whole_objects_go_without_what_may_not_serve_and_what_is_sensitive() -> None:
    assert sent("{event: {path: /e, body: event.properties}}") == {"total": 1, "items": [{"sku": "a"}]}
    assert sent("{event: {path: /e, body: {from: event.properties, without: [total]}}}") == {"items": [{"sku": "a"}]}
    assert sent("{event: {path: /x}, enter: {path: /e, body: person.traits}}", "enter", None) == {"plan": "gold"}


def test_what_is_sensitive_goes_where_a_path_names_it() -> None:
    assert sent("{event: {path: /e, body: {why: event.properties.illness, faith: person.traits.faith}}}") == {"why": "flu", "faith": "x"}


def test_a_webhook_is_sent_no_more() -> None:
    head = HEAD.replace("kind: http", "kind: webhook")
    assert sent("{}", head=head)["properties"] == {"total": 1, "items": [{"sku": "a"}]}
    assert sent("{}", "enter", None, head)["person"]["traits"] == {"plan": "gold"}


BAD = [
    ("{event: {path: /e, body: {s: event.properties.score}}}", "event.properties.score, which may serve only analytics"),
    ('{update: {path: "/p/{person.traits.risk}"}}', "person.traits.risk, which may serve only analytics"),
]


@pytest.mark.parametrize(("requests", "words"), BAD)
def test_a_path_to_what_may_not_serve_is_refused(requests: str, words: str) -> None:
    with pytest.raises(ContractErrors) as raised:
        loaded(requests)
    (problem,) = raised.value.problems
    assert problem.expected == "something that may serve marketing"
    assert problem.found == words
    assert problem.file == "destinations/crm.yaml"


def test_so_is_a_trait_that_is_chosen() -> None:
    with pytest.raises(ContractErrors, match="the trait risk, which may serve only analytics"):
        loaded("{update: {path: /p}}", HEAD + "traits: {risk: r}\n")


def test_what_is_given_is_not_changed() -> None:
    withheld = loaded("{update: {path: /p}}").destinations[0].withheld
    event, person = json.dumps(EVENT), json.dumps(PERSON)
    event_without(EVENT, "order_completed", withheld)
    person_without(PERSON, withheld)
    assert (json.dumps(EVENT), json.dumps(PERSON)) == (event, person)
