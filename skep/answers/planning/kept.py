"""`skep apply --plan FILE`: a plan that somebody has kept, held against what it would be now."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from skep.answers.planning.answer import Plan
from skep.answers.planning.plan import plans
from skep.answers.planning.trial import Progress
from skep.project.apply import check_plan
from skep.project.definitions import proved
from skep.project.errors import CommandError
from skep.project.settings import Settings

LISTED_MAX = 10
"""Figures that are named where they have moved too far."""


def still(settings: Settings, spaces: tuple[str, ...], path: Path, tolerance: str, progress: Progress) -> str:
    """The name of the plan in a file, if each of its figures is still what it was, give or take a share of it (``5%``, ``0.05``).

    Raises CommandError if the file is no plan or one of other spaces, if the files or what is in force are others by now, and if the
    world has moved on too far.
    """
    share = _share(tolerance)
    kept = _read(path)
    names = {one.plan for one in kept}
    name = next(iter(names)) if len(names) == 1 else None
    if name is None:
        raise CommandError(f"--plan {path}: expected a plan of something to be done, found one by which nothing changes → `skep plan`")
    if tuple(one.space for one in kept) != spaces:
        found = ", ".join(one.space for one in kept)
        raise CommandError(
            f"--plan {path}: expected a plan of space {', '.join(spaces)}, found one of {found} → say --space as it was said"
        )
    definitions = proved(settings)
    check_plan(settings, spaces, definitions, name)
    now = plans(settings, spaces, definitions, progress, None)
    moved = [line for was, one in zip(kept, now, strict=True) for line in _moved(was, one, share)]
    if moved:
        more = f" and {len(moved) - LISTED_MAX} more" if len(moved) > LISTED_MAX else ""
        said = "; ".join(moved[:LISTED_MAX])
        hint = "`skep plan --json` for a plan of now, or a larger --tolerance"
        raise CommandError(f"--plan {path}: expected what was planned, give or take {share:.0%}, found {said}{more} → {hint}")
    return name


def _read(path: Path) -> list[Plan]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[Plan])
    except (OSError, msgspec.DecodeError) as error:
        raise CommandError(f"--plan {path}: expected what `skep plan --json` prints, found something else: {error}") from None


def _share(text: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(%?)", text.strip())
    if found is None:
        raise CommandError(f"--tolerance: expected a share such as 5% or 0.05, found {text}")
    return float(found[1]) / (100 if found[2] else 1)


def _moved(was: Plan, now: Plan, share: float) -> Iterator[str]:
    """The figures that are another by now, by more than a share of what they were."""
    before, after = dict(_figures(was)), dict(_figures(now))
    for what in dict.fromkeys((*before, *after)):
        planned, found = before.get(what, 0), after.get(what, 0)
        if abs(found - planned) > share * planned:
            yield f"{now.space}: {found:,} {what}, planned were {planned:,}"


def _figures(plan: Plan) -> Iterator[tuple[str, int]]:
    """What a plan decides about people; what it costs may differ."""
    yield "profiles after", plan.people.after
    yield "profiles that join several", plan.merge.count
    yield "profiles that come apart", plan.split.count
    yield "identifiers with another profile id", plan.identifiers.moved
    for name, members in plan.segments.items():
        yield f"who enter {name}", members.enter.count
        yield f"who leave {name}", members.leave.count
    for name, changes in plan.destinations.items():
        yield f"changes for {name}", changes.changes
