"""Activation: how fast destinations are told, and (``--chaos``) that they end equal to their segments whatever fails and whoever is killed.

    python -m perf.activation --people 20000 --json
    python -m perf.activation --chaos --seed 1 --json

Speed: members of a segment told to a server beside it that answers at once, one a request and 1,000 a request, by one process from its
start to its end; ``floor_per_s`` is what the wire alone does with requests of that size. Chaos: five destinations, a fifth of the requests
not answered as they should be, kills, withdrawals, other addresses and merges in between; everything before ``kills`` must be 0.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from connectors.destinations.wire import HttpWire, Outgoing
from perf.meter import rss_mb
from perf.processes import show, start
from skep.project.settings import Settings
from skep.runtime.activation import pending
from tests.activation.chaos import play
from tests.activation.shop import FORBIDDEN, IDENTITY
from tests.promises.project import environment, project, ran

BATCH = 1_000
CONCURRENCY = 64
_FLOOR_REQUESTS = 5_000


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=20_000, help="members of the segment")
    parser.add_argument("--chaos", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--orders", type=int, default=60_000, help="events of each of five rounds of chaos")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="skep-activation-") as folder:
        if options.chaos:
            found = play(
                Path(folder) / "shop", options.seed, orders=options.orders, people=options.orders // 4, rounds=5, kills=options.kills
            )
            show(found, as_json=options.json)
            return int(any(found[name] for name in ("differences", *FORBIDDEN, "leaked")))
        show(speed(Path(folder), options.people), as_json=options.json)
    return 0


def speed(folder: Path, people: int) -> dict[str, Any]:
    """Requests and people a second, of destinations that are told one by one and in batches."""
    found: dict[str, Any] = {"people": people}
    with answering() as (url, _):
        found["floor_per_s"] = round(floor(url))
    for name, batch in (("single", 1), ("batch", BATCH)):
        with answering() as (url, counted):
            made = project(folder / name, files(url, batch), list(members(people)))
            ran(made)
            seconds, memory = told(made)
            requests, sent = counted()
        assert pending(Settings.load(made)) == {}, "everything is told"
        found |= {f"{name}_requests_per_s": round(requests / seconds), f"{name}_people_per_s": round(people / seconds),
                  f"{name}_seconds": round(seconds, 1), f"{name}_rss_mb": memory, f"{name}_mb_sent": round(sent / 1e6, 1)}  # fmt: skip
    return found


def files(url: str, batch: int) -> dict[str, Any]:
    """One segment that everybody is in, and one destination."""
    item = {"id": "person.profile", "email": {"from": "person.identifiers.email", "apply": ["sha256"]}}
    one = {"method": "PUT", "path": "/lists/{audience}/{person.profile}", "body": item}
    many = {"path": "/lists/{audience}", "batch": {"max": batch, "at": "people", "item": item}}
    return {
        "identity.yaml": IDENTITY,
        "segments/known.yaml": {"segment": "known", "who": {"trait": "email", "exists": True}, "activate": ["there"]},
        "events/identify/1-0-0.json": {"properties": {"email": {"type": "string"}}},
        "destinations/there.yaml": {
            "kind": "http", "connection": {"url": url}, "allow_private": True, "match": ["email"], "audiences": {"known": "l"},
            "requests": {"enter": one if batch == 1 else many}, "limits": {"concurrency": CONCURRENCY if batch == 1 else 4},
        },
    }  # fmt: skip


def members(people: int) -> Iterator[bytes]:
    """An identify call of everybody."""
    for number in range(people):
        time_text = f"2026-01-01T{number // 3600 % 24:02d}:{number // 60 % 60:02d}:{number % 60:02d}Z"
        yield orjson.dumps({"type": "identify", "messageId": f"m{number}", "userId": f"u{number}", "timestamp": time_text,
                            "traits": {"email": f"u{number}@example.com"}})  # fmt: skip


def told(folder: Path) -> tuple[float, float]:
    """Activation to its end: the seconds behind its start, without what importing takes, and the most memory that was seen."""
    env = environment(folder, SKEP_FOLLOW="0")
    process = start("bytewax.run", "flows.activation", env=env, stderr=subprocess.DEVNULL)
    ledger, most, began = folder / "data" / "ledger", 0.0, 0.0
    while process.poll() is None:
        if not began and ledger.exists():
            began = time.perf_counter()
        if began:
            most = max(most, rss_mb(process.pid))
        time.sleep(0.01)
    assert process.returncode == 0, "activation came to its end"
    return time.perf_counter() - began, most


@contextmanager
def answering() -> Iterator[tuple[str, Any]]:
    """A server in a process of its own: its address, and what gives the requests and bytes that there were."""
    server = start("perf.answering", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert server.stdin is not None
    assert server.stdout is not None
    pipes = server.stdin, server.stdout
    port = int(pipes[1].readline())

    def counted() -> tuple[int, int]:
        pipes[0].write(b"\n")
        pipes[0].flush()
        requests, sent = map(int, pipes[1].readline().split())
        return requests, sent

    try:
        yield f"http://127.0.0.1:{port}", counted
    finally:
        server.terminate()
        server.wait()


def floor(url: str) -> float:
    """Requests a second of the wire alone, `CONCURRENCY` at once."""
    wire, body = HttpWire(), orjson.dumps({"id": "p_" + "0" * 32, "email": "0" * 64})
    under_way = done = 0
    began = time.perf_counter()
    while done < _FLOOR_REQUESTS:
        more = min(CONCURRENCY - under_way, _FLOOR_REQUESTS - done - under_way)
        if more > 0:
            headers = {"Content-Type": "application/json"}
            wire.start([Outgoing(number, "PUT", f"{url}/lists/l/x", headers, body, 10.0, True) for number in range(more)])
            under_way += more
        came = wire.finished()
        assert all(reply.status == 200 for reply in came), "the server answers"
        under_way, done = under_way - len(came), done + len(came)
        if not came:
            time.sleep(0.0005)
    wire.close()
    return _FLOOR_REQUESTS / (time.perf_counter() - began)


if __name__ == "__main__":
    sys.exit(main())
