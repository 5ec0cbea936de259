"""The project's own views: ``views/NAME.sql``, one SELECT a file, is view ``views.NAME`` of each snapshot."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from contracts.model.definitions import Definitions
from skep.cli.console import err
from skep.project.settings import Settings
from state.snapshot.views import OwnView, ViewProblem

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
    from skep.runtime.snapshots import defined  # noqa: PLC0415 - half a second that only projects with views pay
    from state.snapshot.publish import rehearse  # noqa: PLC0415

    given = defined(settings, [definitions])
    return rehearse(given, clear=settings.snapshot_personal == "clear") if given.views else []


def tell_missing(problems: Iterable[ViewProblem]) -> None:
    """Say on stderr which views the snapshot does not have, and why."""
    for one in problems:
        err.print(f"{one} (this view is missing in the snapshot)", style="red")


def view_row(problem: ViewProblem) -> dict[str, Any]:
    return {"file": problem.file, "line": problem.line, "found": problem.words}
