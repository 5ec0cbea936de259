"""Floors on confidence: who is in a segment, and what a destination is told of people of whom we are not sure who they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest

from contracts import load
from contracts.model.definitions import CHANGES
from contracts.model.hashing import profile_id
from operators.activation.audience import Audience
from operators.judge import Judge
from operators.people.clock import BEFORE_ALL
from operators.records import shown
from operators.segments.compile import CONFIDENCE
from operators.segments.sql.twin import twin
from state.snapshot.publish import sql
from tests import model
from tests.engine import HASHER, Engine, steps
from tests.generator import scenario
from tests.graphs import likenesses
from tests.promises import test_one_meaning
from tests.promises.change_log import Folded, dumped

Json = dict[str, Any]
FLOORS = (0.5, 0.95, 0.999999, 1.0)
SURE = (1.0, 1.0, 0.9999996, 0.99, 0.95, 0.9499999, 0.9, 0.4)


class Cohorts:
    """What somebody knows who is told of named people and of cohorts; every rule of such a stream is asserted on the way."""

    def __init__(self, floor: float) -> None:
        self._floor = floor
        self._ids: set[str] = set()
        self.people: set[str] = set()
        self.segments: dict[str, set[str]] = {}
        self.consents: dict[str, dict[str, bool]] = {}
        self.traits: dict[str, Json] = {}
        self.accounts: dict[str, set[str]] = {}
        self.cohorts: Counter[str] = Counter()

    def read(self, lines: Iterable[tuple[int, bytes]]) -> None:
        for _, line in lines:
            change = orjson.loads(line)
            assert change["id"] not in self._ids, f"every line has an id of its own: {change}"
            self._ids.add(change["id"])
            if change["profile"] is None:
                self._cohort(change)
            else:
                assert change["confidence"] >= self._floor, f"nobody is named below the floor: {change}"
                self._named(change)

    def _cohort(self, change: Json) -> None:
        assert change["type"] in {"segment.entered", "segment.exited"}, change
        assert (change["version"], change["confidence"]) == (None, None), change
        assert change["clock"].endswith(":00:00.000000Z"), change
        assert change["cause"].keys() == {"type"}, change
        assert change["evidence"].keys() <= {"segment_version", "definitions"}, change
        self.cohorts[change["segment"]] += 1 if change["type"] == "segment.entered" else -1
        assert self.cohorts[change["segment"]] >= 0, change

    def _named(self, change: Json) -> None:
        kind, profile = change["type"], change["profile"]
        if kind == "profile.created":
            assert profile not in self.people, change
            self.people.add(profile)
            self.segments[profile], self.consents[profile], self.traits[profile] = set(), {}, {}
            self.accounts[profile] = set()
            return
        assert profile in self.people, f"a profile is created before anything else is said of it: {change}"
        if kind == "segment.entered":
            assert change["segment"] not in self.segments[profile], change
            self.segments[profile].add(change["segment"])
        elif kind == "segment.exited":
            self.segments[profile].remove(change["segment"])
        elif kind == "consent.changed":
            self.consents[profile][change["purpose"]] = change["granted"]
        elif kind == "account.joined":
            assert change["account"] not in self.accounts[profile], change
            self.accounts[profile].add(change["account"])
        elif kind == "account.left":
            self.accounts[profile].remove(change["account"])
        elif kind == "profile.updated":
            self.traits[profile][change["trait"]] = change["value"]
        elif kind == "identity.merged":
            self._gone(change["merged"], change)
        elif kind == "profile.erased":
            self._gone(profile, change)
        elif kind == "identity.split":
            assert change["split"] in self.people, change
        elif kind == "events.reassigned":
            assert change["from"] is None or change["from"] in self.people, change
        elif kind != "identity.identifiers":
            assert kind == "identity.confidence", change
            assert change["evidence"]["before"] >= self._floor, change

    def _gone(self, profile: str, change: Json) -> None:
        assert not self.segments.pop(profile), f"out of its segments before it goes: {change}"
        self.people.remove(profile)
        del self.consents[profile], self.traits[profile], self.accounts[profile]

    def told(self) -> Json:
        """By profile its segments, decided consents and accounts, by segment how many are in its cohort."""
        named = {
            profile: (
                sorted(self.segments[profile]),
                {key: said for key, said in self.consents[profile].items() if said is not None},
                sorted(self.accounts[profile]),
            )
            for profile in self.people
        }
        return {"named": named, "cohorts": +self.cohorts}


def held(engine: Engine, floor: float) -> Json:
    """What `Cohorts.told` must be."""
    return held_of(engine.dump(), floor)


def held_of(dump: Iterable[bytes | str], floor: float) -> Json:
    """The same of a dump."""
    lines = list(map(orjson.loads, dump))
    people = [line for line in lines if line["kind"] == "profile"]
    belong = [(line["profile"], line["account"]) for line in lines if line["kind"] == "member" and line["stays"][-1][1] is None]
    at = {one["id"]: sorted(account for profile, account in belong if profile == one["id"]) for one in people}
    named = {one["id"]: (one["segments"], one["consents"], at[one["id"]]) for one in people if one["confidence"] >= floor}
    cohorts = Counter(segment for one in people if one["confidence"] < floor for segment in one["segments"])
    return {"named": named, "cohorts": cohorts}


def unsettle(engine: Engine, rng: Random, share: float) -> None:
    """Give some people another confidence, as likeness does."""
    space = engine.space
    space.work.log.cause = {"type": "message", "id": "secret"}
    for key in sorted(person.key for person in engine.view.people()):
        person = space.work.store.person(key)
        if person is not None and rng.random() < share:
            person.confidence = rng.choice(SURE)
            space.work.store.dirty[key] = person
            space.work.announcer.move(person, (CONFIDENCE,), space.work.clock.now)
    space._commit()


@pytest.mark.parametrize("seed", range(7200, 7240))
def test_whoever_is_told_names_and_cohorts_knows_the_state(tmp_path: Path, seed: int) -> None:
    """At every floor, after every commit: named people with their segments and consents, cohorts by their size; and the log itself."""
    rng, drawn = Random(seed), scenario(seed, 30)
    engine = Engine(tmp_path / "shard", load(drawn.definitions_files), cache_bytes=10_000 if seed % 2 else 512_000_000)
    engine.start([f"p{at}" for at in range(len(drawn.partitions))])
    folded, cohorts = Folded(), {floor: Cohorts(floor) for floor in FLOORS}
    for name, records in steps(drawn, rng):
        engine.take(name, records)
        if engine.space.work.clock.now == BEFORE_ALL:
            continue
        if rng.random() < 0.5:
            unsettle(engine, rng, 0.5)
        if rng.random() < 0.1:
            engine.restart()
        changes = list(engine.view.changes(folded.sequence))
        for floor, one in cohorts.items():
            one.read(Audience(frozenset(CHANGES), floor).told(changes))
        folded.read(changes)
        assert folded.told() == dumped(engine.dump()), (seed, name)
        for floor, one in cohorts.items():
            assert one.told() == held(engine, floor), (seed, name, floor)
            for profile, traits in one.traits.items():
                person = engine.view.profiles.by_id(profile)
                assert person is not None
                told = {key: shown(value) for key, value in person.told.items() if key[:1] not in "!?\0"}
                expected = orjson.loads(orjson.dumps(told))
                assert {key: value for key, value in traits.items() if value is not None} == {
                    k: v for k, v in expected.items() if v is not None
                }
    engine.shard.close()


@pytest.mark.parametrize("seed", range(40))
def test_links_by_likeness_move_people_across_floors(tmp_path: Path, seed: int) -> None:
    """Records that come to be alike and cease to be: after every event named people and cohorts are those of the model."""
    drawn, rng = likenesses(seed), Random(seed)
    definitions = load(drawn.definitions_files)
    judge = Judge(definitions, unknown_ok=True, future_skew_us=1 << 60, max_event_bytes=1_000_000)
    engine = Engine(tmp_path / "shard", definitions)
    engine.start(["p0"])
    folded, cohorts = Folded(), {floor: Cohorts(floor) for floor in (0.9, 0.98, 0.9999)}
    events, control, before = [], [], 0
    for name, records in steps(drawn, rng, sizes=(1,)):
        if name == "control":
            control += [orjson.loads(record) for record in records]
            engine.control(control[-len(records) :])
        else:
            events += judge.judge_many(records, 1, 0)[0]
            engine.feed(name, records)
        clock = engine.space.meta.clock
        if clock is None:
            continue
        dump = model.dump(events, control, definitions, clock, hasher=HASHER, denials=engine.denials)
        expected = [line for line in dump if b'"kind":"profile"' in line]
        assert [line for line in engine.dump() if b'"kind":"profile"' in line] == expected, seed
        changes = list(engine.view.changes(before))
        before += len(changes)
        folded.read(changes)
        assert folded.told() == dumped(engine.dump()), seed
        for floor, one in cohorts.items():
            one.read(Audience(frozenset(CHANGES), floor).told(changes))
            assert one.told() == held(engine, floor), (seed, floor)
    engine.shard.close()


@pytest.mark.parametrize("seed", range(7300, 7312))
def test_floors_mean_the_same_in_sql(tmp_path: Path, seed: int) -> None:
    """The SQL twin reads the confidence from the snapshot, in six decimals; what is stored is what it says."""
    rng, drawn = Random(seed), scenario(seed, 30)
    files = {path: orjson.loads(text) for path, text in drawn.definitions_files.items() if path.endswith(".yaml")}
    for path, content in files.items():
        if path.startswith("segments/"):
            content["confidence"] = {"gte": rng.choice([0.9, 0.95, 1])}
    said = {path: orjson.dumps(content).decode() for path, content in files.items()}
    drawn = replace(drawn, definitions_files={**drawn.definitions_files, **said})
    with test_one_meaning.shop(tmp_path, drawn) as one:
        for name, records in steps(drawn, rng):
            one.feed(name, records)
        unsettle(one.engine, rng, 0.8)
        clock = one.engine.space.meta.clock
        assert clock is not None
        target, query = one.publish(), twin(one.definitions)
        assert one.stored() == one.members(clock) == set(sql(target, query, {"at": clock})[1])
        unsure = "SELECT count(*) FROM profiles WHERE confidence < 1"
        assert sql(target, unsure)[1][0][0] == sum(person.certainty < 1 for person in one.engine.view.people())


ORDER = {"properties": {"amount": {"type": "number"}}}
FILES: Json = {
    "events/order_completed/1-0-0.json": ORDER,
    "consent.yaml": {"purposes": [{"name": "marketing", "default": "denied"}]},
    "traits.yaml": {"traits": [{"name": "plan", "emit": True}]},
    "segments/buyers.yaml": {"segment": "buyers", "version": 3, "who": {"did": "order_completed"}},
    "segments/sure.yaml": {"segment": "sure", "who": {"did": "order_completed"}, "confidence": {"gte": 0.95}, "purpose": "marketing"},
    "segments/unsure.yaml": {"segment": "unsure", "who": {"all": [{"did": "order_completed"}, {"not": {"segment": "sure"}}]}},
}
LINES: list[Json] = [
    {"type": "identify", "messageId": "m1", "timestamp": "2026-01-01T10:10:11Z", "userId": "ann", "traits": {"plan": "gold"},
     "context": {"consent": {"categoryPreferences": {"marketing": True}}}},
    {"type": "track", "event": "order_completed", "messageId": "m2", "timestamp": "2026-01-01T10:20:21Z", "userId": "ann"},
]  # fmt: skip


def shop(folder: Path) -> Engine:
    engine = Engine(folder / "shard", load({path: orjson.dumps(content).decode() for path, content in FILES.items()}))
    engine.start(["p0"])
    engine.feed("p0", [orjson.dumps(line) for line in LINES])
    return engine


def sure(engine: Engine, confidence: float) -> list[tuple[int, bytes]]:
    """The changes that follow when the only person gets another confidence."""
    before = engine.space.meta.changes
    [key] = [person.key for person in engine.view.people()]
    person = engine.space.work.store.person(key)
    assert person is not None
    person.confidence = confidence
    engine.space.work.store.dirty[key] = person
    engine.space.work.announcer.move(person, (CONFIDENCE,), engine.space.work.clock.now)
    engine.space._commit()
    return list(engine.view.changes(before))


def kinds(lines: Iterable[tuple[int, bytes]]) -> list[tuple[str, str | None, bool]]:
    """Type, segment, and whether somebody is named."""
    return [(one["type"], one["segment"], one["profile"] is not None) for one in (orjson.loads(line) for _, line in lines)]


def test_a_segment_with_a_floor_loses_whom_we_are_not_sure_of(tmp_path: Path) -> None:
    """Six decimals count; segments that name the segment follow; the way back is the same."""
    engine = shop(tmp_path)
    assert [(kind, segment) for kind, segment, _ in kinds(sure(engine, 0.9499996))] == [("identity.confidence", None)], (
        "0.95 in six decimals"
    )
    assert [(kind, segment) for kind, segment, _ in kinds(sure(engine, 0.949999))] == [
        ("identity.confidence", None), ("segment.exited", "sure"), ("segment.entered", "unsure"),
    ]  # fmt: skip
    assert engine.view.profiles.held("user_id", "ann")["segments"] == ["buyers", "unsure"]  # type: ignore[index]
    assert engine.view.profiles.held("user_id", "ann")["confidence"] == 0.949999  # type: ignore[index]
    assert [(kind, segment) for kind, segment, _ in kinds(sure(engine, 1.0))] == [
        ("identity.confidence", None), ("segment.entered", "sure"), ("segment.exited", "unsure"),
    ]  # fmt: skip
    assert sure(engine, 1.0) == []
    engine.shard.close()


def test_a_person_who_falls_below_the_floor_is_taken_back_and_counted(tmp_path: Path) -> None:
    """Out of each segment by name, erased, into the cohorts; and all of it back when we are sure again."""
    engine = shop(tmp_path)
    audience = Audience(frozenset(CHANGES), 0.99)
    fallen = audience.told(sure(engine, 0.96))
    assert kinds(fallen) == [
        ("segment.exited", "buyers", True), ("segment.exited", "sure", True), ("profile.erased", None, True),
        ("segment.entered", "buyers", False), ("segment.entered", "sure", False),
    ]  # fmt: skip
    assert all(b"0.96" not in line for _, line in fallen), "how unsure we are says who it may be"
    bodies = [orjson.loads(line) for _, line in fallen]
    number = bodies[0]["id"].rpartition(".")[0]
    assert [body["id"] for body in bodies] == [f"{number}.{at}" for at in range(1, 6)]
    assert bodies[3]["clock"] == "2026-01-01T10:00:00.000000Z"
    assert bodies[3]["evidence"] == {"segment_version": 3}
    assert bodies[3]["cause"] == {"type": "message"}
    risen = audience.told(sure(engine, 0.995))
    assert kinds(risen) == [
        ("segment.exited", "buyers", False), ("segment.exited", "sure", False),
        ("profile.created", None, True), ("consent.changed", None, True), ("profile.updated", None, True),
        ("segment.entered", "buyers", True), ("segment.entered", "sure", True),
    ]  # fmt: skip
    said = {body["type"]: body for body in (orjson.loads(line) for _, line in risen)}
    assert (said["consent.changed"]["purpose"], said["consent.changed"]["granted"]) == ("marketing", True)
    assert (said["profile.updated"]["trait"], said["profile.updated"]["value"]) == ("plan", "gold")
    assert {body["confidence"] for body in said.values() if body["profile"] is not None} == {0.995}
    engine.shard.close()


def test_what_happens_below_the_floor_is_nobodys(tmp_path: Path) -> None:
    """Traits, consents and profile ids stay here; a segment's gain goes out without a name, a message, an exact time."""
    engine = shop(tmp_path)
    sure(engine, 0.9)
    before = engine.space.meta.changes
    withdrawn = {"consent": {"categoryPreferences": {"marketing": False}}}
    engine.feed(
        "p0",
        [
            orjson.dumps(
                {**LINES[0], "messageId": "m3", "timestamp": "2026-01-01T11:00:01Z", "context": withdrawn, "traits": {"plan": "x"}}
            ),
            orjson.dumps({"type": "identify", "messageId": "m4", "timestamp": "2026-01-01T11:01:00Z", "userId": "bob", "traits": {}}),
        ],
    )
    changes = list(engine.view.changes(before))
    ann = profile_id(next(person.key for person in engine.view.people() if person.confidence < 1))
    told = Audience(frozenset(CHANGES), 0.95).told(changes)
    assert {orjson.loads(line)["type"] for _, line in changes} >= {"consent.changed", "profile.updated", "profile.created"}
    assert [(kind, named) for kind, _, named in kinds(told)] == [("profile.created", True)]
    assert all(ann.encode() not in line for _, line in told)
    assert Audience(frozenset(CHANGES)).told(changes) == changes, "without a floor the lines are those of the log"
    engine.shard.close()


