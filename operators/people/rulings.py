"""Manual links and unlinks, applied."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from contracts.model.hashing import profile_id
from contracts.text.times import parse_time
from operators.people.linking.linked import meet
from operators.people.manual import Ruling
from operators.people.recompute import component, rebuild
from operators.people.store import Pair
from operators.people.work import Work
from operators.records import PERSONS, Link, Person
from operators.stitch.clusters import decided, reason


def rule(work: Work, said: dict[str, Any], *, link: bool) -> dict[str, Any]:
    """Take an entry in, and make people of it; the answer."""
    pairs = sorted(filter(None, (_pair(work, said.get("a")), _pair(work, said.get("b")))))
    if len(pairs) != 2 or pairs[0] == pairs[1]:
        return {"ok": False, "error": "expected two different identifiers of declared namespaces, not blocked, as a and b"}
    time = parse_time(said.get("timestamp"))
    if time is None:
        return {"ok": False, "error": "timestamp: expected a time"}
    a, b = (work.store.hash(pair) for pair in pairs)
    ends = [(work.rules.names[namespace], value) for namespace, value in pairs]
    ruling = Ruling(ends[0], ends[1], link, time, str(said.get("messageId", "")))
    first_ruling = work.manual.ruling(a, b) is None
    if not work.manual.rule(min(a, b) + max(a, b), ruling):
        return {"applied": False}
    work.log.cause = {"type": "link" if link else "unlink", "id": ruling.message}
    if not (link and first_ruling and _is_known(work, a, b, ruling)):
        rebuild(work, [person for person in map(work.store.holder, (a, b)) if person is not None], {a, b})
    holders = {person.key: person for person in map(work.store.holder, (a, b)) if person is not None}
    answer = {"applied": True, "joined": len(holders) == 1, "profiles": sorted(map(profile_id, holders))}
    return answer | {"reason": _refusal(work, a, b, holders.values())} if link and len(holders) > 1 else answer


def _refusal(work: Work, a: bytes, b: bytes, holders: Iterable[Person]) -> str | None:
    """Why the manual link of two people does not stand."""
    store = work.store
    people = component(store, work.manual, holders).values()
    identifiers = {each.hash: each for person in people for each in person.identifiers}
    links = {key: link for person in people for key, link in person.links.items() if link.weight is None}
    for each in identifiers.values():
        if each.refused:
            links.update((link.key, link) for link in store.refusals.of(each.hash))
    shared = store.rules.shared(identifiers.values())
    for link, refusal in decided(identifiers, links.values(), shared, store.rules):
        if link.manual and {link.a, link.b} == {a, b} and refusal is not None:
            return reason(link, refusal, identifiers, shared, store.rules)
    return None


def _is_known(work: Work, a: bytes, b: bytes, ruling: Ruling) -> bool:
    """Note a manual link of two identifiers that are one person's anyway. False, and nothing is noted, if it may change more."""
    store, time = work.store, ruling.time_us
    person = store.holder(a)
    if person is None or person is not store.holder(b) or person.consents or len(person.records) > 1:
        return False
    own = {each.hash: each for each in person.identifiers}
    for each in person.identifiers:
        device = each.device
        if each.refused or (device is not None and (device.identified > PERSONS or not device.persons.keys() <= own.keys())):
            return False
    if time < max(own[a].first, own[b].first):
        return False
    for end in (a, b):
        own[end].last = max(own[end].last, time)
    meet(own[a], own[b])
    version = store.rules.version
    link = Link(a, b, manual=True, first=time, last=time, message=ruling.message, rules=version)
    person.links[link.key] = link
    store.dirty[person.key] = person
    return True


def _pair(work: Work, value: Any) -> Pair | None:
    if not isinstance(value, dict) or not isinstance(value.get("namespace"), str):
        return None
    return work.judge.identifiers.normalize(value["namespace"], value["value"])
