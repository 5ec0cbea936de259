"""Adversarial input: few people, devices and e-mails in one shop, so that everything collides.

A scenario is a pure function of ``(seed, size)``; a smaller size is a prefix of the larger one's events, so that a
failing scenario shrinks by its size. What it holds is told by `scenario`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

import orjson
from hypothesis import strategies as st

from contracts.model.batches import Event
from contracts.model.definitions import Definitions
from contracts.text.names import event_name
from tests.drawn_definitions import definitions_files
from tests.model_consent import Denial, context_of, decisions
from tests.model_links import EPOCH, instant, is_person, normalise
from tests.model_segments import MISSING, values_at
from tests.predicates import drawn_value
from tests.typed import as_typed, retype

MINUTE_US = 60_000_000
DAY_US = 86_400_000_000
START_US = instant("2026-01-01T00:00:00Z")
SPAN_DAYS = 40
PARTITIONS = 3

Json = dict[str, Any]

USERS = ("u1", "u2", "u3", "U3", "7")
SPELLINGS: dict[str, Any] = {"7": "7.0", "1": 1}
"""Other ways to write what an event holds as a text; ``7.0`` is another user than 7."""
EMAILS = ("a@shop.org", "b@shop.org", " A@Shop.org", "c@shop.org", "guest")
PHONES = ("+44 20 7946 0958", "020 7946 0958", "+442079460959")
DEVICES = ("d1", "d2", "d3", "null")
NUMBERS: tuple[Any, ...] = (0.1, 0.2, 19.99, -5, -0.01, 3, 100, 12.5, 1e15, 0, True, "7", None, 0.0000004)
SKUS: tuple[Any, ...] = ("A", "B", "a", "", 1, 1.0, "1", None, ["A"], {"x": 1})
CITIES = ("Berlin", "berlin", "", None, "Köln", "Łódź")
DATES = ("2026-01-10", "2026-01-10T22:30:00Z", "2026-01-11T00:30:00+02:00", "2026-02-31", "2026-01-10T23:30", "soon", "2026-01-20", None)
NUMBERED = (7, 7.0, "7", 0.25, 0.1234567, 0.1234568, 2**63, 2.0**63, 2.0**63 + 2048)
"""As identifiers: the last two, and those of seven places, may be several numbers."""
UNSET = ("1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z")
FOREIGN = ({"id": 5}, 7, "standard-2024", "order/5", "Order Completed/1-0-0", "order_completed/01-0-0", "")
"""Fields of a sender's own that have the name of ours."""
ACCOUNT_TRAITS: dict[str, tuple[Any, ...]] = {
    "plan": ("gold", "free", None, 1), "seats": NUMBERS, "since": DATES, "tags": (["a"], ["a", "b"], [], None),
    "address": ({"city": "Berlin"}, None),
}  # fmt: skip
ORDERS = ("Order Completed", "order_completed", "OrderRefunded", "Order Com\u00adpleted", "O\u200crder Refunded")


@dataclass(frozen=True)
class Scenario:
    """``partitions`` hold the events of each in order of arrival; ``definitions_files`` is what `contracts.load` reads."""

    seed: int
    size: int
    partitions: list[list[Json]]
    control: list[Json]
    definitions_files: dict[str, str] = field(repr=False)
    at_offset_us: int = 0
    """How long after the last event the state is asked for."""
    refused: list[Json] = field(default_factory=list)
    """Records that validate refuses, somewhere among the others."""

    @property
    def events(self) -> list[Json]:
        """All of them, the partitions one after the other."""
        return [event for partition in self.partitions for event in partition]

    def at(self, events: Iterable[Event]) -> int:
        """The time to ask for: not before the last of the events as judged."""
        return max((event.time_us for event in events), default=START_US) + self.at_offset_us


