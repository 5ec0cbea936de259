"""`skep status`: what was received, what became of it, and where each space stands."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from contracts.model.hashing import DEFAULT_SECRET
from operators.view.space import View
from skep.answers import sources
from skep.answers.late import tell_late
from skep.cli.console import cell, err, headline, out, table
from skep.cli.layout import moment, number, prose
from skep.project.in_force import standing
from skep.project.process import flow_is_running
from skep.project.settings import Settings
from skep.project.spaces import open_views, snapshot_path

COUNTS = ("received", "applied", "duplicate", "conflict", "quarantined", "dropped", "unidentified")
SUMS = (*COUNTS, "people", "merges", "splits", "changes", "remembered", "large_blocks", "uncorrected", "denials")


def status(settings: Settings) -> dict[str, Any]:
    """The totals of all spaces, as ``skep status --json`` prints them."""
    with open_views(settings) as views:
        spaces = [view.status() for view in views.values()]
        faulty = sources.faulty(settings, views)
    for one in spaces:
        for name, partition in one["partitions"].items():
            partition["stopped"] |= any((each.space, each.partition, each.state) == (one["space"], name, "stopped") for each in faulty)
            partition["lag_s"] = None if partition["finished"] else lag_s(partition["clock"])
    return {
        **summed(spaces),
        "running": flow_is_running(settings),
        "snapshot": _snapshot(settings),
        "files": [each.row() for each in faulty],
        "contracts": standing(settings).row(),
        "spaces": spaces,
    }


def summed(spaces: list[dict[str, Any]]) -> dict[str, Any]:
    """Counts added up; the clock is the slowest space's. With several spaces, partitions and segments are named ``space/name``."""
    several = len(spaces) > 1
    total: dict[str, Any] = {key: sum(one.get(key) or 0 for one in spaces) for key in SUMS}
    clocks = [one["clock"] for one in spaces]
    total["clock"] = min(clocks) if clocks and all(clocks) else None
    for key in ("partitions", "segments"):
        total[key] = {(f"{one['space']}/{name}" if several else name): found for one in spaces for name, found in one[key].items()}
    total["stopped"] = [f"{one['space']}/{name}" if several else name for one in spaces for name in one.get("stopped", ())]
    total["broken"] = [{"space": one["space"], **found} for one in spaces for found in one.get("broken", ())]
    total["late"] = [{"space": one["space"], **found} for one in spaces for found in one.get("late", ())]
    total["unread_consents"] = [{"space": one["space"], **found} for one in spaces for found in one.get("unread_consents", ())]
    total["rebuilds"] = {
        key: sum(one["rebuilds"][key] for one in spaces if "rebuilds" in one) for key in ("rebuilds", "identifiers", "seconds")
    }
    total["quarantine"] = _added(one["quarantine"] for one in spaces)
    return total


