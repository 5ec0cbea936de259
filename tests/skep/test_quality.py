"""`skep quality`, and a source that a broken expectation stops, with real processes."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import orjson
import pytest

from contracts.text.times import iso, parse_time
from tests.patience import PATIENCE_S, until
from tests.processes import plain_environment, started
from tests.promises.project import applied
from tests.skep.test_cli import refused, skep

MONDAY = parse_time("2026-03-02T00:00:00Z") or 0
HOURS, AN_HOUR = 10, 60
SKEP_YAML = """
spaces: [shop]
sources:
  - {name: web, kind: jsonl, path: web.jsonl, space: shop}
  - {name: till, kind: jsonl, path: till.jsonl, space: shop}
"""
ORDER = {
    "sla": {"freshness": "100d", "completeness": 0.5},
    "properties": {"id": {"type": "string"}, "coupon": {"type": "string"}},
    "required": ["id"],
}
CONTRACTS = {
    "events/order/1-0-0.json": json.dumps(ORDER),
    "destinations/crm.yaml": "kind: file\npath: data/crm.jsonl\n",
    "quality.yaml": "expectations:\n  - {event: order, source: web, quarantined: {lte: 0.1}, severity: stop-source}\n",
}


def order(source: str, number: int, hours: float, properties: dict[str, Any]) -> bytes:
    body = {"type": "track", "event": "order", "userId": f"u{number % 7}", "messageId": f"{source}{number}", "properties": properties}
    return orjson.dumps({**body, "timestamp": iso(MONDAY + int(hours * 3_600_000_000))}) + b"\n"


def web(number: int) -> bytes:
    """Every tenth has a coupon; from the third hour on every second is refused."""
    hours = number / AN_HOUR
    return order("w", number, hours, {} if hours >= 2 and number % 2 else {"id": "1", **({"coupon": "x"} if number % 10 == 0 else {})})


def make(folder: Path, **more: str) -> Path:
    for path, text in {**CONTRACTS, **more}.items():
        (folder / "contracts" / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / "contracts" / path).write_text(text)
    (folder / "skep.yaml").write_text(SKEP_YAML)
    (folder / "web.jsonl").write_bytes(b"".join(map(web, range(HOURS * AN_HOUR))))
    (folder / "till.jsonl").write_bytes(b"".join(order("t", number, number, {"id": "1", "extra": 1}) for number in range(HOURS)))
    return folder


def run(folder: Path) -> subprocess.CompletedProcess[str]:
    """Once through the input, in small batches."""
    return skep("run", "--once", project=folder, SKEP_BATCH_SIZE="5")


def asked(folder: Path, *words: str) -> Any:
    done = skep(*words, "--json", project=folder)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def told(folder: Path) -> list[dict[str, Any]]:
    """The change events of quality that the destination has been told."""
    changes = map(json.loads, (folder / "data" / "crm.jsonl").read_text().splitlines())
    return [change for change in changes if change["type"].startswith("quality.")]


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose source `web` has been stopped at the end of its third hour."""
    folder = make(tmp_path_factory.mktemp("quality"))
    done = run(folder)
    assert done.returncode == 3, done.stderr
    assert "SOURCE web IS STOPPED since 2026-03-02T03:0" in done.stderr
    assert 'skep quality resume web --why "…"' in done.stderr
    return folder


def test_a_stopped_source_is_left_unread_and_the_others_are_read_to_their_end(stopped: Path) -> None:
    """The flow ends, with an exit code of its own; the next run leaves the source where it is."""
    status = asked(stopped, "status")
    read = status["partitions"]["web/web.jsonl"]["position"]
    assert 3 * AN_HOUR <= read < 5 * AN_HOUR
    assert status["partitions"]["till/till.jsonl"]["position"] == HOURS
    assert (status["stopped"], [one["expectation"] for one in status["broken"]]) == (["web"], ["order.quarantined"])
    shown = skep("status", project=stopped)
    assert "SOURCE web IS STOPPED" in shown.stderr
    assert re.search(r"web/web.jsonl .* STOPPED\n.*order +order.quarantined +0.5 +at most 0.1 ", shown.stdout, re.DOTALL)
    assert run(stopped).returncode == 3
    assert asked(stopped, "status")["partitions"]["web/web.jsonl"]["position"] == read


