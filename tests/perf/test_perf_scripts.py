"""Each measuring script runs in a tiny size and prints one JSON object with what it promises; no number is judged here."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import orjson
import psutil
import pytest

from contracts import load
from operators.segments.compile import Program
from perf.identity import CLAIMS, claims
from perf.shop import category_name, lines, make_project, segment
from perf.traits import traits
from skep.compiled import form
from tests.broker import broker
from tests.patience import until

ROOT = Path(__file__).resolve().parent.parent.parent


def _run(tmp_path: Path, *args: str, codes: tuple[int, ...] = (0,), **more: str) -> dict[str, Any]:
    env = {**os.environ, "XDG_CACHE_HOME": str(tmp_path), **more}
    done = subprocess.run([sys.executable, "-m", *args, "--json"], cwd=ROOT, env=env, capture_output=True, check=False)
    assert done.returncode in codes, done.stderr.decode()
    (line,) = done.stdout.splitlines()
    result: dict[str, Any] = orjson.loads(line)
    assert result["form"] == form(), "which form ran is said beside each figure"
    return result


def test_throughput(tmp_path: Path) -> None:
    found = _run(tmp_path, "perf.throughput", "--events", "3000", "--people", "300")
    assert found["profiles"] == 300
    assert found["applied"] == 3000
    assert found["events_per_s"] > 0
    assert found["floor_events_per_s"] > 0
    assert found["cpu_ratio"] > 0
    assert found["rss_mb"] > 0
    assert {"read", "validate", "people", "archive", "commit", "start", "engine", "background"} <= set(found["stages_us"])
    assert sum(found["stages_us"].values()) == pytest.approx(found["cpu_us_per_event"], rel=0.01)


def test_activation(tmp_path: Path) -> None:
    found = _run(tmp_path, "perf.activation", "--people", "300")
    assert found["people"] == 300
    assert found["floor_per_s"] > 0
    assert found["single_requests_per_s"] > 0
    assert found["batch_people_per_s"] > 0


def test_kafka(tmp_path: Path) -> None:
    """With the broker of the other tests, which is in the cache."""
    with broker(tmp_path / "broker") as servers:
        found = _run(tmp_path, "perf.kafka", "--events", "2000", "--people", "200", "--rounds", "1", SKEP_KAFKA=servers)
    assert found["ratio"] > 0
    assert found["floor_per_s"] > 0


def test_segments(tmp_path: Path) -> None:
    found = _run(tmp_path, "perf.segments", "--counts", "2,20", "--events", "1000", "--people", "100")
    assert [row["segments"] for row in found["counts"]] == [2, 20]
    assert found["counts"][0]["ratio"] == 1.0
    assert all(row["cpu_us_per_event"] > 0 for row in found["counts"])


def test_traits(tmp_path: Path) -> None:
    """However many traits there are, a view touches five."""
    found = _run(tmp_path, "perf.traits", "--counts", "5,10", "--events", "1000", "--people", "100")
    assert [row["traits"] for row in found["counts"]] == [5, 10]
    assert found["counts"][0]["ratio"] == 1.0
    assert found["floor_us_per_event"] > 0
    route = Program(load({"traits.yaml": traits(200)}, unknown_events_ok=True)).route("product_viewed")
    assert [len(route.chosen({"category": category_name(number)})) for number in range(40)] == [5] * 40


def test_wide(tmp_path: Path) -> None:
    found = _run(tmp_path, "perf.wide", "--narrow", "5", "--wide", "200", "--people", "5", "--rounds", "1")
    for call in ("identify", "track"):
        assert found[f"{call}_narrow"]["bytes"] > found[f"{call}_narrow"]["person_bytes"] > 0
        assert found[f"{call}_ratio"]["cpu_us"] > 0
        assert found[f"{call}_wide"]["floor_us"] > 0


def test_joining(tmp_path: Path) -> None:
    found = _run(tmp_path, "perf.joining", "--identifiers", "40", "--events", "200,400")
    assert [run["merge"]["moments"] for run in found["runs"]] == [0, 0]
    assert [run["split"]["moments"] for run in found["runs"]] == [201, 401]
    assert {*found["growth"]} == {"merge", "split"}


def test_timers(tmp_path: Path) -> None:
    found = _run(tmp_path, "perf.timers", "--profiles", "2500", "--seconds", "0.5", "--rate", "200", codes=(0, 1))
    assert found["slices"] == 3
    assert (found["events"], found["timers_per_s"] > 0, found["p99_ms"] > 0) == (100, True, True)


def test_scale(tmp_path: Path) -> None:
    found = _run(tmp_path, "perf.scale", "--profiles", "100,300", "--events-per-profile", "10", "--events", "500")
    assert [row["profiles"] for row in found["sizes"]] == [100, 300]
    assert [(row["history"], row["events"]) for row in found["sizes"]] == [(1000, 500), (3000, 500)]
    assert all(row["shard_bytes_per_profile"] > 0 and row["ratio"] > 0 for row in found["sizes"])


def test_backfill(tmp_path: Path) -> None:
    found = _run(tmp_path, "perf.backfill", "--events", "3000", "--people", "300", "--flow-events", "1000")
    assert (found["events"], found["profiles"]) == (3000, 300)
    assert all(
        found[name] > 0 for name in ("events_per_s", "cpu_us_per_event", "ratio_to_flow", "ratio_to_floor", "shard_bytes_per_profile")
    )


def test_lookups(tmp_path: Path) -> None:
    found = _run(tmp_path, "perf.lookups", "--rows", "1000", "--events", "3000")
    assert found["us_per_event"] > 0
    assert found["stored_bytes"] > 40


def test_memory(tmp_path: Path) -> None:
    found = _run(tmp_path, "perf.memory", "--events", "500,1000", "--people", "50")
    assert [row["profiles"] for row in found["sizes"]] == [50, 50]
    assert found["ratio"] > 0


def test_latency(tmp_path: Path) -> None:
    found = _run(tmp_path, "perf.latency", "--rate", "200", "--seconds", "2", "--people", "50")
    assert found["missing"] == 0
    assert 0 < found["p50_ms"] <= found["p99_ms"] <= found["max_ms"]


def test_apply(tmp_path: Path) -> None:
    """Another number reads no event, a new trait only those that it counts, beside a flow that goes on."""
    found = _run(tmp_path, "perf.apply", "--events", "1000", "--people", "50", "--rate", "100", "--seconds", "0.5")
    assert (found["number"]["people"], found["number"]["events"]) == (50, 0)
    assert 0 < found["new"]["events"] < 1000
    assert all(found[name]["seconds"] > 0 for name in ("number", "new", "identity"))
    assert found["identity"]["events"] > 1000
    assert all(found[name]["us_per_event"] > 0 for name in ("new", "identity"))
    assert "us_per_event" not in found["number"], "no event was read"
    assert found["targets"]["identity"] == {"seconds": 360, "rss_mb": 600, "p99_ms": 100}
    assert {name.partition(".")[0] for name in found["missed"]} <= {"number", "new", "identity"}
    assert found["before"]["measured"] > 0


def test_what_a_script_starts_ends_with_it(tmp_path: Path) -> None:
    """However it ends: a writer that went on for an hour would hold what its caller reads."""
    begun = "import subprocess, sys, time; from pathlib import Path; from perf.latency import start_writer as start; "
    begun += "print(start(Path(sys.argv[1]), 5, 10, 3600, stdout=subprocess.DEVNULL).pid, flush=True); time.sleep(3600)"
    path = tmp_path / "events.jsonl"
    with subprocess.Popen([sys.executable, "-c", begun, str(path)], cwd=ROOT, stdout=subprocess.PIPE) as script:
        assert script.stdout is not None
        writer = psutil.Process(int(script.stdout.readline()))
        until(lambda: path.exists() and path.stat().st_size)
        script.kill()
        until(lambda: not writer.is_running() or writer.status() == psutil.STATUS_ZOMBIE)


def test_contracts(tmp_path: Path) -> None:
    """Figures of all scenes; which claims hold on a busy machine is not judged here, but that missed ones are told."""
    found = _run(tmp_path, "perf.contracts", "--events", "2000", "--people", "50", "--hard", "1", codes=(0, 1))
    assert all(found[scene]["documents"] > 0 and found[scene]["ratio"] > 0 for scene in ("validation", "upcasts", "versions"))
    assert found["validation"]["upcasted_share"] == 0.0
    assert found["versions"]["upcasted_share"] == pytest.approx(2 / 3, abs=0.01)
    assert found["examples"]["undecided"] == 0
    assert [one["answer"] for one in found["commands"]] == ["incompatible", "incompatible"]
    assert ("added" in found["missed"]) == (found["added"] > 0.5)


def test_the_events_are_what_is_asked_for() -> None:
    """Everybody comes, in order of arrival, and the same every time."""
    made = list(lines(2000, 200, 3))
    assert made == list(lines(2000, 200, 3))
    decoded = [orjson.loads(line) for line in made]
    assert len({event["userId"] for event in decoded}) == 200
    assert len({event["messageId"] for event in decoded}) == 2000
    assert [event["timestamp"] for event in decoded] == sorted(event["timestamp"] for event in decoded)
    assert 290 < sum(map(len, made)) / len(made) < 330


def test_no_two_of_a_thousand_segments_are_the_same(tmp_path: Path) -> None:
    texts = [segment(number, 300).partition("who:")[2] for number in range(1000)]
    assert len(set(texts)) == 1000
    project = make_project(tmp_path, tmp_path / "events.jsonl", 30, categories=300)
    done = subprocess.run(
        [sys.executable, "-m", "skep.cli", "--project", str(project), "check"], cwd=ROOT, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()


def test_matching(tmp_path: Path) -> None:
    found = _run(tmp_path, "perf.matching", "--records", "400")["historical"]
    assert found["records"] == 400
    assert set(found["with_support"]) == set(found["connected_components"])


def test_identity(tmp_path: Path) -> None:
    """Figures of all parts with their keys; the exit code says whether all claims hold, whichever do on a busy machine."""
    sizes = ("--identifiers", "4000", "--component", "60", "--logins", "200", "--records", "300", "--rounds", "1")
    found = _run(tmp_path, "perf.identity", *sizes, codes=(0, 1))
    for part in ("known", "new", "known_cached", "new_cached"):
        assert found[part]["cpu_ratio"] > 0
    assert found["cpu_ratio"] == found["known"]["cpu_ratio"]
    assert found["people"] == 2200
    assert found["bytes_per_identifier"] > found["bytes_per_link"] > 64
    assert [row["moments"] for row in found["recompute"]] == [59, 177]
    assert {"at_1000", "at_50000", "own_at_1000", "own_at_50000", "growth"} <= set(found["kiosk"])
    assert found["probabilistic"]["f1"] > 0.5
    assert found["probabilistic"]["stream"]["people"] <= 300
    assert [row["claim"] for row in found["claims"]] == [claim for claim, _, _ in CLAIMS]


def test_a_claim_of_identity_that_does_not_hold_is_told(tmp_path: Path) -> None:
    """Each claim with its limit; one of a part that was not asked for is not judged."""
    assert claims({"recompute_ms": 21.0})[0]["holds"] is False
    assert claims({"recompute_ms": 20.0, "kiosk": {"growth": 1.0}}) == [
        {"claim": "recompute_ms", "value": 20.0, "limit": "<= 20", "holds": True},
        {"claim": "kiosk.growth", "value": 1.0, "limit": "<= 1.25", "holds": True},
    ]
    found = _run(tmp_path, "perf.identity", "--only", "recompute", "--component", "20", "--rounds", "1", codes=(0, 1))
    assert [row["claim"] for row in found["claims"]] == ["recompute_ms"]


def test_startup(tmp_path: Path) -> None:
    found = _run(tmp_path, "perf.startup", "--rounds", "1", "--only", "4", codes=(0, 1))
    assert [row["what"] for row in found["started"]] == ["python", "typer", "help", "before"]
    assert all(row["cpu_ms"] > 0 for row in found["started"])


def test_sql(tmp_path: Path) -> None:
    """Every form is measured beside the floor."""
    with duckdb.connect(str(tmp_path / "skep.duckdb")) as con:
        con.execute("create table events as select range as n from range(50)")
    (tmp_path / "data").mkdir()
    (tmp_path / "skep.duckdb").rename(tmp_path / "data" / "skep.duckdb")
    (tmp_path / "skep.yaml").write_text("spaces: [shop]\n")
    found = _run(tmp_path, "perf.sql", "--project", str(tmp_path), "--rounds", "1")
    assert (found["rows"], [row["form"] for row in found["forms"]]) == (50, ["table", "csv", "json", "jsonl", "parquet"])
    assert all(row["rows_per_s"] > 0 and row["rss_mb"] > 0 for row in found["forms"])


def test_dense(tmp_path: Path) -> None:
    (found,) = _run(tmp_path, "perf.dense", "--people", "5", "--events", "200", "--conflict", "newest")["inputs"]
    assert (found["people"], found["devices"], found["events"]) == (5, 10, 200)
    assert found["worst_ms"] * 1000 >= found["mean_us"] / 2 > 0
    assert found["beside_us"] == pytest.approx(found["mean_us"] - 30 * found["hands"]["messages"] / 200, abs=0.2)
    assert found["rebuilds"] > 20
    assert found["hands"]["people"] > 20
