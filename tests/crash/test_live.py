"""A followed file that grows while the flow is killed: at one later moment the state is that of an undisturbed run."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from random import Random

import orjson
import pytest

from contracts.text.times import iso
from skep.project.settings import Settings
from skep.project.spaces import open_views
from tests.crash.harness import ACTIVATION, FLOW, OUTBOX, finish, start, wait_for_received
from tests.crash.outcome import Outcome, broken_rules, delivery_problems
from tests.crash.shop import make_project
from tests.patience import PATIENCE_S

SEED = 61
HOUR_US = 3_600_000_000


class Writer(threading.Thread):
    """A collector: writes events of now, many a second, some in two pieces, until told to stop."""

    def __init__(self, path: Path, rng: Random) -> None:
        super().__init__()
        self._path, self._rng = path, rng
        self.done = threading.Event()
        self.written = 0

    def run(self) -> None:
        with self._path.open("ab", buffering=0) as stream:
            while not self.done.wait(0.002):
                for _ in range(4):
                    line = self._event()
                    cut = self._rng.randrange(len(line))
                    stream.write(line[:cut])
                    stream.write(line[cut:])
                    self.written += 1

    def _event(self) -> bytes:
        rng, now = self._rng, time.time_ns() // 1000
        person = rng.randrange(80)
        body = {
            "type": "track",
            "event": "Product Viewed",
            "messageId": f"m-{self.written if rng.random() < 0.98 else rng.randrange(self.written + 1)}",
            "anonymousId": f"d-{person}-{rng.randrange(2)}",
            "properties": {"product_id": f"p{rng.randrange(20)}", "price": 2.5},
            "timestamp": iso(now - rng.randrange(2_000_000)),
        }
        if rng.random() < 0.2:
            body["userId"] = str(person)
        return orjson.dumps(body) + b"\n"


def dump_at(project: Path, at_us: int) -> list[bytes]:
    with open_views(Settings.load(project)) as views:
        return list(views["shop"].dump(at_us))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = make_project(tmp_path / "live")
    (folder / "contracts" / "segments" / "here_now.yaml").write_text(
        "segment: here_now\nowner: crm\nwho: {did: product_viewed, within: 2s, times: {gte: 2}}\n"
    )
    (folder / "events").mkdir(exist_ok=True)
    return folder


def test_kills_of_a_following_flow(project: Path, tmp_path: Path) -> None:
    rng = Random(SEED)
    writer = Writer(project / "events" / "part-0.jsonl", rng)
    writer.start()
    kills = 0
    try:
        for _ in range(4):
            process = start(project, FLOW, SKEP_FOLLOW="1", SKEP_ARCHIVE_INTERVAL="0.3s")
            with pytest.raises(Exception, match="timed out"):
                process.wait(rng.uniform(0.8, 2.0))
            process.kill()
            process.wait()
            kills += 1
    finally:
        writer.done.set()
        writer.join()
    process = start(project, FLOW, SKEP_FOLLOW="1")
    wait_for_received(project, writer.written)
    process.terminate()
    assert process.wait(PATIENCE_S) == 0
    found = Outcome.of(project)
    assert found.counters["received"] == writer.written > 1000
    assert found.counters["duplicate"] + found.counters["conflict"] > 10
    # The log of a live flow holds the wall clock by right; everything else is as it must be.
    assert broken_rules(found, event_clock=False) == []
    finish(project, ACTIVATION)
    assert delivery_problems(project / OUTBOX, found) == []
    undisturbed = make_project(tmp_path / "undisturbed")
    for part in ("events", "contracts"):
        (undisturbed / part).rename(tmp_path / f"unused-{part}")
        (undisturbed / part).symlink_to(project / part)
    finish(undisturbed, FLOW)
    wanted = Outcome.of(undisturbed)
    at_us = time.time_ns() // 1000 + HOUR_US
    assert dump_at(project, at_us) == dump_at(undisturbed, at_us)
    assert found.archive == wanted.archive
    assert [row[1:] for row in found.quarantine] == [row[1:] for row in wanted.quarantine]
