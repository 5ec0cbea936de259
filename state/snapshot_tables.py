"""The snapshot's tables, their comments and the macros for analysts, as data. All times are TIMESTAMP in UTC."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import takewhile


@dataclass(frozen=True, slots=True)
class Table:
    """One table: its comment, and its columns as ``(name, DuckDB type, comment)``."""

    name: str
    comment: str
    columns: tuple[tuple[str, str, str], ...]


_SPACE = ("space", "VARCHAR", "The space (brand or region) that the row belongs to")
_PROFILE = ("profile_id", "VARCHAR", "The profile, as in table profiles")

TABLES: tuple[Table, ...] = (
    Table(
        "events",
        "Accepted events, each message once, whoever it belongs to (see attributions)",
        (
            ("message_id", "VARCHAR", "The event's message id, unique in its space"),
            ("type", "VARCHAR", "The call: track, identify, page, screen, group or alias"),
            ("event", "VARCHAR", "Normalised name, such as order_completed or page_viewed; NULL for identify, group and alias"),
            (
                "event_time",
                "TIMESTAMP",
                "When it happened (UTC, corrected); of repeats the row that stands is shown, mostly that of the smallest time",
            ),
            ("received_at", "TIMESTAMP", "When the collector received it (UTC); NULL if the record does not say"),
            _SPACE,
            ("source", "VARCHAR", "The source of skep.yaml that it came from"),
            ("user_id", "VARCHAR", "userId of the call; a hash if that is personal"),
            ("anonymous_id", "VARCHAR", "anonymousId of the call; a hash if that is personal"),
            ("properties", "JSON", "properties of the call; the name of a page or screen is among them"),
            ("traits", "JSON", "traits of the call (identify and group)"),
            ("context", "JSON", "context of the call"),
            ("contract", "VARCHAR", "The contract that judged it, such as order_completed/1-0-0"),
            ("definitions", "VARCHAR", "Digest of the definitions that it was judged by"),
        ),
    ),
    Table(
        "attributions",
        "Which profile each message belongs to; unidentified messages are not here",
        (
            ("message_id", "VARCHAR", "A message of table events"),
            _PROFILE,
            ("confidence", "DOUBLE", "How sure it is that the message is this profile's: that of the identifier by which it belongs there"),
            _SPACE,
        ),
    ),
    Table(
        "profiles",
        "Every profile at the snapshot's moment, shared devices too",
        (
            ("profile_id", "VARCHAR", "Id of the profile, p_ and 32 hexadecimal digits"),
            _SPACE,
            ("first_seen", "TIMESTAMP", "Time of its earliest event (UTC); NULL if it owns none"),
            ("last_seen", "TIMESTAMP", "Time of its latest event (UTC); NULL if it owns none"),
            ("traits", "JSON", "Plain and computed traits by name"),
            ("confidence", "DOUBLE", "How sure it is that all this is one person's, from 0 to 1: the smallest of its identifiers"),
        ),
    ),
    Table(
        "identifiers",
        "Every identifier and the profile that it belongs to",
        (
            ("namespace", "VARCHAR", "Kind of identifier, as in contracts/identity.yaml"),
            ("value", "VARCHAR", "Normalised value; a hash (h_…) if the namespace is personal"),
            _PROFILE,
            ("first_seen", "TIMESTAMP", "Time of the earliest event that carries it (UTC)"),
            ("last_seen", "TIMESTAMP", "Time of the latest event that carries it (UTC)"),
            (
                "confidence",
                "DOUBLE",
                "Of the weakest link on the strongest way to the profile's lead: 1, or that of a link by likeness",
            ),
            _SPACE,
        ),
    ),
    Table(
        "identity_links",
        "Evidence that two identifiers belong together",
        (
            ("a_namespace", "VARCHAR", "Namespace of the identifier of the higher priority"),
            ("a_value", "VARCHAR", "Its value; a hash if the namespace is personal"),
            ("b_namespace", "VARCHAR", "Namespace of the other identifier"),
            ("b_value", "VARCHAR", "Its value; a hash if the namespace is personal"),
            ("kind", "VARCHAR", "manual, deterministic or probabilistic"),
            ("state", "VARCHAR", "accepted; rejected by a rule, unlinked by hand, or a candidate: likely, below accept"),
            ("first_seen", "TIMESTAMP", "Time of the earliest evidence (UTC)"),
            ("last_seen", "TIMESTAMP", "Time of the latest evidence (UTC)"),
            ("message_id", "VARCHAR", "The first event that says so; of a manual link its entry of the control partition"),
            ("events", "BIGINT", "How many events say so; 1 of a manual link"),
            ("rules", "BIGINT", "version of contracts/identity.yaml under which the link was made"),
            ("weight", "DOUBLE", "Match weight of a probabilistic link in bits; null for others"),
            _SPACE,
        ),
    ),
    Table(
        "identity_history",
        "What happened to profiles, for good: who was merged or split, when, by which evidence",
        (
            _PROFILE,
            ("sequence", "BIGINT", "Its place in the history of the space"),
            ("clock", "TIMESTAMP", "The space's clock when it became true (UTC); NULL before the clock ran"),
            ("event_time", "TIMESTAMP", "Time of the cause itself (UTC)"),
            (
                "type",
                "VARCHAR",
                "created, grew, merged, split_from, gained: identifiers came; merged_into, split, lost, erased: they left",
            ),
            ("other_profile_id", "VARCHAR", "The profile on the other side; NULL if there is none"),
            ("identifiers", "VARCHAR[]", "namespace:value, personal values as hashes; a hash alone of what nothing names any more"),
            ("cause", "VARCHAR", "message, link, unlink, definition or meaning"),
            ("cause_id", "VARCHAR", "The message, the entry of the control partition, or the digest of the definitions"),
            ("rules", "BIGINT", "version of contracts/identity.yaml that was in force"),
            _SPACE,
        ),
    ),
    Table(
        "memberships",
        "Each stay of a profile in a segment, as the change log announced it",
        (
            ("segment", "VARCHAR", "Name of the segment"),
            ("version", "INTEGER", "Version of the segment's definition at entry"),
            _PROFILE,
            ("entered_at", "TIMESTAMP", "The space's clock when the entry was announced (UTC)"),
            ("exited_at", "TIMESTAMP", "The space's clock when the exit was announced (UTC); NULL while the stay lasts"),
            ("cause", "VARCHAR", "What caused the entry: message, timer, link, definition …"),
            ("exit_cause", "VARCHAR", "What caused the exit; NULL while the stay lasts"),
            _SPACE,
        ),
    ),
    Table(
        "consents",
        "Decided purposes of each profile; a purpose that is not here has its default",
        (
            _PROFILE,
            ("purpose", "VARCHAR", "Purpose, as in contracts/consent.yaml"),
            ("granted", "BOOLEAN", "Whether it is granted"),
            ("decided_at", "TIMESTAMP", "Time of the decision that counts (UTC)"),
            _SPACE,
        ),
    ),
    Table(
        "quarantine",
        "Records that were not accepted, with the reason",
        (
            ("id", "VARCHAR", "Id of the entry, for skep quarantine show and replay"),
            ("reason", "VARCHAR", "Why: `skep quarantine list` groups by it, docs/operations.md lists them"),
            ("detail", "VARCHAR", "What was expected and what was found; personal values are hashed"),
            ("event", "VARCHAR", "What the record says it is, as events are named; NULL if that cannot be told"),
            ("contract", "VARCHAR", "The version of the contract that refused it, or accepts it if something else is wrong"),
            ("source", "VARCHAR", "The partition that the record came from"),
            ("position", "BIGINT", "Its number in that partition, counted from 1"),
            ("received_at", "TIMESTAMP", "When the collector received it (UTC), if the record says so"),
            ("raw", "BLOB", "The record's bytes; decode(raw) is its text. Personal values are hashed; NULL if it cannot be read"),
            _SPACE,
        ),
    ),
    Table(
        "changes",
        "The change log, oldest first by sequence",
        (
            ("id", "VARCHAR", "Id of the change event"),
            ("type", "VARCHAR", "Such as segment.entered, segment.exited, identity.merged, consent.changed or quality.broken"),
            ("profile_id", "VARCHAR", "The profile, as in table profiles; NULL of quality.broken and quality.restored"),
            ("version", "BIGINT", "The profile's version, rising by one with each of its changes"),
            ("clock", "TIMESTAMP", "The space's clock at the change (UTC)"),
            ("body", "JSON", "The whole change event"),
            ("sequence", "BIGINT", "Its place in the change log of the space"),
            _SPACE,
        ),
    ),
    Table(
        "quality",
        "What each source has handed over, by hour and event, of the last 35 days before the clock",
        (
            ("hour", "TIMESTAMP", "The hour (UTC): of accepted events by their own time, of refused records by that of their arrival"),
            ("source", "VARCHAR", "The source of skep.yaml"),
            ("event", "VARCHAR", "Normalised name or call; (unnamed) if the record does not say, (other) beyond 1,000 names"),
            ("events", "BIGINT", "Accepted events, repeats included"),
            ("refused", "BIGINT", "Records that went into quarantine"),
            ("reasons", "JSON", "How many of them for which reason"),
            ("newest", "TIMESTAMP", "Time of the newest accepted event (UTC)"),
            ("completeness", "DOUBLE", "Share of the optional top-level properties that the events carry; NULL if there are none"),
            (
                "properties",
                "JSON",
                "By optional property: [how many objects carry it, of how many]; nested ones of the events looked at",
            ),
            ("unknown_events", "BIGINT", "Records that carry a property that their contract does not declare"),
            ("unknown_properties", "JSON", "Such properties by name, the 50 most frequent, with how many records carry them"),
            ("looked", "BIGINT", "Events whose values were looked at"),
            ("outside", "JSON", "By property: [values outside of its examples or range, of how many looked at]"),
            _SPACE,
        ),
    ),
    Table(
        "fields",
        "What the contracts say of each property of an event and of each trait; the views of schema typed have them as columns",
        (
            ("kind", "VARCHAR", "event or trait"),
            ("name", "VARCHAR", "The event, or the trait"),
            ("path", "VARCHAR", "The property's path such as products[].sku; of a trait its name"),
            ("type", "VARCHAR", "Type of the values; JSON if they can be of several kinds"),
            ("description", "VARCHAR", "description of the contract; of a computed trait what it is computed from"),
            ("unit", "VARCHAR", "x-unit, or the property that names it"),
            ("personal", "VARCHAR", "x-personal: none, pseudonymous, direct or sensitive; all but none are hashed"),
            ("purposes", "VARCHAR[]", "x-purpose: the only purposes that it may serve; NULL is any"),
            ("retention", "VARCHAR", "x-retention: how long it may be kept"),
            ("identifier", "VARCHAR", "x-identifier: the namespace whose identifier it is"),
            ("examples", "JSON", "examples of the contract"),
            ("contract", "VARCHAR", "The version of the contract that says so; NULL for traits"),
            ("used_by", "VARCHAR[]", "The traits, segments, destinations and namespaces that rest on it"),
        ),
    ),
    Table(
        "spaces",
        "How far each space had come when the snapshot was made",
        (
            _SPACE,
            ("clock", "TIMESTAMP", "The space's clock (UTC)"),
            ("applied", "JSON", "Last applied position of each partition"),
        ),
    ),
)

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
class Macro:
    """A table macro: what ``FROM name(arguments)`` gives."""

    name: str
    arguments: str
    comment: str
    body: str


MACROS: tuple[Macro, ...] = (
    Macro(
        "members",
        "segment_name",
        "Who is in a segment now, newest first",
        """SELECT m.profile_id, m.entered_at, m.version, m.cause, p.traits, m.space
           FROM memberships m LEFT JOIN profiles p ON p.profile_id = m.profile_id AND p.space = m.space
           WHERE m.segment = segment_name AND m.exited_at IS NULL ORDER BY m.entered_at DESC, m.profile_id""",
    ),
    Macro(
        "members_at",
        "segment_name, moment",
        "Who had been announced as a member at a moment (a TIMESTAMP or its text, UTC)",
        """SELECT profile_id, entered_at, exited_at, version, space FROM memberships
           WHERE segment = segment_name AND entered_at <= CAST(moment AS TIMESTAMP)
             AND (exited_at IS NULL OR exited_at > CAST(moment AS TIMESTAMP)) ORDER BY entered_at, profile_id""",
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
                 WHERE exited_at IS NULL AND segment IN (one, other) GROUP BY space, profile_id)""",
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


