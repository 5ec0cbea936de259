"""Definitions edited between a kill and the restart: the state is what the model says of them, whoever was killed when."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from random import Random

from contracts.model.batches import Event
from contracts.model.definitions import Definitions
from contracts.model.hashing import Hasher
from contracts.text.times import parse_time
from operators.judge import Judge
from skep.project.apply import apply
from skep.project.entries import submit
from skep.project.settings import Settings, load_definitions
from tests import model
from tests.crash.harness import FLOW, Killing, control_entries, finish, start, wait_for_commits
from tests.crash.outcome import Outcome, broken_rules
from tests.crash.shop import make_lines, make_project, replace, write_partitions
from tests.engine import difference

SEED = 51
PART = "shop/part-0.jsonl"


def judge_of(settings: Settings, definitions: Definitions) -> Judge:
    return Judge(definitions, unknown_ok=False, future_skew_us=settings.future_skew_us, max_event_bytes=settings.max_event_bytes)


def test_edited_identity_and_segments_equal_the_model(tmp_path: Path) -> None:
    """Another limit of addresses, another session gap, other segments, while the flow was dead; killed again while it recomputes."""
    lines = make_lines(1_500, SEED, people=60)
    project = make_project(tmp_path / "shop", horizon="200d")
    write_partitions(project / "events", lines, 1)
    settings = Settings.load(project)
    before = load_definitions(settings)
    process = start(project, FLOW, SKEP_BATCH_SIZE="50")
    assert wait_for_commits(project, process, 400_000)
    process.kill()
    process.wait()
    stopped = Outcome.of(project)
    assert 0 < stopped.counters["received"] < len(lines)
    edit(project)
    after = load_definitions(settings)
    apply(settings, ("shop",))
    killing = Killing(project, Random(SEED), 180_000)
    killing.through(4)
    found = Outcome.of(project)
    assert found.counters["definitions"] == after.digest
    assert (killing.checks, broken_rules(found)) == ([], [])
    position = first_of(project, after.digest)
    assert stopped.counters["received"] < position <= len(lines)
    wanted = what_the_model_says(settings, lines, position, (before, after), found)
    assert found.dump == wanted, difference(found.dump, wanted, SEED, killing.kills)


def test_records_between_shard_and_archive_are_understood_by_the_new_definitions(tmp_path: Path) -> None:
    """The archive was ahead when the flow was killed: what is judged by the old definitions meets a people step of the new ones."""
    lines = make_lines(1_500, SEED + 1, people=60)
    project = make_project(tmp_path / "shop", horizon="200d")
    write_partitions(project / "events", lines, 1)
    settings = Settings.load(project)
    before = load_definitions(settings)
    process = start(project, FLOW, SKEP_BATCH_SIZE="50")
    assert wait_for_commits(project, process, 250_000)
    process.kill()
    process.wait()
    shutil.copytree(project / "data" / "shards", tmp_path / "earlier")
    process = start(project, FLOW, SKEP_BATCH_SIZE="50", SKEP_ARCHIVE_ROWS="50")
    assert wait_for_commits(project, process, 250_000)
    process.kill()
    process.wait()
    shutil.rmtree(project / "data" / "shards")
    shutil.copytree(tmp_path / "earlier", project / "data" / "shards")
    stopped = Outcome.of(project)
    replace(
        project / "contracts" / "identity.yaml", "namespaces:", "namespaces:\n  - name: member\n    from: traits.member\n    scope: person"
    )
    after = load_definitions(settings)
    apply(settings, ("shop",))
    finish(project, FLOW)
    found = Outcome.of(project)
    assert broken_rules(found) == []
    position = first_of(project, after.digest)
    assert stopped.counters["received"] + 50 < position <= len(lines)
    wanted = what_the_model_says(settings, lines, position, (before, after), found)
    assert found.dump == wanted, difference(found.dump, wanted, SEED)


def what_the_model_says(
    settings: Settings, lines: list[bytes], position: int, definitions: tuple[Definitions, Definitions], found: Outcome
) -> list[bytes]:
    """The dump of records that are judged by the new definitions from a position on, and all understood by them."""
    before, after = definitions
    now_us = time.time_ns() // 1000
    accepted = [*judge_of(settings, before).judge_many(lines[: position - 1], 1, now_us)[0]]
    judge = judge_of(settings, after)
    accepted += judge.judge_many(lines[position - 1 :], position, now_us)[0]
    again = [reread(judge, event) for event in accepted]
    at = parse_time(found.counters["clock"])
    assert at is not None
    return model.dump(again, [], after, at, hasher=Hasher(settings.secret, "shop"))


def first_of(project: Path, digest: str) -> int:
    """The first position that the definitions judge, as the control entry says."""
    entry = control_entries(project)[-1]
    assert entry["digest"] == digest
    holds_from = entry["from"]
    assert isinstance(holds_from, dict)
    return int(holds_from[PART])


def reread(judge: Judge, event: Event) -> Event:
    """An accepted event as the definitions in force understand it."""
    again = judge.reread(event.raw, event.contract)
    again.position, again.time_us, again.message_id = event.position, event.time_us, event.message_id
    return again


def edit(project: Path) -> None:
    contracts = project / "contracts"
    replace(contracts / "identity.yaml", "session_gap: 30m", "session_gap: 2h")
    replace(contracts / "identity.yaml", "normalize: email        # trimmed, lower case\n    limit: 5 ", "normalize: email\n    limit: 1 ")
    replace(contracts / "segments" / "big_spenders.yaml", "gt: 250", "gt: 60")
    (contracts / "segments" / "frequent.yaml").write_text(
        "segment: frequent\nowner: crm\nwho: {did: page_viewed, times: {gte: 3}, within: 3d}\n"
    )
    (contracts / "segments" / "hive_keepers.yaml").unlink()


def test_a_link_before_the_first_run_is_applied(tmp_path: Path) -> None:
    """Control holds an entry before any definitions; it takes effect all the same."""
    project = make_project(tmp_path / "shop")
    write_partitions(project / "events", make_lines(300, SEED, people=20), 1)
    a, b = {"namespace": "user_id", "value": "1"}, {"namespace": "phone", "value": "+447712999999"}
    submit(Settings.load(project), "shop", {"type": "link", "a": a, "b": b, "why": "ticket"})
    finish(project, FLOW)
    assert any(b'"type":"manual"' in line for line in Outcome.of(project).dump)
