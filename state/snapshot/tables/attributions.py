"""Table ``attributions``."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from state.snapshot.table import Profile, Session, Space, Table


class AttributionRow(NamedTuple):
    message_id: Annotated[str, "VARCHAR", "A message of table events"]
    profile_id: Profile
    confidence: Annotated[
        float, "DOUBLE", "How sure it is that the message is this profile's: that of the identifier by which it belongs there"
    ]
    space: Space
    session: Session = None


ATTRIBUTIONS = Table(
    "attributions",
    "Which profile each message belongs to; unidentified messages are not here",
    AttributionRow,
    insert="INSERT INTO work.attributed FROM batch",
)

ATTRIBUTED = "CREATE TABLE work.attributed AS FROM attributions"
"""What waits for its sessions."""

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
