"""Bad input to traits, each with its outcome: in the stream, in the model and in SQL."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import orjson
import pytest

from contracts import ContractErrors, load
from contracts.model.hashing import profile_id
from operators.segments.sql.twin import trait_sql
from tests import model
from tests.engine import HASHER, Engine, judge_of
from tests.model_links import instant
from tests.operators.test_segments_sql import members, store_of
from tests.promises.project import Json, asked, project
from tests.skep.test_cli import skep

NOW = "2026-01-31T00:00:00Z"
TRAITS: list[Json] = [
    {"name": "spent", "sum": "amount", "did": "paid"},
    {"name": "mean", "avg": "amount", "did": "paid"},
    {"name": "spread", "stddev": "amount", "did": "paid"},
    {"name": "most", "max": "amount", "did": "paid", "within": "30d"},
    {"name": "score", "merge": "max"},
    {"name": "due", "last": "due", "did": "paid"},
    {"name": "seen", "distinct": "items[]", "did": "listed"},
    {"name": "all", "sum": "items[]", "did": "listed", "within": "90d"},
    {"name": "newest", "set": "items[]", "did": "listed", "limit": 2},
    {"name": "tags", "merge": "union", "limit": 2},
    {"name": "dotted", "sum": '["a.b"]["__proto__"]', "did": "paid"},
    {"name": "__proto__", "merge": "earliest"},
    {"name": "a.b", "merge": "max"},
    {"name": "each", "ratio": {"of": "spent", "to": "dotted"}},
    {"name": "over", "expression": "spent / (dotted - dotted) > 1 or score * 1e23 > 5"},
    {"name": "twice", "expression": '["a.b"] * 2 + ["__proto__"]'},
]
SEGMENTS = {
    "on_the_11th": {"trait": "due", "on": "2026-01-11"},
    "early": {"trait": "due", "before": "2026-01-11T01:00:00+01:00"},
    "infinite": {"trait": "spent", "gt": 10**22},
}
CASES: dict[str, tuple[list[Json], Json]] = {
    "numbers as texts": (
        [{"amount": "5"}, {"amount": 2}, {"amount": " 7 "}, {"amount": True}, {"amount": None}, {"identify": {"score": "99"}}],
        {"spent": 2, "mean": 2, "spread": 0, "most": 2, "dotted": 0, "over": False},
    ),
    "numbers that nothing can hold": (
        [{"amount": 1e308}, {"amount": -1e308}, {"amount": 1e29}, {"amount": 3}],
        {"spent": 3, "mean": 3, "spread": 0, "most": 3, "dotted": 0, "over": False},
    ),
    "sums past 64 bits": (
        [{"amount": 9_000_000_000_000_000_000}] * 3,
        {"spent": 27 * 10**18, "mean": 9 * 10**18, "spread": 0, "most": 9 * 10**18, "dotted": 0, "over": False},
    ),
    "dates in mixed zones": (
        [{"due": "2026-01-10T23:30:00-02:00"}],
        {"spent": 0, "due": "2026-01-10T23:30:00-02:00", "dotted": 0, "over": False, "segments": ["on_the_11th"]},
    ),
    "a date of another zone, before": (
        [{"due": "2026-01-11T00:30:00+02:00"}],
        {"spent": 0, "due": "2026-01-11T00:30:00+02:00", "dotted": 0, "over": False, "segments": ["early"]},
    ),
    "a list of 100,000": (
        [{"items": list(range(100_000))}, {"identify": {"tags": [f"t{n}" for n in range(100_000)]}}],
        {
            "spent": 0, "seen": 100_000, "all": 4_999_950_000, "newest": [99998, 99999], "tags": ["t99998", "t99999"], "dotted": 0,
            "over": False,
        },
    ),
    "keys with dots, and of prototypes": (
        [{"a.b": {"__proto__": 2}, "amount": 5}, {"identify": {"__proto__": 1, "a.b": 7, "constructor": {"prototype": None}}}],
        {
            "spent": 5, "mean": 5, "spread": 0, "most": 5, "dotted": 2, "each": 2.5, "__proto__": 1, "a.b": 7, "twice": 15, "over": False,
            "constructor": {"prototype": None},
        },
    ),
    "a division by zero, and a product beyond 10^24": (
        [{"amount": 5}, {"a.b": {"__proto__": 0}}, {"identify": {"score": 11}}],
        {"spent": 5, "mean": 5, "spread": 0, "most": 5, "dotted": 0, "score": 11, "over": False},
    ),
}  # fmt: skip


def bodies(case: str) -> list[Json]:
    """The calls of one person, a second apart."""
    found = []
    for at, said in enumerate(CASES[case][0]):
        head = {"userId": "ann", "context": {}, "messageId": f"m{at}", "timestamp": f"2026-01-20T00:00:{at:02d}Z"}
        if "identify" in said:
            found.append({**head, "type": "identify", "traits": said["identify"]})
        else:
            found.append({**head, "type": "track", "event": "listed" if "items" in said else "paid", "properties": said})
    return found


FILES = {f"segments/{name}.yaml": json.dumps({"segment": name, "who": who}) for name, who in SEGMENTS.items()}
DEFINITIONS = load({"traits.yaml": json.dumps({"traits": TRAITS}), **FILES}, unknown_events_ok=True)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return Engine(tmp_path_factory.mktemp("input") / "shard", DEFINITIONS)


@pytest.mark.parametrize("case", CASES)
def test_what_becomes_of_it(engine: Engine, case: str) -> None:
    """A text is no number, what is no number is left out, sums are exact however large, a list counts by its items."""
    definitions, at = DEFINITIONS, instant(NOW)
    engine.clear(definitions)
    engine.start(["p"])
    records = [orjson.dumps(body) for body in bodies(case)]
    engine.feed("p", records)
    events, _ = judge_of(definitions).judge_many(records, 1, 0)
    lines = model.dump(events, [], definitions, at, hasher=HASHER)
    assert engine.dump(at) == lines
    profile: Any = next(line for line in map(json.loads, lines) if line["kind"] == "profile")
    expected = {"seen": 0, "all": 0, **CASES[case][1]}
    assert sorted(profile["segments"]) == expected.pop("segments", [])
    assert profile["traits"] == expected
    con = store_of(events, [json.loads(line) for line in lines], {trait["name"] for trait in TRAITS})
    person = profile_id(HASHER.identifier("user_id", "ann"))
    assert {segment for segment, _ in members(con, definitions, at)} == set(profile["segments"])
    for trait in definitions.traits:
        found = {pid: json.loads(value) for pid, value in con.execute(trait_sql(definitions, trait), {"at": at}).fetchall()}
        assert found == ({person: expected[trait.name]} if trait.name in expected else {}), trait.name


def test_a_trait_that_is_made_of_itself_is_refused() -> None:
    with pytest.raises(
        ContractErrors, match=r"traits.yaml:1: traits\[0\].expression: expected traits that are not made .* itself → itself"
    ):
        load({"traits.yaml": 'traits: [{name: itself, expression: "itself + 1"}]'})


def test_a_clock_three_years_ahead_and_what_is_no_json_change_nothing(tmp_path: Path) -> None:
    """Both are quarantined: no trait, no clock and no window of anybody moves."""
    head = {"type": "track", "event": "paid", "userId": "ann"}
    good = {
        **head,
        "messageId": "m1",
        "timestamp": "2026-01-20T00:00:00Z",
        "receivedAt": "2026-01-20T00:00:01Z",
        "properties": {"amount": 5},
    }
    ahead = {**good, "messageId": "m2", "timestamp": "2029-01-20T00:00:00Z", "properties": {"amount": 100}}
    lines = [orjson.dumps(good), orjson.dumps(ahead), orjson.dumps({**good, "messageId": "m3"}).replace(b'"amount":5', b'"amount":NaN')]
    files = {"traits.yaml": {"traits": TRAITS[:4]}, "events/paid/1-0-0.json": {"type": "object"}}
    folder = project(tmp_path / "shop", files, lines)
    assert skep("run", "--once", project=folder).returncode == 0
    assert [one["reason"] for one in asked(folder, "quarantine", "list")] == ["future", "undecodable"]
    (found,) = asked(folder, "profile", "show", "user_id:ann")
    assert found["traits"] == {"spent": 5, "mean": 5, "spread": 0, "most": 5}
