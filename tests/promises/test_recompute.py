"""Seeing an accepted link again never changes who is who, and costs no recomputation: `Rebuilds.rebuilds` stands still."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import permutations
from random import Random
from typing import Any

import orjson
import pytest

from contracts import load
from operators.people.rebuilds import KEY, NAMED_MAX, Rebuilds, decode, encode
from operators.records import Identifier, Person
from operators.stitch.rules import Rules
from tests import model
from tests.engine import HASHER, Engine, difference, judge_of
from tests.generator import MINUTE_US, START_US, Json, text_of

USER: Json = {"name": "user", "from": "user", "unique": True}
MAIL: Json = {"name": "mail", "from": "mail", "limit": 2}
WEB: Json = {"name": "web", "from": "web", "scope": "device"}
APP: Json = {"name": "app", "from": "app", "scope": "device"}

PERSON = ({"user": "u1", "mail": "a"}, {"user": "u1", "web": "d1"}, {"mail": "a", "web": "d2"}, {"user": "u1", "app": "x"})
"""One person with two devices in the web and an app: whatever the order of the namespaces, all of it is accepted."""
TILL = ({"user": "u2", "mail": "c"}, {"user": "u2", "web": "d1"})
"""Somebody else, who takes the first device over, so that one of those links is refused."""


def lines(numbered: Iterator[int], minute: int, *said: Json) -> list[bytes]:
    """Events at a minute, with numbers for their ids."""
    time = text_of(START_US + minute * MINUTE_US)
    return [orjson.dumps({"type": "track", "event": "seen", "messageId": f"m{next(numbered)}", "timestamp": time, **each}) for each in said]


def accepted(engine: Engine) -> list[Json]:
    """The standing links of the dump, as what an event says."""
    links = [line for line in map(orjson.loads, engine.dump()) if line["kind"] == "link"]
    return [dict([link["a"], link["b"]]) for link in links]


def counting() -> Iterator[int]:
    yield from range(10**6)


@pytest.mark.parametrize("conflict", ["newest", "oldest"])
@pytest.mark.parametrize("rival", [False, True])
def test_links_seen_again_cost_no_recomputation(rival: bool, conflict: str, engine: Engine) -> None:
    """In all 24 orders of the namespaces, twenty times each, all at once or one by one, with a refused link beside them or not."""
    for order, namespaces in enumerate(permutations([USER, MAIL, WEB, APP])):
        rng = Random(order)
        files = {"identity.yaml": json.dumps({"version": 1, "namespaces": namespaces, "conflict": conflict})}
        definitions, numbered, fed = load(files), counting(), []

        def feed(minute: int, *said: Json, numbered: Any = numbered, fed: list[bytes] = fed) -> None:
            fed += (more := lines(numbered, minute, *said))
            engine.feed("p", more)

        engine.clear(definitions)
        engine.start(["p"])
        for minute, said in enumerate([*PERSON, *(TILL if rival else ())]):
            feed(minute, said)
        standing = accepted(engine)
        assert len(standing) == len(PERSON) + (1 if rival else 0)
        before = engine.space.work.cost.rebuilds
        for again in range(20):
            feed(60 + again * 10, *rng.sample(standing, len(standing)))
            feed(61 + again * 10, rng.choice(standing))
        assert engine.space.work.cost.rebuilds == before, [each["name"] for each in namespaces]
        clock = engine.space.meta.clock
        assert clock is not None
        events = judge_of(definitions).judge_many(fed, 1, 0)[0]
        expected = model.dump(events, [], definitions, clock, hasher=HASHER)
        assert engine.dump() == expected, difference(engine.dump(), expected, order, rival, conflict)


def test_links_seen_again_earlier_cost_no_recomputation(engine: Engine) -> None:
    """Evidence that comes late, between what is known and before all of it, as long as it says the same of everybody's order."""
    namespaces = [USER, MAIL, {"name": "phone", "from": "phone"}]
    definitions, numbered = load({"identity.yaml": json.dumps({"version": 1, "namespaces": namespaces})}), counting()
    engine.clear(definitions)
    engine.start(["p"])
    said = [{"user": "u1", "mail": "a"}, {"user": "u1", "phone": "1"}, {"user": "u1", "mail": "b", "phone": "1"}]
    engine.feed("p", lines(numbered, 1000, *said))
    before = engine.space.work.cost.rebuilds
    for minute in (900, 950, 1000, 10, 500):
        engine.feed("p", lines(numbered, minute, *said))
    assert engine.space.work.cost.rebuilds == before


def test_a_refused_link_seen_again_is_what_recomputation_is_for(engine: Engine) -> None:
    """The count counts: two people who take an e-mail address with its events from each other are computed anew each time."""
    namespaces = [USER, {"name": "mail", "from": "mail", "limit": 1}]
    definitions, numbered = load({"identity.yaml": json.dumps({"version": 1, "namespaces": namespaces})}), counting()
    engine.clear(definitions)
    engine.start(["p"])
    for minute in range(4):
        engine.feed("p", lines(numbered, minute, {"user": f"u{minute % 2}", "mail": "a"}, {"mail": "a"}))
    assert engine.space.work.cost.rebuilds == 3
    cost = engine.space.work.cost
    assert cost.identifiers == sum(one.identifiers for one in cost.named.values()) > 3
    assert decode(encode(cost)) == cost
    row = engine.space.shard.row("meta", KEY)
    assert row is not None
    assert decode(row) == cost


def test_the_identifiers_that_are_behind_most_are_kept(engine: Engine) -> None:
    """However many there are, the row has a limit, and what costs most stays in it."""
    cost, rules = Rebuilds(), Rules(load({}).identity)

    def person(number: int, refused: int) -> Person:
        one = Identifier(0, str(number), number.to_bytes(16, "big"), 0, 0)
        one.refused = refused
        return Person(key=one.hash, identifiers=[one], links={})

    for number in range(NAMED_MAX * 3):
        cost.count([person(0, 9), person(number + 1, 1), person(number + 1000, 2)], rules, 3, False, 7)
        cost.count([person(number + 1, 1)], rules, 1, True, 7)
    assert len(cost.named) == NAMED_MAX
    assert (cost.rebuilds, cost.moments, cost.busy_us) == (NAMED_MAX * 6, NAMED_MAX * 12, NAMED_MAX * 42)
    assert sum(one.over for one in cost.named.values()) > 0
    assert [(one.value, one.rebuilds, one.identifiers) for one in cost.largest()[:1]] == [("0", NAMED_MAX * 3, NAMED_MAX * 9)]
