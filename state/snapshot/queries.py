"""What stands on the snapshot's tables: the views and the macros for analysts, as data; and what fills tables from tables."""

from __future__ import annotations

from dataclasses import dataclass

from state.snapshot.tables import PROFILE, SESSION, SPACE, TABLES, Table, quote

MEMBERSHIPS = """
INSERT INTO memberships
SELECT segment, version, profile_id, clock AS entered_at, exited_at, cause, exit_cause, space
FROM (
    SELECT space, type, profile_id, clock,
        body ->> '$.segment' AS segment,
        TRY_CAST(coalesce(body ->> '$.evidence.segment_version', body ->> '$.segment_version') AS INTEGER) AS version,
        coalesce(body ->> '$.cause.type', body ->> '$.cause') AS cause,
        lead(type) OVER stay AS next_type,
        CASE WHEN next_type = 'segment.exited' THEN lead(clock) OVER stay END AS exited_at,
        CASE WHEN next_type = 'segment.exited' THEN lead(coalesce(body ->> '$.cause.type', body ->> '$.cause')) OVER stay END AS exit_cause
    FROM changes
    WHERE type IN ('segment.entered', 'segment.exited')
    WINDOW stay AS (PARTITION BY space, body ->> '$.segment', profile_id ORDER BY sequence)
)
WHERE type = 'segment.entered'
"""
"""The stays that the change log tells of: an entry opens one, the next exit of that profile closes it."""


@dataclass(frozen=True, slots=True)
class View(Table):
    """A view: what a table has, and the query behind it, which gives the columns in their order."""

    body: str


VIEWS: tuple[View, ...] = (
    View(
        "timeline",
        "What people did: every event that has a name and belongs to somebody; identify, group and alias are not things done",
        (
            SPACE,
            PROFILE,
            ("event_time", "TIMESTAMP", "When it happened (UTC, corrected)"),
            ("message_id", "VARCHAR", "The event's message id, unique in its space; of one time the smaller is the earlier"),
            ("event", "VARCHAR", "Normalised name, such as order_completed or page_viewed"),
            ("properties", "JSON", "properties of the call"),
            ("context", "JSON", "context of the call"),
            SESSION,
        ),
        """SELECT e.space, a.profile_id, e.event_time, e.message_id, e.event, e.properties, e.context, a.session
           FROM events e JOIN attributions a ON a.message_id = e.message_id AND a.space = e.space WHERE e.event IS NOT NULL""",
    ),
)

ATTRIBUTED = "CREATE TABLE work.attributed (message_id VARCHAR, profile_id VARCHAR, confidence DOUBLE, space VARCHAR)"
"""What `attributions` is made of."""

SESSIONS = """
INSERT INTO attributions (message_id, profile_id, confidence, space, session)
WITH people AS (SELECT space, profile_id, min(rowid) AS person FROM work.attributed GROUP BY space, profile_id),
named AS (
    SELECT a.rowid AS row, p.person, epoch_us(e.event_time) AS us
    FROM work.attributed a JOIN people p ON p.space = a.space AND p.profile_id = a.profile_id
        JOIN events e ON e.message_id = a.message_id AND e.space = a.space AND e.event IS NOT NULL
),
begun AS (SELECT *, us - lag(us) OVER (PARTITION BY person ORDER BY us) > $gap_us AS begins FROM named),
numbered AS (
    SELECT row, 1 + count(*) FILTER (begins) OVER (PARTITION BY person ORDER BY us RANGE UNBOUNDED PRECEDING) AS session FROM begun
)
SELECT a.message_id, a.profile_id, a.confidence, a.space, n.session FROM work.attributed a LEFT JOIN numbered n ON n.row = a.rowid
"""
"""Whose each message is, with its session; what has no name has none. ``events`` must be filled before.

Sorted are whole numbers only: of events of one time, which are of one session in whatever order, the ids need not be compared.
"""


@dataclass(frozen=True, slots=True)
class Macro:
    """A table macro: what ``FROM name(arguments)`` gives."""

    name: str
    arguments: str
    comment: str
    body: str