def quote(text: str) -> str:
    """A SQL text literal."""
    return "'" + text.replace("'", "''") + "'"


def quoted(name: str) -> str:
    """A SQL name; it must not be empty."""
    return '"' + name.replace('"', '""') + '"'


def pointer(keys: Iterable[str | int | None]) -> str:
    """Where a value stands in a JSON document, up to the first None (every item of a list): a JSON pointer as a SQL text.

    DuckDB's own paths read the key ``*`` as every key, take no empty key, and do not find one that holds a control character.
    """
    named = takewhile(lambda key: key is not None, keys)
    return quote("".join("/" + str(key).replace("~", "~0").replace("/", "~1") for key in named))


def ddl() -> list[str]:
    """The statements that make the empty tables, the macros and all comments."""
    statements = []
    for table in TABLES:
        statements.append(f"CREATE TABLE {table.name} ({', '.join(f'{name} {kind}' for name, kind, _ in table.columns)})")
        statements.append(f"COMMENT ON TABLE {table.name} IS {quote(table.comment)}")
        statements += [f"COMMENT ON COLUMN {table.name}.{name} IS {quote(comment)}" for name, _, comment in table.columns]
    for macro in MACROS:
        statements.append(f"CREATE MACRO {macro.name}({macro.arguments}) AS TABLE {macro.body}")
        statements.append(f"COMMENT ON MACRO TABLE {macro.name} IS {quote(macro.comment)}")
    return statements
