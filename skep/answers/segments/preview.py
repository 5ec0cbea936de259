"""`skep segments preview`: what a segment of the files would be, before it is live, by the newest snapshot."""

from __future__ import annotations

from dataclasses import replace

import duckdb
import msgspec
import orjson

from contracts.language.forms import say
from contracts.model.definitions import MEMBERSHIPS, Definitions, InAccount, Segment, leaves
from contracts.text.problems import choices
from contracts.text.times import DAY_US, iso
from operators.consent import CONSENT_UPDATED, PREFERENCES, said_of
from operators.segments.sql.asof import DECIDED, as_of, prepared
from operators.segments.sql.identifiers import HiddenValuesError
from operators.segments.sql.plan import Hidden
from operators.segments.sql.printed import needed, segment_query
from skep.answers.segment_query import unasked
from skep.answers.segments.asked import SNAPSHOT, clock_of, hashed_reads, hears, rows, snapshot
from skep.project.errors import CommandError
from skep.project.in_force import in_force
from skep.project.personal import hidden_identifiers
from skep.project.settings import Settings, load_definitions
from skep.project.spaces import one_space
from state.snapshot.literals import quote

DAYS_MAX = 366
"""Days of the past that are asked for: each is a query."""
SAMPLES = 10
"""Members that are named."""
IDENTIFIERS = 1
"""Identifiers of a member that are named."""


class DaySize(msgspec.Struct, frozen=True):
    """Members at the end of a day (UTC); of the day of the clock, at the clock."""

    day: str
    members: int


class SampleMember(msgspec.Struct, frozen=True):
    """A member with the first of its identifiers as the snapshot has them, ``[namespace, value]``, and how many more there are."""

    profile: str
    identifiers: list[list[str]]
    more: int


class Overlap(msgspec.Struct, frozen=True):
    """A live segment: its members, how many of them are also in the one that is asked about, and these as shares of the one (``of_this``),
    of the other (``of_other``), and of all who are in either (``jaccard``); None where nobody is."""

    segment: str
    members: int
    both: int
    of_this: float | None
    of_other: float | None
    jaccard: float | None


class Consented(msgspec.Struct, frozen=True):
    """How many of the members grant a purpose. Without the purpose that the segment asks for nobody is a member: ``asked``."""

    purpose: str
    members: int
    asked: bool


class DestinationReach(msgspec.Struct, frozen=True):
    """A destination that is told who enters and leaves: how many of the members are not below its ``floor`` (None: it has none).

    ``told``: it would be told of this segment.
    """

    destination: str
    told: bool
    floor: float | None
    members: int


class Preview(msgspec.Struct, frozen=True):
    """What a segment would be. ``clock``: of the snapshot; ``differs``: how the file stands to what is in force, ``new``, ``changed`` or
    ``same``.

    ``people``: all profiles; ``matching``: for whom the conditions hold, whatever they consent to and however sure we are of them.
    ``history``: the last days, by what had happened up to their ends and whose that is now; None of conditions on accounts, of which
    the snapshot has no past. ``hashed``: what conditions read and the snapshot has only hashes of, so that they are compared with those.
    """

    space: str
    segment: str
    version: int
    title: str
    differs: str
    says: str
    clock: str
    people: int
    matching: int
    members: int
    history: list[DaySize] | None
    sample: list[SampleMember]
    overlap: list[Overlap]
    consents: list[Consented]
    destinations: list[DestinationReach]
    hashed: list[str]


