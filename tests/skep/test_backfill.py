"""A source of history taken in by `skep backfill` comes to what a flow makes of it: into an empty space and into one that lives, in
slices, among parts, again after a kill, and with everything that can be wrong with records."""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from multiprocessing.connection import Connection
from os import dup
from pathlib import Path
from random import Random
from threading import Thread
from typing import Any

import orjson
import pytest

from operators.backfill import share
from skep.project.errors import CommandError
from skep.project.process import take_lock
from skep.project.settings import Settings
from skep.project.spaces import open_views
from skep.runtime import backfill as bulk
from skep.runtime.backfill_part import Helper, serve
from skep.runtime.flow import Runtime
from state.errors import StateError
from tests.crash.outcome import Outcome, broken_rules, differences
from tests.generator import Scenario, scenario, written
from tests.graphs import graph, likenesses
from tests.patience import PATIENCE_S, until
from tests.processes import plain_environment, started
from tests.skep.test_cli import skep

DRAWN: dict[str, Callable[[int], Scenario]] = {
    "scenario": lambda seed: scenario(seed, (20, 40, 80)[seed % 3], conflicting=seed % 2 == 1),
    "graph": graph,
}

LIVES_UNTIL = "2026-09"
"""When nothing of what is drawn happens any more."""


def project(folder: Path, drawn: Scenario) -> Path:
    """A project with the scenario's definitions: a source that lives and one that is history."""
    for name, text in drawn.definitions_files.items():
        path = folder / "contracts" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for name in ("web", "past"):
        (folder / name).mkdir()
    (folder / "skep.yaml").write_text(
        "spaces: [shop]\ndata: data\nfollow: false\nsecret: test\nunknown_events: accept\n"
        "future_skew: 36500d\nhorizon: 400d\nbatch_size: 7\nsources:\n"
        "  - {name: web, kind: jsonl, path: web, space: shop}\n  - {name: past, kind: jsonl, path: past, space: shop, history: true}\n"
    )
    return folder


@contextmanager
def running(folder: Path) -> Iterator[Runtime]:
    runtime = Runtime(Settings.load(folder))
    try:
        yield runtime
    finally:
        for shard in runtime._shards.values():
            shard.close()
        runtime._lock.close()


def flow(folder: Path) -> None:
    """What a flow makes of the input, to its end."""
    with running(folder) as runtime:
        reader = runtime.reader()
        while not reader.done:
            for batch in reader.poll():
                for judged in runtime.validate([batch]):
                    runtime.archive("shop").append(judged)
                    runtime.space("shop").apply(judged)
        reader.close()
        runtime.archive("shop").close()


def here(descriptor: int) -> Callable[[], object]:
    """Serves in a thread of this process."""
    thread = Thread(target=serve, args=(Connection(dup(descriptor)),), daemon=True)
    thread.start()
    return lambda: thread.join(PATIENCE_S)


def backfill(folder: Path, parts: int = 2) -> bulk.Backfilled:
    with running(folder) as runtime:
        settings = runtime.settings
        return bulk.backfill(
            runtime, bulk.source_of(settings, "past"), lambda: [Helper(settings, number, here) for number in range(parts)], lambda *_: None
        )


def told(outcome: Outcome) -> dict[str, list[dict[str, Any]]]:
    """The change log of each profile, in its order, without what says where it lies among others."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for line in map(orjson.loads, outcome.changes):
        del line["id"]
        if line["clock"] > LIVES_UNTIL:
            # A denial of a record without a time of its own is of when it was read.
            line["clock"] = None
        found[line["profile"]].append(line)
    return found


def counted(outcome: Outcome) -> list[Any]:
    """Scores without what the values say that are looked at: those are a sample."""
    return [
        (*key, scores.events, scores.newest_us, scores.refused, scores.unknown, scores.unknown_events) for *key, scores in outcome.scores
    ]


def same(reference: Path, found: Path) -> None:
    one, other = Outcome.of(reference), Outcome.of(found)
    assert differences(one, other, in_order=False) == []
    assert told(other) == told(one)
    assert other.quarantine == one.quarantine
    assert counted(other) == counted(one)
    assert broken_rules(other, event_clock=False) == broken_rules(one, event_clock=False)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several chunks and slices of few records, and of what is put aside."""
    monkeypatch.setattr(share, "TOGETHER", 5)
    monkeypatch.setattr(share, "PIECE", 30)
    monkeypatch.setattr(bulk, "CHUNK", 7)
    monkeypatch.setattr(bulk, "SLICE", 40)


