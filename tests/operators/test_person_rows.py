"""Rows of people: what nobody did takes no room, and rows with a cell for every feature are read as what they are."""

from __future__ import annotations

from pathlib import Path
from random import Random

import msgspec
import orjson
import pytest

from contracts import load
from operators.records import Person, decode_person, encode
from tests import model
from tests.engine import HASHER, Engine, judge_of, steps
from tests.generator import scenario

CELLS, ASIDE = (Person.__struct_fields__.index(name) for name in ("cells", "aside"))


def with_a_cell_for_every_feature(row: bytes, features: int) -> bytes:
    """The row as it was written before; so is the one of somebody before a session, within it."""
    person = msgspec.msgpack.decode(encode(decode_person(row)))
    person[CELLS] = [person[CELLS].get(at) for at in range(features)]
    if person[ASIDE] is not None and person[ASIDE][1]:
        person[ASIDE][1] = with_a_cell_for_every_feature(person[ASIDE][1], features)
    return encode(person)


@pytest.mark.parametrize("seed", range(24))
def test_flows_go_on_from_rows_with_a_cell_for_every_feature(tmp_path: Path, seed: int) -> None:
    drawn = scenario(seed, 25)
    definitions, rng = load(drawn.definitions_files), Random(seed)
    plan = list(steps(drawn, rng))
    found = []
    for rewritten in (False, True):
        engine = Engine(tmp_path / str(rewritten), definitions)
        engine.start(sorted({name for name, _ in plan} - {"control"}))
        for number, (name, records) in enumerate(plan):
            engine.take(name, records)
            if number % 3 == 0:
                if rewritten:
                    for key, row in list(engine.shard.people.committed(b"")):
                        engine.shard.people.put(key, with_a_cell_for_every_feature(row, len(definitions.features)))
                    engine.shard.commit()
                engine.restart(reopen=False)
        clock = engine.space.meta.clock
        assert clock is not None
        found.append((engine.dump(clock), list(engine.shard.changes.committed(b""))))
        denials = engine.denials
        engine.shard.close()
    assert found[0] == found[1]
    events = [event for name, records in plan if name != "control" for event in judge_of(definitions).judge_many(records, 1, 0)[0]]
    control = [orjson.loads(record) for name, records in plan if name == "control" for record in records]
    assert found[1][0] == model.dump(events, control, definitions, clock, hasher=HASHER, denials=denials)


def test_what_nobody_did_takes_no_room() -> None:
    """Nor does it when an older row is written again."""
    person = Person(b"k", [], {}, cells={997: 1})
    row = encode(person)
    older = with_a_cell_for_every_feature(row, 1_000)
    assert len(older) > len(row) + 990
    assert decode_person(older) == decode_person(row) == person
    assert encode(decode_person(older)) == row


@pytest.mark.parametrize("row", [b"", b"\xc0", b"\x90", encode([b"k", [], {}, 0, None, None, {}, "cells"])])
def test_what_is_no_row_of_a_person_is_refused(row: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_person(row)