def change(kind: str, confidence: float, **more: Any) -> Json:
    line = {
        "id": "shop-0-7",
        "type": kind,
        "profile": "p_a",
        "version": 4,
        "confidence": confidence,
        "clock": "2026-01-01T10:20:30.000000Z",
    }
    return {**line, "segment": None, "purpose": None, "cause": {"type": "message", "id": "m"}, **more}


@pytest.mark.parametrize(
    ("into", "gone", "expected"),
    [(1.0, 1.0, [("identity.merged", "p_a")]), (0.9, 1.0, [("profile.erased", "p_b")]), (1.0, 0.9, []), (0.9, 0.9, [])],
)
def test_a_merge_is_told_of_two_who_are_named(into: float, gone: float, expected: list[tuple[str, str]]) -> None:
    """Who is named and goes into somebody who is not is taken back; of the rest nothing is told."""
    evidence = {"merged": "p_b", "confidence": gone, "version": 9}
    line = orjson.dumps(change("identity.merged", into, merged="p_b", evidence=evidence))
    told = [orjson.loads(body) for _, body in Audience(frozenset(CHANGES), 0.95).told([(7, line)])]
    assert [(one["type"], one["profile"]) for one in told] == expected
    assert all("p_a" not in str(one) for one in told if one["profile"] == "p_b")


