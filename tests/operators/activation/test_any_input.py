"""Whatever people and events look like, every kind renders or refuses them, and takes any reply for something."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from contracts.model.destinations import CLASSES
from contracts.reading.kinds import shipped
from operators.activation.told import Told
from skep.answers.destinations import judge, render
from tests.operators.activation.files import HTTP, somebody
from tests.operators.activation.files import render as rendered
from tests.operators.activation.test_vendors import CUT, GOLDEN

JUNK: list[Any] = [
    None, True, 0, -1.5, "", " ", "ann@example.org", "é\u0000", "+44 7700 900123", [], [1, "a", {"b": None}], {}, {"a": {"b": [1]}},
    "x" * 300, 10**18,
]  # fmt: skip
CHANGES = (
    "segment.entered", "segment.exited", "profile.updated", "profile.erased", "identity.merged", "identity.identifiers", "consent.changed",
    "identity.confidence", "of.tomorrow",
)  # fmt: skip


def value(random: Random, depth: int = 0) -> Any:
    if depth < 2 and random.random() < 0.3:
        return {random.choice(["a", "b c", "email", "price"]): value(random, depth + 1) for _ in range(3)}
    if depth < 2 and random.random() < 0.2:
        return [value(random, depth + 1) for _ in range(random.randint(0, 3))]
    return random.choice(JUNK)


def some(random: Random, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: value(random) for name in names if random.random() < 0.6}


def line(random: Random) -> dict[str, Any]:
    if random.random() < 0.6:
        who = {
            "profile": random.choice(["p1", "p2", None]), "identifiers": some(random, ("email", "phone", "user_id", "anonymous_id")),
            "traits": some(random, ("plan", "first_name", "address", "birthday", "created_at", "email")), "segments": ["vips"],
            "sent_as": random.choice([{}, {"vips": some(random, ("email", "remote_id"))}]), "remote_id": random.choice(["7", None, 5]),
        }  # fmt: skip
        change = {"type": random.choice(CHANGES), "segment": "vips", "profile": "p1", "version": random.randint(1, 9), "trait": "plan",
                  "namespaces": ["email"], "cause": {"type": random.choice(["erasure", "message"])}}  # fmt: skip
        return {"change": change, "person": who}
    return {
        "type": random.choice(["track", "page", "screen", "identify", "alias", "group"]), "event": "Order Completed",
        "timestamp": random.choice(["2026-01-01T00:00:00Z", 1767225600, None, "soon"]), "userId": random.choice(["u1", None, ""]),
        "previousId": random.choice(["x@example.org", "a", None]),
        "context": random.choice([{}, None, {"traits": {"email": "z@example.org"}}]),
        "properties": some(random, ("products", "revenue", "currency", "order_id", "weird key!", "gclid")),
        "traits": some(random, ("email", "plan", "firstName", "name")),
    }  # fmt: skip


@pytest.mark.parametrize("kind", shipped())
def test_nothing_breaks_a_kind(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "to.yaml"
    file.write_text((GOLDEN / f"{kind}.txt").read_text().partition(CUT)[0])
    random = Random(kind)
    text = "".join(f"{json.dumps(line(random))}\n" for _ in range(60))
    found = render(file, text)
    assert {one.reason for one in found.refused} <= {"no_identifier", "invalid"}
    for one in found.requests[:3]:
        shown = json.dumps({"method": one.method, "url": one.url, "headers": one.headers, "body": one.body, "lines": one.lines})
        reply = {"status": random.choice([200, 204, 302, 400, 404, 429, 500]), "headers": {}, "body": value(random)}
        assert judge(file, shown, json.dumps(reply)).says in CLASSES


def test_whoever_lacks_what_the_body_requires_is_refused_and_looked_up_for_nothing() -> None:
    asked = "{event: {path: /e, body: {is: event.event, at: event.timestamp, of: event.properties}}}"
    text = HTTP + f'events: ["*"]\npurpose: none\nrequests: {asked}\n'
    page = {"type": "page", "name": "Home", "properties": {"path": "/"}}
    (one,) = rendered(text, Told("event", somebody(), "k", event=page)).requests
    assert json.loads(one.body or b"") == {"is": "Page Viewed", "of": {"path": "/", "name": "Home"}}
