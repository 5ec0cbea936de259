"""Golden files of identity: events in, people and the owner of each event out.

A file holds ``rules`` (identity.yaml; the defaults without), ``events`` (track calls unless they say otherwise),
``control``, ``people`` (the clusters) and ``owners``: by message id the lead of the profile that it belongs to,
``shared:`` and the device for a device's events that belong to nobody, null for the unidentified.
"""

from __future__ import annotations

import itertools
import json
import random
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

import contracts
from contracts.model.hashing import Hasher, profile_id
from tests import model
from tests.generator import START_US, to_events

FOLDER = Path(__file__).parent / "identity_scenarios"
DEV = Path(__file__).parents[2] / "shared/data/identity_scenarios/dev.jsonl"
FILES = sorted(FOLDER.glob("*.json"))
HASHER = Hasher("secret", "shop")

Dump = Callable[..., list[bytes]]


def run(scenario: dict[str, Any], dump: Dump = model.dump) -> dict[str, Any]:
    """The people and the owners that ``dump`` (the model's, or anything with its signature) gives for a scenario."""
    files = {"identity.yaml": json.dumps(scenario["rules"])} if "rules" in scenario else {}
    definitions = contracts.load(files)
    bodies = [{"type": "track", "event": "seen", **event} for event in scenario["events"]]
    lines = dump(to_events(bodies, definitions), scenario.get("control", []), definitions, START_US, hasher=HASHER)
    return told([orjson.loads(line) for line in lines], [body["messageId"] for body in bodies])


def told(lines: list[dict[str, Any]], message_ids: list[str]) -> dict[str, Any]:
    """The lines of a dump, by names instead of profile ids."""
    people = defaultdict(list)
    names = {}
    for line in lines:
        if line["kind"] == "identifier":
            namespace, value = line["namespace"], line["value"]
            people[line["profile"]].append(f"{namespace}:{value}")
            names[profile_id(HASHER.identifier(namespace, value))] = f"{namespace}:{value}"
            names[profile_id(HASHER.shared(namespace, value))] = f"shared:{namespace}:{value}"
    owners = {line["id"]: names[line["profile"]] for line in lines if line["kind"] == "message"}
    return {"people": sorted(sorted(one) for one in people.values()), "owners": {i: owners.get(i) for i in message_ids}}


def read(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(file.read_text())
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_scenario(file: Path) -> None:
    """The people and owners are those of the file."""
    scenario = read(file)
    assert run(scenario) == {"people": scenario.get("people", []), "owners": scenario["owners"]}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_order_of_arrival_does_not_matter(file: Path) -> None:
    """The same in every order of up to four events, and in 200 of more."""
    scenario = read(file)
    events, rng = scenario["events"], random.Random(file.stem)
    orders = itertools.permutations(events) if len(events) < 5 else (rng.sample(events, len(events)) for _ in range(200))
    for order in orders:
        found = run({**scenario, "events": list(order), "control": scenario.get("control", [])[::-1]})
        assert found == {"people": scenario.get("people", []), "owners": scenario["owners"]}


def documented() -> list[Any]:
    """The published examples, as scenarios; one that is skipped when their file is not beside the checkout."""
    if not DEV.exists():
        return [pytest.param(None, marks=pytest.mark.skip(reason=f"no {DEV}"), id="published examples")]
    return [pytest.param(case, id=case["id"]) for line in DEV.read_text().splitlines() if (case := json.loads(line))]


@pytest.mark.parametrize("case", documented())
def test_documented_outcome(case: dict[str, Any]) -> None:
    """What Adobe and Mixpanel document of the same events."""
    ranked = case["rules"].get("namespace_priority", ["user_id", "device_id"])
    unique = case["rules"].get("unique_per_graph", ["user_id"])
    devices = ("ECID", "device_id")
    namespaces = [{"name": n, "from": n, "unique": n in unique, "scope": "device" if n in devices else "person"} for n in ranked]
    events = [{"messageId": f"{i}", "timestamp": f"2026-01-01T10:{i:02d}:00Z", **e} for i, e in enumerate(case["events"])]
    assert run({"rules": {"namespaces": namespaces}, "events": events})["people"] == sorted(map(sorted, case["expected_clusters"]))
