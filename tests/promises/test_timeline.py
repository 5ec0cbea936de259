"""The events of one profile, as `skep profile timeline` reads them: those that the snapshot attributes to it."""

from __future__ import annotations

from collections import defaultdict

from contracts.model.hashing import profile_id
from operators.moment_row import moment_message
from tests.engine import Engine
from tests.lives import live

LIVES = range(25)


def test_the_events_of_everybody_are_those_attributed_to_them(engine: Engine) -> None:
    """Owned on others' devices, of nobody, sealed in pages and several in a row."""
    nobodys = beside = 0
    for seed in LIVES:
        live(seed, engine)
        theirs = defaultdict[str, list[str]](list)
        for message, profile in engine.view.events.attributions():
            theirs[profile].append(message)
        for person in engine.view.people():
            found = list(engine.view.events.of(person))
            messages = sorted(moment_message(stored.row) for _, stored in found)
            assert messages == sorted(theirs.pop(profile_id(person.key), [])), (seed, profile_id(person.key))
            own = {each.hash for each in person.identifiers}
            nobodys += not own
            beside += any(anchor not in own for anchor, _ in found) and bool(own)
        assert not theirs, seed
    assert nobodys
    assert beside
