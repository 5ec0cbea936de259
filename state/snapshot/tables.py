"""The snapshot's tables and their comments, as data. All times are TIMESTAMP in UTC."""

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


SPACE = ("space", "VARCHAR", "The space (brand or region) that the row belongs to")
PROFILE = ("profile_id", "VARCHAR", "The profile, as in table profiles")
SESSION = (
    "session",
    "INTEGER",
    "Session of the person, from 1 in its life; a silence longer than session_gap of identity.yaml begins one. NULL: no name, no session",
)

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
            SPACE,
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
            PROFILE,
            ("confidence", "DOUBLE", "How sure it is that the message is this profile's: that of the identifier by which it belongs there"),
            SPACE,
            SESSION,
        ),
    ),
    Table(
        "profiles",
        "Every profile at the snapshot's moment, shared devices too",
        (
            ("profile_id", "VARCHAR", "Id of the profile, p_ and 32 hexadecimal digits"),
            SPACE,
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
            PROFILE,
            ("first_seen", "TIMESTAMP", "Time of the earliest event that carries it (UTC)"),
            ("last_seen", "TIMESTAMP", "Time of the latest event that carries it (UTC)"),
            (
                "confidence",
                "DOUBLE",
                "Of the weakest link on the strongest way to the profile's lead: 1, or that of a link by likeness",
            ),
            SPACE,
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
            SPACE,
        ),
    ),
    Table(
        "identity_history",
        "What happened to profiles, for good: who was merged or split, when, by which evidence",
        (
            PROFILE,
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
            SPACE,
        ),
    ),
    Table(
        "memberships",
        "Each stay of a profile in a segment, as the change log announced it",
        (
            ("segment", "VARCHAR", "Name of the segment"),
            ("version", "INTEGER", "Version of the segment's definition at entry"),
            PROFILE,
            ("entered_at", "TIMESTAMP", "The space's clock when the entry was announced (UTC)"),
            ("exited_at", "TIMESTAMP", "The space's clock when the exit was announced (UTC); NULL while the stay lasts"),
            ("cause", "VARCHAR", "What caused the entry: message, timer, link, definition …"),
            ("exit_cause", "VARCHAR", "What caused the exit; NULL while the stay lasts"),
            SPACE,
        ),
    ),
    Table(
        "segments",
        "Every segment that is defined, also one that nobody is in",
        (
            ("segment", "VARCHAR", "Name of the segment"),
            ("version", "INTEGER", "Version of its definition"),
            ("title", "VARCHAR", "Its title, if it has one"),
            ("owner", "VARCHAR", "Whose it is, if its file says so"),
            ("purpose", "VARCHAR", "The purpose that its members have granted; NULL if it asks for none"),
        ),
    ),
    Table(
        "purposes",
        "The purposes of contracts/consent.yaml in each space",
        (
            SPACE,
            ("purpose", "VARCHAR", "Purpose, as in contracts/consent.yaml"),
            ("granted_by_default", "BOOLEAN", "Whether it is granted by those who have decided nothing"),
        ),
    ),
    Table(
        "consents",
        "Decided purposes of each profile; a purpose that is not here has its default",
        (
            PROFILE,
            ("purpose", "VARCHAR", "Purpose, as in contracts/consent.yaml"),
            ("granted", "BOOLEAN", "Whether it is granted"),
            ("decided_at", "TIMESTAMP", "Time of the decision that counts (UTC)"),
            SPACE,
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
            SPACE,
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
            SPACE,
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
            SPACE,
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
            SPACE,
            ("clock", "TIMESTAMP", "The space's clock (UTC)"),
            ("applied", "JSON", "Last applied position of each partition"),
        ),
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
