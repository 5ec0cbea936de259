"""What Skep means, without an engine: `dump` computes the state at a time T from the set of accepted events.

It is batch, quadratic and plain, to be read line by line beside `docs/architecture.md`: links (`tests.model_links`), links
by likeness (`tests.model_matching`), then whose an event is, consent (`tests.model_consent`), accounts
(`tests.model_accounts`), traits and segments (`tests.model_segments`). It shares with the engine only the types of the
contracts, the keyed hash, the text of a number and the match weight of one pair.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any, NamedTuple

import orjson

from contracts.model.batches import Event
from contracts.model.definitions import Definitions, IdentityRules
from contracts.model.hashing import Hasher, profile_id
from tests.model_accounts import account_lines, account_traits, accounts_of, belongs_to
from tests.model_consent import Denial, consents_of, waiting
from tests.model_links import (
    EPOCH,
    Ident,
    Identity,
    Link,
    accepted,
    anchor_of,
    event_links,
    identifications,
    is_person,
    is_shared,
    join,
    lead,
    link_order,
    manual_entries,
    moment,
    normalise,
    within_link_limit,
)
from tests.model_matching import Weigher, confidence_of, join_likely, likely_links, records_of
from tests.model_segments import Exact, Facts, holds, json, measured, traits_of


# ── clusters ────────────────────────────────────────────────────────────────────────────────────────────────────────
def resolve(definitions: Definitions, events: Sequence[Event], control: Iterable[Mapping[str, Any]]) -> Identity:
    rules = definitions.identity
    manual, unlinked = manual_entries(rules, control)
    times: dict[Ident, list[int]] = defaultdict(list)
    for event in events:
        for identifier in event.identifiers:
            times[identifier].append(event.time_us)
    for link in manual:
        times[link.a].append(link.first_seen)
        times[link.b].append(link.first_seen)
    seen = {identifier: (min(at), max(at)) for identifier, at in times.items()}
    shared = {d for d in seen if is_shared(rules, d, identifications(rules, events, d, unlinked))}

    def standing(links: list[Link]) -> list[Link]:
        return [link for link in links if (link.a, link.b) not in unlinked and not {link.a, link.b} & shared]

    identity = Identity(seen, [], {identifier: frozenset([identifier]) for identifier in seen}, unlinked)
    candidates = manual + within_link_limit(rules, standing(event_links(events)))
    for link in sorted(candidates, key=lambda link: link_order(rules, link)):
        join(rules, identity, link)
    if rules.probabilistic is not None:
        records = records_of(rules, events, identity)
        weigher = Weigher(definitions)
        join_likely(rules, identity, records, standing(likely_links(rules.probabilistic, records, weigher)), weigher)
    return identity


# ── whose event ─────────────────────────────────────────────────────────────────────────────────────────────────────
def session_of(rules: IdentityRules, events: Sequence[Event], device: Ident, event: Event) -> tuple[int, int]:
    """First and last time of the device's session around the event; a silence longer than the gap cuts."""
    times = [e.time_us for e in events if device in e.identifiers]
    cuts = [0] + [i for i in range(1, len(times)) if times[i] - times[i - 1] > rules.session_gap_us] + [len(times)]
    sessions = [(times[start], times[stop - 1]) for start, stop in pairwise(cuts)]
    return next((start, end) for start, end in sessions if start <= event.time_us <= end)


def owner_of(rules: IdentityRules, events: Sequence[Event], device: Ident, event: Event, identity: Identity) -> Ident | None:
    """Whom an anonymous event of the device goes to: a person identifier, the device itself, or nobody (None)."""
    if rules.owner == "device":
        return device
    identified = identifications(rules, events, device, identity.unlinked)
    start, end = session_of(rules, events, device, event)
    if during := [(at, person) for at, person in identified if start <= at[0] <= end]:
        so_far = [person for at, person in during if at <= moment(event)]
        return so_far[-1] if so_far else during[0][1]
    if is_shared(rules, device, identified):
        return None
    if before := [(at[0], person) for at, person in identified if at[0] < start]:
        recent = [person for time, person in before if time >= start - rules.backstitch_us]
        return None if len({identity.cluster[person] for person in recent}) > 1 else before[-1][1]
    if identified:
        first, person = identified[0]
        return person if first[0] <= start + rules.backstitch_us else None
    return device


class People(NamedTuple):
    """Which profile each identifier and each message belongs to, and each profile's events."""

    of_identifier: dict[Ident, str]
    of_message: dict[str, str]
    profiles: dict[str, list[Event]]


def attribute(rules: IdentityRules, events: Sequence[Event], identity: Identity, hasher: Hasher) -> People:
    people = People({}, {}, {})
    for identifier, cluster in identity.cluster.items():
        index, value = lead(identity, cluster)
        pid = profile_id(hasher.identifier(rules.namespaces[index].name, value))
        people.of_identifier[identifier] = pid
        people.profiles[pid] = []
    for event in events:
        anchor = anchor_of(rules, event)
        if anchor is None:
            continue
        owner = anchor if is_person(rules, anchor) else owner_of(rules, events, anchor, event, identity)
        if owner is None and any(is_person(rules, i) for i in identity.cluster[anchor]):
            pid = profile_id(hasher.shared(rules.namespaces[anchor[0]].name, anchor[1]))
        else:
            pid = people.of_identifier[owner or anchor]
        people.of_message[event.message_id] = pid
        people.profiles.setdefault(pid, []).append(event)
    return people


