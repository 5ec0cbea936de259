"""`skep segments preview`: what it says is what would be, now and on every day before."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest

from contracts.model.batches import Event
from contracts.model.definitions import DAY_US, All, Definitions, InAccount, Segment, leaves
from contracts.model.destinations import Destination
from contracts.reading.segments import named_segments
from operators.segments.sql.asof import as_of, prepared
from skep.answers.segments.asked import SNAPSHOT, hears
from skep.answers.segments.preview import DAYS_MAX, preview, read_decisions
from skep.project.errors import CommandError
from skep.project.settings import Settings
from state.errors import NoSnapshot
from tests import model
from tests.engine import HASHER, SPACE, judge_of, steps
from tests.generator import scenario
from tests.model_consent import Denial
from tests.model_links import Ident, Identity, accepted, anchor_of
from tests.model_matching import confidence_of
from tests.promises.test_one_meaning import shop
from tests.skep.small_shop import SECRET
from tests.skep.test_cli import skep

pictured = pytest.mark.skipif(find_spec("matplotlib") is None, reason="matplotlib is not installed: it comes with skep[plot] only")


@pytest.fixture
def settings(small_shop: Path) -> Settings:
    return Settings.load(small_shop, secret=SECRET)


def test_what_there_is_not(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="expected the name of a segment of contracts/segments, found lapsin → did you mean lapsing"):
        preview(settings, "lapsin", None, 3)
    with pytest.raises(CommandError, match=f"--days: expected a number from 0 to {DAYS_MAX}, found -1"):
        preview(settings, "lapsing", None, -1)
    (tmp_path / "skep.yaml").write_text("spaces: [shop]\n")
    (tmp_path / "contracts/segments").mkdir(parents=True)
    (tmp_path / "contracts/segments/anybody.yaml").write_text("segment: anybody\nwho: {not: {new_within: 1d}}\n")
    with pytest.raises(NoSnapshot):
        preview(Settings.load(tmp_path), "anybody", None, 3)


def test_of_a_live_segment_it_says_what_is(settings: Settings) -> None:
    found = preview(settings, "buyers", None, 6)
    assert (found.differs, found.members, found.matching) == ("same", 3, 3)
    assert [(one.day, one.members) for one in found.history or ()] == [
        ("2026-02-28", 0), ("2026-03-01", 0), ("2026-03-02", 1), ("2026-03-03", 1), ("2026-03-04", 1), ("2026-03-05", 2), ("2026-03-06", 3),
    ]  # fmt: skip
    assert found.overlap[0].segment == "buyers"
    assert found.overlap[0].jaccard == 1


def test_of_a_new_one_whom_it_would_find(edited_shop: Path) -> None:
    """With whom it shares members, who of them consents, and whose values the snapshot has only as hashes."""
    settings = Settings.load(edited_shop, secret=SECRET)
    file = edited_shop / "contracts" / "segments" / "tried.yaml"
    who = "{any: [{did: order_completed}, {trait: email, ends_with: example.com}]}"
    file.write_text(f"segment: tried\npurpose: marketing\nwho: {who}\nactivate: [file]\n")
    found = preview(settings, "tried", None, 0)
    file.unlink()
    assert (found.differs, found.hashed) == ("new", ["email"])
    assert (found.members, found.matching) == (2, 3)
    assert [(one.purpose, one.members, one.asked) for one in found.consents] == [("analytics", 1, False), ("marketing", 2, True)]
    assert [(one.destination, one.told, one.floor, one.members) for one in found.destinations] == [("file", True, None, 2)]
    assert {one.segment: one.both for one in found.overlap} == {"buyers": 2, "lapsing": 2, "spenders": 2}
    assert len(found.sample) == 2
    assert all(value.startswith("h_") for one in found.sample for namespace, value in one.identifiers if namespace == "email")


@pytest.mark.parametrize(("source", "members"), [("web", [0, 7]), ("till", [0, 1])])
def test_the_past_of_what_a_source_says(edited_shop: Path, source: str, members: list[int]) -> None:
    """Its last day ends at the clock, so that it is what the segment would be now."""
    contracts = edited_shop / "contracts"
    traits, file = contracts / "traits.yaml", contracts / "segments" / "tried.yaml"
    before = traits.read_text()
    traits.write_text(f"{before}  - {{name: city, merge: {{sources: [{source}]}}}}\n")
    file.write_text("segment: tried\nwho: {trait: city, exists: true}\n")
    found = preview(Settings.load(edited_shop, secret=SECRET), "tried", None, 6)
    file.unlink()
    traits.write_text(before)
    assert found.history is not None
    assert [found.history[0].members, found.history[-1].members] == members
    assert found.members == members[-1]


def test_who_hears_of_a_segment() -> None:
    """A feed of all; one that is named of what names it; one that is told of nothing of the kind, of none; a vendor's only if named."""
    one, other = (Segment(name, 1, All(()), activate=to) for name, to in (("one", ("named", "vendor")), ("other", ())))
    feed, named = (Destination(name, "file", changes=("segment.entered",)) for name in ("feed", "named"))
    deaf, vendor, unnamed = (
        Destination("deaf", "file", changes=("profile.updated",)),
        Destination("vendor", "x"),
        Destination("unnamed", "x"),
    )
    told = [[hears(each, [one, other])(segment) for segment in (one, other)] for each in (feed, named, deaf, vendor, unnamed)]
    assert told == [[True, True], [True, False], [False, False], [True, False], [False, False]]


