"""What a change of definitions costs while events go on: one number of a condition, a new trait and a new segment, an identity rule.

    python -m perf.apply --events 200000 [--people 20000] [--rate 5000] --json

The flow reads a shop's events, then follows; a writer appends events of now at a rate, and each change is applied beside them, one after
the other. ``seconds`` is from the entry to the answer, ``rss_mb`` what the flow's memory has grown by at most meanwhile, ``p99_ms`` the
time from an event written until its change is readable in another process, of the events that were written meanwhile; ``before`` is the
same before the first change; ``us_per_event`` is ``seconds`` by the events of the history that were read. ``targets`` are what is asked
of it at 5,000,000 events and 5,000 a second, ``missed`` which of these figures are beyond that here, at whatever size.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from contracts.text.times import parse_time
from operators.view.space import View
from perf.latency import look, opened, start_writer
from perf.meter import rss_mb
from perf.processes import call, show, start
from perf.shop import events_file, make_project
from skep.project.apply import apply
from skep.project.settings import Settings
from skep.project.spaces import control_path, open_view

WRITER_S = 3600.0


def _number(project: Path) -> None:
    """Another number in the condition of the first segment: every cell is there."""
    path = project / "contracts/segments/s0000.yaml"
    path.write_text(path.read_text().replace("gte: 250", "gte: 200"))


def _new(project: Path) -> None:
    """One new trait and one new segment."""
    traits = project / "contracts/traits.yaml"
    traits.write_text(traits.read_text() + "  - {name: baskets, count: true, did: product_added}\n")
    segment = "segment: regulars\nowner: perf\nwho: {did: order_completed, times: {gte: 3}, within: 90d}\n"
    (project / "contracts/segments/regulars.yaml").write_text(segment)


def _identity(project: Path) -> None:
    path = project / "contracts/identity.yaml"
    path.write_text(path.read_text().replace("session_gap: 30m", "session_gap: 45m"))


TARGETS: dict[str, dict[str, float]] = {
    "number": {"rss_mb": 600, "p99_ms": 100},
    "new": {"seconds": 60, "rss_mb": 600, "p99_ms": 100},
    "identity": {"seconds": 360, "rss_mb": 600, "p99_ms": 100},
}
"""At most, by what is changed."""
CHANGES: dict[str, Callable[[Path], None]] = {"number": _number, "new": _new, "identity": _identity}


class Watch:
    """Reads the change log once a millisecond, in a thread, and notes when each measured event was written and could be read."""

    def __init__(self, view: View, flow: int) -> None:
        self._view, self.flow = view, flow
        self._stop = threading.Event()
        self._since = view.meta.changes
        self.seen: list[tuple[int, int]] = []
        self.most_rss = 0.0
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        looks = 0
        while not self._stop.is_set():
            self._since, more = look(self._view, self._since)
            self.seen += more
            looks += 1
            if looks % 20 == 0:
                self.most_rss = max(self.most_rss, rss_mb(self.flow))
            time.sleep(0.001)

    def p99(self, begun_ns: int, ended_ns: int) -> dict[str, Any]:
        """Of the events written between two moments."""
        first = dict(reversed(self.seen))
        waits = sorted((readable - written) / 1e6 for written, readable in first.items() if begun_ns <= written <= ended_ns)
        if not waits:
            return {"measured": 0}
        return {"measured": len(waits), "p99_ms": round(waits[len(waits) * 99 // 100], 1), "max_ms": round(waits[-1], 1)}

    def end(self) -> None:
        self._stop.set()
        self._thread.join()


def _applied(project: Path, watch: Watch, seconds: float) -> dict[str, Any]:
    """Apply the files, in a process of its own; how long the flow took, what it grew by, and how long events took meanwhile."""
    watch.most_rss = before = rss_mb(watch.flow)
    done = call("perf.apply", "--apply", project)
    time.sleep(seconds)
    begun, ended, answer = done["begun"], done["ended"], done["answer"]
    found = {"seconds": round((ended - begun) / 1e9, 2), "rss_mb": round(watch.most_rss - before), **watch.p99(begun, ended)}
    found |= {key: answer[key] for key in ("people", "events") if key in answer}
    if found.get("events"):
        found["us_per_event"] = round((ended - begun) / 1e3 / found["events"], 1)
    return found


def _apply(project: Path) -> dict[str, Any]:
    """Put the files in force; when the entry was written and when its answer could be read, in ns of the machine's monotonic clock."""
    settings = Settings.load(project)
    (done,) = apply(settings, ("shop",))
    if done.submitted is None:
        raise SystemExit(f"nothing to apply: {done}")
    answer = done.submitted.answer or _answer(settings, done.submitted.message_id)
    ended = time.monotonic_ns()
    if not answer or not answer.get("ok"):
        raise SystemExit(f"the definitions were not applied: {answer}")
    entry = orjson.loads(control_path(settings, "shop").read_bytes().splitlines()[-1])
    written_us = parse_time(entry["timestamp"])
    assert written_us is not None, "an entry has a time"
    return {"begun": ended - (time.time_ns() - written_us * 1000), "ended": ended, "answer": answer}


