"""A repair beyond its budget is said once, with what it is about, and not again within a minute."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from contracts import load
from contracts.model.hashing import Hasher
from operators.judge import Judge
from operators.people.work import Work
from skep.runtime.large_repairs import LargeRepairs
from state.shard import Shard

RULES = {"namespaces": [{"name": "user", "from": "user"}, {"name": "mail", "from": "mail", "personal": True}]}


def test_a_large_repair_is_said_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    definitions, hasher, now = load({"identity.yaml": json.dumps(RULES)}), Hasher("test", "shop"), [0.0]
    shard = Shard(tmp_path / "shard")
    judge = Judge(definitions, unknown_ok=True, future_skew_us=0, max_event_bytes=1_000)
    work = Work("shop", shard, hasher, load=lambda _: definitions, judge=lambda _: judge, horizon_us=0)
    work.use(definitions.digest)
    said = LargeRepairs(work, lambda: now[0])
    about = [(0, "7"), (1, "ann@x.com")]
    said(about, 20_000)
    said(about, 40_000)
    (line,) = capsys.readouterr().err.splitlines()
    assert "large repair" in line
    assert "user:7, mail:" + hasher.personal("mail", "ann@x.com") in line
    assert "ann@x.com" not in line
    now[0] = 59.0
    about = [(0, "8")]
    said(about, 20_000)
    now[0] = 61.0
    said(about, 40_000)
    assert capsys.readouterr().err == "", "a repair is said when it begins, or not at all"
    said([(0, "9")], 40_007)
    assert "user:9" in capsys.readouterr().err
    shard.close()
