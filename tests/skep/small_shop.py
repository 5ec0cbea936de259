"""One small fixed project for tests of what commands print: a few people in every situation, and not a moment of the wall clock."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import orjson

from contracts.model.hashing import Hasher
from skep.project.settings import Settings, load_definitions
from skep.project.spaces import control_path, shard_path
from skep.runtime.snapshots import publish_snapshot
from tests.engine import Engine
from tests.skep.test_cli import skep

Json = dict[str, Any]
SECRET = "of the small shop"
KEPT = "c_00000000000000000000000000000001"
"""The id of the link by hand."""

FILES: dict[str, str] = {
    "skep.yaml": """\
spaces: [shop]
horizon: 30d
sources:
  - {name: web, kind: jsonl, path: web.jsonl}
  - {name: till, kind: jsonl, path: till.jsonl}
""",
    "contracts/identity.yaml": """\
version: 3
namespaces:
  - {name: user_id, from: userId, unique: true}
  - {name: email, from: traits.email, normalize: email, limit: 2, personal: true}
  - {name: anonymous_id, from: anonymousId, scope: device}
""",
    "contracts/consent.yaml": "purposes: [{name: marketing, default: denied}, {name: analytics, default: granted}]\n",
    "contracts/traits.yaml": """\
traits:
  - {name: spent, sum: revenue, did: order_completed, where: {currency: EUR}, emit: true}
  - {name: orders, count: true, did: order_completed}
  - {name: last_order, last: order_id, did: order_completed}
""",
    "contracts/events/order_completed/1-0-0.json": json.dumps(
        {
            "title": "Order completed",
            "description": "An order was paid.",
            "owner": "shop team",
            "type": "object",
            "properties": {
                "order_id": {"type": "string"},
                "revenue": {"type": "number", "minimum": 0, "x-unit": {"property": "currency"}},
                "currency": {"enum": ["EUR", "GBP"]},
                "coupon": {"type": "string"},
            },
            "required": ["order_id", "revenue", "currency"],
        }
    ),
    "contracts/events/page_viewed/1-0-0.json": '{"title": "Page viewed", "owner": "web team", "properties": {"path": {"type": "string"}}}',
    "contracts/events/identify/1-0-0.json": json.dumps(
        {
            "title": "Who somebody is",
            "owner": "crm team",
            "properties": {"email": {"type": "string", "x-personal": "direct"}, "city": {"type": "string"}},
        }
    ),
    "contracts/quality.yaml": """\
expectations:
  - {event: order_completed, quarantined: {lte: 0.1}, within: 7d}
  - {event: page_viewed, quarantined: {lte: 0.1}, within: 7d}
""",
    "contracts/segments/spenders.yaml": "segment: spenders\ntitle: Spent 50 € or more\nowner: crm\nwho: {trait: spent, gte: 50}\n",
    "contracts/segments/lapsing.yaml": """\
segment: lapsing
version: 2
title: Spenders who have not been here for a day
owner: crm
purpose: marketing
who:
  all:
    - segment: spenders
    - not: {did: page_viewed, within: 1d}
activate: [file]
""",
    "contracts/segments/buyers.yaml": """\
