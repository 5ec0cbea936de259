"""`skep segments doctor`: segments that say nothing, have died, jump, repeat one another, or tell whom they should not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from statistics import median

import duckdb
import msgspec

from contracts.language.forms import FORMS
from contracts.language.forms.trait import lasting_text
from contracts.language.tautologies import always
from contracts.model.definitions import Condition, Definitions, Did, Segment, TraitIs, leaves
from contracts.model.event_patterns import matches
from contracts.reading.lineage import uses
from contracts.reading.segments import named_segments
from contracts.text.problems import listed
from contracts.text.times import DAY_US, iso
from contracts.text.yaml_tree import Reader
from operators.segments.sql.health import held_by
from operators.segments.sql.identifiers import HiddenValuesError
from operators.segments.words import did_words, predicate_words
from skep.answers.segments.asked import SNAPSHOT, clock_of, hashed_reads, hears, rows, snapshot
from skep.project.errors import CommandError
from skep.project.in_force import in_force
from skep.project.personal import hidden_identifiers
from skep.project.settings import Settings
from skep.project.spaces import chosen
from state.snapshot.literals import quote

ALIKE = 0.95
"""Share of those in either of two segments that is in both, from which they are near-duplicates."""
HISTORY_DAYS, LATELY_DAYS = 28, 7
"""Of how many days the usual change of a size is taken, and in how many days behind them a jump is looked for."""
JUMP_TIMES, JUMP_SHARE, JUMP_LEAST = 5, 0.2, 10
"""A jump is so many times the usual change of a day, such a share of the size before, and so many people, at least."""
KINDS = (
    "never_matched", "always_matched", "always_true", "holds_of_nobody", "holds_of_everybody", "nobody_new", "size_jumped",
    "near_duplicate", "dead_dependency", "unused", "not_consented", "too_small",
)  # fmt: skip


class SegmentFinding(msgspec.Struct, frozen=True):
    """What is not as it should be with a segment: its ``kind``, one of `KINDS`, in words, and what to do. ``line``: of its file, if it is
    about a condition; ``other``: the other segment of two."""

    segment: str
    kind: str
    says: str
    cure: str
    line: int | None = None
    other: str | None = None


class SegmentHealth(msgspec.Struct, frozen=True):
    """A space at the clock of the snapshot: how many segments are in force, and what was found, in order of segments and kinds.

    ``hashed``: by segment what its conditions read of which the snapshot has hashes alone, so that they were not counted.
    """

    space: str
    clock: str
    segments: int
    people: int
    findings: list[SegmentFinding]
    hashed: dict[str, list[str]]


def diagnosed(settings: Settings, space: str | None, days: int) -> list[SegmentHealth]:
    """The answer for each space; ``days`` without anybody new are too many. Raises `NoSnapshot` and `CommandError`."""
    if days < 1:
        raise CommandError(f"--days: expected a number from 1 on, found {days}")
    with snapshot(settings) as con:
        return [_Examined(settings, con, name, days).told() for name in chosen(settings, space)]


class _Examined:
    """One space: what the snapshot has of its segments, read once."""

    def __init__(self, settings: Settings, con: duckdb.DuckDBPyConnection, space: str, days: int) -> None:
        self._settings, self._con, self._space, self._days = settings, con, space, days
        self._definitions = in_force(settings, space)
        self._identifiers = hidden_identifiers(settings, self._definitions, space)
        self._clock = clock_of(con, space)
        here = f"WHERE space = {quote(space)}"
        [(self._people,)] = rows(con, f"SELECT count(*) FROM {SNAPSHOT}.profiles {here}")
        entered = "max(epoch_us(entered_at)) FILTER (cause IS DISTINCT FROM 'definition')"
        stays = f"SELECT segment, count(*) FILTER (exited_at IS NULL), {entered} FROM {SNAPSHOT}.memberships {here} GROUP BY segment"
        known = {name: (members, last) for name, members, last in rows(con, stays)}
        self._ever = frozenset(known)
        self._members = {one.name: known.get(one.name, (0, None))[0] for one in self._definitions.segments}
        self._entered = {name: last for name, (_, last) in known.items()}
        seen = f"SELECT coalesce(event, type), max(epoch_us(event_time)) FROM {SNAPSHOT}.events {here} GROUP BY ALL"
        self._seen: Mapping[str, int] = dict(rows(con, seen))
        self._rests = _events(self._definitions)
        segments, hashed = self._definitions.segments, hashed_reads(settings, self._definitions)
        self._hashed = {one.name: found for one in segments if (found := hashed(one.name))}
        self._hearing = [(each, hears(each, segments)) for each in self._definitions.destinations]
        self._asked_about = {name for one in segments for name in named_segments(one.who)}

    def told(self) -> SegmentHealth:
        definitions = self._definitions
        alike, moves = self._alike(), self._moves()
        findings: list[SegmentFinding] = []
        for one in definitions.segments:
            findings += self._matched(one)
            findings += self._certain(one)
            findings += self._counted(one)
            findings += self._lately(one, moves.get(one.name, {}))
            findings += [SegmentFinding(one.name, "near_duplicate", says, _MERGE, other=other) for other, says in alike.get(one.name, ())]
            findings += self._dead(one)
            findings += self._told_to(one)
        order = {kind: at for at, kind in enumerate(KINDS)}
        findings.sort(key=lambda found: (found.segment, order[found.kind]))
        return SegmentHealth(self._space, iso(self._clock), len(definitions.segments), self._people, findings, self._hashed)

    def _matched(self, one: Segment) -> Iterator[SegmentFinding]:
        if one.name not in self._ever:
            yield SegmentFinding(
                one.name, "never_matched", "nobody has ever been a member", f"`skep segments preview {one.name}` says whom it finds"
            )
        elif self._people and self._members[one.name] == self._people:
            yield SegmentFinding(
                one.name, "always_matched", f"all {self._people:,} people are members", "ask for something that not everybody has"
            )

        elif self._members[one.name] < (least := self._least(one))[0]:
            says = f"{self._members[one.name]:,} members, and the min_size of {least[1]} is {least[0]:,}"
            yield SegmentFinding(one.name, "too_small", says, "ask for less, or wait: it is too small to act on")

    def _least(self, one: Segment) -> tuple[int, str]:
        """The largest of the sizes below which it is too small, its own and those of whom it activates, and whose that is."""
        theirs = [each for each in self._definitions.destinations if each.name in one.activate]
        return max([(one.min_size or 0, "the segment"), *((each.min_size or 0, each.name) for each in theirs)], key=lambda each: each[0])

    def _certain(self, one: Segment) -> Iterator[SegmentFinding]:
        """What is certain of the definition alone; what can never be is refused by `skep check`."""
        tree = Reader([], in_force=True).parse(one.file, self._definitions.files[one.file])
        if tree is not None:
            for at in always(tree.value["who"], one.who, self._definitions.features):
                says = f"the condition in line {at.line} is always true"
                yield SegmentFinding(one.name, "always_true", says, f"contracts/{one.file}: take it out, or ask for less", line=at.line)

    def _counted(self, one: Segment) -> Iterator[SegmentFinding]:
        """Of each condition by itself how many people it holds of, and of all of them together without consent."""
        if one.name in self._hashed or not self._people:
            return
        conditions = list({repr(leaf): leaf for leaf in leaves(one.who)}.values())
        try:
            query = held_by(self._definitions, one, self._space, conditions, self._identifiers)
        except HiddenValuesError as error:
            self._hashed[one.name] = [error.namespace]
            return
        counts = self._con.execute(query).fetchone() or ()
        for condition, count in zip(conditions, counts, strict=False):
            if count in {0, self._people} and len(conditions) > 1:
                kind, of = ("holds_of_nobody", "nobody") if count == 0 else ("holds_of_everybody", f"all {self._people:,} people")
                yield SegmentFinding(
                    one.name, kind, f"{self._says(condition)}: holds of {of}", "take it out, or see what it should have been"
                )
        matching = counts[-1] if counts else 0
        if one.purpose is not None and matching and not self._members[one.name]:
            whom = "one person, who does not consent" if matching == 1 else f"{matching:,} people, of whom none consents"
            says = f"the conditions hold of {whom} to {one.purpose}"
            yield SegmentFinding(
                one.name, "not_consented", says, f"ask people for {one.purpose}, or see whether `purpose` is the right one"
            )

    def _says(self, condition: Condition) -> str:
        features = self._definitions.features
        if isinstance(condition, Did):
            return f"did {did_words(features[condition.feature], condition.predicates)}"
        if isinstance(condition, TraitIs):
            return f"trait {condition.path} {predicate_words(condition.predicates)}{lasting_text(condition)}"
        says = FORMS[condition.form].says
        return condition.form if says is None else says(condition, features)

    def _lately(self, one: Segment, moves: Mapping[int, int]) -> Iterator[SegmentFinding]:
        last = self._entered.get(one.name)
        if last is not None and self._clock - last > self._days * DAY_US:
            passed = (self._clock - last) // DAY_US
            yield SegmentFinding(one.name, "nobody_new", f"nobody has entered for {passed:,} days, since {iso(last)[:10]}", _STALE)
        if moves:
            yield from _jump(one.name, moves, self._clock // DAY_US)

    def _dead(self, one: Segment) -> Iterator[SegmentFinding]:
        for use in self._rests.get(one.name, ()):
            times = [at for name, at in self._seen.items() if matches(use, name)]
            if not times:
                yield SegmentFinding(one.name, "dead_dependency", f"{use} has never come", "see whether it is sent, and under which name")
            elif self._clock - max(times) > self._days * DAY_US:
                passed = (self._clock - max(times)) // DAY_US
                says = f"{use} has not come for {passed:,} days, since {iso(max(times))[:10]}"
                yield SegmentFinding(one.name, "dead_dependency", says, "see whether it is still sent")
        for name in dict.fromkeys(named_segments(one.who)):
            if name not in self._ever:
                says = f"nobody has ever been a member of {name}, which it asks about"
                yield SegmentFinding(one.name, "dead_dependency", says, f"repair {name} first", other=name)

    def _told_to(self, one: Segment) -> Iterator[SegmentFinding]:
        told = [each for each, hear in self._hearing if hear(one)]
        if not told and one.name not in self._asked_about:
            says = "no destination is told of it, and no segment asks about it"
            yield SegmentFinding(one.name, "unused", says, "name destinations in `activate`, or remove it")
        bare = [each.name for each in told if each.name in one.activate and not each.purpose]
        if bare and one.purpose is None and self._definitions.purposes and self._members[one.name]:
            denying = self._denying(one.name)
            if denying:
                says = f"{listed(bare, 'and')} is told of it without `purpose`; " + ", ".join(
                    f"{count:,} of {self._members[one.name]:,} members do not consent to {purpose}" for purpose, count in denying
                )
                yield SegmentFinding(one.name, "not_consented", says, "say with `purpose` what its members have to consent to")

    def _denying(self, segment: str) -> list[tuple[str, int]]:
        query = f"""
            SELECT d.purpose, count(*) FROM {SNAPSHOT}.memberships m JOIN {SNAPSHOT}.purposes d ON d.space = m.space
                LEFT JOIN {SNAPSHOT}.consents c ON c.space = m.space AND c.purpose = d.purpose AND c.profile_id = m.profile_id
            WHERE m.space = ? AND m.segment = ? AND m.exited_at IS NULL AND NOT coalesce(c.granted, d.granted_by_default)
            GROUP BY d.purpose ORDER BY d.purpose"""
        return [(purpose, count) for purpose, count in rows(self._con, query, self._space, segment)]

    def _alike(self) -> dict[str, list[tuple[str, str]]]:
        """Near-duplicates, told of the one that comes first in the alphabet."""
        query = f"""
            WITH inside AS (SELECT segment, profile_id FROM {SNAPSHOT}.memberships WHERE space = ? AND exited_at IS NULL)
            SELECT a.segment, b.segment, count(*) FROM inside a JOIN inside b ON a.profile_id = b.profile_id AND a.segment < b.segment
            GROUP BY ALL ORDER BY ALL"""
        found: dict[str, list[tuple[str, str]]] = {}
        for one, other, both in rows(self._con, query, self._space):
            either = self._members.get(one, 0) + self._members.get(other, 0) - both
            if either > 0 and both / either >= ALIKE:
                says = f"{both:,} of the {either:,} who are in it or in {other} are in both, {both / either:.0%}"
                found.setdefault(one, []).append((other, says))
        return found

    def _moves(self) -> dict[str, dict[int, int]]:
        """By segment and day, numbered from 1970, how many more or fewer members there were at its end."""
        here = f"FROM {SNAPSHOT}.memberships WHERE space = {quote(self._space)} AND"
        day = "epoch_us({}) // " + str(DAY_US)
        query = f"""
            SELECT segment, day, sum(move) FROM (
                SELECT segment, {day.format("entered_at")} AS day, 1 AS move {here} true
                UNION ALL SELECT segment, {day.format("exited_at")}, -1 {here} exited_at IS NOT NULL)
            GROUP BY ALL ORDER BY ALL"""
        found: dict[str, dict[int, int]] = {}
        for segment, number, move in rows(self._con, query):
            found.setdefault(segment, {})[number] = int(move)
        return found


_STALE = "see whether what it asks for still happens"
_MERGE = "keep one of them, or say what is different"


def _events(definitions: Definitions) -> dict[str, dict[str, None]]:
    """By segment the events, or prefixes of them, on which it rests, through traits and segments too."""
    found: dict[str, dict[str, None]] = {}
    for use in uses(definitions):
        if use.kind == "segment" and use.event and use.event not in {"identify", "group"}:
            found.setdefault(use.name, {})[use.event] = None
    return found


def _jump(segment: str, moves: Mapping[int, int], today: int) -> Iterator[SegmentFinding]:
    """The largest change of a day of the last week, if it is none of those that were usual before."""
    first = today - HISTORY_DAYS - LATELY_DAYS + 1
    if min(moves) >= first:
        return
    usual = median(abs(moves.get(day, 0)) for day in range(first, first + HISTORY_DAYS))
    size = sum(move for day, move in moves.items() if day < first + HISTORY_DAYS)
    worst: tuple[int, int, int] | None = None
    for day in range(first + HISTORY_DAYS, today + 1):
        move = moves.get(day, 0)
        least = max(JUMP_TIMES * usual, JUMP_SHARE * size, JUMP_LEAST)
        if abs(move) >= least and (worst is None or abs(move) > abs(worst[1])):
            worst = day, move, size
        size += move
    if worst is not None:
        day, move, before = worst
        says = f"on {iso(day * DAY_US)[:10]} it went from {before:,} to {before + move:,} members; the usual change of a day is {usual:g}"
        yield SegmentFinding(
            segment, "size_jumped", says, f"`skep segments log {segment}` says who changed it; else see what was sent that day"
        )
