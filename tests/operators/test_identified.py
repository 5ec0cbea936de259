"""Conditions on identifiers: the same share always, asked only of those who have others, and when one passes to somebody else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from contracts import load
from contracts.model.definitions import Definitions
from contracts.model.of_identifiers import Sampled
from operators.segments.identified import is_below
from tests.engine import Engine
from tests.generator import written

IDENTITY = """\
namespaces:
  - {name: user_id, from: userId, unique: true}
  - {name: email, from: traits.email, normalize: email}
  - {name: anonymous_id, from: anonymousId, scope: device}
"""


def defined(**segments: Any) -> Definitions:
    files = {f"segments/{name}.yaml": orjson.dumps({"segment": name, "who": who}).decode() for name, who in segments.items()}
    return load({"identity.yaml": IDENTITY, **files}, unknown_events_ok=True)


def event(minute: int, **said: Any) -> bytes:
    return written({"messageId": f"m{minute}", "type": "track", "event": "page", "timestamp": f"2026-01-01T00:{minute:02}:00Z", **said})


@pytest.mark.parametrize("percent", [0, 10, 20, 50, 100])
def test_a_share_is_as_large_as_it_says(percent: int) -> None:
    """And lies in every larger one of its seed."""
    ids = [str(number) for number in range(10_000)]
    inside = {one for one in ids if is_below(Sampled(percent * 1_000_000, "spring", None), "user_id", one)}
    assert abs(len(inside) / 100 - percent) < 1
    for larger in range(percent, 101, 10):
        assert inside <= {one for one in ids if is_below(Sampled(larger * 1_000_000, "spring", None), "user_id", one)}
    assert percent in {0, 100} or inside != {one for one in ids if is_below(Sampled(percent * 1_000_000, "autumn", None), "user_id", one)}


def test_only_who_has_other_identifiers_is_asked(tmp_path: Path) -> None:
    engine = Engine(tmp_path / "shard", defined(reachable={"has": "email"}))
    engine.start(["p"])
    program, asked = engine.space.work.program, [0]
    evaluate = program.evaluators[0]

    def counted(*of: Any) -> bool:
        asked[0] += 1
        return evaluate(*of)

    program.evaluators[0] = counted
    identify = {"type": "identify", "event": None, "traits": {"email": "Ada@example.org"}}
    for number, (said, more) in enumerate([({}, 1), ({}, 0), ({}, 0), (identify, 1), (identify, 0), ({}, 0)]):
        before = asked[0]
        engine.feed("p", [event(number, userId="ada", **said)])
        assert asked[0] - before == more, number
    (person,) = engine.view.people()
    assert person.bits == b"\x01"
    engine.shard.close()


def test_a_device_that_passes_to_somebody_else(tmp_path: Path) -> None:
    """The newest login has it; whoever had it before leaves."""
    engine = Engine(tmp_path / "shard", defined(at_home={"has": "anonymous_id", "eq": "d"}))
    engine.start(["p"])
    inside = []
    for number, user in enumerate(["ada", "bob", "ada"]):
        engine.feed("p", [event(40 * (number % 2) + number, userId=user, anonymousId="d")])
        held = [person for person in engine.view.people() if any(person.bits)]
        inside.append([each.value for person in held for each in person.identifiers if each.namespace == 0])
    assert inside == [["ada"], ["bob"], ["bob"]]
    engine.shard.close()
