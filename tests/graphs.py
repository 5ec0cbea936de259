"""Small adversarial graphs of identity: few identifiers under tight rules, and records that are nearly alike.

Both are pure functions of a seed, as `tests.generator.scenario` is. Here who is who is all that matters, so that a thousand
of them are cheap.
"""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from random import Random
from typing import Any

from contracts import load
from contracts.model.probabilistic import Compare
from operators.match import comparisons, model
from operators.match.model import Model, Terms, Weights
from tests.generator import DAY_US, MINUTE_US, START_US, Json, Scenario, refusals, text_of

GAP_US = 30 * MINUTE_US
BLOCKED = ("null", "000")
PURPOSE = "marketing"
FLOOR = 0.98
"""What the segment ``sure`` asks for: links by likeness are below and above."""


def shuffled(found: Scenario, rng: Random) -> Scenario:
    """The same events and entries in another order, some of the events twice."""
    events = rng.sample(found.events, len(found.events))
    for body in rng.sample(events, len(events) // 6):
        events.insert(rng.randrange(len(events) + 1), body)
    return replace(found, partitions=[events], control=rng.sample(found.control, len(found.control)))


def _moments(rng: Random) -> list[int]:
    """A few times, some of them equal, with silences of about the session gap and of days."""
    times = [START_US]
    for _ in range(rng.choice([2, 5, 12])):
        times.append(times[-1] + rng.choice([0, 1, MINUTE_US, 10 * MINUTE_US, GAP_US, GAP_US + 1, 2 * 60 * MINUTE_US, DAY_US, 5 * DAY_US]))
    return times


def _scenario(seed: int, events: list[Json], control: list[Json], files: dict[str, Any]) -> Scenario:
    texts = {path: json.dumps(content) for path, content in files.items()}
    return Scenario(seed, len(events), [events], control, texts, refused=refusals(seed, events))


def files_of(identity: Json) -> dict[str, Any]:
    """Definitions around the rules: enough of traits, consent and segments to see them move between profiles, and a model."""
    files: dict[str, Any] = {
        "identity.yaml": identity,
        "consent.yaml": {"purposes": [{"name": PURPOSE, "default": "denied"}]},
        "events/seen/1-0-0.json": {"type": "object"},
        "segments/s.yaml": {"segment": "s", "who": {"any": [{"consent": PURPOSE}, {"did": "seen", "times": {"gte": 3}}]}},
        "segments/sure.yaml": {"segment": "sure", "confidence": {"gte": FLOOR}, "who": {"not": {"did": "seen", "times": {"gte": 9}}}},
    }
    if "probabilistic" in identity:
        files["identity_model.json"] = json.loads(model.dump(_model(json.dumps(identity))))
    return files


def _control(rng: Random, known: list[tuple[str, str]], moments: list[int]) -> list[Json]:
    """Links, unlinks and links again of a few pairs."""
    pairs = [rng.sample(known, 2) for _ in range(rng.choice([1, 2, 4]))]
    entries = []
    for number in range(rng.choice([0, 1, 3, 6])):
        a, b = ({"namespace": namespace, "value": value} for namespace, value in rng.sample(rng.choice(pairs), 2))
        said = {"timestamp": text_of(rng.choice(moments)), "messageId": f"c{number}", "why": "test"}
        entries.append({"type": rng.choice(["link", "unlink"]), "a": a, "b": b, **said})
    return entries


def _limits(rng: Random) -> Json:
    limits: Json = {}
    if rng.random() < 0.4:
        limits["identifiers"] = rng.choice([2, 3, 4, 6])
    if rng.random() < 0.35:
        limits["links"] = rng.choice([1, 2, 3])
    return limits


def _identity(rng: Random, namespaces: list[Json]) -> Json:
    return {
        "version": 1,
        "namespaces": namespaces,
        "blocked": {"values": [BLOCKED[0]], "patterns": ["^0+$"]},
        "conflict": rng.choice(["newest", "oldest"]),
        "limits": _limits(rng),
        "stitching": {"session_gap": "30m", "backstitch": rng.choice(["1h", "2d"]), "owner": rng.choice(["session"] * 4 + ["device"])},
    }


def _said(rng: Random, number: int, moments: list[int]) -> Json:
    """An event without identifiers: what else it says, and when."""
    body: Json = {
        "type": "track",
        "event": "seen",
        "messageId": f"m{rng.randrange(100):02d}-{number}",
        "timestamp": text_of(rng.choice(moments)),
    }
    if rng.random() < 0.15:
        body["context"] = {"consent": {"categoryPreferences": {PURPOSE: rng.random() < 0.5}}}
    return body


# ── identifiers ─────────────────────────────────────────────────────────────────────────────────────────────────────
def graph(seed: int) -> Scenario:
    """Five to 25 events of two to four namespaces with a few values each, in one of several shapes: anything goes, a hub, a
    chain, a till at which everybody logs in. Unique namespaces, limits, blocked values, devices that are shared after two
    or three persons, manual links and unlinks, both values of `conflict`."""
    rng = Random(f"{seed}:graph")
    namespaces = [_namespace(rng, at) for at in range(rng.choice([2, 3, 3, 4]))]
    namespaces[-1] |= {"scope": "device"} if rng.random() < 0.85 else {}
    for each in namespaces:
        if each.get("scope") == "device" and rng.random() < 0.3:
            each["shared_after"] = rng.choice([2, 3])
    values = [[f"v{at}" for at in range(rng.choice([1, 2, 3, 5]))] for _ in namespaces]
    for each in values:
        each.extend(rng.choice([[], [], [], [], [rng.choice(BLOCKED)]]))
    moments = _moments(rng)
    shape = rng.choice([_any, _any, _hub, _chain, _till])
    events = []
    for number in range(rng.randint(5, 25)):
        body = _said(rng, number, moments)
        if rng.random() < 0.1:
            body |= {"type": "identify", "traits": {"plan": rng.choice(["gold", "free", None])}}
            del body["event"]
        events.append({**body, "ids": shape(rng, number, values)})
    known = [(f"n{at}", value) for at, each in enumerate(values) for value in each]
    control = _control(rng, known, moments) if len(known) > 1 else []
    return _scenario(seed, events, control, files_of(_identity(rng, namespaces)))


def _namespace(rng: Random, at: int) -> Json:
    namespace: Json = {"name": f"n{at}", "from": [f"ids.n{at}", f"ids.m{at}"]}
    namespace |= rng.choice([{}, {"unique": True}, {"unique": True}, {"limit": 1}, {"limit": 2}])
    if at and rng.random() < 0.3:
        namespace["scope"] = "device"
    return namespace


def _any(rng: Random, number: int, values: list[list[str]]) -> Json:
    """One to three identifiers, now and then two of one namespace."""
    chosen = rng.sample(range(len(values)), min(rng.choice([1, 1, 2, 2, 3]), len(values)))
    ids = {f"n{at}": rng.choice(values[at]) for at in chosen}
    if rng.random() < 0.15:
        ids[f"m{chosen[0]}"] = rng.choice(values[chosen[0]])
    return ids


def _hub(rng: Random, number: int, values: list[list[str]]) -> Json:
    """One identifier in nearly every event."""
    other = rng.randrange(1, len(values))
    return {"n0": values[0][0] if rng.random() < 0.8 else rng.choice(values[0]), f"n{other}": rng.choice(values[other])}


def _chain(rng: Random, number: int, values: list[list[str]]) -> Json:
    """Neighbours by number, from namespace to namespace."""
    step = rng.randrange(8)
    return {f"n{at % len(values)}": values[at % len(values)][at // len(values) % len(values[at % len(values)])] for at in (step, step + 1)}


def _till(rng: Random, number: int, values: list[list[str]]) -> Json:
    """One device on which all sorts of people log in; most events are anonymous."""
    last = len(values) - 1
    ids = {f"n{last}": values[last][0] if rng.random() < 0.9 else rng.choice(values[last])}
    if rng.random() < 0.45:
        ids[f"n{rng.randrange(last)}"] = rng.choice(values[0])
    return ids


# ── likeness ────────────────────────────────────────────────────────────────────────────────────────────────────────
PEOPLE = (
    {"first_name": "Joanna", "last_name": "Dwyer", "birth_date": "1971-06-24", "postcode": "N1 9GU"},
    {"first_name": "Johanna", "last_name": "Dwyer", "birth_date": "1971-07-02", "postcode": "N1 9GU"},
    {"first_name": "Peter", "last_name": "Dwier", "birth_date": "1998-01-01", "postcode": "N1 9GU"},
    {"first_name": "Zoë", "last_name": "Łabędź", "birth_date": "1971-06-24", "postcode": "SW1A 1AA"},
)
ODD: dict[str, tuple[Any, ...]] = {
    "first_name": ("Joana", "JOANNA ", "Jo", "Petr", "Zoe", None, ""),
    "last_name": ("Dwyre", "dwyer", "Dwyers", "Labedz", None, 7),
    "birth_date": ("1971-06-25", "19710624", "1972-06-01", "unknown", None),
    "postcode": ("N1 9GV", "n1  9gu", None),
}
"""Other ways to write the values, from a slip to nothing at all."""
COMPARE: list[Json] = [
    {"trait": "first_name", "how": "jaro_winkler", "at": [0.92, 0.80], "term_frequency": True},
    {"trait": "last_name", "how": "edit_distance", "at": [1, 2]},
    {"trait": "birth_date", "how": "date_difference", "at": ["1d", "31d", "1y"]},
    {"trait": "address.postcode", "how": "exact"},
]
BITS = {"first_name": (5.1, 3.3, 1.7, -3.9), "last_name": (5.3, 3.1, 1.1, -4.7), "birth_date": (7.9, -0.3, 6.1, 2.9, 0.7, -5.5)}
"""The match weight of each level; equal postcodes count 4.1, others -2.3."""
LINES: list[Any] = [
    ["last_name", "birth_date"],
    ["first_name[:2]"],
    ["address.postcode"],
    ["birth_date"],
    {"same": ["context.ip", "context.userAgent"], "within": "1h"},
    {"same": ["context.ip"], "within": "30m"},
]


def likenesses(seed: int) -> Scenario:
    """Six to 30 events in which a handful of records tell who they are: the traits of four people who are hard to tell
    apart, with slips, nulls and second thoughts. Blocks of two to four records, windowed lines, support, limits, unique
    conflicts, devices that pass from hand to hand, manual links and unlinks."""
    rng = Random(f"{seed}:likenesses")
    device: Json = {"name": "device", "from": "anonymousId", "scope": "device", **rng.choice([{}, {}, {"shared_after": 2}])}
    person: Json = {"name": "user", "from": "userId", **rng.choice([{}, {}, {}, {}, {"limit": 3}, {"unique": True}])}
    mail: Json = {"name": "mail", "from": "mail", **rng.choice([{}, {"unique": True}])}
    namespaces = [person, *rng.choice([[], [mail]]), device]
    moments = _moments(rng)
    ids = {"userId": [f"u{at}" for at in range(rng.choice([3, 6, 10]))], "mail": ["x", "y"], "anonymousId": ["d1", "d2", "d3"]}
    whose = {value: rng.choice(PEOPLE[: rng.choice([2, 3, 4])]) for values in ids.values() for value in values}
    events = []
    for number in range(rng.randint(6, 30)):
        body = _said(rng, number, moments)
        for kind in rng.choice([["userId"], ["userId"], ["anonymousId"], ["userId", "anonymousId"], ["userId", "mail"], ["mail"]]):
            body[kind] = rng.choice(ids[kind])
        if rng.random() < 0.85:
            traits = said_traits(
                rng, whose[next(body[kind] for kind in ids if kind in body)] if rng.random() < 0.85 else rng.choice(PEOPLE)
            )
            body |= {"type": "identify", "traits": traits}
            del body["event"]
        if rng.random() < 0.6:
            body.setdefault("context", {})["ip"] = rng.choice(["10.0.0.1", "10.0.0.2"])
            body["context"]["userAgent"] = rng.choice(["Firefox", "Safari", None])
        events.append(body)
    known = [(each["name"], value) for each in namespaces for value in ids[each["from"]]]
    rules = _identity(rng, namespaces)
    rules["limits"] = rng.choice([{}, {}, rules["limits"]])
    rules["probabilistic"] = probabilistic(rng)
    return _scenario(seed, events, _control(rng, known, moments), files_of(rules))


def said_traits(rng: Random, person: Json) -> Json:
    traits: Json = {}
    share = rng.choice([0.5, 0.9])
    for name, value in person.items():
        if rng.random() < share:
            told = rng.choice(ODD[name]) if rng.random() < 0.2 else value
            traits |= {"address": {"postcode": told}} if name == "postcode" else {name: told}
    return traits


def probabilistic(rng: Random) -> Json:
    return {
        "accept": rng.choice([0.95, 0.8, 0.99]),
        "review": rng.choice([0.8, 0.5]),
        "support": rng.choice([0, 0.1, 0.6, 0.9]),
        "block_limit": rng.choice([2, 3, 4, 5, 1000]),
        "block": rng.sample(LINES, rng.choice([2, 3, 4])),
        "compare": COMPARE,
    }


@cache
def _model(identity: str) -> Model:
    """The shares that give `BITS`: u is even among the levels."""
    rules = load({"identity.yaml": identity}).identity.probabilistic
    assert rules is not None
    return Model(0.05, tuple(_weights(compare) for compare in rules.compare))


def _weights(compare: Compare) -> Weights:
    bits = BITS.get(compare.trait, (4.1, -2.3))
    assert len(bits) == len(comparisons.levels(compare))
    u = tuple(2.0**-8 for _ in bits)
    terms = Terms(1000, {"joanna": 20, "peter": 8}) if compare.term_frequency else None
    return Weights(compare, tuple(share * 2**bit for share, bit in zip(u, bits, strict=True)), u, terms)
