"""The project's own views: ``views/NAME.sql``, one SELECT a file, is view ``views.NAME`` of each snapshot."""

from __future__ import annotations

from contracts.definitions import Definitions
from skep.settings import Settings
from state.snapshot_views import OwnView, ViewProblem

FOLDER = "views"


def own_views(settings: Settings) -> list[OwnView]:
    """The files as they are now, by name."""
    return [
        OwnView(path.stem, f"{FOLDER}/{path.name}", path.read_text(encoding="utf-8", errors="replace").removeprefix("\ufeff"))
        for path in sorted((settings.root / FOLDER).glob("*.sql"))
    ]


def view_problems(settings: Settings, definitions: Definitions) -> list[ViewProblem]:
    """What the next snapshot would miss, found on one that has all tables and columns, and no rows."""
    from skep.snapshots import defined  # noqa: PLC0415 - half a second that only projects with views pay
    from state.snapshot import rehearse  # noqa: PLC0415

    given = defined(settings, definitions)
    return rehearse(given, clear=settings.snapshot_personal == "clear") if given.views else []