def scenario(seed: int, size: int, *, conflicting: bool = False, shuffled: bool = True) -> Scenario:
    """``size`` different events and their repeats in three partitions, with control entries and definitions.

    Equal times, clusters of minutes within 40 days, silences of exactly the session gap, late logins, shared devices, two
    devices in one event, e-mail only events, identifiers with invisible characters, blocked values and numbers that nobody
    has, consent in both forms and any spelling, manual links, unlinks and links again; in some seeds blocked values of their
    own, small limits, `conflict: oldest`, `owner: device`, `shared_after`, refused records that deny. ``conflicting`` adds
    repeats of a message id with another content; ``shuffled`` lets records arrive out of order.
    """
    rng = Random(f"{seed}:arrival")
    moments = _moments(Random(f"{seed}:moments"))
    partitions: list[list[tuple[float, Json]]] = [[] for _ in range(PARTITIONS)]
    disorder = rng.choice([0, 0, 60, 3 * 86_400, 80 * 86_400]) if shuffled else 0
    for number in range(size):
        event_rng = Random(f"{seed}:event:{number}")
        event = _event(event_rng, f"m{event_rng.randrange(1000):03d}-{number}", moments)
        for copy in [event, *_repeats(event_rng, event, conflicting)]:
            arrives = instant(event["timestamp"]) / 1e6 + event_rng.uniform(0, disorder)
            partitions[event_rng.randrange(PARTITIONS)].append((arrives, copy))
    for partition in partitions:
        partition.sort(key=lambda record: record[0])
    control = _control(Random(f"{seed}:control"), moments)
    offset = rng.choice([0, 1, 30 * MINUTE_US, DAY_US, 10 * DAY_US, 60 * DAY_US])
    files = definitions_files(seed)
    events = [[event for _, event in records] for records in partitions]
    return Scenario(seed, size, events, control, files, offset, refusals(seed, [event for part in events for event in part]))


@st.composite
def scenarios(draw: st.DrawFn, max_size: int = 40) -> Scenario:
    """Hypothesis' way to a scenario; it shrinks to fewer events of the same seed."""
    return scenario(draw(st.integers(0, 2**32 - 1)), draw(st.integers(0, max_size)))


# ── events ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _moments(rng: Random) -> list[int]:
    """Times to draw from: bursts with equal times, small steps, and silences of the session gap, just below and above."""
    times = []
    span = rng.choice([1, 5, SPAN_DAYS, SPAN_DAYS])
    for _ in range(rng.choice([2, 4, 7])):
        time = START_US + rng.randrange(span * 1440) * MINUTE_US
        for _ in range(rng.choice([3, 6])):
            times.append(time)
            gap = 30 * MINUTE_US
            time += rng.choice([0, 1, 1_000_000, MINUTE_US, 10 * MINUTE_US, gap - 1, gap, gap + 1, 2 * DAY_US])
    return times


def text_of(time_us: int) -> str:
    """ISO 8601, with milliseconds if that is all there is."""
    spec = "milliseconds" if time_us % 1000 == 0 else "microseconds"
    return (EPOCH + timedelta(microseconds=time_us)).isoformat(timespec=spec) + "Z"


def _event(rng: Random, message_id: str, moments: list[int]) -> Json:
    make = rng.choice([_identify, _order, _order, _view, _page, _page, _consent])
    event: Json = {**make(rng), "messageId": message_id, "timestamp": text_of(rng.choice(moments))}
    _identify_by(rng, event)
    valued = Random(f"{message_id}:value")
    if event["type"] == "identify" or event.get("event") in ORDERS:
        event["traits" if event["type"] == "identify" else "properties"]["value"] = drawn_value(valued)
    if rng.random() < 0.15:
        context = event.setdefault("context", {})
        context["consent"] = {"categoryPreferences": _preferences(rng)}
    if rng.random() < 0.2:
        event.setdefault("context", {})["channel"] = rng.choice(["web", "shop", None])
    if rng.random() < 0.05:
        event.setdefault("context", {})["contract"] = rng.choice(FOREIGN)
    event = _grouped(Random(f"{message_id}:group"), event)
    if rng.random() < 0.1:
        event["originalTimestamp"] = event["timestamp"]
        event["sentAt"] = event["receivedAt"] = event["timestamp"]
    elif rng.random() < 0.05:
        event |= {"sentAt": rng.choice(UNSET), "receivedAt": event["timestamp"]}
    for part in ("properties", "traits", "context"):
        # PHP's empty object.
        if not event.get(part, True) or (part not in event and rng.random() < 0.02):
            event[part] = []
    return event


def _identify_by(rng: Random, event: Json) -> None:
    """Anonymous, logged in, by e-mail only, on two devices, or nothing at all, each as somebody may have typed it."""
    how = rng.choices(["anonymous", "login", "user", "email", "two devices", "nothing", "all"], [8, 6, 2, 2, 2, 1, 1])[0]
    if how in ("anonymous", "login", "two devices", "all"):
        event["anonymousId"] = rng.choices(DEVICES, [5, 5, 3, 1])[0]
    if how in ("login", "user", "all"):
        event["userId"] = rng.choice(USERS)
    if how in ("email", "all") or (how == "login" and rng.random() < 0.2):
        event.setdefault("context", {})["traits"] = {"email": rng.choice(EMAILS)}
    if how == "all" or rng.random() < 0.05:
        event.setdefault("context", {}).setdefault("traits", {})["phone"] = rng.choice(PHONES)
    if how == "two devices":
        event["previousId"] = rng.choice(DEVICES)
    if rng.random() < 0.1:
        event.setdefault("context", {})["device"] = {"id": rng.choice(["x1", "x2", *NUMBERED])}
    retype(event)


