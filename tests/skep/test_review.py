"""What the commands do at their edges, each through the command line as a user would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from contracts.text.names import event_name
from tests.skep.test_cli import skep

SKEP_YAML = "spaces: [shop]\nsources:\n  - {name: web, kind: jsonl, path: events/*.jsonl, space: shop}\n"
CONTRACT = {"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "required": ["total"]}


def project(folder: Path, *events: dict[str, Any]) -> Path:
    """A project with one contract and these events."""
    for path, text in {
        "skep.yaml": SKEP_YAML,
        "contracts/events/order_completed/1-0-0.json": json.dumps(CONTRACT),
        "events/a.jsonl": "".join(json.dumps(event) + "\n" for event in events),
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


def order(message_id: str, user_id: str | float, **more: Any) -> dict[str, Any]:
    at = "2026-01-10T10:00:00Z"
    properties = {"total": 10}
    return {
        "type": "track",
        "event": "Order Completed",
        "messageId": message_id,
        "userId": user_id,
        "timestamp": at,
        "properties": properties,
    } | more


def bytewax(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("SKEP_")}
    command = [sys.executable, "-m", "bytewax.run", "flows.cdp", *options]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_bytewax_recovery_makes_its_store_at_the_first_run(tmp_path: Path) -> None:
    shop = project(tmp_path / "shop", order("m1", "1"))
    for _ in range(2):
        done = bytewax(shop, "-r", "data/recovery", "-s", "1", "-b", "0")
        assert done.returncode == 0, done.stderr
    assert '"id":"m1"' in skep("dump", project=shop).stdout


def test_bytes_in_answers_are_texts(tmp_path: Path) -> None:
    broken = order("m2", "2", properties={})
    shop = project(tmp_path / "shop", order("m1", "1"), broken)
    assert skep("run", "--once", project=shop).returncode == 0
    [row] = json.loads(skep("sql", "select raw from quarantine", "--json", project=shop).stdout)
    assert json.loads(row["raw"]) == broken


def test_a_source_without_files_is_one_line(tmp_path: Path) -> None:
    shop = project(tmp_path / "shop")
    (shop / "events/a.jsonl").unlink()
    for done in (skep("run", "--once", project=shop), bytewax(shop)):
        assert done.returncode == 1
        assert "expected a file, a folder or a glob that matches files" in done.stderr
        assert "panicked" not in done.stderr
    assert not (shop / "data/shards").exists()


def test_a_good_run_says_that_it_started_and_why_it_ended(tmp_path: Path) -> None:
    shop = project(tmp_path / "shop", order("m1", "1"))
    done = bytewax(shop)
    started, stopped = done.stderr.splitlines()
    assert (done.returncode, " started " in started, " stopped " in stopped) == (0, True, True)
    assert "the end of the input" in stopped


def test_replay_without_ids_is_of_every_space(tmp_path: Path) -> None:
    shop = project(tmp_path / "shop", order("m1", "1", properties={}))
    sources = [f"  - {{name: {name}, kind: jsonl, path: events, space: {name}}}\n" for name in ("shop", "other")]
    (shop / "skep.yaml").write_text("spaces: [shop, other]\nsources:\n" + "".join(sources))
    assert skep("run", "--once", project=shop).returncode == 0
    (shop / "contracts/events/order_completed/1-0-1.json").write_text('{"type": "object"}')
    done = skep("quarantine", "replay", "--reason", "invalid", "--apply", project=shop)
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "2 records to replay"), done.stderr
    assert skep("run", "--once", project=shop).returncode == 0
    status = json.loads(skep("status", "--json", project=shop).stdout)
    assert (status["applied"], status["quarantined"]) == (2, 0)
    assert skep("quarantine", "replay", "q-0", project=shop).returncode == 1


def test_a_whole_number_as_user_id_is_its_decimal_text(tmp_path: Path) -> None:
    shop = project(tmp_path / "shop", order("m1", "5"), order("m2", 5), order("m3", 5.0))
    assert skep("run", "--once", project=shop).returncode == 0
    rows = json.loads(skep("sql", "select user_id from events", "--json", project=shop).stdout)
    assert [row["user_id"] for row in rows] == ["5", "5", "5"]
    assert json.loads(skep("sql", "select count(*) as people from profiles", "--json", project=shop).stdout) == [{"people": 1}]


def test_a_new_project_takes_the_demo_into_its_events_folder(tmp_path: Path) -> None:
    shop = tmp_path / "shop"
    assert skep("init", str(shop)).returncode == 0
    assert (
        skep("demo", "--people", "20", "--events", "500", "--seed", "1", "--until", "2026-07-01", "--out", str(shop / "events")).returncode
        == 0
    )
    assert skep("run", "--once", project=shop).returncode == 0
    assert json.loads(skep("status", "--json", project=shop).stdout)["received"] == 500


def test_names_with_separators_are_compared_without_case() -> None:
    for text in ("iOS App Opened", "IOS_APP_OPENED", "ios-app-opened"):
        assert event_name(text) == "ios_app_opened"
    for text in ("orderCompleted", "OrderCompleted", "Order Completed", "ORDER COMPLETED"):
        assert event_name(text) == "order_completed"
