"""`skep state verify`: what is stored, held against itself: rows, log, archive, and people computed anew."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from functools import cache

import msgspec

from contracts.model.hashing import Hasher
from operators.judge import Judge
from operators.moment_row import moment_lookup, moment_message, moment_raw
from operators.soundness import again, holders, log_folded, whereabouts
from operators.soundness.findings import Findings
from operators.view.space import View
from skep.project.judging import tolerance
from skep.project.settings import Settings
from skep.project.spaces import archive_path, bundles, shard_path
from skep.project.work import work_of
from state.archive import load_positions
from state.archive_files import POSITIONS, archive_files, reading
from state.archived import compare
from state.errors import NoState
from state.overlay import Overlay

SEED = 1
PEOPLE = "people"


class Checked(msgspec.Struct, frozen=True):
    """A check: how many of ``what`` it has looked at, and how many differences there are."""

    space: str
    check: str
    what: str
    looked: int
    differences: int


class Differing(msgspec.Struct, frozen=True):
    """One difference."""

    space: str
    check: str
    about: str
    expected: str
    found: str


class Verified(msgspec.Struct, frozen=True):
    """``differences`` are all of them, up to 1,000 of each check; the checks count the others, too.

    ``changing``: spaces in which other definitions are on their way to people, so that these are held against nothing yet.
    """

    sound: bool
    changing: list[str]
    checks: list[Checked]
    differences: list[Differing]


def verify(settings: Settings, spaces: tuple[str, ...], size: int, seed: int = SEED) -> Verified:
    """Of each space what was committed last; ``size`` profiles are computed anew. Raises `NoState` if none of the spaces has run."""
    found: list[tuple[str, Findings]] = []
    changing: list[str] = []
    missing: NoState | None = None
    for space in spaces:
        try:
            done = list(_checks(settings, space, size, seed))
        except NoState as error:
            missing = error
            continue
        found += [(space, one) for one in done]
        changing += [space] if done[-1].check != PEOPLE else []
    if not found and missing is not None:
        raise missing
    checks = [Checked(space, one.check, one.what, one.looked, one.differences) for space, one in found]
    differences = [Differing(space, one.check, *each) for space, one in found for each in one.said]
    return Verified(not any(one.differences for one in checks), changing, checks, differences)


def _checks(settings: Settings, space: str, size: int, seed: int) -> Iterator[Findings]:
    # Before the shard is opened: what the archive has by then, the shard has or will have read again.
    archived = load_positions(archive_path(settings, space) / POSITIONS)
    with closing(Overlay(shard_path(settings, space))) as overlay:
        load = cache(bundles(settings))
        view = View(overlay.before, space, Hasher(settings.secret, space), load)
        if not view.meta.digest:
            raise NoState(f"space {space}: no definitions have taken effect yet. Run `skep run --once` first.")
        yield holders.aliases(view)
        yield whereabouts.moments(view)
        yield _archive(settings, view, archived)
        if view.meta.change is not None:
            return
        for check in (log_folded.change_log, holders.timers, holders.members, holders.counts):
            yield check(view)
        judge = cache(lambda digest: Judge(load(digest), **tolerance(settings)))
        yield again.sample(view, overlay, lambda: work_of(settings, space, overlay, load=load, judge=judge), size, seed)


def _archive(settings: Settings, view: View, archived: dict[str, int]) -> Findings:
    found = Findings("archive", "message ids in the archive, which are those of the shard's events, with the same bytes")
    stored = ((moment_message(row), (moment_raw(row) + moment_lookup(row)).decode()) for _, row in view.events.moments())
    refused = ((row.id, row.partition, row.position) for row in view.quarantine.entries())
    folder = archive_path(settings, view.space)
    with reading(folder):
        positions = view.meta.applied, archived
        compared = compare(archive_files(folder), positions, stored, refused, view.quarantine.settled())
    found.looked = compared.ids
    for message, words in compared.said:
        found.differ(f"event {message}", "the same in shard and archive", words)
    found.differences = compared.differences
    return found