# ── dump ────────────────────────────────────────────────────────────────────────────────────────────────────────────
def seen(first_us: int, last_us: int) -> dict[str, object]:
    first, last = (EPOCH + timedelta(microseconds=time) for time in (first_us, last_us))
    return {"first_seen": first.isoformat(timespec="microseconds") + "Z", "last_seen": last.isoformat(timespec="microseconds") + "Z"}


def dump(
    events: Iterable[Event],
    control: Iterable[Mapping[str, Any]],
    definitions: Definitions,
    at: int,
    *,
    hasher: Hasher,
    space: str = "shop",
    denials: Iterable[Denial] = (),
) -> list[bytes]:
    """The state at time ``at`` (µs) as sorted canonical JSON lines: a function of the set of events, entries and refused denials."""
    taken = accepted(events)
    denied = waiting(definitions, denials, taken)
    identity = resolve(definitions, taken, control)
    people = attribute(definitions.identity, taken, identity, hasher)
    lines = [*identity_lines(definitions.identity, identity, people)]
    lines += [{"kind": "message", "id": mid, "profile": pid} for mid, pid in people.of_message.items()]
    said = {account: account_traits(definitions, taken, people.profiles, account, at) for account in accounts_of(taken)}
    lines += account_lines(said, people.profiles)
    for pid, mine in people.profiles.items():
        members = [identifier for identifier, home in people.of_identifier.items() if home == pid]
        theirs = [(identifier, denial) for identifier, denial in denied if identifier in members]
        confidence = min((confidence_of(identity, member) for member in members), default=1.0)
        accounts = [said[one] for one in belongs_to(mine)]
        told = profile(definitions, mine, identity, at, confidence, denied=theirs, accounts=accounts, members=members)
        lines.append({"kind": "profile", "id": pid, "confidence": rounded(confidence), **told})
    return sorted(json({"space": space, **line}) for line in lines)


def rounded(value: float) -> orjson.Fragment:
    """A number as it is printed where it is no exact one: to six decimals."""
    return orjson.Fragment(orjson.dumps(round(value, 6)))


def identity_lines(rules: IdentityRules, identity: Identity, people: People) -> Iterator[dict[str, object]]:
    for (index, value), times in identity.seen.items():
        whose = {"value": value, "profile": people.of_identifier[index, value]}
        yield {"kind": "identifier", "namespace": rules.namespaces[index].name, **whose, **seen(*times)}
    for link in identity.links:
        ends = {end: [rules.namespaces[index].name, value] for end, (index, value) in (("a", link.a), ("b", link.b))}
        weight = {} if link.weight is None else {"weight": rounded(link.weight)}
        told = {"type": link.kind, "message": link.message, "count": link.count}
        yield {"kind": "link", **told, **weight, **ends, **seen(link.first_seen, link.last_seen)}


def called(dumped: Iterable[bytes]) -> dict[str, dict[str, str]]:
    """By profile of a dump, how it is called: of each namespace the value first seen last, of several at one moment the smaller."""
    lines = list(map(orjson.loads, dumped))
    found: dict[str, dict[str, str]] = {line["id"]: {} for line in lines if line["kind"] == "profile"}
    for line in sorted((line for line in lines if line["kind"] == "identifier"), key=lambda line: line["value"], reverse=True):
        ones = [one for one in lines if one["kind"] == "identifier" and one["profile"] == line["profile"]]
        if line["first_seen"] == max(one["first_seen"] for one in ones if one["namespace"] == line["namespace"]):
            found[line["profile"]][line["namespace"]] = line["value"]
    return found


def renamed(before: Mapping[str, Mapping[str, str]], after: Mapping[str, Mapping[str, str]]) -> dict[str, list[str]]:
    """What `identity.identifiers` tells of the profiles that are there before and after: in which namespaces they are called otherwise."""
    differ = {
        profile: sorted(name for name in {*before[profile], *now} if before[profile].get(name) != now.get(name))
        for profile, now in after.items()
        if profile in before
    }
    return {profile: namespaces for profile, namespaces in differ.items() if namespaces}


def profile(
    definitions: Definitions,
    events: Sequence[Event],
    identity: Identity,
    at: int,
    confidence: float = 1.0,
    *,
    denied: Sequence[tuple[Ident, Denial]] = (),
    accounts: Sequence[dict[str, object]] = (),
    members: Sequence[Ident] = (),
) -> dict[str, object]:
    traits = traits_of(definitions, events, at)
    features = {f.key: measured(f, events, at) for f in definitions.features.values()}
    consents = consents_of(definitions, events, identity, denied)
    granted = {p.name: consents.get(p.name, p.default) for p in definitions.purposes}
    ranked = sorted(members, key=lambda one: (one[0], identity.seen[one][0], one[1]))
    named = [(definitions.identity.namespaces[index].name, value) for index, value in ranked]
    lists = {name: listed.entries for name, listed in definitions.lists.items()}
    times = [event.time_us for event in events]
    spaces = {namespace.name: namespace for namespace in definitions.identity.namespaces}

    def written(namespace: str, value: object) -> object:
        return normalise(definitions.identity, spaces[namespace], str(value)) or value

    facts = Facts(traits, features, granted, [], round(confidence, 6), at, accounts, times, named, lists, written)
    for segment in definitions.segments:
        sure = segment.confidence is None or facts.confidence >= segment.confidence
        if sure and (segment.purpose is None or granted[segment.purpose]) and holds(segment, segment.who, facts):
            facts.segments.append(segment.name)
    shown = {key for key, feature in definitions.features.items() if feature.measure != "unbroken"}
    numbers = {key: value for key, value in features.items() if isinstance(value, Exact) and key in shown}
    return {"traits": traits, "features": numbers, "segments": sorted(facts.segments), "consents": consents}