def _identify(rng: Random) -> Json:
    traits: Json = {}
    for name, values in (("plan", ("gold", "free", None, 1)), ("age", NUMBERS), ("since", DATES), ("address", None)):
        if rng.random() < 0.5:
            traits[name] = {"city": rng.choice(CITIES)} if values is None else rng.choice(values)
    if rng.random() < 0.3:
        traits["email"] = rng.choice(EMAILS)
    if rng.random() < 0.2:
        traits["total"] = 5
    return {"type": "identify", "traits": traits}


ACCOUNTS: tuple[Any, ...] = ("acme", "acme", "acme", " acme ", "hive", "hive", "7", 7, "Łódź")


def _grouped(rng: Random, event: Json) -> Json:
    """Of some events what their sender says of an account instead; often so that somebody leaves it."""
    if rng.random() > 0.15:
        if rng.random() < 0.1:
            # Of which account it is, its sender may say.
            return {**event, "context": {**(event.get("context") or {}), "groupId": rng.choice([*ACCOUNTS, "", None, [], True, 1.5])}}
        return event
    traits: Json = {name: rng.choice(values) for name, values in ACCOUNT_TRAITS.items() if rng.random() < 0.5}
    if rng.random() < 0.5:
        traits["left"] = rng.choice([True, True, True, False, None, "true", 1])
    kept = {key: value for key, value in event.items() if key not in {"event", "name", "properties", "traits"}}
    return {**kept, "type": "group", "groupId": rng.choice(ACCOUNTS), "traits": traits}


def _order(rng: Random) -> Json:
    properties: Json = {"amount": rng.choice(NUMBERS), "sku": rng.choice(SKUS), "currency": rng.choice(["EUR", "GBP"])}
    if rng.random() < 0.5:
        properties["items"] = [{"sku": rng.choice(["A", "B"]), "qty": rng.choice([1, 2, 2.5])} for _ in range(rng.choice([1, 2]))]
    if rng.random() < 0.3:
        properties["due"] = rng.choice(DATES)
    return {"type": "track", "event": rng.choice(ORDERS), "properties": properties}


def _view(rng: Random) -> Json:
    return {"type": "track", "event": "product_viewed", "properties": {"sku": rng.choice(SKUS), "amount": rng.choice(NUMBERS)}}


def _page(rng: Random) -> Json:
    return rng.choice(
        [{"type": "page", "name": "Home"}, {"type": "page", "properties": {"name": "Cart"}}, {"type": "screen", "name": "Home"}]
    )


def _consent(rng: Random) -> Json:
    return {"type": "track", "event": "Consent Updated", "properties": {"categoryPreferences": _preferences(rng)}}


SPELLED: tuple[Any, ...] = (
    "false", "Denied ", "NO", "0", "opt-out", "Opted Out", 0, 0.0, "true", " Yes", "granted", "opt_in", "1", 1, None, "maybe", "", 2, -1,
    "\u200byes", "ｎｏ", "opt\u2011in",
    [], {}, ["marketing"], {"granted": True},
)  # fmt: skip
"""Decisions that are no booleans: denials, grants, none, and what is neither."""
ODD_PREFERENCES: tuple[Any, ...] = ([], "", None, "granted", True, "denied", False, ["marketing"], "C0001,C0002", 7)
"""What stands in the place of the decisions by purpose."""


def _preferences(rng: Random) -> Any:
    names = rng.sample(["marketing", "analytics", "undeclared"], rng.choice([1, 1, 2]))
    if rng.random() < 0.1:
        return rng.choice(ODD_PREFERENCES)
    return {name: rng.choice([True, False, True, False, rng.choice(SPELLED)]) for name in names}