@pictured
def test_a_picture(small_shop: Path, tmp_path: Path) -> None:
    done = skep("segments", "preview", "spenders", "--png", str(tmp_path / "a.png"), project=small_shop, SKEP_SECRET=SECRET)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert (tmp_path / "a.png").read_bytes()[16:24] == (1500).to_bytes(4) + (750).to_bytes(4)
    done = skep("segments", "preview", "spenders", "--json", project=small_shop, SKEP_SECRET=SECRET)
    assert json.loads(done.stdout)["segment"] == "spenders"


@pytest.mark.parametrize("seed", range(9200, 9212))
def test_a_day_that_has_gone_by(tmp_path: Path, seed: int) -> None:
    """Who would have been in is what the model says of the events up to then, of the people of today."""
    drawn = scenario(seed, 40)
    with shop(tmp_path, drawn) as one:
        given: list[Event] = []
        for name, records in steps(drawn, Random(seed)):
            one.feed(name, records)
            given += judge_of(one.definitions).judge_many(records, 1, 0)[0] if name != "control" else []
        target, clock = one.publish(), one.engine.space.meta.clock
        assert clock is not None
        events = accepted(given)
        identity = model.resolve(one.definitions, events, drawn.control)
        people = model.attribute(one.definitions.identity, events, identity, HASHER)
        compared = 0
        with duckdb.connect() as con:
            con.execute(f"ATTACH '{target}' AS skep (READ_ONLY); USE skep; SET TimeZone = 'UTC'")
            read_decisions(con, SPACE, frozenset(each.name for each in one.definitions.purposes))
            for at in (clock, clock - 3 * DAY_US, clock - 20 * DAY_US):
                names = {profile: _seen(people, profile, identity, at) for profile in people.profiles}
                then = {profile: _then(one.definitions, mine, identity, at, names[profile]) for profile, mine in people.profiles.items()}
                sure = {profile for profile, mine in people.profiles.items() if _sure(one.definitions, mine, one.engine.denials)}
                for segment in one.definitions.segments:
                    if any(isinstance(leaf, InAccount) for below in _below(one.definitions, segment) for leaf in leaves(below.who)):
                        continue
                    found = {profile for (profile,) in _asked(con, one.definitions, segment.name, at)}
                    expected = {profile for profile, segments in then.items() if segment.name in segments}
                    assert found & sure == expected & sure, (seed, at, segment.name)
                    compared += len(expected)
        assert compared


def _asked(con: duckdb.DuckDBPyConnection, definitions: Definitions, segment: str, at: int) -> list[Any]:
    query = as_of(definitions, segment, SPACE, SNAPSHOT)
    for table, body in prepared(definitions, segment, SPACE, SNAPSHOT, query):
        con.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS {body}")
    return con.execute(query, {"at": at}).fetchall()


def _seen(people: model.People, profile: str, identity: Identity, at: int) -> list[Ident]:
    """The identifiers of a profile that were seen by a time."""
    return [each for each, home in people.of_identifier.items() if home == profile and identity.seen[each][0] <= at]


def _then(definitions: Definitions, mine: Sequence[Event], identity: Identity, at: int, names: Sequence[Ident]) -> Any:
    """The segments of a profile by what it had done up to a time; of what is decided on one identifier the newest counts."""
    past = [event for event in mine if event.time_us <= at]
    confidence = min((confidence_of(identity, each) for event in mine for each in event.identifiers), default=1.0)
    return model.profile(definitions, past, identity, at, confidence, members=names)["segments"] if past else []


def _sure(definitions: Definitions, mine: Sequence[Event], denials: Sequence[Denial]) -> bool:
    """Whether all decisions of a profile hang on one identifier, and no refused record denies."""
    return not denials and len({anchor_of(definitions.identity, event) for event in mine if event.consents}) <= 1


def _below(definitions: Definitions, segment: Segment) -> Iterator[Segment]:
    yield segment
    for name in named_segments(segment.who):
        yield from _below(definitions, next(one for one in definitions.segments if one.name == name))