MACROS: tuple[Macro, ...] = (
    Macro(
        "known_segment",
        "segment_name",
        "No row; an error that names the segments if no definition and no stay has this name",
        """SELECT NULL AS nothing
           FROM (SELECT list(DISTINCT segment) AS known FROM (SELECT segment FROM segments UNION ALL SELECT segment FROM memberships))
           WHERE CASE WHEN list_contains(known, segment_name) THEN false ELSE error(
             'expected the name of a segment, found ' || coalesce('''' || segment_name || '''', 'NULL') || '; ' || coalesce('they are: '
             || array_to_string(list_sort(known), ', '), 'there are none')) END""",
    ),
    Macro(
        "members",
        "segment_name",
        "Who is in a segment now, newest first",
        """SELECT m.profile_id, m.entered_at, m.version, m.cause, p.traits, m.space
           FROM memberships m LEFT JOIN profiles p ON p.profile_id = m.profile_id AND p.space = m.space
           WHERE m.segment = segment_name AND m.exited_at IS NULL
           UNION ALL SELECT NULL, NULL, NULL, NULL, NULL, NULL FROM known_segment(segment_name)
           ORDER BY entered_at DESC, profile_id""",
    ),
    Macro(
        "members_at",
        "segment_name, moment",
        "Who had been announced as a member at a moment (a TIMESTAMP or its text, UTC)",
        """SELECT profile_id, entered_at, exited_at, version, space FROM memberships
           WHERE segment = segment_name AND entered_at <= CAST(moment AS TIMESTAMP)
             AND (exited_at IS NULL OR exited_at > CAST(moment AS TIMESTAMP))
           UNION ALL SELECT NULL, NULL, NULL, NULL, NULL FROM known_segment(segment_name)
           ORDER BY entered_at, profile_id""",
    ),
    Macro(
        "segment_sizes",
        "",
        "Members now, members ever and stays, by segment",
        """SELECT space, segment, count(*) FILTER (exited_at IS NULL) AS members,
             count(DISTINCT profile_id) AS members_ever, count(*) AS stays, max(entered_at) AS last_entered_at
           FROM memberships GROUP BY space, segment ORDER BY members DESC, segment""",
    ),
    Macro(
        "segment_overlap",
        "one, other",
        "How many are in one segment, in the other, and in both",
        """SELECT count(*) FILTER (in_one) AS members_of_one, count(*) FILTER (in_other) AS members_of_other,
             count(*) FILTER (in_one AND in_other) AS members_of_both
           FROM (SELECT profile_id, bool_or(segment = one) AS in_one, bool_or(segment = other) AS in_other FROM memberships
                 WHERE exited_at IS NULL AND segment IN (one, other) GROUP BY space, profile_id
                 UNION ALL SELECT NULL, NULL, NULL FROM known_segment(one) UNION ALL SELECT NULL, NULL, NULL FROM known_segment(other))""",
    ),
    Macro(
        "journey",
        "profile",
        "What happened to a profile, oldest first: its events and its changes",
        """SELECT e.event_time AS moment, 'event' AS kind, coalesce(e.event, e.type) AS what, coalesce(e.properties, e.traits) AS detail
           FROM attributions a JOIN events e ON e.message_id = a.message_id AND e.space = a.space WHERE a.profile_id = profile
           UNION ALL
           SELECT c.clock, 'change', c.type || coalesce(' ' || (c.body ->> '$.segment'), ''), c.body
           FROM changes c WHERE c.profile_id = profile ORDER BY 1, 2 DESC, 3""",
    ),
    Macro(
        "funnel",
        "first_event, then_event",
        "How many profiles did one thing, and how many of them another thing later",
        """SELECT count(*) AS did_first, count(done_at) AS did_then, round(count(done_at) / nullif(count(*), 0), 4) AS share,
             median(done_at - begun_at) AS median_time_between
           FROM (SELECT b.begun_at, min(e.event_time) AS done_at
                 FROM (SELECT a.space, a.profile_id, min(e.event_time) AS begun_at
                       FROM events e JOIN attributions a ON a.message_id = e.message_id AND a.space = e.space
                       WHERE e.event = first_event GROUP BY a.space, a.profile_id) b
                 LEFT JOIN (SELECT a.space, a.profile_id, e.event_time
                            FROM events e JOIN attributions a ON a.message_id = e.message_id AND a.space = e.space
                            WHERE e.event = then_event) e
                   ON e.space = b.space AND e.profile_id = b.profile_id AND e.event_time > b.begun_at
                 GROUP BY b.space, b.profile_id, b.begun_at)""",
    ),
    Macro(
        "events_by_day",
        "event_name",
        "Events of a name and the profiles behind them, by day (UTC)",
        """SELECT CAST(e.event_time AS DATE) AS day, count(*) AS events, count(DISTINCT a.profile_id) AS profiles
           FROM events e LEFT JOIN attributions a ON a.message_id = e.message_id AND a.space = e.space
           WHERE e.event = event_name GROUP BY day ORDER BY day""",
    ),
    Macro(
        "quarantine_reasons",
        "",
        "Refused records by reason, with an example of each",
        """SELECT space, reason, count(*) AS records, any_value(detail) AS example
           FROM quarantine GROUP BY space, reason ORDER BY records DESC""",
    ),
)


def ddl() -> list[str]:
    """The statements that make the empty tables, the views, the macros and all comments."""
    statements = []
    for table in (*TABLES, *VIEWS):
        kind = "VIEW" if isinstance(table, View) else "TABLE"
        columns = ", ".join(f"{name} {of}" for name, of, _ in table.columns)
        made = f"{table.name} AS {table.body}" if isinstance(table, View) else f"{table.name} ({columns})"
        statements.append(f"CREATE {kind} {made}")
        statements.append(f"COMMENT ON {kind} {table.name} IS {quote(table.comment)}")
        statements += [f"COMMENT ON COLUMN {table.name}.{name} IS {quote(comment)}" for name, _, comment in table.columns]
    for macro in MACROS:
        statements.append(f"CREATE MACRO {macro.name}({macro.arguments}) AS TABLE {macro.body}")
        statements.append(f"COMMENT ON MACRO TABLE {macro.name} IS {quote(macro.comment)}")
    return statements
