"""Sources that are history: none of it is late, repeats are found whatever is sealed, and the state is the model's."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random

import orjson
import pytest

from contracts.text.times import iso
from operators.meta import Meta
from operators.people.clock import Clock
from tests.generator import START_US, Json, Scenario, scenario
from tests.promises.project import asked, dump, project, ran
from tests.promises.test_sealing import Sealed
from tests.skep.test_cli import skep

SEEDS = range(7000, 7016)
DAY_US = 86_400_000_000


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name) / "shard"


# ── engine and model ────────────────────────────────────────────────────────────────────────────────────────────────
def _lived(folder: Path, seed: int) -> Sealed:
    """A live partition in order, then files of history in any order, with a repeat of much of the live one and of each other."""
    rng = Random(seed)
    drawn = scenario(seed, 40)
    # A sealed event is found under its first identifier, so a repeat must not write that in another way.
    live, *files = ([body | {"userId": "7"} if body.get("userId") == "7.0" else body for body in part] for part in drawn.partitions)
    alone = [{key: value for key, value in body.items() if key not in {"userId", "anonymousId", "previousId", "context"}} for body in live]
    files[0] += rng.sample(live, len(live) // 2)
    nobody = [body | {"messageId": "alone-" + body["messageId"], "traits": {}} for body in alone]
    files[1] += nobody + rng.sample(nobody, len(nobody) // 2) + rng.sample(files[0], len(files[0]) // 3)
    for part in files:
        rng.shuffle(part)
    live += nobody[: len(nobody) // 2]
    live.sort(key=lambda body: str(body["timestamp"]))
    drawn = Scenario(seed, 40, [live, *files], drawn.control, drawn.definitions_files)
    sealed = Sealed(folder, drawn, frozenset({"p1", "p2"}))
    _feed(sealed, rng, drawn)
    return sealed


def _feed(sealed: Sealed, rng: Random, drawn: Scenario) -> None:
    queues: dict[str, list[Json]] = {f"p{at}": list(part) for at, part in enumerate(drawn.partitions)} | {"control": list(drawn.control)}
    while any(queues.values()):
        # What is live goes ahead, so that much of it is sealed when its repeats come.
        name = rng.choice([name for name, queue in queues.items() if queue] + ["p0"] * 4 * bool(queues["p0"]))
        size = rng.choice([1, 3, 10])
        taken, queues[name] = queues[name][:size], queues[name][size:]
        before = sealed.engine.space.meta.clock
        sealed.feed(name, [orjson.dumps(body) for body in taken], finished=name != "control" and not queues[name])
        if name != "p0" and any(queues[f"p{at}"] for at in (1, 2)):
            assert sealed.engine.space.meta.clock == before
        if rng.random() < 0.1:
            sealed.engine.restart()
        sealed.check(name)


@pytest.mark.parametrize("seed", SEEDS)
def test_history_is_never_late_and_counts_once(folder: Path, seed: int) -> None:
    """After every batch and restarts; the live partition alone has records that are too late."""
    sealed = _lived(folder, seed)
    late = {row.partition for row in sealed.engine.view.quarantine.entries()}
    assert late <= {"p0"}
    meta = sealed.engine.space.meta
    assert meta.events == len({event.message_id for event in sealed.accepted()})
    assert meta.remembered == len(sealed.rows("seen"))
    sealed.check(seed)
    sealed.engine.shard.close()


def test_the_lives_of_this_file_seal_events_of_nobody_and_of_somebody(folder: Path) -> None:
    """So that repeats had to be found in pages, under a message and under an anchor."""
    anchors = set()
    for seed in SEEDS[:4]:
        sealed = _lived(folder.with_name(f"s{seed}"), seed)
        anchors |= {key[:16] != bytes(16) for key, _ in sealed.rows("pages")}
        sealed.engine.shard.close()
    assert anchors == {True, False}


# ── the clock ───────────────────────────────────────────────────────────────────────────────────────────────────────
def test_history_holds_nobodys_clock_back() -> None:
    clock = Clock(Meta())
    clock.start(["web", "crm"], frozenset({"crm"}))
    clock.take_up("crm", history=True)
    clock.read("crm", 500)
    assert clock.lowest() is None
    clock.came_to("web", 100)
    assert clock.lowest() == 100
    clock.finish("web")
    assert clock.lowest() is None
    clock.finish("crm")
    assert clock.lowest() == 500


def test_history_that_has_been_read_to_its_end_moves_the_clock_like_any_other() -> None:
    """While following, until more is written behind it."""
    clock = Clock(Meta())
    clock.start(["crm"], frozenset({"crm"}))
    clock.take_up("crm", history=True)
    clock.catch_up("crm", 900)
    assert clock.lowest() == 900
    clock.take_up("crm", history=True)
    clock.read("crm", 200)
    assert clock.lowest() is None
    clock.catch_up("crm", 950)
    assert clock.lowest() == 950


# ── as a person meets it ────────────────────────────────────────────────────────────────────────────────────────────
MAPPING = {
    "columns": {"userId": "id", "timestamp": "at", "properties.amount": {"column": "amount", "type": "integer"}},
    "constants": {"type": "track", "event": "Paid"},
}
PAID = {"type": "object", "properties": {"amount": {"type": "integer"}}}
SOURCES = """
sources:
  - {name: crm, kind: csv, path: crm.csv, mapping: crm}
  - {name: web, kind: jsonl, path: events.jsonl%s}
