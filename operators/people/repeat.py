"""A message id that is known: a duplicate, of which the better one stands, or a conflict."""

from __future__ import annotations

import orjson

from contracts.envelope import content, replaces
from contracts.model.batches import Event
from operators.moment_row import moment_contract, moment_lookup, moment_raw
from operators.origins import origin_parts, united
from operators.people.moments import Kept
from operators.people.recompute import rebuild
from operators.people.work import Work
from operators.stitch.owners import ITSELF
from state.keys import NOBODY as NO_ANCHOR


def find(work: Work, event: Event, message: bytes, seen: bytes | None) -> Kept | None:
    """What is stored under the event's message id, of which ``message`` is the hash and ``seen`` the row; without one it may be sealed."""
    if seen is None:
        return work.moments.sealed(work.store.hash(work.rules.anchor(event.identifiers)), message) if event.identifiers else None
    kept = work.moments.remembered(message, seen)
    if kept is None:
        raise LookupError(f"message {event.message_id}: its moment is gone while it is remembered")
    return kept


def held(work: Work, event: Event, message: bytes) -> Kept | None:
    """The very moment of an event that this space has applied, by its time and its bytes; None if it has not. Nothing is sealed in it."""
    seen = work.shard.seen.get(message)
    if seen is None:
        return None
    kept = work.moments.remembered(message, seen)
    if kept is not None and _is(kept, event, message):
        return kept
    # Its id had been forgotten when another message came under it.
    anchor = work.store.hash(work.rules.anchor(event.identifiers)) if event.identifiers else NO_ANCHOR
    return next((each for each in work.moments.of([anchor]) if _is(each, event, message)), None)


def _is(kept: Kept, event: Event, message: bytes) -> bool:
    return (kept.message, kept.time_us, moment_raw(kept.row)) == (message, event.time_us, event.raw)


def settle(work: Work, event: Event, kept: Kept) -> tuple[str, str] | None:
    """Count a repeat of what is stored, and let it take its place if it is the better one; what is wrong, as
    (reason, detail), if it is something else."""
    raw = moment_raw(kept.row)
    # What lookups have found stands in the body, and is no content.
    if raw != event.raw and content(orjson.loads(raw)) != content(orjson.loads(event.raw) if work.definitions.lookups else event.body):
        return "conflict", f"message {event.message_id} came before with another content; the first one stands"
    work.meta.duplicate += 1
    contract, sources = origin_parts(work.meta.contracts[moment_contract(kept.row)])
    if event.sources:
        event.sources = united(sources, event.sources)
    if replaces(event, kept.time_us, contract, raw, moment_lookup(kept.row)):
        before = work.reread(kept)
        replace(work, event, kept)
        if work.replaced is not None:
            work.replaced(before, event, kept.message)
    elif event.sources != sources:
        come_again(work, kept, event.sources)
        if work.came_again is not None:
            work.came_again(work.reread(kept), event.sources, kept.message)
    return None


def come_again(work: Work, kept: Kept, sources: tuple[str, ...]) -> None:
    """What is stored stands, and has come from more sources than it is known of."""
    contract, _ = origin_parts(work.meta.contracts[moment_contract(kept.row)])
    work.moments.rename(kept, contract, sources)
    if not work.program.sourced:
        return
    stored = work.reread(kept)
    anchors = {work.store.hash(pair) for pair in stored.identifiers}
    if anchors:
        work.begin(stored.message_id, stored.time_us)
        holders = {holder.key: holder for holder in map(work.store.holder, sorted(anchors)) if holder is not None}
        rebuild(work, holders.values(), anchors)


def replace(work: Work, event: Event, kept: Kept) -> None:
    """Let a repeat stand in the place of what is stored. It may carry other identifiers, since ``28.0`` and 28 are equal contents."""
    store, pairs = work.store, event.identifiers
    before = work.reread(kept)
    anchors = {store.hash(pair) for pair in (*before.identifiers, *pairs)}
    work.moments.drop(kept)
    work.meta.remembered += kept.forgotten
    anchor = store.hash(work.rules.anchor(pairs)) if pairs else NO_ANCHOR
    work.meta.unidentified += (anchor == NO_ANCHOR) - (kept.anchor == NO_ANCHOR)
    work.moments.keep(anchor, event, kept.message, ITSELF)
    work.begin(event.message_id, event.time_us)
    if before.group is not None:
        work.accounts.unsay(before)
    if event.group is not None:
        work.accounts.say(event, anchor)
    if anchors:
        holders = {holder.key: holder for holder in map(store.holder, sorted(anchors)) if holder is not None}
        rebuild(work, holders.values(), anchors)
