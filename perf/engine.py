"""One run of the main flow over a project, measured, in this process; prints one JSON object. The other scripts start it.

python -m perf.engine PROJECT [--profile FILE]
"""

from __future__ import annotations

import argparse
import cProfile
import os
import time
from pathlib import Path
from typing import Any

import orjson
from bytewax.run import cli_main

import connectors.sources.step
import operators.archive
from flows.cdp import dataflow
from operators.people import take
from operators.people.space import Space
from operators.people.store import PeopleStore
from operators.validate import Validate
from perf.meter import Meter, cpu_seconds, folder_bytes, peak_rss_mb, rss_mb
from skep.compiled import form
from skep.runtime.flow import Runtime
from state.shard import Shard

_STAGES: tuple[tuple[str, Any, str], ...] = (
    ("read", connectors.sources.step._ReadPartition, "next_batch"),
    ("validate", Validate, "__call__"),
    ("archive", operators.archive._ArchivePartition, "write_batch"),
    ("archive", operators.archive._ArchivePartition, "close"),
    ("people", Space, "apply"),
    ("people_seal", Space, "_seal"),
    ("people_timers", take, "advance"),
    ("people_encode", PeopleStore, "flush"),
    ("commit", Shard, "commit"),
)
"""What is counted for which stage: calls that interpreted code makes, since one compiled module calls another past any wrapper.
``advance`` is called by events that move the clock, so it has no wrapper of its own by default."""
_PER_EVENT = {"advance"}


def measure(project: Path, *, per_event: bool = False) -> dict[str, Any]:
    """Run the flow to the end of its input."""
    os.environ["SKEP_PROJECT"] = str(project)
    meter = Meter()
    for stage, owner, name in _STAGES:
        if per_event or name not in _PER_EVENT:
            meter.method(stage, owner, name)
    cpu, wall = cpu_seconds(), time.perf_counter()
    runtime = Runtime.start()
    started = cpu_seconds() - cpu
    before = runtime.space("shop").meta.received
    worker_began = time.thread_time()
    cli_main(dataflow(runtime))  # type: ignore[no-untyped-call]
    worker = time.thread_time() - worker_began
    rss = rss_mb()
    space = runtime.space("shop")
    meta = space.meta
    runtime._shards["shop"].close()
    cpu, wall = cpu_seconds() - cpu, time.perf_counter() - wall
    events = max(1, meta.received - before)
    stages = {stage: round(spent / 1000 / events, 3) for stage, spent in meter.cpu_ns.items()}
    total = cpu * 1e6 / events
    stages["start"] = round(started * 1e6 / events, 3)
    stages["engine"] = round(worker * 1e6 / events - sum(spent / 1000 / events for spent in meter.cpu_ns.values()), 3)
    stages["background"] = round(total - sum(stages.values()), 3)
    return {
        "form": form(),
        "events": meta.received - before,
        "applied": meta.events,
        "quarantined": sum(meta.quarantine.values()),
        "profiles": meta.people,
        "people_read": space.work.store.missed,
        "changes": meta.changes,
        "wall_s": round(wall, 3),
        "cpu_s": round(cpu, 3),
        "worker_cpu_s": round(worker, 3),
        "start_cpu_s": round(started, 3),
        "events_per_s": round(events / wall),
        "cpu_us_per_event": round(total, 3),
        "running_us_per_event": round(total - started * 1e6 / events, 3),
        "stages_us": stages,
        "rss_mb": rss,
        "peak_rss_mb": peak_rss_mb(),
        "shard_bytes": folder_bytes(runtime.settings.data / "shards"),
        "archive_bytes": folder_bytes(runtime.settings.data / "archive"),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("project", type=Path)
    parser.add_argument("--profile", type=Path, help="write cProfile's statistics there (everything takes twice as long)")
    parser.add_argument("--timers", action="store_true", help="count the firing of timers apart; costs about 0.3 µs an event")
    options = parser.parse_args()
    if options.timers and form() == "compiled":
        parser.error("--timers: compiled code fires them past the count; SKEP_COMPILED=0 counts them interpreted")
    if options.profile is None:
        print(orjson.dumps(measure(options.project, per_event=options.timers)).decode())
        return
    profile = cProfile.Profile()
    result = profile.runcall(measure, options.project)
    profile.dump_stats(options.profile)
    print(orjson.dumps(result).decode())


if __name__ == "__main__":
    main()