segment: buyers
title: Ordered within a week
who: {did: order_completed, within: 7d}
activate: [file]
""",
    "contracts/destinations/file.yaml": "kind: file\npath: data/told.jsonl\nchanges: [segment.entered, segment.exited, profile.updated]\n",
}


def _event(number: int, when: str, kind: str, **fields: Any) -> Json:
    moment = f"2026-03-{when}.000Z"
    return {"messageId": f"message-{number:04}-of-the-small-shop", "type": kind, "timestamp": moment, "receivedAt": moment, **fields}


def _order(number: int, when: str, revenue: Any, currency: str = "EUR", **fields: Any) -> Json:
    properties = {"order_id": f"o-{number}", "revenue": revenue, "currency": currency, **fields.pop("more", {})}
    return _event(number, when, "track", event="Order Completed", properties=properties, **fields)


def _granted(**purposes: bool) -> Json:
    return {"consent": {"categoryPreferences": purposes}}


WEB = [
    _event(1, "02T09:00:00", "page", anonymousId="d-ann", properties={"path": "/"}),
    _event(2, "02T09:05:10", "identify", userId="1", anonymousId="d-ann", traits={"email": "ann@example.com", "city": "Rome"}),
    _order(3, "02T09:20:00", 40.5, userId="1", anonymousId="d-ann", context=_granted(marketing=True)),
    _event(4, "03T18:00:00", "identify", traits={"email": "ann@home.example.com", "city": "Rome"}, anonymousId="d-pad"),
    _event(5, "03T18:01:00", "identify", traits={"email": "ann@example.com"}, anonymousId="d-pad"),
    _event(6, "04T10:00:00", "identify", userId="2", traits={"email": "bob@example.com", "city": "Oslo"}, anonymousId="d-bob"),
    _event(7, "04T10:10:00", "page", userId="2", anonymousId="d-bob", properties={"path": "/hives", "tab": 3}),
    _order(8, "05T11:00:00", 60, userId="2", context=_granted(marketing=True, analytics=False)),
    _event(9, "05T12:00:00", "identify", userId="3", traits={"email": "ann@example.com"}),
    _event(10, "06T08:00:00", "page", anonymousId="d-nobody", properties={"path": "/"}),
    _event(11, "06T08:30:00", "page", anonymousId="d-other", properties={"path": "/"}),
    *(
        _event(20 + at, f"06T09:{at:02}:00", "identify", userId=f"{10 + at}", anonymousId="d-kiosk", traits={"city": "Bonn"})
        for at in range(5)
    ),
    _event(30, "06T09:30:00", "page", userId="2", properties={"path": 7}),
    _event(31, "06T09:31:00", "track", userId="2", event="prodct_viewed"),
    _event(32, "06T09:32:00", "page", userId="2") | {"timestamp": "2026-03-16T09:32:00.000Z"},
]
TILL = [
    _order(40, "05T17:00:00", 19.99, userId="1"),
    _order(41, "05T17:30:00", "12", userId="2"),
    _order(42, "05T17:40:00", -3, userId="2"),
    _order(43, "06T10:00:00", 12.25, "GBP", userId="4", more={"coupon": "SPRING"}),
    _order(43, "06T10:00:00", 12.25, "GBP", userId="4", more={"coupon": "SPRING"}),
    _event(44, "06T10:30:00", "identify", userId="4", traits={"city": "Leeds"}),
]
LINKS = [
    {
        "type": "link",
        "a": ["anonymous_id", "d-nobody"],
        "b": ["anonymous_id", "d-other"],
        "why": "one tablet, two browsers",
        "messageId": KEPT,
    },
    {"type": "unlink", "a": ["user_id", "3"], "b": ["email", "ann@example.com"], "why": "ticket 17", "messageId": KEPT[:-1] + "2"},
]


def build(folder: Path) -> Path:
    """The project after one run and two rulings by hand, with a snapshot of it."""
    lines = {"web.jsonl": WEB, "till.jsonl": TILL}
    for path, text in {**FILES, **{name: "".join(map(_line, events)) for name, events in lines.items()}}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    done = skep("run", "--once", project=folder, SKEP_USER="ci@build", SKEP_SECRET=SECRET)
    assert done.returncode == 0, done.stderr
    settings = Settings.load(folder, secret=SECRET)
    _rule(settings)
    publish_snapshot(settings)
    os.utime(folder / "data" / "skep.duckdb", (1_772_841_600, 1_772_841_600))
    return folder


def _rule(settings: Settings) -> None:
    """The rulings, as the flow would read them; when the definitions were put in force is the one thing that the wall clock said."""
    control = control_path(settings, "shop")
    kept = re.sub(r'("timestamp":")20[^"]+', lambda found: f"{found[1]}2026-03-07T00:00:00.000000Z", control.read_text())
    rulings = list(map(_ruling, LINKS))
    control.write_text(kept + "".join(map(_line, rulings)))
    definitions = load_definitions(settings)
    engine = Engine(shard_path(settings, "shop"), definitions, settings.horizon_us, hasher=Hasher(SECRET, "shop"))
    engine.space.start([])
    engine.control(rulings)
    for partition in ("web/web.jsonl", "till/till.jsonl"):
        engine.feed(partition, [], finished=True)
    engine.shard.close()


def _line(value: Json) -> str:
    return orjson.dumps(value).decode() + "\n"


def _ruling(entry: Json) -> Json:
    ends = {end: dict(zip(("namespace", "value"), entry[end], strict=True)) for end in "ab"}
    return {"by": "jo@desk", **entry, **ends, "timestamp": "2026-03-07T12:00:00.000000Z"}
