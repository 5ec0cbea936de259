"""Golden files of segments: the model, the stream and the SQL twin say the same. ``REWRITE=1`` writes what the model says."""

from __future__ import annotations

import json
import os
from pathlib import Path

import orjson
import pytest

from contracts.language.forms import FORMS
from contracts.language.measures import MEASURES
from contracts.language.operators import OPERATORS
from contracts.model.definitions import Predicate, leaves
from contracts.model.hashing import profile_id
from operators.segments.sql.twin import trait_sql
from tests import model
from tests.engine import HASHER, Engine
from tests.generator import written
from tests.golden.cases import FOLDER, Case, read
from tests.model_links import instant
from tests.model_segments import json as canonical
from tests.operators.test_segments_sql import members, store_of

Members = set[tuple[str, str]]
FILES = sorted(FOLDER.glob("*.txt"))


def names(case: Case) -> dict[str, str]:
    """Profile id → person."""
    return {profile_id(HASHER.identifier("user_id", person)): person for person in case.people}


def told(case: Case, lines: list[bytes]) -> Members:
    """The members of a dump."""
    known = names(case)
    people = [line for line in map(orjson.loads, lines) if line["kind"] == "profile"]
    inside = {(segment, known[line["id"]]) for line in people for segment in line["segments"]}
    return inside | {(name, valued(known[line["id"]], line["traits"].get(name))) for line in people for name in case.given.get("shown", ())}


def valued(person: str, value: object) -> str:
    """A trait of somebody as the file has it."""
    return person if value is None else f"{person}={canonical(value).decode()}"


def by_model(case: Case, time: str) -> list[bytes]:
    return model.dump(case.events(time), [], case.definitions, instant(time), hasher=HASHER)


def by_stream(case: Case, time: str, folder: Path) -> Members:
    engine = Engine(folder, case.definitions)
    engine.start(sorted({*case.sources}))
    for source, body in case.until(time):
        engine.feed(source, [written(body)])
    found = told(case, engine.dump(instant(time)))
    engine.shard.close()
    return found


def by_sql(case: Case, time: str) -> Members:
    lines = [orjson.loads(line) for line in by_model(case, time)]
    computed = {trait.name for trait in case.definitions.traits if trait.kind != "plain"}
    con, known = store_of(case.events(time), lines, computed), names(case)
    inside = {(segment, known[profile]) for segment, profile in members(con, case.definitions, instant(time))}
    for trait in (one for one in case.definitions.traits if one.name in case.given.get("shown", ())):
        rows = dict(con.execute(trait_sql(case.definitions, trait), {"at": instant(time)}).fetchall())
        found = {person: json.loads(rows[profile]) if profile in rows else None for profile, person in known.items()}
        inside |= {
            (trait.name, valued(person, found[person])) for person in {known[line["id"]] for line in lines if line["kind"] == "profile"}
        }
    return inside


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_members(path: Path, tmp_path: Path) -> None:
    case = read(path)
    found = {time: told(case, by_model(case, time)) for time in case.times}
    if os.environ.get("REWRITE"):
        path.write_text(f"{case.asked}----\n{case.shown(found)}")
    else:
        assert case.shown(found) == case.expected
    for number, time in enumerate(case.times):
        assert by_stream(case, time, tmp_path / str(number)) == found[time], ("stream", time)
        assert by_sql(case, time) == found[time], ("SQL", time)


def test_every_word_has_a_golden_file() -> None:
    """A form and a measure one of their own; an operator stands in some."""
    assert {*FORMS, *MEASURES} - {path.stem for path in FILES} == set()
    used = {predicate.op for path in FILES for predicate in predicates(read(path))}
    assert set(OPERATORS) - used == set()


def predicates(case: Case) -> list[Predicate]:
    found = [each for segment in case.definitions.segments for leaf in leaves(segment.who) for each in getattr(leaf, "predicates", ())]
    return found + [each for feature in case.definitions.features.values() for where in feature.where for each in where.predicates]
