"""Lives of a small space: events in about the order of their times, late ones, repeats, other definitions in the middle, sealed days.

Each is a pure function of a seed, as `tests.graphs` are, which have more of what collides and less of what passes. After
every step the engine's state is held against the model's, what it has told against its state, and what it keeps beside against a count.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from random import Random
from typing import Any

import orjson

from contracts import load
from contracts.model.batches import ControlEntry, JudgedBatch
from contracts.model.definitions import Definitions
from tests import model
from tests.engine import HASHER, HORIZON_US, SPACE, Engine, difference, judge_of
from tests.generator import DAY_US, MINUTE_US, READ_AT_US, START_US, Json, refusals, text_of
from tests.graphs import BLOCKED, GAP_US, PEOPLE, PURPOSE, files_of, probabilistic, said_traits
from tests.model_links import instant
from tests.promises.change_log import Folded, dumped
from tests.tallies import check

SHORT_US = 2 * DAY_US
"""A horizon: two periods later, a day is in a page."""
STEP, RULES, REPLAY = "step", "rules", "replay"


@dataclass(frozen=True)
class Life:
    """``plan``: what happens, as (partition, records), (`RULES`, other rules) or (`REPLAY`, nothing)."""

    rules: Json
    plan: list[tuple[str, Any]]
    horizon_us: int
    restarts: float


# ── rules ───────────────────────────────────────────────────────────────────────────────────────────────────────────
def _namespace(rng: Random, at: int, *, device: bool) -> Json:
    namespace: Json = {"name": f"n{at}", "from": [f"ids.n{at}", f"ids.m{at}"]}
    namespace |= rng.choice([{}, {}, {"limit": 1}, {"limit": 2}] if device else [{}, {"unique": True}, {"unique": True}, {"limit": 2}])
    if device:
        namespace |= {"scope": "device"} | ({"shared_after": rng.choice([1, 2, 3])} if rng.random() < 0.25 else {})
    return namespace


def _identity(rng: Random) -> Json:
    """Two to four namespaces, of which one or two are devices', mostly behind the persons'."""
    count = rng.choice([2, 3, 3, 4, 4])
    devices = rng.choice([1, 1, 1, 2]) if count > 2 else 1
    where = range(count - devices, count) if rng.random() < 0.6 else rng.sample(range(count), devices)
    limits: Json = {"identifiers": rng.choice([2, 3, 4, 6])} if rng.random() < 0.3 else {}
    limits |= {"links": rng.choice([1, 2, 3])} if rng.random() < 0.3 else {}
    return {
        "version": 1,
        "namespaces": [_namespace(rng, at, device=at in where) for at in range(count)],
        "blocked": {"values": [BLOCKED[0]], "patterns": ["^0+$"]},
        "conflict": rng.choice(["newest", "newest", "oldest"]),
        "limits": limits,
        "stitching": {"session_gap": "30m", "backstitch": rng.choice(["1h", "1d"]), "owner": rng.choice(["session"] * 5 + ["device"])},
    }


def _other(rng: Random, rules: Json) -> Json:
    """The rules with one thing changed."""
    other = deepcopy(rules)
    namespaces = other["namespaces"]
    what = rng.choice(["more", "fewer", "likeness", "likeness", "scope", "conflict", "rank", "everything"])
    if what == "more":
        free = next(at for at in range(len(namespaces) + 1) if all(each["name"] != f"n{at}" for each in namespaces))
        namespaces.insert(rng.randrange(len(namespaces) + 1), _namespace(rng, free, device=rng.random() < 0.4))
    elif what == "fewer" and len(namespaces) > 1:
        namespaces.pop(rng.randrange(len(namespaces)))
    elif what == "likeness":
        if other.pop("probabilistic", None) is None or rng.random() < 0.4:
            other["probabilistic"] = probabilistic(rng)
    elif what == "scope":
        each = rng.choice(namespaces)
        each.pop("shared_after", None)
        each["scope"] = "person" if each.get("scope") == "device" else "device"
    elif what == "conflict":
        other["conflict"] = "oldest" if other["conflict"] == "newest" else "newest"
    elif what == "rank":
        rng.shuffle(namespaces)
    else:
        other = _identity(rng) | {key: rules[key] for key in ("probabilistic",) if key in rules}
    return other


def _definitions(rules: Json) -> Definitions:
    return load({path: json.dumps(content) for path, content in (files_of(rules) | ACCOUNTS).items()})


ACCOUNTS: Json = {
    "accounts.yaml": {
        "traits": [
            {"name": "seen", "count": True, "did": "seen"},
            {"name": "lately", "count": True, "did": "seen", "within": "1d"},
            {"name": "streak", "streak": "days", "did": "seen"},
        ]
    },
    "segments/busy.yaml": {"segment": "busy", "who": {"account": {"any": [{"trait": "lately", "gte": 2}, {"trait": "seen", "gte": 5}]}}},
}
"""What is counted of accounts."""


# ── events ──────────────────────────────────────────────────────────────────────────────────────────────────────────
def _moments(rng: Random, *, sealed: bool) -> list[int]:
    """Times in order, in busy lives mostly in one session."""
    times, busy = [START_US], rng.random() < 0.4
    short = [MINUTE_US, 3 * MINUTE_US, 7 * MINUTE_US]
    steps = [0, 1, *short, GAP_US, GAP_US + 1, 50 * MINUTE_US, 120 * MINUTE_US, DAY_US, 5 * DAY_US]
    steps += [8 * DAY_US, 12 * DAY_US, 30 * DAY_US] if sealed else []
    for _ in range(rng.choice([3, 6, 12, 30])):
        times.append(times[-1] + rng.choice(short if busy and rng.random() < 0.8 else steps))
    return times


class _Crowd:
    """Who is there, by the rules, and how they show up: at a kiosk, at home, around a hub, on several devices at once."""

    def __init__(self, rng: Random, rules: Json) -> None:
        self._rng = rng
        spaces = range(len(rules["namespaces"]))
        self._devices = [at for at in spaces if rules["namespaces"][at].get("scope") == "device"]
        self._persons = [at for at in spaces if at not in self._devices]
        self.values = {at: [f"v{number}" for number in range(rng.choice([1, 2, 3, 5, 8]))] for at in spaces}
        for values in self.values.values():
            values.extend([rng.choice(BLOCKED)] if rng.random() < 0.1 else [])
        self._show = rng.choice([self._any, self._kiosk, self._kiosk, self._hub, self._home, self._together])
        self._anonymous, self._twice = rng.choice([0.1, 0.4, 0.7]), rng.choice([0, 0.1, 0.4])

    def ids(self) -> Json:
        rng = self._rng
        found = {f"n{at}": value for at, value in self._show().items()}
        if rng.random() < self._twice:
            name = rng.choice(sorted(found))
            found[f"m{name[1:]}"] = self._one(int(name[1:]))
        return found

    def _one(self, at: int) -> str:
        return self._rng.choice(self.values[at])

    def _somebody(self, most: int = 1) -> dict[int, str]:
        if self._rng.random() < self._anonymous:
            return {}
        return {at: self._one(at) for at in self._rng.sample(self._persons, min(self._rng.randint(1, most), len(self._persons)))}

    def _any(self) -> dict[int, str]:
        chosen = self._rng.sample(sorted(self.values), min(self._rng.choice([1, 1, 2, 2, 3]), len(self.values)))
        return {at: self._one(at) for at in chosen}

    def _kiosk(self) -> dict[int, str]:
        device = self._devices[-1] if self._rng.random() < 0.9 else self._rng.choice(self._devices)
        return {device: self.values[device][0] if self._rng.random() < 0.85 else self._one(device), **self._somebody(2)}

    def _hub(self) -> dict[int, str]:
        hub, other = self._persons[0], self._rng.choice(sorted(self.values))
        return {other: self._one(other), hub: self.values[hub][0] if self._rng.random() < 0.8 else self._one(hub)}

    def _home(self) -> dict[int, str]:
        person, device = self._rng.choice(self._persons), self._rng.choice(self._devices)
        value = self._one(person)
        own = value if value in self.values[device] and self._rng.random() < 0.7 else self._one(device)
        found = {person: value} if self._rng.random() > self._anonymous else {device: own}
        return found | ({device: own} if self._rng.random() < 0.8 else {}) | (self._somebody() if self._rng.random() < 0.25 else {})

    def _together(self) -> dict[int, str]:
        devices = self._rng.sample(self._devices, min(len(self._devices), self._rng.choice([1, 2, 2])))
        return {at: self._one(at) for at in devices} | self._somebody()


def _events(rng: Random, crowd: _Crowd, moments: list[int], *, alike: bool) -> list[Json]:
    asked = rng.choice([0, 0, 0.15, 0.4])
    events = []
    for number in range(rng.randint(5, 30)):
        body: Json = {"type": "track", "event": "seen", "messageId": f"m{rng.randrange(100):02d}-{number}"}
        body |= {"timestamp": text_of(rng.choice(moments)), "ids": crowd.ids()}
        context: Json = {"consent": {"categoryPreferences": {PURPOSE: rng.random() < 0.5}}} if rng.random() < asked else {}
        traits: Json | None = {"plan": rng.choice(["gold", "free", None])} if rng.random() < 0.1 else None
        if alike:
            whose = PEOPLE[sum(map(ord, str(min(body["ids"].items())))) % len(PEOPLE)]
            traits = said_traits(rng, whose if rng.random() < 0.9 else rng.choice(PEOPLE)) if rng.random() < 0.8 else traits
            if rng.random() < 0.5:
                context |= {"ip": rng.choice(["10.0.0.1", "10.0.0.2"]), "userAgent": rng.choice(["Firefox", None])}
        if traits is not None:
            body |= {"type": "identify", "traits": traits}
            del body["event"]
        belonging = Random(f"{sorted(body['ids'].items())}:{number}:{asked}")
        if traits is None and belonging.random() < 0.2:
            body |= {"type": "group", "groupId": belonging.choice("ab"), "traits": {"left": True} if belonging.random() < 0.3 else {}}
            del body["event"]
        elif belonging.random() < 0.1:
            context["groupId"] = belonging.choice("abc")
        events.append(body | ({"context": context} if context else {}))
    return events


def _arrivals(rng: Random, events: list[Json]) -> list[Json]:
    """The events in order of time, some of them late, or in any order; some twice, at an earlier or later time."""
    how = rng.choice(["in order", "in order", "late", "late", "shuffled"])
    delays = [0, 0, 0, 0, 20 * MINUTE_US, 40 * MINUTE_US, 3 * DAY_US] if how == "late" else [0]
    found = sorted(events, key=lambda body: (instant(body["timestamp"]) + rng.choice(delays), rng.random()))
    if how == "shuffled":
        rng.shuffle(found)
    for body in rng.sample(found, rng.choice([0, 0, len(found) // 8, len(found) // 3])):
        again, sent = deepcopy(body), instant(body["timestamp"])
        if rng.random() < 0.7:
            moved = sent + rng.choice([-DAY_US // 2, -40 * MINUTE_US, -5 * MINUTE_US, -1, 1, 5 * MINUTE_US])
            again |= {"sentAt": text_of(sent), "receivedAt": text_of(moved)}
        at = found.index(body)
        found.insert(rng.randint(at, min(len(found), at + 8)), again)
    return found


def _control(rng: Random, crowd: _Crowd, moments: list[int]) -> Iterator[Json]:
    known = [(f"n{at}", value) for at, values in crowd.values.items() for value in values]
    pairs = [rng.sample(known, 2) for _ in range(rng.choice([1, 2, 4]))]
    for number in range(rng.choice([0, 0, 0, 1, 3, 6])):
        a, b = ({"namespace": namespace, "value": value} for namespace, value in rng.sample(rng.choice(pairs), 2))
        said = {"timestamp": text_of(rng.choice(moments)), "messageId": f"c{number}", "why": "test"}
        yield {"type": rng.choice(["link", "unlink", "unlink"]), "a": a, "b": b, **said}


def life(seed: int) -> Life:
    """Five to 30 events and what comes between them. Of four lives, one has records that are compared, one gets other rules, one
    has a horizon so short that days are sealed while it lasts; some have two or all of it."""
    rng = Random(f"{seed}:life")
    kind = seed % 4
    sealed, alike = kind == 3 or rng.random() < 0.1, kind == 1 or rng.random() < 0.3
    rules = _identity(rng) | ({"probabilistic": probabilistic(rng)} if alike else {})
    crowd, moments = _Crowd(rng, rules), _moments(rng, sealed=sealed)
    events = _events(rng, crowd, moments, alike=alike or kind == 2)
    arrivals, among = _arrivals(rng, events), Random(f"{seed}:among")
    for body in refusals(seed, events):
        arrivals.insert(among.randrange(len(arrivals) + 1), body)
    records = [orjson.dumps(body) for body in arrivals]
    plan: list[tuple[str, Any]] = []
    sizes = rng.choice([[1], [1], [1, 2, 5, 9]])
    while records:
        size = rng.choice(sizes)
        plan.append(("p", records[:size]))
        records = records[size:]
    between: list[tuple[str, Any]] = [("control", [entry]) for entry in _control(rng, crowd, moments)]
    changed = rules
    others = [changed := _other(rng, changed) for _ in range(rng.choice([1, 1, 2]) if kind == 2 else rng.random() < 0.1)]
    between += [(REPLAY, None)] * rng.choice([0, 2]) * sealed
    for each in between:
        plan.insert(rng.randint(1, len(plan)), each)
    for at, other in zip(sorted(rng.randint(1, len(plan)) for _ in others), others, strict=True):
        plan.insert(at + others.index(other), (RULES, other))
    return Life(rules, plan, SHORT_US if sealed else HORIZON_US, rng.choice([0.0, 0.0, 0.2]))


# ── lived ───────────────────────────────────────────────────────────────────────────────────────────────────────────
def live(seed: int, engine: Engine, make: Callable[[int], Life] = life) -> int:
    """Let an engine, emptied, live a life and compare it after every step; returns the number of comparisons. Raises AssertionError."""
    lived, rng, beside = make(seed), Random(f"{seed}:lived"), Random(f"{seed}:beside")
    definitions = _definitions(lived.rules)
    engine.clear(definitions, cache_bytes=rng.choice([10_000, 512_000_000, 512_000_000]), horizon_us=lived.horizon_us)
    engine.start(["p"])
    given: list[bytes] = []
    control: list[Json] = []
    log, compared = Folded(), 0
    for number, (name, what) in enumerate(lived.plan):
        if name == RULES:
            definitions = _definitions(what)
            engine.define(definitions, whole=beside.random() < 0.4, begun=beside.random() < 0.9)
        elif name == REPLAY:
            replay(engine, definitions)
        elif name == "control":
            engine.control(what)
            control += what
        else:
            given += what
            engine.feed(name, what)
        if rng.random() < lived.restarts:
            engine.restart(reopen=False)
        clock = engine.space.meta.clock
        if clock is not None:
            late = {row.position for row in engine.view.quarantine.entries()}
            accepted = [raw for at, raw in enumerate(given, 1) if at not in late]
            in_force, change = engine.known[engine.space.meta.digest], engine.space.meta.change
            events = judge_of(in_force).judge_many(accepted, 1, 0)[0]
            expected = model.dump(events, control, in_force, clock, hasher=HASHER, denials=engine.denials)
            found = engine.dump(clock)
            assert found == expected, difference(found, expected, seed, number, name, change)
            if number == len(lived.plan) - 1 and change is not None:
                engine.bring_along()
                change = None
            if change is None:
                check(engine, seed, number, name)
                assert log.read(engine.view.changes(log.sequence)).told() == dumped(engine.dump()), (seed, number, name)
            compared += 1
    return compared


def replay(engine: Engine, definitions: Definitions) -> None:
    """Everything in quarantine again, which nothing can be too late for."""
    position = engine.space.meta.applied["control"] + 1
    outcomes: list[Any] = [(row.id, judge_of(definitions).judge(row.raw, position, READ_AT_US)) for row in engine.view.quarantine.entries()]
    said = {"type": "replay", "messageId": f"r{position}", "entries": [{"id": name} for name, _ in outcomes]}
    listed = [ControlEntry(position, said, outcomes)]
    engine.space.apply(JudgedBatch(SPACE, "control", "control", position, position, "", [], [], listed, 0))
    engine.deny(row for _, row in engine.shard.quarantine.committed(b""))
