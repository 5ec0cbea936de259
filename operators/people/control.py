"""Entries of the control partition, applied: definitions, manual links and unlinks; repairs of the quarantine are in `repairs`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import orjson

from contracts.model.batches import ControlEntry
from contracts.model.definitions import Definitions
from contracts.model.hashing import profile_id
from contracts.model.versions import newest
from contracts.text.times import parse_time
from operators.epochs import CONTROL, append_epoch
from operators.generations import GENERATIONS, begin
from operators.people.manual import Ruling
from operators.people.meaning import MEANING, is_old, renew, time_again
from operators.people.rebuild import component
from operators.people.repairs import REPAIRS, Repairs
from operators.people.stitcher import meet
from operators.records import OWNED, PERSONS, SELF, Link, Person, decode_person, moment_contract, moment_raw
from operators.segments.compile import Program
from operators.stitch.clusters import decided
from operators.stitch.reasons import reason, shared_devices
from state.keys import NOBODY as NO_ANCHOR
from state.keys import time_key

if TYPE_CHECKING:
    from operators.people.space import Space
    from operators.people.store import Pair


def _differences(before: Definitions, after: Definitions) -> list[str]:
    """In what they do not say the same of every event that was accepted; nothing about anybody changes if there is none."""

    def meaning(one: Definitions) -> dict[str, Any]:
        models = {event: newest(versions).version[0] for event, versions in one.contracts.items() if event in one.upcasts}
        return {
            "identity": one.identity,
            "traits": one.traits,
            "consents": one.purposes,
            "segments": one.segments,
            "features": one.features,
            "upcasts": one.upcasts,
            "models": models,
        }

    here, there = meaning(before), meaning(after)
    return [name for name in here if here[name] != there[name]]


class Control:
    """What control entries do to a space."""

    def __init__(self, space: Space) -> None:
        self._space = space
        self._repairs = Repairs(space)

    def apply(self, entry: ControlEntry) -> None:
        """Apply an entry and keep the answer for the command that waits for it."""
        space, said = self._space, entry.entry
        kind = said["type"]
        space.log.time = parse_time(said.get("timestamp"))
        space.log.clock = space.meta.clock if space.meta.clock is not None else space.log.time or 0
        if kind == "definitions":
            answer = self._definitions(entry)
        elif kind in {"link", "unlink"}:
            answer = self._rule(said, link=kind == "link")
        elif kind in REPAIRS:
            answer = self._repairs.apply(entry)
        elif kind in GENERATIONS:
            answer = begin(space.meta, space.shard.meta, said)
        elif kind == "resume":
            answer = {"source": said.get("source"), "applied": space.quality.resume(str(said.get("source")))}
        else:
            answer = {"ok": False, "error": f"control entry {entry.position} is of no known type: {kind!r}"}
        if space.digest:
            space.remember()
        identity = said.get("messageId")
        if isinstance(identity, str):
            space.shard.answers.put(identity.encode(), orjson.dumps({"ok": True, "type": kind, **answer}))

    # ---- definitions

    def _definitions(self, entry: ControlEntry) -> dict[str, Any]:
        space = self._space
        digest = entry.entry["digest"]
        holds_from = entry.entry.get("from")
        if holds_from is None:
            holds_from = {partition: position + 1 for partition, position in space.meta.applied.items() if partition != CONTROL}
        append_epoch(space.meta.epochs, digest, holds_from, entry.position)
        before, known = (space.program, space.definitions) if space.digest else (None, None)
        recompute = ["the meaning of what is stored"] if known is not None and is_old(space.meta) else []
        if digest != space.digest:
            space.use(digest)
            recompute += _differences(known, space.definitions) if known is not None else []
        if before is not None and recompute:
            space.log.cause = {"type": "definition", "digest": digest}
            with space.computing(f"definitions {digest} differ in {', '.join(recompute)}"):
                self._recompute(before)
        return {"definitions": digest, "recomputed": bool(recompute)}

    def renew(self) -> bool:
        """Compute everybody anew if that was last done by an older meaning of what is stored; whether it was done."""
        space = self._space
        if not is_old(space.meta):
            return False
        if not space.digest:
            space.meta.meaning = MEANING
            return False
        space.log.cause, space.log.time = {"type": "meaning", "id": str(MEANING)}, None
        space.log.clock = space.meta.clock or 0
        with space.computing("this version of Skep reads what is stored in another way"):
            self._recompute(space.program)
        space.remember()
        return True

    def _recompute(self, before: Program) -> None:
        """New definitions, or another meaning: everybody anew from the moments, in one commit; only differences are announced."""
        space = self._space
        old_meaning = is_old(space.meta)
        if old_meaning:
            renew(space)
        space.denials.read_again()
        old = {key: decode_person(row) for key, row in space.shard.people.committed(b"")}
        anchors = {key for key, _ in space.shard.alias.committed(b"")}
        for anchor in self._anchors_with_moments():
            anchors |= self._anchor_again(anchor, timed=old_meaning)
        if old_meaning:
            anchors |= space.manual.named
        for person in old.values():
            self._translate(person, before)
        names = {segment.name for segment in space.program.segments}
        space.meta.sizes = {name: size for name, size in space.meta.sizes.items() if name in names and size}
        anchors.discard(NO_ANCHOR)
        for person in old.values():
            person.records = {}
        space.clear_records()
        space.compute(old, anchors, everybody=True)

    def _translate(self, person: Person, before: Program) -> None:
        """Memberships by name: out of the segments that are gone, the others under their new numbers."""
        here = {segment.name: at for at, segment in enumerate(self._space.program.segments)}
        held, bits = int.from_bytes(person.bits, "little"), 0
        for at, segment in enumerate(before.segments):
            if held >> at & 1:
                if segment.name in here:
                    bits |= 1 << here[segment.name]
                else:
                    self._space.announcer.left(person, segment.name, segment.version)
        person.bits = bits.to_bytes((bits.bit_length() + 7) // 8, "little")

    def _anchors_with_moments(self) -> set[bytes]:
        shard = self._space.shard
        return {key[4:20] for key, _ in shard.moments.committed(b"")} | {key[:16] for key, _ in shard.pages.committed(b"")}

    def _anchor_again(self, anchor: bytes, *, timed: bool) -> set[bytes]:
        """Hang the moments of an anchor where the identity rules in force say, ``timed`` also at the time at which they are read
        today; returns the anchors they hang on."""
        space = self._space
        found = {anchor}
        for kept in list(space.store.moments([anchor])):
            event = space.reread(moment_raw(kept.row), moment_contract(kept.row))
            pairs = event.identifiers
            home = space.store.hash(space.stitcher.visits.anchor(pairs)) if pairs else NO_ANCHOR
            time_us = time_again(event, kept.time_us) if timed else kept.time_us
            if home == anchor and time_us == kept.time_us:
                continue
            found.add(home)
            space.store.drop(kept)
            # What comes out of a page is remembered again until it is sealed again.
            space.meta.remembered += kept.forgotten
            space.shard.seen.put(kept.message, time_key(time_us) + home)
            row = bytes((SELF,)) + kept.row[1:7] + kept.row[23 if kept.row[0] == OWNED else 7 :]
            space.store.put_moment(home, time_us, kept.message, row)
            space.meta.unidentified += (home == NO_ANCHOR) - (anchor == NO_ANCHOR)
        return found

    # ---- manual evidence

    def _rule(self, said: dict[str, Any], *, link: bool) -> dict[str, Any]:
        space = self._space
        pairs = sorted(filter(None, (self._pair(said.get("a")), self._pair(said.get("b")))))
        if len(pairs) != 2 or pairs[0] == pairs[1]:
            return {"ok": False, "error": "expected two different identifiers of declared namespaces, not blocked, as a and b"}
        time = parse_time(said.get("timestamp"))
        if time is None:
            return {"ok": False, "error": "timestamp: expected a time"}
        a, b = (space.store.hash(pair) for pair in pairs)
        ends = [(space.rules.names[namespace], value) for namespace, value in pairs]
        ruling = Ruling(ends[0], ends[1], link, time, str(said.get("messageId", "")))
        first_ruling = space.manual.ruling(a, b) is None
        if not space.manual.rule(min(a, b) + max(a, b), ruling):
            return {"applied": False}
        space.log.cause = {"type": "link" if link else "unlink", "id": ruling.message}
        if not (link and first_ruling and self._is_known(a, b, ruling)):
            space.rebuild([person for person in map(space.store.holder, (a, b)) if person is not None], {a, b})
        holders = {person.key: person for person in map(space.store.holder, (a, b)) if person is not None}
        answer = {"applied": True, "joined": len(holders) == 1, "profiles": sorted(map(profile_id, holders))}
        return answer | {"reason": self._refusal(a, b, holders.values())} if link and len(holders) > 1 else answer

    def _refusal(self, a: bytes, b: bytes, holders: Iterable[Person]) -> str | None:
        """Why the manual link of two people does not stand."""
        store = self._space.store
        people = component(store, self._space.manual, holders).values()
        identifiers = {each.hash: each for person in people for each in person.identifiers}
        links = {key: link for person in people for key, link in person.links.items() if link.weight is None}
        for each in identifiers.values():
            if each.refused:
                links.update((link.a + link.b + (b"m" if link.manual else b""), link) for link in store.refusals.of(each.hash))
        shared = shared_devices(identifiers.values(), store.rules)
        for link, refusal in decided(identifiers, links.values(), shared, store.rules):
            if link.manual and {link.a, link.b} == {a, b} and refusal is not None:
                return reason(link, refusal, identifiers, shared, store.rules)
        return None

    def _is_known(self, a: bytes, b: bytes, ruling: Ruling) -> bool:
        """Note a manual link of two identifiers that are one person's anyway. False, and nothing is noted, if it may change more."""
        store, time = self._space.store, ruling.time_us
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
        person.links[a + b + b"m"] = Link(a, b, manual=True, first=time, last=time, message=ruling.message, rules=version)
        store.dirty[person.key] = person
        return True

    def _pair(self, value: Any) -> Pair | None:
        if not isinstance(value, dict) or not isinstance(value.get("namespace"), str):
            return None
        return self._space.judge.identifiers.normalize(value["namespace"], value["value"])