@pytest.mark.parametrize(("parent", "part", "named"), [(1.0, 1.0, 1), (0.9, 1.0, 0), (1.0, 0.9, 0)])
def test_a_split_is_told_of_two_who_are_named(parent: float, part: float, named: int) -> None:
    line = orjson.dumps(change("identity.split", parent, split="p_b", evidence={"split": "p_b", "confidence": part}))
    assert len(Audience(frozenset(CHANGES), 0.95).told([(7, line)])) == named


def test_a_destination_is_told_the_types_that_it_asks_for() -> None:
    """A floor makes other changes of one; the types are chosen among those. A change above the floor leaves out what was told already."""
    held = {"segments": [{"segment": "s", "version": 1, "purpose": None}], "consents": {}, "traits": {"plan": "gold"}}
    line = orjson.dumps(change("identity.confidence", 0.9, evidence={"before": 1.0, "confidence": 0.9, **held}))
    assert kinds(Audience(frozenset({"segment.exited"}), 0.95).told([(7, line)])) == [("segment.exited", "s", True)]
    assert kinds(Audience(frozenset({"identity.confidence"}), 0.95).told([(7, line)])) == []
    [(_, named)] = Audience(frozenset(CHANGES), 0.85).told([(7, line)])
    assert orjson.loads(named)["evidence"] == {"before": 1.0, "confidence": 0.9}


def test_changes_without_a_profile_have_no_floor() -> None:
    line = orjson.dumps({**change("quality.broken", 1.0), "profile": None, "version": None, "confidence": None})
    assert Audience(frozenset(CHANGES), 0.95).told([(7, line)]) == [(7, line)]