def _repeats(rng: Random, event: Json, conflicting: bool) -> list[Json]:
    """Copies that differ in what a server rewrites, so that their times, their types and even their identifiers may differ."""
    copies: list[Json] = []
    for _ in range(rng.choices([0, 1, 2, 3], [6, 2, 1, 1])[0]):
        copy = dict(event)
        if rng.random() < 0.7:
            sent = instant(event["timestamp"]) + rng.choice([0, 5, 120]) * MINUTE_US
            delay = rng.choice([-DAY_US, -31 * MINUTE_US, -1, 0, 1, 5 * MINUTE_US, 30 * MINUTE_US, DAY_US])
            copy |= {"sentAt": text_of(sent), "receivedAt": text_of(sent + delay)}
        if rng.random() < 0.4:
            copy = _rewritten(rng, copy)
        if conflicting and rng.random() < 0.5:
            copy["integrations"] = {"copy": rng.randrange(100)}
        copies.append(copy)
    rng.shuffle(copies)
    return copies


def _rewritten(rng: Random, event: Json) -> Json:
    """The event as another server would pass it on: restamped, its values of other types, from another place, its keys in another order."""
    event = _retyped(rng, event)
    time = instant(event["timestamp"]) + rng.choice([-DAY_US, -31 * MINUTE_US, -1, 0, 0, 1, 30 * MINUTE_US])
    if rng.random() < 0.3:
        event = {key: each for key, each in event.items() if key not in {"sentAt", "receivedAt"}}
        event["originalTimestamp"] = event["timestamp"]
    if "originalTimestamp" in event and "receivedAt" in event:
        # Nothing corrects such a time, and one from further ahead would be refused.
        time = min(time, instant(event["receivedAt"]) + DAY_US)
    event |= {"timestamp": text_of(time)}
    if rng.random() < 0.5:
        sender: Json = {"ip": rng.choice(["10.0.0.1", "10.0.0.2"]), "library": {"name": "web", "version": rng.choice(["1.0", "2.0"])}}
        event["context"] = (event.get("context") or {}) | sender
    return dict(reversed(event.items())) if rng.random() < 0.5 else event


def _retyped(rng: Random, value: Any) -> Any:
    if isinstance(value, dict):
        return {key: each if key in {"messageId", "timestamp", "sentAt"} else _retyped(rng, each) for key, each in value.items()}
    if isinstance(value, list):
        return [_retyped(rng, each) for each in value]
    if isinstance(value, bool) or rng.random() < 0.5:
        return value
    return SPELLINGS.get(value, value) if isinstance(value, str) else json.dumps(value) if isinstance(value, int | float) else value


# ── refused records ─────────────────────────────────────────────────────────────────────────────────────────────────
READ_AT_US = START_US + 1000 * DAY_US
"""When records were read, which is after all of them."""


def refusals(seed: int, events: list[Json]) -> list[Json]:
    """Some of these events as validate refuses them: most deny, some as the event itself does, some have an id of their own."""
    rng = Random(f"{seed}:refused")
    found = []
    for number, event in enumerate(rng.sample(events, min(len(events), rng.choice([0, 0, 1, 4])))):
        body = {**event, **rng.choice([{"type": "click"}, {"type": 7}, {"userId": ["u1"]}, {"timestamp": "soon"}, {"properties": "none"}])}
        if rng.random() < 0.5:
            body["messageId"] = f"r{number}"
        if rng.random() < 0.7:
            denied = rng.choice([False, "denied", "?"])
            body["context"] = {**(event.get("context") or {}), "consent": {"categoryPreferences": {"marketing": denied, "analytics": True}}}
        if rng.random() < 0.3:
            body["receivedAt"] = text_of(instant(event["timestamp"]) + rng.choice([-DAY_US, 0, DAY_US]))
        found.append(body)
    return found


def to_denials(bodies: Iterable[Json], definitions: Definitions) -> list[Denial]:
    """What refused records deny, written plainly and without the engine."""
    return [denial for body in bodies for denial in _denied(body, definitions)]


def _denied(body: Json, definitions: Definitions) -> list[Denial]:
    rules = definitions.identity
    another = body["type"] in {"identify", "page", "screen", "group", "alias"}
    about = not another and event_name(body.get("event", "")) in {"", "consent_updated"} and isinstance(body.get("properties"), dict)
    told = decisions([context_of(body), body["properties"] if about else None], [purpose.name for purpose in definitions.purposes])
    identifiers = _identifiers({key: value for key, value in body.items() if value != ["u1"]}, definitions)
    first = [*(each for each in identifiers if is_person(rules, each)), *identifiers][:1]
    limit = instant(body["receivedAt"]) if "receivedAt" in body else READ_AT_US
    time = limit if body["timestamp"] in {"soon", "yesterday"} else min(_time_of(body), limit)
    return [
        Denial(body["messageId"], (rules.namespaces[at].name, value), purpose, time)
        for at, value in first
        for purpose, granted in told.items()
        if not granted
    ]