def _answer(settings: Settings, message: str) -> dict[str, Any] | None:
    """The flow's answer, however long it takes."""
    view = open_view(settings, "shop")
    give_up, answer = time.monotonic() + WRITER_S, None
    while answer is None and time.monotonic() < give_up:
        time.sleep(0.02)
        view.refresh()
        answer = view.answer(message)
    view.close()
    return answer


def measure(events: int, people: int, rate: int, segments: int, seconds: float) -> dict[str, Any]:
    """Read the events, then follow, write, and change definitions meanwhile."""
    with tempfile.TemporaryDirectory(prefix="skep-apply-") as name:
        folder = Path(name)
        source = folder / "events.jsonl"
        shutil.copyfile(events_file(events, people, 1), source)
        project = make_project(folder / "project", source, segments)
        ran = call("perf.engine", project)
        settings = project / "skep.yaml"
        settings.write_text(settings.read_text().replace("follow: false", "follow: true"))
        found = {"events": ran["events"], "people": ran["profiles"], "rate": rate, "form": ran["form"]}
        found |= _beside(project, source, people, rate, seconds)
        return found | {"targets": TARGETS, "missed": _missed(found)}


def _missed(found: dict[str, Any]) -> list[str]:
    """The figures that are beyond their targets."""
    return [f"{name}.{key}" for name, most in TARGETS.items() for key in most if found[name].get(key, 0) > most[key]]


def _beside(project: Path, source: Path, people: int, rate: int, seconds: float) -> dict[str, Any]:
    settings, log = Settings.load(project), project / "flow.log"
    found: dict[str, Any] = {}
    with log.open("wb") as stream:
        flow = start("bytewax.run", "flows.cdp", env={"SKEP_PROJECT": str(project)}, stdout=stream, stderr=stream)
        writer: subprocess.Popen[bytes] | None = None
        watch: Watch | None = None
        try:
            view = opened(settings, flow, log)
            writer = start_writer(source, people, rate, WRITER_S, stdout=subprocess.DEVNULL)
            watch = Watch(view, flow.pid)
            _until_quick(watch)
            begun = time.monotonic_ns()
            time.sleep(seconds)
            ended = time.monotonic_ns()
            time.sleep(1)
            found["before"] = watch.p99(begun, ended)
            for name, edit in CHANGES.items():
                edit(project)
                found[name] = _applied(project, watch, seconds)
        finally:
            if watch is not None:
                watch.end()
            for process in (writer, flow):
                if process is not None:
                    process.terminate()
                    process.wait(60)
    return found


def _until_quick(watch: Watch) -> None:
    """Wait until the flow has told what waited for the clock, and is no second behind the writer."""
    give_up = time.monotonic() + 600
    while time.monotonic() < give_up:
        time.sleep(0.5)
        if watch.seen and time.monotonic_ns() - watch.seen[-1][0] < 1_000_000_000:
            return
    raise SystemExit("the flow does not keep up with the writer: try a lower --rate")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--rate", type=int, default=5_000)
    parser.add_argument("--segments", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=4, help="how long the flow is watched before the first change, and behind each")
    parser.add_argument("--apply", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.apply is not None:
        show(_apply(options.apply), as_json=True)
        return
    show(measure(options.events, options.people, options.rate, options.segments, options.seconds), as_json=options.json)


if __name__ == "__main__":
    main()
