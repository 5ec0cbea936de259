"""`skep segments audit`: who is a member by the archive, in SQL, held against what is stored and what was told."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from contracts.model.definitions import Definitions, InAccount, leaves
from contracts.model.hashing import profile_id
from contracts.text.problems import choices
from contracts.text.times import iso
from operators.segments.explain import Reason, explain
from operators.segments.sql.printed import needed
from operators.segments.sql.twin import twin
from operators.view.snapshot import SnapshotRows
from operators.view.space import View
from skep.answers.segment_tests import first_that_differs
from skep.answers.segments.asked import rows
from skep.project.audited import Audited, remember
from skep.project.errors import CommandError
from skep.project.kept_lists import with_known_lists
from skep.project.settings import Settings
from skep.project.spaces import archive_path, open_views
from state.snapshot.defined import Defined
from state.snapshot.publish import publish

NAMED = 20
"""Differences of a segment that are explained; all of them are counted."""
_NEEDED = ("attributions", "profiles", "identifiers", "consents", "accounts", "account_members", "changes")
_WHY = {
    "stored": "what is kept of the person says the same as the archive; the membership that is written down does not",
    "kept": "what is kept of the person's events is not what the archive has of them",
    "told": "the membership is right; the change log has told otherwise",
}
_CURE = {
    "stored": "`skep state verify` says whether more is wrong",
    "kept": "`skep state verify` says whether more is wrong; a restore from a backup reads on from there",
    "told": "destinations know what the change log says: tell the makers of Skep, with this output",
}


class MemberDiffers(msgspec.Struct, frozen=True):
    """Somebody who is a member by one and not by another: by the ``archive`` in SQL, as ``stored``, as ``told`` by the change log.

    ``where``: ``stored``, ``kept`` or ``told``; ``because`` and ``cure`` in words; ``first``: the first condition that would have to be
    otherwise, of ``why``, the conditions by what is kept; None of somebody who is not stored.
    """

    profile: str
    archive: bool
    stored: bool
    told: bool
    where: str
    because: str
    cure: str
    first: str | None
    why: Reason | None


class Audit(msgspec.Struct, frozen=True):
    """A segment: members by the archive and as stored, how many people differ, and the first of them by profile id."""

    segment: str
    archive: int
    stored: int
    differ: int
    differences: list[MemberDiffers]


class SpaceAudit(msgspec.Struct, frozen=True):
    """A space at its clock. ``people`` were compared; ``waiting``: those of whom a running flow has not archived every event yet."""

    space: str
    clock: str | None
    people: int
    waiting: int
    segments: list[Audit]


@dataclass(frozen=True, slots=True)
class _Reduced(SnapshotRows):
    """Of a space only what memberships are made of, and of people only those of a sample, if there is one."""

    sample: frozenset[str] | None = None

    def tables(self) -> Mapping[str, Iterable[tuple[Any, ...]]]:
        found = super(_Reduced, self).tables()
        kept = {name: found[name] for name in _NEEDED}
        if self.sample is not None:
            sample = self.sample
            kept["profiles"] = (row for row in self.view.profiles.rows() if row.profile_id in sample)
        return kept


def audit_segments(settings: Settings, segment: str | None, sample: int | None, space: str | None) -> list[SpaceAudit]:
    """The answer for each space, about a segment in force or all of them, and about all people or so many. It is kept for the metrics.

    Raises CommandError for a segment that there is not, and while definitions are on their way; `NoState` before the first run.
    """
    if sample is not None and sample < 1:
        raise CommandError(f"--sample: expected a number of people from 1 on, found {sample}")
    with open_views(settings, space) as views:
        names = {one.name for view in views.values() for one in view.program.segments}
        if segment is not None and segment not in names:
            hint = choices(segment, names) or "`skep catalog` lists them"
            raise CommandError(f"--segment: expected a segment in force, found {segment} → {hint}")
        found = [_audited(settings, view, segment, sample) for view in views.values()]
    if sample is None:
        for one in found:
            differences = {each.segment: each.differ for each in one.segments}
            remember(settings, one.space, Audited(time.time(), differences), of_all=segment is None)
    return found


def _audited(settings: Settings, view: View, segment: str | None, sample: int | None) -> SpaceAudit:
    if view.meta.change is not None:
        raise CommandError(
            f"space {view.space}: definitions are on their way, and not everybody has come to them → ask again once they have"
        )
    definitions, clock = with_known_lists(_about(view.program.definitions, segment), view.people()), view.meta.clock
    asked = [one.name for one in definitions.segments if segment in {None, one.name}]
    chosen = None if sample is None else frozenset(profile_id(key) for key, _ in islice(view.rows.rows("people"), sample))
    if clock is None:
        return SpaceAudit(view.space, None, 0, 0, [Audit(name, 0, 0, 0, []) for name in asked])
    settings.data.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".audit-", dir=settings.data) as folder:
        target = Path(folder) / "audit.duckdb"
        shown = _Reduced(view, chosen)
        gap_us = definitions.identity.session_gap_us
        publish(
            target, archives={view.space: archive_path(settings, view.space)}, rows={view.space: shown}, personal=None,
            defined=Defined(session_gap_us=gap_us),
        )  # fmt: skip
        with duckdb.connect(str(target), read_only=True) as con:
            compared = _Compared(view, con, definitions, asked, clock)
            return SpaceAudit(view.space, iso(clock), compared.people, len(compared.waiting), list(compared.segments()))


def _about(definitions: Definitions, name: str | None) -> Definitions:
    """The definitions with a segment and those that it names alone."""
    if name is None:
        return definitions
    wanted = tuple(needed({one.name: one for one in definitions.segments}, name))
    return replace(definitions, segments=wanted)


class _Compared:
    """The three answers to who is a member, by segment: profile ids."""

    def __init__(self, view: View, con: duckdb.DuckDBPyConnection, definitions: Definitions, asked: list[str], clock_us: int) -> None:
        self._view, self._definitions, self._asked, self._at = view, definitions, asked, clock_us
        self.waiting = self._without_archive(con)
        known = {profile for (profile,) in rows(con, "SELECT profile_id FROM profiles")} - self.waiting
        self.people = len(known)
        self._archive: dict[str, set[str]] = {name: set() for name in asked}
        self._stored: dict[str, set[str]] = {name: set() for name in asked}
        self._told: dict[str, set[str]] = {name: set() for name in asked}
        for name, profile in con.execute(twin(definitions), {"at": clock_us}).fetchall():
            if name in self._archive and profile in known:
                self._archive[name].add(profile)
        for name, profile in rows(con, "SELECT segment, profile_id FROM memberships WHERE exited_at IS NULL"):
            if name in self._told and profile in known:
                self._told[name].add(profile)
        bits = [(name, view.program.bit(name)) for name in asked]
        for person in view.people():
            profile = profile_id(person.key)
            held = int.from_bytes(person.bits, "little")
            if held and profile in known:
                for name, bit in bits:
                    if held & bit:
                        self._stored[name].add(profile)

    def _without_archive(self, con: duckdb.DuckDBPyConnection) -> set[str]:
        """Those of whom the archive lacks an event, and, where conditions look at accounts, whoever shares an account with them."""
        missing = "SELECT DISTINCT profile_id FROM attributions ANTI JOIN events USING (message_id)"
        found = {profile for (profile,) in rows(con, missing)}
        if found and any(isinstance(leaf, InAccount) for one in self._definitions.segments for leaf in leaves(one.who)):
            theirs = f"SELECT account_id FROM account_members WHERE profile_id IN ({missing})"
            found |= {profile for (profile,) in rows(con, f"SELECT profile_id FROM account_members WHERE account_id IN ({theirs})")}
        return found

    def segments(self) -> Iterator[Audit]:
        for name in self._asked:
            archive, stored, told = self._archive[name], self._stored[name], self._told[name]
            differ = sorted((archive ^ stored) | (stored ^ told))
            yield Audit(name, len(archive), len(stored), len(differ), [self._explained(name, one) for one in differ[:NAMED]])

    def _explained(self, name: str, profile: str) -> MemberDiffers:
        archive, stored, told = (profile in side[name] for side in (self._archive, self._stored, self._told))
        person = self._view.profiles.by_id(profile)
        why = None if person is None else explain(person, self._view.program, name, self._at)
        where = "told" if archive is stored else "stored" if why is not None and why.holds is archive else "kept"
        first = None
        if why is not None and where == "kept":
            differing = first_that_differs(why, wanted=archive)
            first = f"{differing.form} {differing.says}".rstrip()
        return MemberDiffers(profile, archive, stored, told, where, _WHY[where], _CURE[where], first, why)
