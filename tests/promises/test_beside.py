"""While everybody is made anew by other identity rules, events go on: applied to both generations, and told of each profile behind what
the new rules have made of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import orjson
import pytest

from contracts import load
from contracts.model.definitions import Definitions
from contracts.model.hashing import profile_id
from operators.people import anew, told_anew
from operators.people.anew import SLICE_US
from tests import model
from tests.engine import HASHER, Engine, difference, judge_of
from tests.promises.change_log import Folded, changes_of, dumped
from tests.tallies import check

Json = dict[str, Any]
PEOPLE = 12


def rules(*, unique: bool = True) -> Definitions:
    """Two addresses of one user are one person, or each a person's own."""
    spaces = [
        {"name": "user_id", "from": "userId", "unique": unique},
        {"name": "email", "from": "properties.email", "limit": 5},
        {"name": "anonymous_id", "from": "anonymousId", "scope": "device"},
    ]
    segment = {"segment": "twice", "who": {"did": "seen", "times": {"gte": 2}}}
    return load(
        {"identity.yaml": json.dumps({"version": 1, "namespaces": spaces}), "segments/twice.yaml": json.dumps(segment)},
        unknown_events_ok=True,
    )


class Beside:
    """An engine with a history, and everything that it has been fed."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        engine.clear(rules())
        engine.start(["p"])
        self.records: list[bytes] = []
        self.numbers = iter(range(1000))
        for number in range(PEOPLE):
            for user in (number, number + 100):
                self.seen(f"u{user}", email=f"e{number}@x.org", device=f"d{user}")

    def seen(self, user: str | None, *, email: str | None = None, device: str | None = None, minute: int | None = None) -> str:
        number = next(self.numbers)
        at = number if minute is None else minute
        body = {"type": "track", "event": "Seen", "messageId": f"m{number}", "timestamp": f"2026-01-01T{at // 60:02}:{at % 60:02}:00Z"}
        body |= {"userId": user, "anonymousId": device, "properties": {"email": email}}
        self.feed(orjson.dumps(body))
        return f"m{number}"

    def feed(self, *records: bytes) -> None:
        self.records += records
        self.engine.feed("p", list(records))

    def compare(self, *context: object) -> None:
        engine = self.engine
        definitions, clock = engine.known[engine.space.meta.digest], engine.space.meta.clock
        assert clock is not None
        events = judge_of(definitions).judge_many(self.records, 1, 0)[0]
        expected, found = model.dump(events, [], definitions, clock, hasher=HASHER), engine.dump(clock)
        assert found == expected, difference(found, expected, engine.space.meta.change, *context)

    def until(self, reached: Callable[[], bool]) -> None:
        """One slice after the other."""
        while not reached():
            self.feed()

    @property
    def change(self) -> Any:
        return self.engine.space.meta.change

    def end(self) -> None:
        self.engine.bring_along()
        self.compare()
        assert Folded().read(changes_of(self.engine)).told() == dumped(self.engine.dump())
        check(self.engine)


@pytest.fixture
def beside(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Beside]:
    """Slices of one event, or person."""
    for module, name in ((anew, "PEOPLE"), (anew, "MOMENTS"), (told_anew, "PEOPLE")):
        monkeypatch.setattr(module, name, 1)
    return iter([Beside(engine)])


@pytest.fixture
def made(beside: Iterator[Beside]) -> Beside:
    """With other rules on their way."""
    found = next(beside)
    found.engine.define(rules(unique=False), whole=False)
    return found


def told(beside: Beside, since: int) -> list[Json]:
    return [orjson.loads(row) for _, row in beside.engine.view.changes(since)]


def test_what_comes_is_told_by_the_rules_in_force(made: Beside) -> None:
    """Before the switch an event is applied at once, and told of at once; behind it everything is as if it had come before."""
    stages = set()
    while not made.change.switched:
        stages.add(made.change.stage)
        since = made.engine.space.meta.changes
        message = made.seen("u1", device="d1")
        changes = told(made, since)
        assert all(change["cause"] == {"type": "message", "id": message} for change in changes if not made.change.switched)
        made.compare()
    assert stages == {0, 1, 2, 3, 4, 5}
    made.end()


def test_who_is_new_meanwhile_is_there_at_the_switch(made: Beside) -> None:
    made.until(lambda: made.change.stage == 5)
    since = made.engine.space.meta.changes
    made.seen("new", email="e3@x.org", device="dn")
    assert {change["type"] for change in told(made, since)} >= {"profile.created"}
    made.until(lambda: made.change.switched)
    made.compare()
    made.end()


def test_each_profile_is_told_of_before_its_next_event(made: Beside) -> None:
    """Behind the switch, whoever has not been told of yet: first what the rules have made of him, then what he does."""
    made.until(lambda: made.change.switched)
    people = [key for key, _ in made.engine.shard.people.committed(b"")]
    waiting = [made.engine.space.work.store.shard.alias.get(HASHER.identifier("user_id", f"u{number}")) for number in range(PEOPLE)]
    number = max(range(PEOPLE), key=lambda at: people.index(waiting[at]))
    key = waiting[number]
    assert key is not None
    since = made.engine.space.meta.changes
    message = made.seen(f"u{number}", device=f"d{number}x")
    mine = [change["cause"] for change in told(made, since) if change["profile"] == profile_id(key)]
    of_event = [cause.get("id") == message for cause in mine]
    assert True in of_event
    assert of_event == sorted(of_event), mine
    assert mine[0] == {"type": "definition", "digest": made.change.after}
    made.compare()
    made.end()


def test_an_identifier_that_nobody_has_any_more_comes_back_while_is_told_of_people(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under the key of somebody who has not been told of: he goes first, and comes with his versions going on."""
    monkeypatch.setattr(told_anew, "PEOPLE", 1)
    made = Beside(engine)
    without = {"version": 1, "namespaces": [{"name": "user_id", "from": "userId"}, {"name": "email", "from": "properties.mail"}]}
    engine.define(load({"identity.yaml": json.dumps(without)}, unknown_events_ok=True), whole=False)
    made.until(lambda: made.change.switched)
    for number in range(PEOPLE):
        body = {"type": "track", "event": "Seen", "messageId": f"n{number}", "timestamp": "2026-01-02T00:00:00Z"}
        made.feed(orjson.dumps(body | {"properties": {"mail": f"e{number}@x.org"}}))
        made.compare(number)
    made.end()
    versions: dict[str, int] = {}
    for change in told(made, 0):
        assert change["version"] == versions.get(change["profile"], 0) + 1, change
        versions[change["profile"]] = change["version"]