def preview(settings: Settings, name: str, space: str | None, days: int) -> Preview:
    """The answer for a segment of contracts/ and the days before the clock. Raises `ContractErrors` for files that are wrong,
    `CommandError` for a segment that there is not, `NoSnapshot`."""
    if not 0 <= days <= DAYS_MAX:
        raise CommandError(f"--days: expected a number from 0 to {DAYS_MAX}, found {days}")
    where = one_space(settings, space)
    files, live = load_definitions(settings), in_force(settings, where)
    segment = next((one for one in files.segments if one.name == name), None)
    if segment is None:
        names = {one.name for one in files.segments}
        hint = choices(name, names) or "contracts/segments has them"
        raise CommandError(f"expected the name of a segment of contracts/segments, found {name} → {hint}")
    hashed = hidden_identifiers(settings, files, where)
    try:
        query = _query(_with(files, replace(segment, purpose=None, confidence=None)), name, where, hashed)
    except HiddenValuesError as error:
        raise CommandError(unasked(name, error)) from None
    with snapshot(settings) as con:
        clock_us = clock_of(con, where)
        con.execute(f"CREATE TEMP TABLE matching AS {query}")
        con.execute(f"CREATE TEMP TABLE inside AS {_allowed(files, segment, where)}")
        [(people,)] = rows(con, f"SELECT count(*) FROM {SNAPSHOT}.profiles WHERE space = ?", where)
        [(matching,)] = rows(con, "SELECT count(*) FROM matching")
        [(members,)] = rows(con, "SELECT count(*) FROM inside")
        return Preview(
            space=where,
            segment=name,
            version=segment.version,
            title=segment.title,
            differs=_differs(segment, files, live),
            says=say(segment, files.features),
            clock=iso(clock_us),
            people=people,
            matching=matching,
            members=members,
            history=_history(con, files, name, where, clock_us=clock_us, days=days, hashed=hashed),
            sample=_sample(con, where, [one.name for one in files.identity.namespaces]),
            overlap=_overlap(con, where, members),
            consents=_consents(con, where, segment),
            destinations=_destinations(con, where, files, segment),
            hashed=hashed_reads(settings, files)(name),
        )


def _query(definitions: Definitions, name: str, space: str, hashed: Hidden | None) -> str:
    return f"FROM ({segment_query(definitions, name, space, None, hashed).rstrip().removesuffix(';')}\n)"


def _allowed(definitions: Definitions, segment: Segment, space: str) -> str:
    """Of those of whom the conditions hold, who grants the purpose, and of whom we are sure enough."""
    default = any(one.default for one in definitions.purposes if one.name == segment.purpose)
    granted = f"purpose = {quote(segment.purpose or '')} AND space = {quote(space)}"
    consents = f"LEFT JOIN (FROM {SNAPSHOT}.consents WHERE {granted}) c ON c.profile_id = m.profile_id" if segment.purpose else ""
    allowed = f"coalesce(c.granted, {str(default).lower()})" if segment.purpose else "true"
    sure = "true" if segment.confidence is None else f"p.confidence >= {segment.confidence!r}"
    people = f"{SNAPSHOT}.profiles p ON p.profile_id = m.profile_id AND p.space = {quote(space)}"
    return f"SELECT m.profile_id FROM matching m JOIN {people} {consents} WHERE {allowed} AND {sure}"


def _with(definitions: Definitions, segment: Segment) -> Definitions:
    return replace(definitions, segments=tuple(segment if one.name == segment.name else one for one in definitions.segments))


def _differs(segment: Segment, files: Definitions, live: Definitions) -> str:
    """Of a segment that is in force, whether its file says something else."""
    if all(one.name != segment.name for one in live.segments):
        return "new"
    same = files.files[segment.file] == live.files.get(segment.file)
    return "same" if same else "changed"


def _history(
    con: duckdb.DuckDBPyConnection, definitions: Definitions, name: str, space: str, *, clock_us: int, days: int, hashed: Hidden | None
) -> list[DaySize] | None:
    read = needed({one.name: one for one in definitions.segments}, name)
    if any(isinstance(leaf, InAccount) for one in read for leaf in leaves(one.who)):
        return None
    query = as_of(definitions, name, space, SNAPSHOT, hashed)
    for table, body in prepared(definitions, name, space, SNAPSHOT, query):
        con.execute(f"CREATE TEMP TABLE {table} AS {body}")
    if DECIDED in query:
        read_decisions(con, space, frozenset(one.name for one in definitions.purposes))
    today = clock_us - clock_us % DAY_US
    found = []
    for at in range(days, -1, -1):
        end = min(today - at * DAY_US + DAY_US - 1, clock_us)
        [(members,)] = con.execute(f"SELECT count(*) FROM ({query})", {"at": end}).fetchall()
        found.append(DaySize(iso(end)[:10], members))
    return found


