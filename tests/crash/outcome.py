"""What a run has left behind, and what must be true of it: everything that a kill must not change."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as pq

from skep.project.settings import Settings
from skep.project.spaces import archive_path, open_views

SPACE = "shop"
_TIME = re.compile(r'"(\d{4}-\d\d-\d\dT[\d:.]+Z)"')
_COUNTERS = ("received", "applied", "duplicate", "conflict", "quarantined", "unidentified", "people", "segments", "quarantine", "clock",
             "partitions", "definitions")  # fmt: skip
_IN_ORDER = ("merges", "splits", "changes")
"""Counters that tell how the state came about, which is the same only if the records come in the same order."""


@dataclass(frozen=True)
class Outcome:
    """A project's state at rest."""

    dump: list[bytes]
    changes: list[bytes]
    counters: dict[str, Any]
    story: dict[str, Any]
    archive: Counter[tuple[Any, ...]]
    quarantine: list[tuple[Any, ...]]
    defaults: dict[str, bool]
    scores: list[tuple[Any, ...]]

    @classmethod
    def of(cls, project: Path) -> Outcome:
        """Read everything; no flow may be running."""
        settings = Settings.load(project)
        with open_views(settings) as views:
            view = views[SPACE]
            status = view.status()
            return cls(
                list(view.dump()),
                [line for _, line in view.changes()],
                {name: status[name] for name in _COUNTERS},
                {name: status[name] for name in _IN_ORDER},
                archive_rows(archive_path(settings, SPACE)),
                [(row.id, row.reason, row.detail, row.schema_path, row.partition, row.position, row.received_at_us, row.raw)
                 for row in view.quarantine.entries()],
                {purpose.name: purpose.default for purpose in view.program.definitions.purposes},
                list(view.quality.scores()),
            )  # fmt: skip


def archive_rows(folder: Path) -> Counter[tuple[Any, ...]]:
    """Every row of every file as often as it is there; the files must be whole."""
    rows: Counter[tuple[Any, ...]] = Counter()
    for path in folder.glob("day=*/*.parquet"):
        columns = pq.ParquetFile(path).read().to_pydict()
        rows.update(zip(*(columns[name] for name in sorted(columns)), strict=True))
    return rows


def lost_and_doubled(reference: Outcome, found: Outcome) -> tuple[int, int]:
    """How many records the other run is short of, and how many it has too often, in whichever place."""
    lost = doubled = 0
    for wanted, there in zip(_records(reference), _records(found), strict=True):
        lost += (wanted - there).total()
        doubled += (there - wanted).total()
    difference = found.counters["received"] - reference.counters["received"]
    return lost + max(0, -difference), doubled + max(0, difference)


def _records(outcome: Outcome) -> tuple[Counter[Any], ...]:
    messages = Counter(line for line in outcome.dump if b'"kind":"message"' in line)
    return messages, outcome.archive, Counter(row[1:] for row in outcome.quarantine)


def differences(reference: Outcome, found: Outcome, *, in_order: bool, told_alike: bool = True) -> list[str]:
    """What is not the same; ``in_order``: the records came in one order, so the change log must be the same, too, unless it is not
    ``told_alike``: definitions came on their way, and whom they reach before which event is a matter of time."""
    said = []
    if found.dump != reference.dump:
        extra, missing = sorted(set(found.dump) - set(reference.dump)), sorted(set(reference.dump) - set(found.dump))
        said.append(f"dump: {len(extra)} lines only here {extra[:2]}, {len(missing)} missing {missing[:2]}")
    for name, value in reference.counters.items():
        if found.counters[name] != value:
            said.append(f"status: {name} is {found.counters[name]}, expected {value}")
    if found.archive != reference.archive:
        twice, short = found.archive - reference.archive, reference.archive - found.archive
        said.append(f"archive: {twice.total()} rows too many {list(twice)[:1]}, {short.total()} missing {list(short)[:1]}")
    if in_order and found.quarantine != reference.quarantine:
        said.append("quarantine: other entries or another order")
    if sorted(row[1:6] for row in found.quarantine) != sorted(row[1:6] for row in reference.quarantine):
        said.append("quarantine: other entries")
    if in_order and found.scores != reference.scores:
        other = next((pair for pair in zip(found.scores, reference.scores, strict=False) if pair[0] != pair[1]), "one side ends first")
        said.append(f"quality: the first other row and the expected one: {other}")
    if in_order and told_alike and found.changes != reference.changes:
        pairs = zip(found.changes, reference.changes, strict=False)
        other = next((pair for pair in pairs if pair[0] != pair[1]), "none, up to the shorter end")
        said.append(f"changes: {len(found.changes)}, expected {len(reference.changes)}; the first other one and the expected one: {other}")
    if in_order and told_alike and found.story != reference.story:
        said.append(f"status: {found.story}, expected {reference.story}")
    return said