"""
REGULARS = {"segment": "regulars", "who": {"did": "paid", "times": {"gte": 2}, "within": "60d"}}


def _shop(folder: Path, more: str) -> Path:
    """A customer file in no order over three years, and a log with one wrong date at its beginning."""
    rng = Random(5)
    times = [iso(START_US + day * DAY_US) for day in rng.sample(range(1000), 200)]
    events = [
        {"type": "track", "event": "Paid", "userId": f"u{at % 7}", "messageId": f"m{at}", "timestamp": time}
        for at, time in enumerate(sorted(times))
    ]
    events[0]["timestamp"] = iso(START_US + 2000 * DAY_US)
    contracts = {"sources/crm.yaml": MAPPING, "events/paid/1-0-0.json": PAID, "segments/regulars.yaml": REGULARS}
    shop = project(folder, contracts, [orjson.dumps(body) for body in events])
    rows = "".join(f"u{at % 9},{time},{at}\n" for at, time in enumerate(times))
    (shop / "crm.csv").write_text("id,at,amount\n" + rows)
    text = (shop / "skep.yaml").read_text()
    (shop / "skep.yaml").write_text(text[: text.index("sources")] + "future_skew: 5000d\n" + SOURCES % more)
    return shop


def test_a_file_in_no_order_is_taken_whole_and_a_log_that_is_late_is_told(tmp_path: Path) -> None:
    """Once, with cause and remedy, by the run and by status; what the remedy says helps."""
    shop = _shop(tmp_path / "shop", "")
    done = skep("run", "--once", project=shop)
    assert done.returncode == 0, done.stderr
    found = asked(shop, "status")
    assert found["late"] == [{"space": "shop", "source": "web", "too_late": 199, "received": 200}]
    assert done.stderr.count("TOO LATE") == 1
    assert "199 of 200 records of source web" in done.stderr
    assert "history: true" in done.stderr
    whole = _shop(tmp_path / "whole", ", history: true")
    ran(whole)
    assert asked(whole, "status")["quarantine"] == {}
    settings = (shop / "skep.yaml").read_text()
    (shop / "skep.yaml").write_text(settings.replace("events.jsonl}", "events.jsonl, history: true}"))
    assert skep("quarantine", "replay", "--reason", "too_late", project=shop).returncode == 0
    ran(shop)
    assert asked(shop, "status")["late"] == []
    assert dump(shop) == dump(whole)
