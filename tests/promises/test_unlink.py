"""An unlink leaves nothing behind: the dump is that of a run that never had the link, with memberships and consents."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from contracts import load
from contracts.model.batches import Event
from contracts.model.definitions import Definitions
from tests.engine import Engine, difference, steps
from tests.generator import DAY_US, START_US, Json, Scenario, text_of, to_events
from tests.graphs import graph, likenesses
from tests.model_links import Ident, anchor_of, is_person, pair_of

AT_US = START_US + 400 * DAY_US
GROUPS, GRAPHS = 8, 20


def state(engine: Engine, scenario: Scenario, definitions: Definitions, rng: Random) -> list[bytes]:
    """The dump after everything, in any order."""
    shuffled = replace(scenario, partitions=[rng.sample(scenario.events, len(scenario.events))])
    shuffled = replace(shuffled, control=rng.sample(scenario.control, len(scenario.control)))
    engine.clear(definitions)
    engine.start(["p0"])
    for name, records in steps(shuffled, rng):
        engine.take(name, records)
    return engine.dump(AT_US)


def entry(definitions: Definitions, kind: str, pair: tuple[Ident, Ident], number: int) -> Json:
    """A manual entry of the pair, later than all others."""
    ends = [{"namespace": definitions.identity.namespaces[index].name, "value": value} for index, value in pair]
    time = text_of(START_US + 300 * DAY_US + number)
    return {"type": kind, "a": ends[0], "b": ends[1], "timestamp": time, "messageId": f"last{number}", "why": "test"}


def ruled(definitions: Definitions, scenario: Scenario) -> set[Any]:
    """The pairs of the scenario's own entries."""
    return {pair_of(definitions.identity, entry) for entry in scenario.control}


# ── links by hand ───────────────────────────────────────────────────────────────────────────────────────────────────
def strangers(definitions: Definitions, scenario: Scenario) -> Iterator[tuple[Ident, Ident]]:
    """Pairs that no event carries and no entry names; and, since one may be alike the other, only one that was ever seen."""
    events = to_events(scenario.events, definitions)
    known = sorted({identifier for event in events for identifier in event.identifiers})
    together = {frozenset((a, b)) for event in events for a in event.identifiers for b in event.identifiers}
    alike = definitions.identity.probabilistic is not None
    for a in known:
        yield min(a, (0, "ghost")), max(a, (0, "ghost"))
        more = [] if alike else [(a, b) for b in known if a < b and frozenset((a, b)) not in together]
        yield from (pair for pair in more if pair not in ruled(definitions, scenario))


@pytest.mark.parametrize("make", [graph, likenesses])
@pytest.mark.parametrize("group", range(GROUPS))
def test_a_link_by_hand_and_its_unlink_are_neither(make: Callable[[int], Scenario], group: int, engine: Engine) -> None:
    """Whichever of the two comes first, and whatever comes between."""
    for seed in range(group * GRAPHS // 2, (group + 1) * GRAPHS // 2):
        rng, scenario = Random(seed), make(seed)
        definitions = load(scenario.definitions_files)
        expected = state(engine, scenario, definitions, rng)
        for pair in rng.sample(pairs := list(strangers(definitions, scenario)), min(2, len(pairs))):
            more = [entry(definitions, "link", pair, 0), entry(definitions, "unlink", pair, 1)]
            found = state(engine, replace(scenario, control=scenario.control + more), definitions, rng)
            assert found == expected, difference(found, expected, make.__name__, seed, pair)


# ── links of events ─────────────────────────────────────────────────────────────────────────────────────────────────
def links_of_events(definitions: Definitions, events: list[Event]) -> Iterator[tuple[Ident, Ident]]:
    """The pairs that are linked wherever they meet, and whose second identifier says nothing but that: nothing hangs on it there."""
    rules = definitions.identity
    for a, b in sorted({(event.identifiers[0], other) for event in events for other in event.identifiers[1:]}):
        together = [event for event in events if {a, b} <= set(event.identifiers)]
        anchors = {anchor_of(rules, event) for event in together}
        if all(event.identifiers[0] == a for event in together) and (anchors == {a} or (is_person(rules, b) and b not in anchors)):
            yield a, b


def worlds(definitions: Definitions, scenario: Scenario, pair: tuple[Ident, Ident]) -> tuple[list[Json], list[Json]]:
    """The events, and what they would be had none of them carried the second identifier of the pair beside the first.

    Both have one event more at either end of time, so that the second identifier is as long known; of a device, nothing that is
    anonymous, since the sessions in which that lies are made of all events of the device, whoever is linked to it.
    """
    a, (index, value) = pair
    carrier: Json = {f"n{index}": value} if is_person(definitions.identity, pair[1]) else {"n0": "p9", f"n{index}": value}
    said = {"type": "track", "event": "seen", "ids": carrier}
    bodies = [{**said, "messageId": f"end{days}", "timestamp": text_of(START_US + days * DAY_US)} for days in (-9, 200)]
    with_it, without_it = list(bodies), list(bodies)
    for body, event in zip(scenario.events, to_events(scenario.events, definitions), strict=True):
        if anchor_of(definitions.identity, event) == pair[1] and not is_person(definitions.identity, pair[1]):
            continue
        both = {a, pair[1]} <= set(event.identifiers)
        left = {key: each for key, each in body["ids"].items() if not both or key[1:] != str(index) or each != value}
        with_it.append(body)
        without_it.append({**body, "ids": left})
    return with_it, without_it


@pytest.mark.parametrize("group", range(GROUPS))
def test_an_unlink_of_what_events_say_is_as_if_they_had_not_said_it(group: int, engine: Engine) -> None:
    """Whenever the unlink comes, and whatever it had refused or accepted."""
    compared = 0
    for seed in range(group * GRAPHS, (group + 1) * GRAPHS):
        rng, scenario = Random(seed), graph(seed)
        definitions = load(scenario.definitions_files)
        pairs = [
            each
            for each in links_of_events(definitions, to_events(scenario.events, definitions))
            if each not in ruled(definitions, scenario)
        ]
        for pair in rng.sample(pairs, min(2, len(pairs))):
            with_it, without_it = worlds(definitions, scenario, pair)
            expected = state(engine, replace(scenario, partitions=[without_it]), definitions, rng)
            control = [*scenario.control, entry(definitions, "unlink", pair, 0)]
            found = state(engine, replace(scenario, partitions=[with_it], control=control), definitions, rng)
            assert found == expected, difference(found, expected, seed, pair)
            compared += 1
    assert compared > GRAPHS // 2
