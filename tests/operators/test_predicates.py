"""Predicates: drawn ones of drawn values, in the model, in the stream and in SQL."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import duckdb
import orjson
import pyarrow as pa
import pytest

from contracts.language.claims import moves
from contracts.model.definitions import Definitions, TraitIs
from contracts.text.folding import folded
from operators.records import Person
from operators.segments.compile import Program
from operators.segments.sql.twin import twin
from tests.golden.cases import definitions_of
from tests.model_segments import small, some_value, written
from tests.operators.test_segments_sql import AT, DAY, store
from tests.predicates import drawn_against, drawn_of_trait, drawn_value

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "America/Havana")
"""In Havana clocks are set back over midnight, on 2024-11-03."""
TIMES = (AT, AT + 9 * DAY)


def test_small_letters_are_the_same_in_sql() -> None:
    """Of every sign that there is; so the model, the stream and SQL have one meaning."""
    signs = [chr(code) for code in range(1, 0x110000) if not 0xD800 <= code < 0xE000]
    con = duckdb.connect()
    con.register("signs", pa.table({"sign": signs}))
    found = [text for (text,) in con.execute("SELECT lower(sign) FROM signs").fetchall()]
    assert [folded(sign) for sign in signs] == found
    assert [small(sign) for sign in signs] == found
    assert folded("ΣΑΣ İß") == con.execute("SELECT lower('ΣΑΣ İß')").fetchall()[0][0]


def segments(rng: Random, count: int) -> Definitions:
    """Segments of drawn predicates on one trait."""
    who: list[Any] = [{"trait": rng.choice(["x", "x", "x[]", "x.a", "x[0]"]), **drawn_of_trait(rng)} for _ in range(count)]
    who += [{"trait": rng.choice(["x", "x", "x[]"]), **drawn_against(rng, {"trait": rng.choice(["y", "y.a"])})} for _ in range(count // 4)]
    return definitions_of({"segments": {f"s{at}": {"timezone": rng.choice(ZONES), "who": one} for at, one in enumerate(who)}})


@pytest.mark.parametrize("seed", range(4))
def test_stream_and_sql_are_the_model(seed: int) -> None:
    rng = Random(f"{seed}:predicates")
    definitions = segments(rng, 16)
    values = [drawn_value(rng) for _ in range(60)]
    program = Program(definitions)
    others = [rng.choice([value, drawn_value(rng), drawn_value(rng)]) for value in values]
    traits = [{"x": value, "y": other} for value, other in zip(values, others, strict=True)]
    con = store(profiles={f"p{at:02d}": orjson.dumps(each).decode() for at, each in enumerate(traits)})  # type: ignore[misc]
    query = twin(definitions)
    for now in TIMES:
        by_sql = set(con.execute(query, {"at": now}).fetchall())
        for at, value in enumerate(values):
            person = Person(b"", [], {}, traits={name: [0, "", each] for name, each in traits[at].items()})
            members = program.members(person, now)
            for segment in definitions.segments:
                assert isinstance(segment.who, TraitIs)
                asked = written(segment.who.predicates, traits[at])  # type: ignore[arg-type]
                expected = some_value(traits[at], segment.who.path, asked, segment.timezone, now)
                said = f"{segment.who} of {value!r}, {others[at]!r} at {now} in {segment.timezone}"
                assert bool(members & program.bit(segment.name)) is expected, f"stream: {said}"
                assert ((segment.name, f"p{at:02d}") in by_sql) is expected, f"SQL: {said}"


@pytest.mark.parametrize("seed", range(4))
def test_nothing_changes_before_the_next_turn(seed: int) -> None:
    """What looks at now says the same until the moment that is told, and at the end of it what the model says."""
    rng = Random(f"{seed}:turns")
    made = segments(rng, 60)
    definitions = replace(made, segments=tuple(one for one in made.segments if any(map(moves, one.who.predicates))))  # type: ignore[union-attr]
    assert definitions.segments
    program = Program(definitions)
    for value in [drawn_value(rng) for _ in range(60)]:
        person, now = Person(b"", [], {}, traits={"x": [0, "", value]}), AT + rng.randrange(9 * DAY)
        for _ in range(3):
            turn = min([m for one in program.turns for m in [one.after(person, now)] if m is not None], default=None)
            until = AT + 800 * DAY if turn is None else turn
            members = program.members(person, now)
            for moment in {until - 1, now + 1, rng.randrange(now, until)}:
                assert program.members(person, moment) == members, (value, now, moment)
                for segment in definitions.segments:
                    who = segment.who
                    assert isinstance(who, TraitIs)
                    expected = some_value({"x": value}, who.path, who.predicates, segment.timezone, moment)
                    assert bool(members & program.bit(segment.name)) is expected, (who, value, moment)
            if turn is None:
                break
            now = turn
