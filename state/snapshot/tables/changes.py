"""Table ``changes``."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

from state.snapshot.personal import Hider
from state.snapshot.table import Space, Table


class ChangeRow(NamedTuple):
    id: Annotated[str, "VARCHAR", "Id of the change event"]
    type: Annotated[str, "VARCHAR", "Such as segment.entered, segment.exited, identity.merged, consent.changed or quality.broken"]
    profile_id: Annotated[str | None, "VARCHAR", "The profile, as in table profiles; NULL of quality.broken and quality.restored"]
    version: Annotated[int | None, "BIGINT", "The profile's version, rising by one with each of its changes"]
    clock: Annotated[int | None, "TIMESTAMP", "The space's clock at the change (UTC)"]
    body: Annotated[dict[str, Any], "JSON", "The whole change event"]
    sequence: Annotated[int, "BIGINT", "Its place in the change log of the space"]
    space: Space


class LoggedRow(NamedTuple):
    """An entry of the change log, in which all the rest stands."""

    sequence: Annotated[int, "BIGINT"]
    body: Annotated[bytes, "JSON"]
    space: Space


def _hidden(row: LoggedRow, hider: Hider) -> LoggedRow:
    return LoggedRow(row.sequence, hider.change(row.body), row.space)


CHANGES = Table(
    "changes",
    "The change log, oldest first by sequence",
    ChangeRow,
    hide=_hidden,
    given=LoggedRow,
    insert="""INSERT INTO changes
        SELECT body ->> '$.id', body ->> '$.type', body ->> '$.profile', CAST(body ->> '$.version' AS BIGINT),
               CAST(body ->> '$.clock' AS TIMESTAMP), CAST(body AS JSON), sequence, space FROM batch""",
)
