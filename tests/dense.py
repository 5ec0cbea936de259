"""Dense graphs of identity: few identifiers, drawn at random again and again, so that evidence connects everybody with everybody.

A life (`tests.lives`) that is a pure function of a seed, in about the order of time, in which most events take something away from
somebody: under limits so tight that links fall and rise far from where an event came in.
"""

from __future__ import annotations

from random import Random
from typing import Any

import orjson

from tests.engine import HORIZON_US
from tests.generator import DAY_US, MINUTE_US, START_US, Json, refusals, text_of
from tests.graphs import GAP_US, PURPOSE
from tests.lives import REPLAY, SHORT_US, Life


def dense(seed: int) -> Life:
    """Twenty to 60 events over two to five values of each of three or four namespaces."""
    rng = Random(f"{seed}:dense")
    namespaces = _namespaces(rng)
    limits: Json = {"identifiers": rng.choice([2, 3, 4, 5])} if rng.random() < 0.3 else {}
    limits |= {"links": rng.choice([1, 2, 3, 5])} if rng.random() < 0.3 else {}
    rules = {
        "version": 1,
        "namespaces": namespaces,
        "blocked": {"values": ["null"], "patterns": []},
        "conflict": rng.choice(["newest", "newest", "oldest"]),
        "limits": limits,
        "stitching": {
            "session_gap": "30m",
            "backstitch": rng.choice(["1h", "1d", "30d"]),
            "owner": rng.choice(["session"] * 5 + ["device"]),
        },
    }
    values = {each["name"]: [f"v{at}" for at in range(rng.choice([2, 3, 3, 5]))] for each in namespaces}
    sealed = rng.random() < 0.15
    events = _events(rng, values, sealed=sealed)
    for body in refusals(seed, events) if seed % 2 else ():
        events.insert(rng.randrange(len(events) + 1), body)
    records = [orjson.dumps(body) for body in events]
    plan: list[tuple[str, Any]] = [("p", [record]) for record in records]
    for number in range(rng.choice([0, 0, 1, 3])):
        a, b = ({"namespace": name, "value": rng.choice(values[name])} for name in rng.sample(sorted(values), 2))
        said = {"timestamp": text_of(START_US + rng.randrange(3) * DAY_US), "messageId": f"c{number}", "why": "test"}
        plan.insert(rng.randint(1, len(plan)), ("control", [{"type": rng.choice(["link", "unlink"]), "a": a, "b": b, **said}]))
    for _ in range(rng.choice([0, 2]) * sealed):
        plan.insert(rng.randint(1, len(plan)), (REPLAY, None))
    return Life(rules, plan, SHORT_US if sealed else HORIZON_US, rng.choice([0.0, 0.0, 0.1]))


def _namespaces(rng: Random) -> list[Json]:
    """Persons' namespaces, mostly a unique one first, then a device's; now and then in another order."""
    persons = [
        {"name": "user", "from": "user", "unique": True},
        {"name": "mail", "from": ["mail", "post"]},
        {"name": "phone", "from": "phone"},
    ]
    found: list[Json] = [dict(each) for each in persons[: rng.choice([1, 2, 2, 3])]]
    for each in found[1:]:
        each.update(rng.choice([{}, {"limit": 1}, {"limit": 2}, {"limit": 3}, {"unique": True}]))
    if rng.random() < 0.15:
        found[0].pop("unique")
    device: Json = {"name": "web", "from": ["web", "web2"], "scope": "device"}
    device |= rng.choice([{}, {}, {}, {"limit": 2}]) | ({"shared_after": rng.choice([2, 3, 4])} if rng.random() < 0.2 else {})
    found.append(device)
    if rng.random() < 0.2:
        found.append({"name": "app", "from": "app", "scope": "device"})
    if rng.random() < 0.1:
        rng.shuffle(found)
    return found


def _events(rng: Random, values: dict[str, list[str]], *, sealed: bool) -> list[Json]:
    steps = [0, 1, MINUTE_US, 7 * MINUTE_US, 7 * MINUTE_US, GAP_US + 1, 50 * MINUTE_US, 120 * MINUTE_US, DAY_US]
    steps += [5 * DAY_US, 12 * DAY_US] if sealed else []
    share = {name: rng.choice([0.3, 0.6, 0.9]) for name in values}
    late = rng.choice([0, 0, 0.1, 0.3])
    asked = rng.choice([0, 0, 0.2])
    events: list[Json] = []
    time = START_US
    for number in range(rng.choice([20, 30, 60])):
        time += rng.choice(steps)
        at = time - (rng.choice([MINUTE_US, 40 * MINUTE_US, 2 * DAY_US]) if rng.random() < late else 0)
        body: Json = {"type": "track", "event": "seen", "messageId": f"m{rng.randrange(100):02d}-{number}", "timestamp": text_of(at)}
        names = [name for name in values if rng.random() < share[name]] or [rng.choice(sorted(values))]
        body |= {name: rng.choice(values[name]) for name in names}
        if rng.random() < 0.1:
            other, name = rng.choice([("post", "mail"), ("web2", "web")])
            body |= {other: rng.choice(values[name])} if name in values else {}
        if rng.random() < asked:
            body["context"] = {"consent": {"categoryPreferences": {PURPOSE: rng.random() < 0.5}}}
        if rng.random() < 0.1:
            body |= {"type": "identify", "traits": {"plan": rng.choice(["gold", "free", None])}}
            del body["event"]
        events.append(body)
        if not sealed and rng.random() < 0.03:
            # The same again, as of before: what was stored gives way.
            again = rng.choice(events)
            events.append(again | {"timestamp": text_of(time - DAY_US)})
    return events
