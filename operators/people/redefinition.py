"""Other definitions, or another meaning of what is stored: everybody is computed anew where it makes a difference."""

from __future__ import annotations

from typing import Any

from contracts.envelope import may_name_account
from contracts.model.batches import ControlEntry
from contracts.model.definitions import Definitions
from contracts.model.versions import newest
from operators.apart import decode_whole
from operators.epochs import CONTROL, append_epoch
from operators.moment_row import moment_raw
from operators.people import change, denials, meaning, members
from operators.people.blocks import BlockIndex
from operators.people.recompute import compute, rebuild
from operators.people.work import Work
from operators.records import OWNED, SELF, Person
from operators.segments.carried import Memberships
from operators.segments.compile import Program
from state.keys import NOBODY as NO_ANCHOR

ACCOUNTS = "traits of accounts"
EVALUATED = frozenset({"traits", "segments", "features", "lists"})
"""Where definitions differ in nothing else, nobody is made anew from events."""


def define(work: Work, entry: ControlEntry) -> dict[str, Any] | None:
    """Put definitions in force, and compute everybody anew where they say something else; the answer, None if they are only on their
    way yet (`change.py`)."""
    digest = entry.entry["digest"]
    holds_from = entry.entry.get("from")
    if holds_from is None:
        holds_from = {partition: position + 1 for partition, position in work.meta.applied.items() if partition != CONTROL}
    append_epoch(work.meta.epochs, digest, holds_from, entry.position)
    before, known = (work.program, work.definitions) if work.digest else (None, None)
    recompute = ["the meaning of what is stored"] if known is not None and meaning.is_old(work.meta) else []
    if digest != work.digest:
        differ = _differences(known, work.load(digest)) if known is not None else []
        if differ == [ACCOUNTS] and not work.accounts.some:
            # Nothing has been counted of any account.
            differ = []
        if differ and not recompute:
            anew = not EVALUATED.issuperset(differ)
            change.begin(work, digest, str(entry.entry.get("messageId") or ""), differ, anew=anew)
            return None
        work.use(digest)
        recompute += differ
    if before is not None and recompute:
        work.log.cause = {"type": "definition", "digest": digest}
        with work.computing(f"definitions {digest} differ in {', '.join(recompute)}"):
            _recompute(work, before)
    return {"definitions": digest, "recomputed": bool(recompute)}


def renew(work: Work) -> bool:
    """Compute everybody anew if that was last done by an older meaning of what is stored; whether it was done."""
    if not meaning.is_old(work.meta):
        return False
    if not work.digest:
        work.meta.meaning = meaning.MEANING
        return False
    work.log.cause, work.log.time = {"type": "meaning", "id": str(meaning.MEANING)}, None
    work.log.clock = work.meta.clock or 0
    if meaning.says_the_same(work.meta, work.definitions):
        return _find_accounts(work)
    with work.computing("this version of Skep reads what is stored in another way"):
        _recompute(work, work.program)
    work.remember()
    return True


def _recompute(work: Work, before: Program) -> None:
    """New definitions, or another meaning: everybody anew from the moments, in one commit; only differences are announced."""
    old_meaning = meaning.is_old(work.meta)
    if old_meaning:
        meaning.renew(work)
    denials.read_again(work)
    work.accounts.clear()
    old = {key: decode_whole(row, work.shard.traits.get) for key, row in work.shard.people.committed(b"")}
    anchors = {key for key, _ in work.shard.alias.committed(b"")}
    for anchor in _anchors_with_moments(work):
        anchors |= _anchor_again(work, anchor, timed=old_meaning)
    if old_meaning:
        anchors |= work.manual.named
    memberships = Memberships(before.segments, work.program.segments)
    names = [each.name for each in before.definitions.identity.namespaces]
    for person in old.values():
        work.store.callings.changes(person, names)
        for segment in memberships.carry(person):
            work.announcer.left(person, segment.name, segment.version)
    work.meta.keep_sizes(work.program.segments)
    anchors.discard(NO_ANCHOR)
    for person in old.values():
        person.records = {}
    index = BlockIndex(work.shard.blocks, 0, work.meta) if work.matcher is None else work.matcher.index
    index.clear()
    compute(work, old, anchors, everybody=True)
    # Everybody has been evaluated by what holds of accounts now.
    work.accounts.before.clear()


def _find_accounts(work: Work) -> bool:
    """Of an earlier version: read the group calls, and compute those anew who made them; whether there are any."""
    meaning.renew(work)
    callers: dict[bytes, Person] = {}
    for anchor in sorted(_anchors_with_moments(work)):
        for kept in work.moments.of([anchor]):
            event = work.reread(kept) if may_name_account(moment_raw(kept.row)) else None
            if event is None or event.group is None:
                continue
            work.accounts.say(event, anchor)
            holder = work.store.holder(anchor)
            if holder is not None:
                callers[holder.key] = holder
    if callers:
        rebuild(work, callers.values(), set())
    members.settle(work)
    work.remember()
    return work.accounts.some


def _anchors_with_moments(work: Work) -> set[bytes]:
    shard = work.shard
    return {key[4:20] for key, _ in shard.moments.committed(b"")} | {key[:16] for key, _ in shard.pages.committed(b"")}


def _anchor_again(work: Work, anchor: bytes, *, timed: bool) -> set[bytes]:
    """Hang the moments of an anchor where the identity rules in force say, ``timed`` also at the time at which they are read
    today; returns the anchors they hang on."""
    found = {anchor}
    for kept in list(work.moments.of([anchor])):
        event = work.reread(kept)
        pairs = event.identifiers
        home = work.store.hash(work.rules.anchor(pairs)) if pairs else NO_ANCHOR
        time_us = meaning.time_again(event, kept.time_us) if timed else kept.time_us
        if event.group is not None:
            event.time_us = time_us
            work.accounts.say(event, home)
        if home == anchor and time_us == kept.time_us:
            continue
        found.add(home)
        work.moments.drop(kept)
        # What comes out of a page is remembered again until it is sealed again.
        work.meta.remembered += kept.forgotten
        row = bytes((SELF,)) + kept.row[1:7] + kept.row[23 if kept.row[0] == OWNED else 7 :]
        work.moments.put(home, time_us, kept.message, row)
        work.meta.unidentified += (home == NO_ANCHOR) - (anchor == NO_ANCHOR)
    return found


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
            "lists": {name: listed.entries for name, listed in one.lists.items()},
            ACCOUNTS: [one.account_traits, one.account_features],
            "upcasts": one.upcasts,
            "models": models,
        }

    here, there = meaning(before), meaning(after)
    return [name for name in here if here[name] != there[name]]
