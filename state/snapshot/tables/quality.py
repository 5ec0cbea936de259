"""Table ``quality``."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

from state.snapshot.personal import Hider
from state.snapshot.table import Space, Table


class QualityRow(NamedTuple):
    hour: Annotated[int, "TIMESTAMP", "The hour (UTC): of accepted events by their own time, of refused records by that of their arrival"]
    source: Annotated[str, "VARCHAR", "The source of skep.yaml"]
    event: Annotated[str, "VARCHAR", "Normalised name or call; (unnamed) if the record does not say, (other) beyond 1,000 names"]
    events: Annotated[int, "BIGINT", "Accepted events, repeats included"]
    refused: Annotated[int, "BIGINT", "Records that went into quarantine"]
    reasons: Annotated[dict[str, Any], "JSON", "How many of them for which reason"]
    newest: Annotated[int | None, "TIMESTAMP", "Time of the newest accepted event (UTC)"]
    completeness: Annotated[
        float | None, "DOUBLE", "Share of the optional top-level properties that the events carry; NULL if there are none"
    ]
    properties: Annotated[
        dict[str, Any], "JSON", "By optional property: [how many objects carry it, of how many]; nested ones of the events looked at"
    ]
    unknown_events: Annotated[int, "BIGINT", "Records that carry a property that their contract does not declare"]
    unknown_properties: Annotated[dict[str, Any], "JSON", "Such properties by name, the 50 most frequent, with how many records carry them"]
    looked: Annotated[int, "BIGINT", "Events whose values were looked at"]
    outside: Annotated[dict[str, Any], "JSON", "By property: [values outside of its examples or range, of how many looked at]"]
    space: Space


def _hidden(row: QualityRow, hider: Hider) -> QualityRow:
    names = hider.names(row.event, row.unknown_properties)
    return row if names is row.unknown_properties else row._replace(unknown_properties=names)


QUALITY = Table(
    "quality", "What each source has handed over, by hour and event, of the last 35 days before the clock", QualityRow, hide=_hidden
)
