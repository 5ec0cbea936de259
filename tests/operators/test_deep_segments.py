"""Conditions fifty levels deep: read, evaluated, asked in SQL, explained and said like any other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from contracts import ContractErrors
from contracts.language.forms import say
from operators.segments.explain import explain
from tests.engine import Engine
from tests.generator import written
from tests.golden.cases import definitions_of
from tests.model_links import instant
from tests.operators.test_segments_sql import members, store

LEVELS = 50
NOON = instant("2026-01-01T12:00:00Z")
AROUND: dict[str, Any] = {
    "not": lambda inner: {"not": inner},
    "all": lambda inner: {"all": [inner, {"not": {"did": "nothing"}}]},
    "any": lambda inner: {"any": [{"did": "nothing"}, inner]},
    "at_least": lambda inner: {"at_least": {"n": 1, "of": [inner, {"did": "nothing"}]}},
}


def nested(form: str, levels: int) -> Any:
    who: Any = {"did": "page"}
    for _ in range(levels):
        who = AROUND[form](who)
    return who


def test_fifty_levels(tmp_path: Path) -> None:
    definitions = definitions_of({"segments": {form: nested(form, LEVELS) for form in AROUND}})
    engine = Engine(tmp_path / "shard", definitions)
    engine.start(["p"])
    body = {"messageId": "m", "type": "track", "event": "page", "timestamp": "2026-01-01T00:00:00Z", "userId": "ada"}
    engine.feed("p", [written(body)], finished=True)
    (person,) = engine.view.people()
    program = engine.view.program
    assert program.members(person, NOON) == (1 << len(AROUND)) - 1
    con = store([("m", "page", instant("2026-01-01T00:00:00Z"), {}, None)], owners=[("m", "p")], profiles={"p": {}, "q": {}})
    # An even number of `not` is none.
    assert members(con, definitions, NOON) == {(form, "p") for form in AROUND}
    for segment in definitions.segments:
        assert explain(person, program, segment.name, NOON).holds
        assert say(segment, definitions.features).startswith(f"Members of {segment.name} are those")
    engine.shard.close()


@pytest.mark.parametrize("form", AROUND)
def test_beyond_what_a_file_may_hold(form: str) -> None:
    with pytest.raises(ContractErrors, match="expected at most 200 levels"):
        definitions_of({"segments": {form: nested(form, 220)}})
