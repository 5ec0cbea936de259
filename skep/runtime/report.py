"""What `skep run --once` reports at its end: what it has made, or how far it came."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from operators.epochs import CONTROL
from skep.answers.status import Status
from skep.project.entries import Submitted, told
from skep.project.settings import Settings
from skep.project.spaces import control_path, open_views
from state.errors import NoState
from state.snapshot.publish import SnapshotReport

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


@dataclass(frozen=True, slots=True)
class Done:
    """What a run has done that came to its end.

    ``example``: an identifier worth looking at; ``decisions``: what people had decided, and what came of it; ``pending``: by destination
    how many changes it has not been told.
    """

    seconds: float
    snapshot: SnapshotReport
    example: str | None
    decisions: list[tuple[str, str]]
    pending: dict[str, int]


@dataclass(frozen=True, slots=True)
class Ran:
    """How a run ended; without ``done`` it was interrupted, or the flow has said why it ended and there is nothing to add."""

    code: int
    before: Standing = Standing()
    status: Status | None = None
    done: Done | None = None


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
