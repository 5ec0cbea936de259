"""`skep apply` beside a flow and activation that run: mappings of sources and destinations, with real processes."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path

from skep.project.apply import apply
from skep.project.settings import Settings
from skep.project.spaces import snapshot_path
from skep.runtime.snapshots import publish_snapshot
from state.snapshot.publish import sql
from tests import processes
from tests.patience import until
from tests.promises.project import environment, project, ran, write_contract
from tests.skep.test_in_force import received

MAPPING = """\
columns:
  userId: who
  timestamp: at
  properties.n: {{column: {}, type: number}}
constants: {{type: track, event: paid}}
"""
OUT = "kind: file\npath: data/{}.jsonl\nchanges: [profile.created, profile.updated]\n"
CONTRACTS = {
    "events/paid/1-0-0.json": {"type": "object", "properties": {"n": {"type": "number"}}},
    "traits.yaml": "traits:\n  - {name: total, sum: n, did: paid, emit: true}\n",
    "sources/till.yaml": MAPPING.format("a"),
    "destinations/one.yaml": OUT.format("one"),
}
SETTINGS = "  - {name: till, kind: csv, path: till.csv, mapping: till}\narchive: {interval: 1h}"


def started(folder: Path, stack: ExitStack, name: str) -> processes.Process:
    log = stack.enter_context((folder / f"{name}.log").open("ab"))
    process = processes.started("bytewax.run", name, env=environment(folder, SKEP_FOLLOW="1"), stdout=log, stderr=log)
    stack.callback(process.wait, 60)
    stack.callback(process.kill)
    return process


def row(number: int) -> str:
    return f"u{number},2026-01-0{number}T10:00:00Z,{number},{number * 100}\n"


def ids(folder: Path, name: str) -> list[str]:
    path = folder / "data" / f"{name}.jsonl"
    return [json.loads(line)["id"] for line in path.read_text().splitlines()] if path.exists() else []


def test_rows_and_changes_go_on_where_they_were(tmp_path: Path) -> None:
    """Each row by the mapping of its position, also those that a killed flow had not archived; each destination from its own cursor."""
    folder = project(tmp_path / "one", CONTRACTS, [])
    (folder / "skep.yaml").write_text(f"sources:\n{SETTINGS}\n")
    (folder / "till.csv").write_text("who,at,a,b\n" + row(1) + row(2))
    settings = Settings.load(folder)
    with ExitStack() as stack:
        flow = started(folder, stack, "flows.cdp")
        started(folder, stack, "flows.activation")
        until(lambda: len(ids(folder, "one")) == 4)
        write_contract(folder, "sources/till.yaml", MAPPING.format("b"))
        write_contract(folder, "destinations/one.yaml", OUT.format("moved"))
        write_contract(folder, "destinations/two.yaml", OUT.format("two"))
        [applied] = apply(settings, ("shop",))
        assert applied.submitted is not None
        assert applied.submitted.answer is not None
        # A new destination is told everything, also while nothing changes.
        until(lambda: len(ids(folder, "two")) == 4)
        with (folder / "till.csv").open("a") as stream:
            stream.write(row(3))
        until(lambda: len(ids(folder, "two")) == 6)
        until(lambda: len(ids(folder, "moved")) == 2)
        flow.kill()
        flow.wait(60)
        assert ids(folder, "one") + ids(folder, "moved") == ids(folder, "two")
    with (folder / "till.csv").open("a") as stream:
        stream.write(row(4))
    write_contract(folder, "sources/till.yaml", "columns: 5\n")
    ran(folder)
    assert received(settings) == 4
    publish_snapshot(settings)
    _, rows = sql(snapshot_path(settings), "select user_id, json_extract(properties, '$.n')::int from events order by 1")
    assert rows == [("u1", 1), ("u2", 2), ("u3", 300), ("u4", 400)]
    for name in ("cursors/one@shop.json", "cursors/two@shop.json"):
        assert json.loads((folder / "data" / name).read_text())["sequence"] >= 6