def test_the_change_log_tells_of_it_and_so_does_the_snapshot(stopped: Path) -> None:
    """Nobody's change: the tables of profiles are as they are without it."""
    [change] = told(stopped)
    assert {key: change[key] for key in ("type", "source", "event", "value", "severity", "profile")} == {
        "type": "quality.broken", "source": "web", "event": "order", "value": 0.5, "severity": "stop-source", "profile": None,
    }  # fmt: skip
    query = "select type, profile_id, body ->> '$.source' as source from changes where type like 'quality.%'"
    assert asked(stopped, "sql", query) == [{"type": "quality.broken", "profile_id": None, "source": "web"}]
    query = "select sum(events) as events, sum(refused) as refused from quality where source = 'web' and event = 'order'"
    [counts] = asked(stopped, "sql", query)
    assert counts["events"] + counts["refused"] == asked(stopped, "status")["partitions"]["web/web.jsonl"]["position"]
    query = "select hour, events, refused, completeness, reasons ->> '$.invalid' as invalid from quality where source = 'web' order by hour"
    rows = asked(stopped, "sql", query)
    assert [(row["events"], row["refused"], row["completeness"]) for row in rows[:2]] == [(AN_HOUR, 0, 0.1)] * 2
    assert (rows[2]["events"], rows[2]["invalid"]) == (AN_HOUR / 2, str(AN_HOUR // 2))


def test_the_report_says_what_each_source_hands_over(stopped: Path) -> None:
    """As a table and as JSON."""
    found = asked(stopped, "quality", "--since", "2d")
    rows = {row["source"]: row for row in found["rows"]}
    assert rows["web"]["broken"] == ["order.quarantined"]
    assert rows["till"]["unknown_properties"] == {"extra": HOURS}
    assert rows["till"]["missed"] == rows["web"]["missed"] == ["completeness"]
    assert (rows["till"]["events"], rows["till"]["unknown_share"], rows["till"]["quarantined"]) == (HOURS, 1.0, 0.0)
    assert [(one["source"], one["event"], one["contract"]) for one in found["new"]] == [("till", "order", True), ("web", "order", True)]
    [only] = asked(stopped, "quality", "--source", "till")["rows"]
    assert only["source"] == "till"
    shown = skep("quality", "--source", "web", "--since", "2d", project=stopped)
    columns = " ".join(shown.stdout.splitlines()[0].split())
    assert columns == "source event events quarantined complete unknown out of range newest volume broken"
    assert "% invalid" in shown.stdout
    assert "% coupon" in shown.stdout
    assert "order.quarantined, sla.completeness" in shown.stdout
    assert "SOURCE web IS STOPPED" in shown.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--source", "wbe"), "did you mean web?"),
        (("--since", "yesterday"), "a duration such as 30m"),
        (("--since", "90d"), "up to 35d"),
        (("resume", "tll", "--why", "x"), "did you mean till?"),
    ],
)
def test_what_cannot_be_asked_is_said_in_a_line(stopped: Path, words: tuple[str, ...], said: str) -> None:
    assert said in refused(skep("quality", *words, project=stopped))


def test_a_resumed_source_is_read_on_where_it_stopped(tmp_path: Path) -> None:
    """The decision is recorded while nothing runs; the next run reads to the end, and loses and doubles nothing."""
    folder = make(tmp_path)
    assert run(folder).returncode == 3
    done = skep("quality", "resume", "web", "--why", "a known outage", project=folder)
    assert (done.returncode, "the next one will do it" in done.stdout) == (0, True)
    assert run(folder).returncode == 0
    status = asked(folder, "status")
    assert status["partitions"]["web/web.jsonl"]["position"] == HOURS * AN_HOUR
    assert (status["stopped"], len(status["broken"]), status["received"]) == ([], 1, HOURS * (AN_HOUR + 1))
    rows = asked(folder, "sql", "select source, sum(events + refused) as records from quality group by 1 order by 1")
    assert rows == [{"source": "till", "records": HOURS}, {"source": "web", "records": HOURS * AN_HOUR}]


def test_a_changed_expectation_lets_a_source_go_on(tmp_path: Path) -> None:
    """What it broke is restored in the run that has the new contracts, and the source is read in that run."""
    folder = make(tmp_path)
    assert run(folder).returncode == 3
    (folder / "contracts" / "quality.yaml").write_text(CONTRACTS["quality.yaml"].replace("0.1", "0.6"))
    applied(folder)
    assert run(folder).returncode == 0
    assert asked(folder, "status")["partitions"]["web/web.jsonl"]["position"] == HOURS * AN_HOUR
    assert [change["type"] for change in told(folder)] == ["quality.broken", "quality.restored"]


def test_a_source_stops_and_goes_on_while_the_flow_follows(tmp_path: Path) -> None:
    """Killed in between: it stays stopped until somebody resumes it, and then nothing is missing."""
    folder = make(tmp_path)

    def flow() -> subprocess.Popen[bytes]:
        environment = plain_environment(SKEP_BATCH_SIZE="5")
        return started("skep.cli", "--project", str(folder), "run", env=environment, stderr=subprocess.DEVNULL)

    def status() -> Any:
        return json.loads(skep("status", "--json", project=folder).stdout or "{}")

    process = flow()
    try:
        until(status, lambda found: found.get("stopped") == ["web"] and found["partitions"]["till/till.jsonl"]["position"] == HOURS)
        process.kill()
        process.wait()
        process = flow()
        until(status, lambda found: found["running"])
        time.sleep(0.5)
        found = status()
        assert (found["stopped"], found["partitions"]["web/web.jsonl"]["position"] < HOURS * AN_HOUR) == (["web"], True)
        done = skep("quality", "resume", "web", "--why", "a known outage", project=folder)
        assert "done: web is read on" in done.stdout
        until(status, lambda found: found["partitions"]["web/web.jsonl"]["position"] == HOURS * AN_HOUR)
        assert "without effect" in skep("quality", "resume", "web", "--why", "again", project=folder).stdout
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0
    finally:
        process.kill()
        process.wait()
    assert asked(folder, "status")["received"] == HOURS * (AN_HOUR + 1)
