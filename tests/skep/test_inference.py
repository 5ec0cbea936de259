"""`skep contracts infer` on the command line."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

from contracts import load
from tests.skep.test_cli import refused, skep


def lines(count: int) -> bytes:
    events = [
        {"type": "track", "event": "Order Completed", "properties": {"n": at, "mail": f"a{at}@b.org"}, "timestamp": "2026-01-01"}
        for at in range(count)
    ]
    return b"".join(json.dumps(event).encode() + b"\n" for event in [*events, {"type": "page", "name": "Home"}]) + b"{torn\n"


def test_a_draft_is_a_contract(tmp_path: Path) -> None:
    """Of a gzip file, written where it belongs, and taken in by the loader."""
    (tmp_path / "events.jsonl.gz").write_bytes(gzip.compress(lines(40)))
    target = tmp_path / "contracts" / "events" / "order_completed" / "1-0-0.json"
    words = ("contracts", "infer", "--event", "OrderCompleted", str(tmp_path / "events.jsonl.gz"), "--out", str(target))
    done = skep(*words)
    assert (done.returncode, done.stderr) == (0, "drafted from 40 events; 1 of the records are no JSON objects\n")
    (contract,) = load({"events/order_completed/1-0-0.json": target.read_text()}).contracts["order_completed"]
    assert contract.status == "draft"
    assert contract.schema["properties"]["mail"]["x-identifier"] == "email"
    assert "expected a file that is not there yet" in refused(skep(*words))


def test_pages_and_nothing(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(lines(2))
    assert json.loads(skep("contracts", "infer", "--event", "page_viewed", str(file)).stdout)["properties"]["name"]["type"] == "string"
    says = refused(skep("contracts", "infer", "--event", "order", str(file)))
    assert "expected events named order, found events named order_completed, page_viewed" in says
    assert "expected a file of JSON lines" in refused(skep("contracts", "infer", "--event", "order", str(tmp_path / "no")))
