"""The project's own views: ``views/NAME.sql``, one SELECT a file, is view ``views.NAME`` of each snapshot."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from contracts.model.definitions import Definitions
from skep.project.settings import Settings
from state.snapshot.own_views import OwnView, ViewProblem

FOLDER = "views"


def own_views(settings: Settings) -> list[OwnView]:
    """The files as they are now, by name."""
    found = sorted(path for path in (settings.root / FOLDER).glob("*.sql") if not path.is_dir())
    return [OwnView(path.stem, f"{FOLDER}/{path.name}", _text(path)) for path in found]


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace").removeprefix("\ufeff")
    except OSError:
        return None


def view_problems(settings: Settings, definitions: Definitions) -> list[ViewProblem]:
    """What the next snapshot would miss, found on one that has all tables and columns, and no rows."""
    views = own_views(settings)
    if not views:
        return []
    from skep.project.defined import defined  # noqa: PLC0415 - half a second that only projects with views pay
    from state.snapshot.publish import rehearse  # noqa: PLC0415

    return rehearse(defined([definitions], views), clear=settings.snapshot_personal == "clear")


class MissingView(msgspec.Struct, frozen=True):
    """A view that a snapshot does not have: where, and what is wrong."""

    file: str
    line: int
    found: str


def missing(problems: Iterable[ViewProblem]) -> list[MissingView]:
    """What is wrong with the project's views, as answers have it."""
    return [MissingView(one.file, one.line, one.words) for one in problems]