def read_decisions(con: duckdb.DuckDBPyConnection, space: str, purposes: frozenset[str]) -> None:
    """What each event decides, read as the flow reads it; the same words are read once."""
    said = f"e.type = 'track' AND e.event = '{CONSENT_UPDATED}'"
    words = f"""CAST(e.context -> '$.consent' AS VARCHAR) AS context,
        CASE WHEN {said} THEN CAST(e.properties -> '$.{PREFERENCES}' AS VARCHAR) END AS properties"""
    spoken = f"FROM {SNAPSHOT}.events e WHERE e.space = {quote(space)} AND ((e.context -> '$.consent') IS NOT NULL OR ({said}))"
    con.execute("CREATE TEMP TABLE read_as (context VARCHAR, properties VARCHAR, purpose VARCHAR, granted BOOLEAN)")
    for context, properties in rows(con, f"SELECT DISTINCT {words} {spoken}"):
        about = None if properties is None else {PREFERENCES: orjson.loads(properties)}
        body = {} if context is None else {"context": {"consent": orjson.loads(context)}}
        decided, _ = said_of(body, about, purposes)
        for purpose, granted in (decided or {}).items():
            con.execute("INSERT INTO read_as VALUES (?, ?, ?, ?)", [context, properties, purpose, granted])
    con.execute(
        f"""CREATE TEMP TABLE {DECIDED} AS
        SELECT a.profile_id, r.purpose, epoch_us(e.event_time) AS time_us, e.message_id, r.granted
        FROM (SELECT e.message_id, e.event_time, {words} {spoken}) e
            JOIN read_as r ON r.context IS NOT DISTINCT FROM e.context AND r.properties IS NOT DISTINCT FROM e.properties
            JOIN {SNAPSHOT}.attributions a ON a.message_id = e.message_id AND a.space = {quote(space)}"""
    )


def _sample(con: duckdb.DuckDBPyConnection, space: str, ranks: list[str]) -> list[SampleMember]:
    """The first by profile id, which is a hash: none of them stands out. Identifiers by the rank of their namespaces."""
    found: dict[str, list[list[str]]] = {profile: [] for (profile,) in rows(con, f"SELECT * FROM inside ORDER BY 1 LIMIT {SAMPLES}")}
    held = (
        f"SELECT profile_id, namespace, value FROM {SNAPSHOT}.identifiers WHERE space = ? AND profile_id IN (SELECT unnest(?)) ORDER BY ALL"
    )
    for profile, namespace, value in rows(con, held, space, list(found)):
        found[profile].append([namespace, value])
    for held_by in found.values():
        held_by.sort(key=lambda one: ranks.index(one[0]) if one[0] in ranks else len(ranks))
    return [SampleMember(profile, all_of[:IDENTIFIERS], max(0, len(all_of) - IDENTIFIERS)) for profile, all_of in found.items()]


def _overlap(con: duckdb.DuckDBPyConnection, space: str, members: int) -> list[Overlap]:
    """With every live segment, that of the same name as it is in force too; the most alike first."""
    sizes = f"""
        SELECT s.segment, count(m.profile_id), count(i.profile_id)
        FROM (SELECT segment FROM {SNAPSHOT}.segments) s
            LEFT JOIN {SNAPSHOT}.memberships m ON m.segment = s.segment AND m.space = ? AND m.exited_at IS NULL
            LEFT JOIN inside i ON i.profile_id = m.profile_id
        GROUP BY s.segment ORDER BY s.segment"""
    found = [
        Overlap(segment, size, both, _share(both, members), _share(both, size), _share(both, members + size - both))
        for segment, size, both in rows(con, sizes, space)
    ]
    return sorted(found, key=lambda one: -(one.jaccard or 0))


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 6) if whole else None


def _consents(con: duckdb.DuckDBPyConnection, space: str, segment: Segment) -> list[Consented]:
    granting = f"""
        SELECT d.purpose, count(i.profile_id) FILTER (coalesce(c.granted, d.granted_by_default))
        FROM {SNAPSHOT}.purposes d LEFT JOIN inside i ON true
            LEFT JOIN {SNAPSHOT}.consents c ON c.space = d.space AND c.purpose = d.purpose AND c.profile_id = i.profile_id
        WHERE d.space = ? GROUP BY d.purpose ORDER BY d.purpose"""
    return [Consented(purpose, members, purpose == segment.purpose) for purpose, members in rows(con, granting, space)]


def _destinations(con: duckdb.DuckDBPyConnection, space: str, definitions: Definitions, segment: Segment) -> list[DestinationReach]:
    above = (
        f"SELECT count(*) FROM inside i JOIN {SNAPSHOT}.profiles p ON p.profile_id = i.profile_id AND p.space = ? WHERE p.confidence >= ?"
    )
    found = []
    for one in definitions.destinations:
        told = hears(one, definitions.segments)(segment)
        if told or MEMBERSHIPS & {*one.changes}:
            [(members,)] = rows(con, above, space, one.confidence or 0.0)
            found.append(DestinationReach(one.name, told, one.confidence, members))
    return found
