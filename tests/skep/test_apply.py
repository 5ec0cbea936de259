"""`skep apply`: contracts in force from where the sources stand, with and without a flow that runs."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests import patience
from tests.patience import PATIENCE_S
from tests.processes import started
from tests.promises.project import asked, dump, environment, project, ran, write_contract
from tests.skep.test_cli import refused, skep

BEGIN = datetime.now(UTC) - timedelta(hours=1)
ONE = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"], "additionalProperties": False}
CONTRACTS: dict[str, Any] = {
    "events/paid/1-0-0.json": ONE,
    "traits.yaml": "traits:\n  - {name: total, sum: n, did: paid}\n",
}
TWO = {"type": "object", "properties": {"amount": {"type": "integer"}}, "required": ["amount"], "additionalProperties": False}
UPCAST = "upcast: 1-0-0 to 2-0-0\nsteps:\n  - rename: {n: amount}\n"


def paid(number: int, properties: dict[str, Any]) -> bytes:
    time = (BEGIN + timedelta(minutes=number)).isoformat()
    body = {"type": "track", "event": "paid", "messageId": f"m{number}", "userId": "u", "timestamp": time}
    return json.dumps({**body, "properties": properties}).encode()


def new_model(folder: Path) -> None:
    write_contract(folder, "events/paid/2-0-0.json", TWO)
    write_contract(folder, "events/paid/1-0-0-to-2-0-0.yaml", UPCAST)
    write_contract(folder, "traits.yaml", CONTRACTS["traits.yaml"].replace("sum: n", "sum: amount"))


@contextmanager
def following(folder: Path) -> Iterator[None]:
    """A flow that follows its input."""
    with (folder / "flow.log").open("wb") as log:
        flow = started("bytewax.run", "flows.cdp", env=environment(folder, SKEP_FOLLOW="1"), stdout=log, stderr=log)
        try:
            yield
        finally:
            flow.send_signal(signal.SIGTERM)
            flow.wait(PATIENCE_S)
    assert flow.returncode == 0, (folder / "flow.log").read_text()[-3000:]


def until(folder: Path, applied: int, quarantined: int = 0) -> None:
    """Wait until that many events are applied."""

    def counted() -> tuple[int, int] | None:
        done = skep("status", "--json", project=folder)
        found = json.loads(done.stdout) if done.returncode == 0 else None
        return found and (found["applied"], found["quarantined"])

    patience.until(counted, lambda found: found == (applied, quarantined), told=(folder / "flow.log").read_text)


def test_a_new_model_takes_effect_while_the_flow_runs(tmp_path: Path) -> None:
    """Events before and after; what the first run judged stays, and the dump is that of a run that had the model always."""
    lines = [paid(at, {"n": at}) for at in range(5)]
    late = [paid(5, {"amount": 100}), paid(6, {"n": 1000})]
    folder = project(tmp_path / "live", CONTRACTS, lines)
    with following(folder):
        until(folder, 5)
        with (folder / "events.jsonl").open("ab") as stream:
            stream.write(late[0] + b"\n")
        until(folder, 5, quarantined=1)
        new_model(folder)
        (answer,) = asked(folder, "apply")
        assert answer["running"] is True
        assert answer["answer"]["recomputed"] is True
        assert {one["file"]: one["change"] for one in answer["files"]} == {
            "contracts/events/paid/1-0-0-to-2-0-0.yaml": "added",
            "contracts/events/paid/2-0-0.json": "added",
            "contracts/traits.yaml": "changed",
        }
        assert asked(folder, "apply")[0]["answer"] is None
        with (folder / "events.jsonl").open("ab") as stream:
            stream.write(late[1] + b"\n")
        until(folder, 6, quarantined=1)
        assert "1 applied" in skep("quarantine", "replay", project=folder).stdout
    always = project(tmp_path / "always", CONTRACTS, [*lines, *late])
    new_model(always)
    ran(always)
    assert dump(folder) == dump(always)
    assert asked(folder, "profile", "show", "user_id:u")[0]["traits"]["total"] == 1110


def test_a_replay_from_the_beginning_judges_as_the_first_run_did(tmp_path: Path) -> None:
    """The shard is lost, the archive and the control partition are not: every record gets the contract that it got."""
    folder = project(tmp_path / "one", CONTRACTS, [paid(0, {"n": 1})])
    ran(folder)
    new_model(folder)
    assert asked(folder, "apply")[0]["running"] is False
    with (folder / "events.jsonl").open("ab") as stream:
        stream.write(paid(1, {"amount": 10}) + b"\n" + paid(2, {"x": 1}) + b"\n")
    ran(folder)
    asked(folder, "snapshot")
    query = "select message_id, contract, properties from events order by 1"
    before, people = asked(folder, "sql", query), dump(folder)
    assert [row["contract"] for row in before] == ["paid/1-0-0", "paid/2-0-0"]
    for name in ("shards", "archive"):
        (folder / "data" / name).rename(tmp_path / name)
    ran(folder)
    asked(folder, "snapshot")
    assert (asked(folder, "sql", query), dump(folder)) == (before, people)


def test_nothing_takes_effect_while_something_is_wrong(tmp_path: Path) -> None:
    folder = project(tmp_path / "one", CONTRACTS, [paid(0, {"n": 1})])
    ran(folder)
    control = (folder / "data" / "control" / "shop.jsonl").read_bytes()
    new_model(folder)
    write_contract(folder, "events/paid/1-0-0-to-2-0-0.yaml", UPCAST.replace("{n: amount}", "{m: amount}"))
    assert "contracts/events/paid/1-0-0-to-2-0-0.yaml:3" in refused(skep("apply", project=folder))
    assert (folder / "data" / "control" / "shop.jsonl").read_bytes() == control


def test_what_changes_nothing_about_anybody_is_not_computed_anew(tmp_path: Path) -> None:
    folder = project(tmp_path / "one", CONTRACTS, [paid(0, {"n": 1})])
    with following(folder):
        until(folder, 1)
        write_contract(folder, "events/asked/1-0-0.json", {"type": "object"})
        assert asked(folder, "apply")[0]["answer"]["recomputed"] is False
        assert "in force already" in skep("apply", project=folder).stdout