def _added(counts: Iterable[dict[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for one in counts:
        for key, count in one.items():
            total[key] = total.get(key, 0) + count
    return dict(sorted(total.items()))


def received(views: Iterable[View]) -> int:
    """Records taken in until now."""
    total = 0
    for view in views:
        view.refresh()
        total += int(view.status()["received"])
    return total


def _snapshot(settings: Settings) -> dict[str, Any] | None:
    path = snapshot_path(settings)
    if not path.exists():
        return None
    published = path.stat().st_mtime
    return {"path": str(path), "published_at": _iso(published), "age_s": round(time.time() - published, 1), "bytes": path.stat().st_size}


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def lag_s(clock: str | None) -> float | None:
    """How far a partition's newest event is behind the wall clock."""
    return None if clock is None else round(time.time() - datetime.fromisoformat(clock).timestamp(), 1)


def show(found: dict[str, Any], settings: Settings) -> None:
    """The status for people."""
    head = "a flow is running" if found["running"] else "no flow is running"
    tell_stopped(found)
    tell_late(found, settings)
    tell_standing(found["contracts"])
    headline(settings.root.name, f"  clock {cell(found['clock'])}  {head}")
    sides = ("applied", "duplicate", "conflict", "quarantined", *(("dropped",) if found["dropped"] else ()))
    balance = " + ".join(f"{found[key]:,} {key}" for key in sides)
    out.print(f"{found['received']:,} received = {balance}; {found['unidentified']:,} of the applied are unidentified")
    out.print(f"{found['people']:,} people, {found['changes']:,} changes, {found['remembered']:,} message ids remembered")
    if found["large_blocks"]:
        out.print(f"{found['large_blocks']:,} blocks of records are larger than `block_limit` and are not compared")
    if found["uncorrected"]:
        out.print(f"{found['uncorrected']:,} events say that they were sent more than a day before they happened: their own time stands")
    cost = found["rebuilds"]
    if cost["rebuilds"]:
        words = f"{cost['rebuilds']:,} rebuilds of people have read {cost['identifiers']:,} identifiers in {cost['seconds']:,.1f} s"
        out.print(f"{words}: `skep identity doctor` names those behind it")
    if found["denials"]:
        out.print(f"denials of consent that count although their records were refused: {found['denials']:,}")
    out.print()
    table(("segment", number("members")), found["segments"].items())
    out.print()
    rows = [(name, one["position"], one["clock"], _state(one)) for name, one in found["partitions"].items()]
    table((prose("partition"), number("position"), moment("clock"), ""), rows)
    if found["quarantine"]:
        out.print()
        table(("quarantine", number("records")), found["quarantine"].items())
    if found["unread_consents"]:
        out.print()
        unread = [(one["purpose"], one["source"], one["decisions"]) for one in found["unread_consents"]]
        table(("consent that cannot be read", "source", number("counted as denials")), unread)
    if found["broken"]:
        out.print()
        table(
            ("source", "event", prose("broken expectation"), number("value"), prose("expected"), moment("since")),
            map(_broken, found["broken"]),
        )
    sources.tell(found["files"])
    snapshot = found["snapshot"]
    words = f"{snapshot['published_at']} ({snapshot['bytes'] / 1e6:,.1f} MB)" if snapshot else "none yet: `skep snapshot` publishes one"
    out.print(f"\nlast snapshot: {words}")
    if settings.secret == DEFAULT_SECRET:
        err.print("SKEP_SECRET is not set: hashes of personal values can be guessed", style="yellow")


def tell_standing(contracts: dict[str, Any]) -> None:
    """Which files below contracts/ are not in force, and what to do; nothing if all are."""
    for line in contracts["lines"]:
        err.print(line, style="bold yellow")


def _broken(one: dict[str, Any]) -> tuple[Any, ...]:
    return one["source"], one["event"], one["expectation"], one["value"], expected(one["expected"]), one["since"]


def tell_stopped(found: dict[str, Any]) -> None:
    """Which sources are read no further, and why."""
    for one in found["broken"]:
        if one["stops"]:
            where = f"{one['event']} breaks {one['expectation']}: {one['value']:g}, expected {expected(one['expected'])}"
            err.print(f"SOURCE {one['source']} IS STOPPED since {one['since']}: {where}", style="bold red")
    for name in sorted({one["source"] for one in found["broken"] if one["stops"]}):
        err.print(f'Nothing of it is lost. Repair it, or read it on: skep quality resume {name} --why "…"')


def expected(bounds: dict[str, float]) -> str:
    """``at least 0.5 and at most 3``."""
    words = {"gte": "at least", "lte": "at most"}
    return " and ".join(f"{words[side]} {bound:g}" for side, bound in bounds.items())


def _state(partition: dict[str, Any]) -> str:
    if partition.get("stopped"):
        return "STOPPED"
    if partition.get("finished"):
        return "finished"
    lag = partition["lag_s"]
    return "" if lag is None else f"{lag:,.1f} s behind now"
