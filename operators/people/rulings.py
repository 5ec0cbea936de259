"""Manual links and unlinks, applied."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from contracts.model.hashing import profile_id
from contracts.text.times import parse_time
from operators.extract import said_text
from operators.people.linking.linked import meet
from operators.people.manual import Ruling
from operators.people.recompute import component, rebuild
from operators.people.store import Pair
from operators.people.work import Work
from operators.records import PERSONS, Link, Person
from operators.stitch.clusters import decided, reason

_NOT_YET = (
    "expected two different identifiers of declared namespaces, not blocked, as a and b. The entry is kept: it counts from the definitions "
    "on by which they are that"
)


def rule(work: Work, said: dict[str, Any], *, link: bool) -> dict[str, Any]:
    """Take an entry in, and make people of it; the answer."""
    ends, time = [_end(said.get(end)) for end in ("a", "b")], parse_time(said.get("timestamp"))
    if ends[0] is None or ends[1] is None or ends[0] == ends[1]:
        return {"ok": False, "error": "expected two different identifiers of declared namespaces, not blocked, as a and b"}
    if time is None:
        return {"ok": False, "error": "timestamp: expected a time"}
    entry = Ruling(ends[0], ends[1], link, time, str(said.get("messageId", "")))
    if work.beside is not None:
        _rule_beside(work.beside, entry)
    meant = work.manual.read(entry)
    if meant is None:
        work.manual.say(entry)
        return {"ok": False, "error": _NOT_YET}
    key = work.manual.key(meant)
    first_ruling = key not in work.manual.rulings
    ruling = work.manual.say(entry)
    if ruling is None:
        return {"applied": False}
    a, b = pair = _hashes(work, ruling)
    if work.first is not None:
        work.first(_pairs(work, ruling))
    work.log.cause = {"type": "link" if link else "unlink", "id": ruling.message}
    if not (link and first_ruling and _is_known(work, a, b, ruling)):
        link_again(work, pair)
    holders = {person.key: person for person in map(work.store.holder, (a, b)) if person is not None}
    answer = {"applied": True, "joined": len(holders) == 1, "profiles": sorted(map(profile_id, holders))}
    return answer | {"reason": _refusal(work, a, b, holders.values())} if link and len(holders) > 1 else answer


def _rule_beside(work: Work, entry: Ruling) -> None:
    """The same by the definitions by which everybody is being made anew; the entry is kept for them, too."""
    ruling = work.manual.hear(entry)
    if ruling is not None:
        work.begin(entry.message, entry.time_us)
        link_again(work, _hashes(work, ruling))


def link_again(work: Work, pair: Iterable[bytes]) -> None:
    """Make people anew of whoever has one of two identifiers."""
    ends = set(pair)
    rebuild(work, [person for person in map(work.store.holder, sorted(ends)) if person is not None], ends)


def _pairs(work: Work, ruling: Ruling) -> list[Pair]:
    """Both ends, the higher in rank first."""
    position = work.rules.position
    return sorted((position[space], value) for space, value in (ruling.a, ruling.b))


def _hashes(work: Work, ruling: Ruling) -> list[bytes]:
    return [work.store.hash(pair) for pair in _pairs(work, ruling)]


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


def _end(value: Any) -> tuple[str, str] | None:
    """An end as it was said; None if it is no identifier by any rules."""
    if not isinstance(value, dict) or not isinstance(value.get("namespace"), str):
        return None
    text = said_text(value.get("value"))
    return None if text is None else (value["namespace"], text)
