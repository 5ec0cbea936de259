"""The metrics of a running flow, as Prometheus sees them."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families
from ruamel.yaml import YAML

from skep.tools import starter
from tests.patience import PATIENCE_S, until
from tests.processes import plain_environment, started

ROOT = Path(__file__).resolve().parent.parent.parent
EVENT = (
    '{"type":"track","event":"Product Viewed","messageId":"m-%d","userId":"u%d","timestamp":"2026-01-31T10:00:00Z",'
    '"properties":{"product_id":"p1","price":1}}\n'
)

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@pytest.fixture
def flow(tmp_path: Path) -> Iterator[str]:
    """A following flow over five events, one of them twice and one broken; yields the address of its metrics."""
    starter.create(tmp_path)
    lines = [EVENT % (number, number) for number in range(5)]
    (tmp_path / "events/shop.jsonl").write_text("".join([*lines, lines[0], "{}\n"]))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = plain_environment(
        SKEP_PROJECT=str(tmp_path),
        SKEP_FOLLOW="1",
        BYTEWAX_DATAFLOW_API_ENABLED="1",
        BYTEWAX_DATAFLOW_API_PORT=str(port),
        BYTEWAX_DATAFLOW_API_CACHE_PATH=str(tmp_path),
    )
    with (tmp_path / "log").open("wb") as log:
        process = started("bytewax.run", "flows.cdp", env=env, stdout=log, stderr=log)
    try:
        yield f"http://127.0.0.1:{port}/metrics"
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0, (tmp_path / "log").read_text()
        assert (tmp_path / "dataflow.json").exists()
    finally:
        process.kill()
        process.wait()


def _scrape(address: str) -> Samples:
    with urlopen(address, timeout=PATIENCE_S) as answer:
        text = answer.read().decode()
    found: Samples = {}
    for family in text_string_to_metric_families(text):
        if family.name.startswith("skep_"):
            assert family.documentation, family.name
        for sample in family.samples:
            found[sample.name, tuple(sorted(sample.labels.items()))] = sample.value
    return found


def _when(address: str, name: str, labels: tuple[tuple[str, str], ...], value: float | None = None) -> Samples:
    """The metrics, as soon as one of them has a value; without one, as soon as it is there and not 0."""

    def scraped() -> Samples:
        try:
            return _scrape(address)
        except URLError:
            return {}

    def wanted(samples: Samples) -> bool:
        found = samples.get((name, labels))
        return bool(found) and value in {None, found}

    return until(scraped, wanted)


def test_a_flow_serves_its_metrics(flow: str) -> None:
    """Everything that the documentation lists is there, with the right values."""
    space = (("space", "shop"),)
    found = _when(flow, "skep_records_received_total", space, 7)
    assert found["skep_events_applied_total", space] == 5
    assert found["skep_events_duplicate_total", space] == 1
    assert found["skep_quarantined_total", (("reason", "envelope"), ("space", "shop"))] == 1
    assert found["skep_people", space] == 5
    assert found["skep_people_cached", space] == 5
    assert found["skep_change_sequence", space] >= 5
    assert found["skep_timers_due", space] == 0
    assert found["skep_timers_fired_total", space] >= 0
    assert ("skep_lag_seconds", (("partition", "events/shop.jsonl"), ("space", "shop"))) in found
    assert ("skep_space_lag_seconds", space) in found
    assert found["skep_rocksdb_bytes", (("kind", "memtables"), ("space", "shop"))] > 0
    assert ("skep_rocksdb_bytes", (("kind", "sst"), ("space", "shop"))) in found
    for stage in ("validate", "people", "archive"):
        assert found["skep_batch_seconds_count", (("stage", stage),)] >= 1


@pytest.fixture
def supervised(tmp_path: Path) -> Iterator[int]:
    """`skep run` over one event, with the environment of the compose file; yields the first of its three ports."""
    starter.create(tmp_path)
    (tmp_path / "events/shop.jsonl").write_text(EVENT % (1, 1))
    service = YAML(typ="safe").load(ROOT / "docker/compose.yaml")["services"]["skep"]
    port = _three_free_ports()
    environment = {**os.environ, **service["environment"], "SKEP_SECRET": "a secret", "BYTEWAX_DATAFLOW_API_PORT": str(port)}
    environment["SKEP_SNAPSHOT_INTERVAL"] = "1s"
    with (tmp_path / "log").open("wb") as log:
        process = started("skep.cli", "--project", str(tmp_path), "run", env=environment, stdout=log, stderr=log)
    try:
        yield port
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0, (tmp_path / "log").read_text()
    finally:
        process.kill()
        process.wait()


def _three_free_ports() -> int:
    for first in range(20_000, 30_000, 3):
        with ExitStack() as taken:
            try:
                for port in range(first, first + 3):
                    taken.enter_context(socket.socket()).bind(("127.0.0.1", port))
            except OSError:
                continue
            return first
    raise AssertionError("no three free ports in a row")


def test_each_process_of_skep_run_serves_its_own_metrics(supervised: int) -> None:
    """The flow at the port of the environment, activation and the publisher at the next two, in the compose file's environment."""
    space = (("space", "shop"),)
    flow = _when(f"http://127.0.0.1:{supervised}/metrics", "skep_records_received_total", space, 1)
    assert flow["skep_people", space] == 1
    assert not [name for name, _ in flow if name.startswith("skep_snapshot")], "a zero would be a snapshot of 1970"
    activation = _when(f"http://127.0.0.1:{supervised + 1}/metrics", "process_start_time_seconds", ())
    assert ("skep_records_received_total", space) not in activation
    publisher = _when(f"http://127.0.0.1:{supervised + 2}/metrics", "skep_snapshot_bytes", ())
    assert publisher["skep_snapshot_published_seconds", ()] > 0
