"""How long it takes from an event written to a followed file until its change is readable in another process.

    python -m perf.latency --rate 10000 --seconds 30 [--people 20000] --json

Three processes: a writer that appends every 2 ms what is due at the rate, the flow (`python -m bytewax.run flows.cdp`,
`follow: true`, ten segments, archive on), and this one, which reads the change log as a RocksDB secondary, once a
millisecond. Every tenth event is a consent decision that flips, so it causes a change; its message id carries the moment
before it was written, on the machine's monotonic clock. The first three seconds count as warm-up and are left out.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from random import Random
from typing import Any

import orjson

from operators.view.space import View
from perf.processes import show, start
from perf.shop import CATEGORIES, iso_ms, make_project
from skep.project.settings import Settings
from skep.project.spaces import open_view
from state.errors import StateError

WARM_UP_S = 3.0
TICK_S = 0.002
GIVE_UP_S = 20.0
MEASURED_EVERY = 10


def write(path: Path, rate: int, seconds: float, people: int) -> dict[str, Any]:
    """The writer: what is due by now, all at once, every tick."""
    rng, granted = Random(1), bytearray(people)
    began, sent, late = time.monotonic(), 0, 0
    with path.open("ab", buffering=0) as stream:
        while (elapsed := time.monotonic() - began) < seconds:
            due = min(int(elapsed * rate), sent + rate)
            if due > sent:
                late = max(late, due - sent)
                stream.write(b"".join(_event(rng, granted, number) for number in range(sent, due)))
                sent = due
            time.sleep(TICK_S)
    return {"sent": sent, "most_at_once": late, "rate": round(sent / (time.monotonic() - began))}


def _event(rng: Random, granted: bytearray, number: int) -> bytes:
    person = rng.randrange(len(granted))
    moment = iso_ms(time.time_ns() // 1_000_000)
    if number % MEASURED_EVERY == 0:
        granted[person] ^= 1
        message = f"t{time.monotonic_ns()}-{number}"
        decision = "true" if granted[person] else "false"
        body = f'"event":"Consent Updated","properties":{{"categoryPreferences":{{"marketing":{decision}}}}}'
    else:
        message = f"{rng.getrandbits(128):032x}"
        product = rng.randrange(2000)
        body = (
            f'"event":"Product Viewed","properties":{{"product_id":"p{product:05d}","category":"{CATEGORIES[product % 6]}",'
            f'"price":{product / 10},"currency":"EUR"}}'
        )
    return (
        f'{{"type":"track",{body},"messageId":"{message}","userId":"u{person:07d}","anonymousId":"{person:08x}a5f0c3d1",'
        f'"timestamp":"{moment}","receivedAt":"{moment}"}}\n'
    ).encode()


def start_writer(path: Path, people: int, rate: int, seconds: float, *, stdout: int) -> subprocess.Popen[bytes]:
    """The writer in a process of its own."""
    args = ["--write", path, "--people", people, "--rate", rate, "--seconds", seconds]
    return start("perf.latency", *args, stdout=stdout)


def look(view: View, since: int) -> tuple[int, list[tuple[int, int]]]:
    """The number of the last change by now, and ``(written, readable)`` of each measured event that caused one behind ``since``."""
    view.refresh()
    now, found = time.monotonic_ns(), []
    for sequence, row in view.changes(since):
        since = sequence
        cause = orjson.loads(row)["cause"]
        if cause.get("type") == "message" and cause["id"].startswith("t"):
            found.append((int(cause["id"][1:].partition("-")[0]), now))
    return since, found


def follow(view: View, writer: subprocess.Popen[bytes]) -> tuple[list[tuple[int, int]], int]:
    """``(written, readable)`` of each measured event whose change was seen, and how many were sent."""
    seen: list[tuple[int, int]] = []
    since, sent, ended = 0, None, 0.0
    while True:
        since, more = look(view, since)
        seen += more
        if sent is None and writer.poll() is not None:
            assert writer.stdout is not None
            result = orjson.loads(writer.stdout.read())
            print(orjson.dumps(result).decode(), file=sys.stderr)
            sent, ended = (result["sent"] + MEASURED_EVERY - 1) // MEASURED_EVERY, time.monotonic()
        if sent is not None and (len({written for written, _ in seen}) >= sent or time.monotonic() - ended > GIVE_UP_S):
            return seen, sent
        time.sleep(0.001)


def measure(rate: int, seconds: float, people: int, segments: int) -> dict[str, Any]:
    """Start the flow, then the writer; read until everything was seen."""
    with tempfile.TemporaryDirectory(prefix="skep-latency-") as name:
        folder = Path(name)
        events = folder / "events.jsonl"
        events.touch()
        make_project(folder, events, segments, follow=True)
        with (folder / "flow.log").open("wb") as log:
            flow = start("bytewax.run", "flows.cdp", env={"SKEP_PROJECT": str(folder)}, stdout=log, stderr=log)
            try:
                view = opened(Settings.load(folder), flow, folder / "flow.log")
                writer = start_writer(events, people, rate, seconds, stdout=subprocess.PIPE)
                began = time.monotonic_ns()
                seen, sent = follow(view, writer)
                view.close()
            finally:
                flow.terminate()
                code = flow.wait(60)
        if code:
            raise SystemExit(f"the flow ended with {code}: see its output:\n{(folder / 'flow.log').read_text()[-2000:]}")
    warm = began + int(min(WARM_UP_S, seconds / 3) * 1e9)
    first: dict[int, int] = {}
    for written, readable in seen:
        first.setdefault(written, readable)
    waits = sorted((readable - written) / 1e6 for written, readable in first.items() if written >= warm)
    quantiles = {f"p{share}_ms": round(waits[min(len(waits) - 1, len(waits) * share // 100)], 2) for share in (50, 90, 99)} if waits else {}
    return {
        "rate": rate,
        "seconds": seconds,
        "measured": len(waits),
        "missing": sent - len(first),
        **quantiles,
        "max_ms": round(waits[-1], 2) if waits else None,
        "max_ms_by_second": _by_second(first, began),
    }


def _by_second(first: dict[int, int], began: int) -> list[int]:
    """The longest wait of each second since the writer was started, warm-up included."""
    longest: dict[int, int] = {}
    for written, readable in first.items():
        second = (written - began) // 1_000_000_000
        longest[second] = max(longest.get(second, 0), (readable - written) // 1_000_000)
    return [longest.get(second, 0) for second in range(max(longest, default=-1) + 1)]


def opened(settings: Settings, flow: subprocess.Popen[bytes], log: Path) -> View:
    """The shard, as soon as the flow has made it and committed its definitions. Raises `SystemExit` if it does not."""
    give_up = time.monotonic() + 60
    while time.monotonic() < give_up and flow.poll() is None:
        try:
            view = open_view(settings, "shop")
        except StateError:
            time.sleep(0.05)
            continue
        if view.meta.digest:
            return view
        view.close()
        time.sleep(0.05)
    raise SystemExit(f"the flow did not start:\n{log.read_text()[-2000:]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--segments", type=int, default=10)
    parser.add_argument("--write", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.write is not None:
        show(write(options.write, options.rate, options.seconds, options.people), as_json=True)
        return
    show(measure(options.rate, options.seconds, options.people, options.segments), as_json=options.json)


if __name__ == "__main__":
    main()
