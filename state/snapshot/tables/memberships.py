"""Table ``memberships``."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from state.snapshot.table import Profile, Space, Table


class MembershipRow(NamedTuple):
    segment: Annotated[str, "VARCHAR", "Name of the segment"]
    version: Annotated[int | None, "INTEGER", "Version of the segment's definition at entry"]
    profile_id: Profile
    entered_at: Annotated[int, "TIMESTAMP", "The space's clock when the entry was announced (UTC)"]
    exited_at: Annotated[int | None, "TIMESTAMP", "The space's clock when the exit was announced (UTC); NULL while the stay lasts"]
    cause: Annotated[str | None, "VARCHAR", "What caused the entry: message, timer, link, definition …"]
    exit_cause: Annotated[str | None, "VARCHAR", "What caused the exit; NULL while the stay lasts"]
    space: Space


MEMBERSHIPS = Table("memberships", "Each stay of a profile in a segment, as the change log announced it", MembershipRow)

STAYS = """
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
