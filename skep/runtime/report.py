"""The report at the end of `skep run --once`: what it has made, or how far it came."""

from __future__ import annotations

import shlex
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from operators.epochs import CONTROL
from skep.cli.console import err, headline, out, table
from skep.cli.layout import number
from skep.project.entries import Submitted, told
from skep.project.settings import Settings
from skep.project.spaces import control_path, open_views
from state.errors import NoState

_SAID = {"replay": "replayed", "edit": "edited", "drop": "dropped", "link": "linked by hand", "unlink": "unlinked by hand",
         "resume": "sources read on", "reread": "files read anew", "skip": "files skipped"}  # fmt: skip
"""Control entries that the report names; of definitions the log tells."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where everything stood before a run: records received, and by space how many control entries were done."""

    received: int = 0
    decided: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: Settings) -> Standing:
        """Where it stands now; nowhere before the first run."""
        with suppress(NoState), open_views(settings) as views:
            metas = {space: view.meta for space, view in views.items()}
            return cls(
                sum(meta.received for meta in metas.values()), {space: meta.applied.get(CONTROL, 0) for space, meta in metas.items()}
            )
        return cls()


def decided(settings: Settings, before: Standing) -> list[tuple[str, str]]:
    """What people had decided and this run has done, and what came of it."""
    by_kind: dict[str, list[Submitted]] = {}
    with open_views(settings) as views:
        for space, view in views.items():
            done = view.meta.applied.get(CONTROL, 0)
            for position, entry in enumerate(_entries(control_path(settings, space))[:done], 1):
                if position > before.decided.get(space, 0):
                    identity = str(entry.get("messageId"))
                    by_kind.setdefault(str(entry.get("type")), []).append(Submitted(identity, position, False, view.answer(identity)))
    return [(said, words.removeprefix("done: ")) for kind, said in _SAID.items() for words in told(by_kind.get(kind, []))]


def _entries(path: Path) -> list[dict[str, Any]]:
    lines = path.read_bytes().split(b"\n") if path.exists() else []
    return [_entry(line) for line in lines if line and not line.isspace()]


def _entry(line: bytes) -> dict[str, Any]:
    with suppress(orjson.JSONDecodeError):
        entry = orjson.loads(line)
        if isinstance(entry, dict):
            return entry
    return {}


def show(  # noqa: PLR0917 - what a report is made of
    found: dict[str, Any], before: Standing, seconds: float, snapshot: Path | None, example: str | None, decisions: list[tuple[str, str]]
) -> None:
    """What a run has made: people, merges, segments, changes, quarantine, what it has done that people had decided, and how fast."""
    events = found["received"] - before.received
    speed = f" in {seconds:,.1f} s ({events / seconds:,.0f} events/s)" if events and seconds > 0 else ", nothing new to read"
    out.print()
    headline(f"{events:,} events", f"{speed}; the clock stands at {found['clock'] or 'nothing'}")
    for said, words in decisions:
        out.print(f"{said}: {words}")
    table(
        ("", number("")),
        [
            ("people", found["people"]),
            ("merges", found["merges"]),
            ("changes told", found["changes"]),
            ("duplicates dropped", found["duplicate"]),
            ("in quarantine", found["quarantined"]),
        ],
    )
    out.print()
    table(("segment", number("members")), found["segments"].items())
    if found["quarantine"]:
        out.print()
        table(("quarantine", number("records")), found["quarantine"].items())
    if snapshot:
        out.print(f"\nsnapshot: {snapshot}")
    who = shlex.quote(example or "user_id:42")
    out.print(f"\nTry next:  skep profile show {who}   ·   skep quarantine list   ·   skep sql 'from profiles limit 5'")


def show_interrupted(found: dict[str, Any], before: Standing) -> None:
    """How far a run came that was interrupted, by files, and how it goes on."""
    events = found["received"] - before.received
    err.print(f"INTERRUPTED after {events:,} events; the clock stands at {found['clock'] or 'nothing'}", style="bold yellow")
    for name, one in found["partitions"].items():
        if name.rpartition("/")[2] != CONTROL:
            err.print(f"  {name}: {one['position']:,} records read{', to its end' if one['finished'] else ''}")
    err.print("All of that is committed; destinations and the snapshot are behind. `skep run --once` goes on from there")
