"""Promise 1 over time: who is who and whose an event is, after every step of small lives with everything that may come between.

A failing life is named by its seed. Longer runs: ``python -m perf.converge --of life --runs 5000 --seed 1``.
"""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest

from contracts import load
from contracts.model.definitions import Definitions
from operators.people import rebuild
from operators.people import visits as visits_module
from operators.stitch import owners
from tests import model
from tests.engine import HASHER, Engine, difference, judge_of
from tests.generator import MINUTE_US, START_US, Json, text_of
from tests.graphs import files_of
from tests.lives import live
from tests.tallies import check

GROUPS, LIVES = 20, 10


@pytest.mark.parametrize("group", range(GROUPS))
def test_engine_lives_as_the_model_says(group: int, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Byte for byte after every step; in most groups a device's row holds two persons and three logins, so that it is cut often."""
    if group % 3:
        for module in (owners, rebuild, visits_module):
            monkeypatch.setattr(module, "PERSONS", 2)
        for module in (owners, visits_module):
            monkeypatch.setattr(module, "RUNS", 3)
    for seed in range(group * LIVES, (group + 1) * LIVES):
        assert live(seed, engine), seed


def test_what_a_person_owns_may_hang_on_a_device_that_another_device_is_linked_with(engine: Engine) -> None:
    """Devices come before people there: an event links both to the first of them, and an account counts what was done on the other."""
    assert live(1030, engine)


USER: Json = {"name": "user", "from": "user"}
MAIL: Json = {"name": "mail", "from": "mail"}
WEB: Json = {"name": "web", "from": "web", "scope": "device"}
APP: Json = {"name": "app", "from": "app", "scope": "device"}


def definitions_of(namespaces: list[Json]) -> Definitions:
    return load({path: json.dumps(content) for path, content in files_of({"namespaces": namespaces}).items()})


def lives(engine: Engine, namespaces: list[Json], *said: tuple[float, Json], then: list[Json] | None = None, control: Any = ()) -> None:
    """Feed events at minutes, one by one, then manual entries, then set other namespaces; compare after each."""
    definitions = definitions_of(namespaces)
    engine.clear(definitions)
    engine.start(["p"])
    records: list[bytes] = []

    def compare(entries: list[Json], step: object) -> None:
        clock = engine.space.meta.clock
        assert clock is not None
        events = judge_of(definitions).judge_many(records, 1, 0)[0]
        expected, found = model.dump(events, entries, definitions, clock, hasher=HASHER), engine.dump()
        assert found == expected, difference(found, expected, step)
        check(engine, step)

    for number, (minute, ids) in enumerate(said):
        time = text_of(START_US + int(minute * MINUTE_US))
        records.append(orjson.dumps({"type": "track", "event": "seen", "messageId": f"m{9 - number}", "timestamp": time, **ids}))
        engine.feed("p", records[-1:])
        compare([], number)
    for entry in control:
        engine.control([entry])
        compare([entry], entry)
    if then is not None:
        definitions = definitions_of(then)
        engine.define(definitions)
        compare([], then)


def test_a_device_that_becomes_a_persons_keeps_its_events(engine: Engine) -> None:
    """What a person owned by a session hangs on the identifier itself, when other rules say that it is a person's."""
    unique = {**USER, "unique": True}
    said = [(0, {"user": "a", "web": "d"}), (1, {"web": "d"}), (2, {"user": "b", "web": "d"})]
    lives(engine, [unique, WEB], *said, then=[unique, {"name": "web", "from": "web"}])


def test_who_comes_and_joins_in_one_event_is_gone(engine: Engine) -> None:
    """The first of an event's links stays out, since its device is shared, and the second joins: nobody is left of the newcomer."""
    shared = {**WEB, "shared_after": 1}
    lives(engine, [USER, shared, APP], (0, {"user": "a", "web": "d", "app": "x"}), (13, {"user": "b", "web": "d", "app": "x"}))


def test_a_link_by_hand_of_one_person_counts_as_met(engine: Engine) -> None:
    """Two users who are one by their e-mail were seen together by hand, too."""
    ends = [{"namespace": "user", "value": value} for value in ("a", "b")]
    said = {"type": "link", "a": ends[0], "b": ends[1], "timestamp": text_of(START_US + 9 * MINUTE_US), "messageId": "c", "why": "test"}
    lives(engine, [USER, MAIL], (0, {"user": "a", "mail": "x"}), (1, {"user": "b", "mail": "x"}), control=[said])


def test_a_login_at_the_time_of_the_first_takes_what_was_before(engine: Engine) -> None:
    """A page before anybody logged in belongs to the first person who did, of two at once by message id, in whatever order they come."""
    only = {**WEB, "unique": True}
    said = [(200, {"user": "a", "web": "d"}), (201, {"user": "a", "web": "e"}), (150, {"web": "d"}), (200, {"user": "b", "web": "d"})]
    lives(engine, [USER, only], *said)