def test_a_repeat_that_is_better_counts_in_both(made: Beside) -> None:
    """Before its event's turn, and behind it."""
    for stage, number in ((2, 3), (5, 4), (5, 20)):
        made.until(lambda stage=stage: made.change.stage >= stage)  # type: ignore[misc]
        body = orjson.loads(made.records[number])
        made.feed(orjson.dumps({**body, "timestamp": "2025-12-31T10:00:00Z"}))
        made.compare(stage, number)
    made.end()


def test_a_generation_that_an_earlier_version_has_begun_is_made_again(made: Beside) -> None:
    """It is not known what of it had been applied."""
    made.until(lambda: made.change.stage == 5)
    made.change.stage, made.change.within = 0, 7
    made.engine.space._commit()
    made.engine.restart(reopen=False)
    made.feed()
    assert made.change.stage < 5
    made.end()


def test_a_slice_ends_in_time(engine: Engine) -> None:
    """While events wait, by the time of the processor; where none does, by the number of events."""
    made = Beside(engine)
    engine.define(rules(unique=False), whole=False)
    spent = iter(range(10**9))
    slices = engine.space._bringing._anew
    assert slices is not None
    slices._spent_ns = lambda: 1_000_000 * next(spent)
    read = [0]
    while not made.change.switched:
        made.feed()
        read.append(made.change.events)
    taken = [after - before for before, after in pairwise(read)]
    assert sum(taken) == len(made.records)
    assert 0 < max(taken) <= SLICE_US // 1000
    made.end()
    engine.define(rules())
    made.compare()
