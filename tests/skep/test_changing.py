"""While definitions are on their way to people it is said why, every ten seconds how far they have come, and that they have."""

from __future__ import annotations

import json
import re
from itertools import count
from pathlib import Path

import pytest

from contracts import load
from operators.people import change
from skep.runtime.changing import Changing
from tests.engine import Engine
from tests.promises.test_timers import SECOND_US, START_US, page

PEOPLE = 12


def test_it_is_said_how_far_definitions_have_come(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One person a commit, of twelve with an event each, and four seconds from one look to the next."""
    monkeypatch.setattr(change, "SLICE_PEOPLE", 1)
    monkeypatch.setattr(change, "FIRST_PEOPLE", 1)
    engine, seconds = Engine(tmp_path / "shard", load({})), count(step=4)
    engine.start(["p"])
    engine.feed("p", [page(f"d{number}", START_US + number * SECOND_US) for number in range(PEOPLE)])
    work = engine.space.work
    work.stepped = Changing(work, lambda: next(seconds))
    views = {"traits": [{"name": "views", "count": True, "did": "page_viewed"}]}
    engine.define(load({"traits.yaml": json.dumps(views)}), whole=False)
    engine.space.bring_along()
    first, *between, last = capsys.readouterr().err.splitlines()
    assert "recomputing" in first
    assert "differ in traits, features" in first
    assert "recomputed" in last
    assert f"people={PEOPLE}" in last
    assert f"events={PEOPLE}" in last
    for doing in ("reading events of people", "evaluating people"):
        done = [int(found[1]) for line in between if doing in line and (found := re.search(r"done='?(\d+) %", line))]
        assert len(done) > 2
        assert done == sorted(done)
        assert 0 <= done[0] < done[-1] < 100
    looks, said = next(seconds) // 4, 1 + len(between) + 1
    assert said < looks / 2, "it is not said at every commit"
    engine.shard.close()