def broken_rules(outcome: Outcome, *, event_clock: bool = True) -> list[str]:
    """What is wrong with the counts and the change log by themselves, whatever the other run says."""
    said = []
    counts = outcome.counters
    if counts["received"] != sum(counts[name] for name in ("applied", "duplicate", "conflict", "quarantined")):
        said.append(f"received is not the sum of what became of it: {counts}")
    positions = sum(part["position"] for name, part in counts["partitions"].items() if name != "control")
    if counts["received"] != positions:
        said.append(f"received is {counts['received']}, the partitions are at {positions} together")
    changes = [orjson.loads(line) for line in outcome.changes]
    if [change["id"] for change in changes] != [f"{SPACE}-0-{number}" for number in range(1, len(changes) + 1)]:
        said.append("changes: the sequence is not dense")
    said += _versions(changes)
    if event_clock:
        said += [f"change holds a time behind the clock: {line!r}" for line in outcome.changes if _later(line, counts["clock"])][:3]
    return said + fold_differences(changes, outcome)


def _versions(changes: list[dict[str, Any]]) -> list[str]:
    last: dict[str, int] = {}
    for change in changes:
        profile, version = change["profile"], change["version"]
        if profile is None:
            # What is told of a source is nobody's change.
            continue
        if version != last.get(profile, 0) + 1:
            return [f"change {change['id']}: version {version} of {profile}, which was at {last.get(profile, 0)}"]
        last[profile] = version
    return []


def _later(line: bytes, clock: str | None) -> bool:
    """Whether a change says a time that the events have not come to; the wall clock is one. Values of traits may be times."""
    told = b"profile.updated" in line
    return clock is None or (not told and any(time > clock for time in _TIME.findall(line.decode())))


def fold_differences(changes: Iterable[dict[str, Any]], outcome: Outcome) -> list[str]:
    """Fold the change log and compare with the dump: profile ids, memberships, consents."""
    ids: set[str] = set()
    members: set[tuple[str, str]] = set()
    consents: dict[tuple[str, str], bool] = {}
    said = []
    for change in changes:
        kind, profile = change["type"], change["profile"]
        if kind == "profile.created":
            ids.add(profile)
        elif kind == "identity.split":
            ids.add(change["split"])
        elif kind in {"identity.merged", "profile.erased"}:
            gone = change["merged"] if kind == "identity.merged" else profile
            said += [f"{change['id']}: {gone} vanishes as a member of {held[1]}" for held in members if held[0] == gone]
            ids.discard(gone)
            consents = {key: granted for key, granted in consents.items() if key[0] != gone}
        elif kind == "segment.entered":
            said += [f"{change['id']}: enters twice"] if (profile, change["segment"]) in members else []
            members.add((profile, change["segment"]))
        elif kind == "segment.exited":
            said += [f"{change['id']}: exits without being a member"] if (profile, change["segment"]) not in members else []
            members.discard((profile, change["segment"]))
        elif kind == "consent.changed" and change["granted"] is None:
            # No decision stands any more, after a split: the purpose's default holds again.
            del consents[profile, change["purpose"]]
        elif kind == "consent.changed":
            consents[profile, change["purpose"]] = change["granted"]
    profiles = [line for line in map(orjson.loads, outcome.dump) if line["kind"] == "profile"]
    real = {line["id"] for line in profiles}
    if ids != real:
        said.append(f"fold: profile ids {sorted(ids - real)[:3]} too many, {sorted(real - ids)[:3]} missing")
    wanted = {(line["id"], name) for line in profiles for name in line["segments"]}
    if members != wanted:
        said.append(f"fold: memberships {sorted(members - wanted)[:3]} too many, {sorted(wanted - members)[:3]} missing")
    for line in profiles:
        for purpose, default in outcome.defaults.items():
            has, told = line["consents"].get(purpose, default), consents.get((line["id"], purpose), default)
            if has is not told:
                said.append(f"fold: {purpose} of {line['id']} is {told}, expected {has}")
    return said


def delivery_problems(path: Path, outcome: Outcome) -> list[str]:
    """Whether a file destination has every change, once and in order after removing repeated ids."""
    first: dict[str, bytes] = {}
    lines = path.read_bytes().splitlines()
    said = [f"delivered with two contents: {line!r}" for line in lines if first.setdefault(orjson.loads(line)["id"], line) != line]
    if list(first.values()) != outcome.changes:
        said.append(f"delivered {len(first)} changes, expected {len(outcome.changes)} in the order of the log")
    return said