# ── control ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _control(rng: Random, moments: list[int]) -> list[Json]:
    """Entries about a few pairs, so that later ones meet earlier ones."""
    known = [("user_id", u) for u in USERS] + [("email", e) for e in EMAILS[:3]] + [("anonymous_id", x) for x in ("d1", "d2", "d9")]
    pairs = [rng.sample(known, 2) for _ in range(rng.choice([0, 1, 3]))]
    entries = []
    for number in range(rng.choice([0, 1, 4, 6]) if pairs else 0):
        ends = rng.sample(rng.choice(pairs), 2)
        typed = Random(f"{number}:{ends}")
        a, b = ({"namespace": namespace, "value": as_typed(typed, value)} for namespace, value in ends)
        time = text_of(rng.choice(moments))
        entries.append(
            {"type": rng.choice(["link", "unlink"]), "a": a, "b": b, "timestamp": time, "messageId": f"c{number}", "why": "test"}
        )
    return entries


# ── to events ───────────────────────────────────────────────────────────────────────────────────────────────────────


def to_events(bodies: Iterable[Mapping[str, Any]], definitions: Definitions) -> list[Event]:
    """What well-formed bodies become when they are accepted, written plainly and without the engine."""
    return [_judged(dict(body), definitions, position) for position, body in enumerate(bodies, 1)]


def _judged(body: Json, definitions: Definitions, position: int) -> Event:
    what = body["type"]
    name = {"track": event_name(body.get("event", "")), "page": "page_viewed", "screen": "screen_viewed"}.get(what, "")
    properties = dict(body.get("properties") or {})
    if what in ("page", "screen") and "name" in body:
        properties.setdefault("name", body["name"])
    purposes = [purpose.name for purpose in definitions.purposes]
    consents = decisions([context_of(body), properties if name == "consent_updated" else None], purposes)
    return Event(
        position=position,
        time_us=_time_of(body),
        message_id=body["messageId"],
        type=what,
        name=name,
        contract=f"{name or what}/1-0-0",
        identifiers=_identifiers(body, definitions),
        properties=properties,
        traits=(body.get("traits") or {}) if what == "identify" else None,
        consents=consents or None,
        received_at_us=instant(body["receivedAt"]) if "receivedAt" in body else None,
        body=body,
        raw=written(body),
        group=None if what != "group" else (_account(body["groupId"]), body.get("traits") or {}),
    )


def _account(said: Any) -> str:
    return said.strip() if isinstance(said, str) else str(int(said))


def written(body: Json) -> bytes:
    """As some senders write it: of every seventh a key stands twice in some object, and only its last value counts."""
    raw, luck = orjson.dumps(body), Random(str(body["messageId"]))
    if luck.randrange(7):
        return raw
    places = [at for at, sign in enumerate(raw) if sign == ord("{") and raw[at + 1] == ord('"')]
    at = luck.choice(places) + 1
    key = raw[at : raw.index(b'":', at) + 1]
    if luck.random() < 0.5:
        key = b'"\\u%04x' % key[1] + key[2:]
    return raw[:at] + key + b":" + luck.choice([b"1", b"null", b'"Z"', b'{"name":[]}']) + b"," + raw[at:]


def _time_of(body: Json) -> int:
    time = instant(body["timestamp"])
    if "originalTimestamp" not in body and "sentAt" in body and "receivedAt" in body:
        sent = instant(body["sentAt"])
        # Nobody sends what happens tomorrow.
        time += 0 if sent < time - DAY_US else instant(body["receivedAt"]) - sent
    return time


def _identifiers(body: Json, definitions: Definitions) -> tuple[tuple[int, str], ...]:
    rules = definitions.identity
    read = [(i, n, value) for i, n in enumerate(rules.namespaces) for path in n.paths for value in values_at(body, path)]
    texts = [(i, n, _digits(value) if isinstance(value, float) else str(value)) for i, n, value in read if value is not MISSING]
    found = {(i, normalise(rules, n, text)) for i, n, text in texts if text is not None}
    return tuple(sorted((i, value) for i, value in found if value is not None))


def _digits(value: float) -> str | None:
    """What a float identifies: nothing, if other numbers may have become the same float."""
    text = format(Decimal(repr(value)), "f").removesuffix(".0")
    places = len(text.partition(".")[2])
    return None if abs(value) >= 2**53 or places > 6 else text