def records(drawn: Scenario, rng: Random) -> list[bytes]:
    found = [*map(written, drawn.events), *map(written, drawn.refused)]
    rng.shuffle(found)
    return found


def laid(folder: Path, name: str, lines: list[bytes]) -> None:
    (folder / name).write_bytes(b"".join(line + b"\n" for line in lines))


def both(tmp_path: Path, drawn: Scenario, rng: Random, *, files: int = 2) -> tuple[Path, Path]:
    """Two projects alike, with history behind events that live and links by hand. A flow has read the first to its end.

    A flow takes ``files`` batch by batch in turns, as a backfill of small chunks does, and one of large chunks does not."""
    lines = records(drawn, rng)
    live = rng.choice([0, len(lines) // 3])
    reference = project(tmp_path / "flow", drawn)
    laid(reference, "web/a.jsonl", lines[:live])
    flow(reference)
    with (reference / "data/control/shop.jsonl").open("ab") as control:
        control.writelines(orjson.dumps(entry) + b"\n" for entry in drawn.control)
    half = (live + len(lines)) // 2 if files > 1 else len(lines)
    laid(reference, "past/a.jsonl", lines[live:half])
    laid(reference, "past/b.jsonl", lines[half:])
    other = tmp_path / "backfill"
    shutil.copytree(reference, other)
    flow(reference)
    return reference, other


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", DRAWN)
def test_it_comes_to_what_a_flow_makes_of_it(kind: str, seed: int, tmp_path: Path) -> None:
    """Behind it a flow reads on, and finds nothing more."""
    reference, other = both(tmp_path, DRAWN[kind](seed), Random(f"{kind} {seed}"))
    found = backfill(other)
    assert found.records == found.applied + found.duplicate + found.quarantined
    flow(other)
    same(reference, other)


def _killed(*_: Any) -> None:
    raise KeyboardInterrupt


MOMENTS: dict[str, tuple[Any, str, int]] = {
    "judged": (bulk.Islands, "add", 8),
    "grouped": (bulk.Islands, "shares", 1),
    "folded": (bulk.joining, "beside", 1),
    "ready": (bulk.bulk, "take_in", 1),
    "some files are in": (bulk.bulk, "_take_files", 4),
    "all files are in": (bulk.bulk, "_write_behind", 1),
    "all rows are in": (bulk.bulk, "remove", 1),
}
"""Where it is killed: what is called then, and behind how many such calls."""


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_at_any_moment_it_goes_on(moment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the second slice; then it is run again, or a flow takes over."""
    reference, other = both(tmp_path, scenario(5, 80, conflicting=True), Random(moment))
    of, name, often = MOMENTS[moment]
    times, real = count(), getattr(of, name)
    with monkeypatch.context() as patch:
        patch.setattr(of, name, lambda *args: _killed() if next(times) >= often else real(*args))
        with pytest.raises(KeyboardInterrupt):
            backfill(other)
    if moment in {"folded", "some files are in"}:
        backfill(other, parts=3)
    flow(other)
    same(reference, other)
    assert not (other / "data/backfill/shop").exists()


TABLES = {
    "contracts/sources/past.yaml": "columns: {userId: who, timestamp: at, properties.code: code}\nconstants: {type: track, event: paid}\n",
    "contracts/lookups/region.yaml": "kind: csv\npath: regions.csv\ncolumn: code\nkey: properties.code\n",
    "contracts/traits.yaml": "traits:\n  - {name: saxon, count: true, did: paid, where: {context.lookup.region.name: Saxony}}\n",
    "contracts/segments/often.yaml": "segment: often\nowner: us\nwho: {did: paid, times: {gte: 3}}\n",
    "contracts/identity.yaml": "version: 1\nnamespaces:\n  - {name: user_id, from: userId}\n",
    "regions.csv": "code,name\n1,Saxony\n2,Berlin\n",
    "skep.yaml": "spaces: [shop]\ndata: data\nsecret: test\nunknown_events: accept\nsources:\n"
    "  - {name: past, kind: csv, path: past, mapping: past, space: shop}\n",
}


def test_rows_of_a_table_with_lookups_of_people_alone_in_their_space(tmp_path: Path) -> None:
    """Read to their end they move the clock, and memberships are told."""
    reference, other = tmp_path / "flow", tmp_path / "backfill"
    rows = [f"u{at % 17},2026-01-{at % 28 + 1:02}T10:00:00Z,{at % 4}" for at in range(90)]
    text = "\n".join(["who,at,code", *rows[:30], "only two,fields", *rows[30:], rows[0], "u1,never,1"]) + "\n"
    for folder in (reference, other):
        for name, content in {**TABLES, "past/a.csv": text}.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(content)
    flow(reference)
    found = backfill(other)
    assert found.refused == {"undecodable": 1, "envelope": 1}
    assert found.members == {"often": 17}
    same(reference, other)
    with open_views(Settings.load(other)) as views, open_views(Settings.load(reference)) as expected:
        assert views["shop"].meta.looked == expected["shop"].meta.looked != {}


def test_links_by_likeness_are_left_to_the_flows_own_way(tmp_path: Path) -> None:
    reference, other = both(tmp_path, likenesses(3), Random(3))
    assert backfill(other).slices == 0
    flow(other)
    same(reference, other)


def test_what_it_refuses_says_what_to_do(tmp_path: Path) -> None:
    settings = Settings.load(project(tmp_path / "shop", graph(1)))
    with pytest.raises(CommandError, match=r"expected a source of skep.yaml, one of web, past, found crm → `skep sources` lists them"):
        bulk.source_of(settings, "crm")
    with pytest.raises(CommandError, match=r"source web is no history: .* → skep run; if .* say `history: true` in skep.yaml"):
        bulk.source_of(settings, "web")
    with take_lock(settings), pytest.raises(CommandError, match=r"a flow is running on .*: what its sources hold meanwhile is read then"):
        bulk.opened(settings)


def test_a_process_that_ends_is_said_plainly(tmp_path: Path) -> None:
    _, other = both(tmp_path, graph(2), Random(2))
    with running(other) as runtime:
        source = bulk.source_of(runtime.settings, "past")
        with pytest.raises(StateError, match=r"has ended, perhaps because memory ran out; .* --parts 1"):
            bulk.backfill(runtime, source, lambda: [Helper(runtime.settings, 0, lambda _: lambda: None)], lambda *_: None)


def test_the_command_in_processes_of_its_own(tmp_path: Path) -> None:
    """Killed by the system while it works, and run again."""
    reference, other = both(tmp_path, scenario(7, 80), Random(7), files=1)
    with started("skep.cli", "--project", str(other), "backfill", "past", env=plain_environment()) as process:
        until(lambda: (other / "data/backfill/shop").exists() or process.poll() is not None)
        process.kill()
    done = skep("backfill", "past", project=other)
    assert "records of past" in done.stdout, done.stderr
    assert "Next: skep run --once" in done.stdout
    again = skep("backfill", "past", project=other)
    assert again.stdout.startswith("0 records of past, nothing new to read")
    flow(other)
    same(reference, other)
