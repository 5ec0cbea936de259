"""Table ``events``."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

from state.snapshot.table import Space, Table


class EventRow(NamedTuple):
    message_id: Annotated[str, "VARCHAR", "The event's message id, unique in its space"]
    type: Annotated[str, "VARCHAR", "The call: track, identify, page, screen, group or alias"]
    event: Annotated[str | None, "VARCHAR", "Normalised name, such as order_completed or page_viewed; NULL for identify, group and alias"]
    event_time: Annotated[
        int, "TIMESTAMP", "When it happened (UTC, corrected); of repeats the row that stands is shown, mostly that of the smallest time"
    ]
    received_at: Annotated[int | None, "TIMESTAMP", "When the collector received it (UTC); NULL if the record does not say"]
    space: Space
    source: Annotated[str, "VARCHAR", "The source of skep.yaml that it came from"]
    sources: Annotated[list[str], "VARCHAR[]", "All sources that have handed it over, repeats among them, in the order of their names"]
    user_id: Annotated[str | None, "VARCHAR", "userId of the call; a hash if that is personal"]
    anonymous_id: Annotated[str | None, "VARCHAR", "anonymousId of the call; a hash if that is personal"]
    properties: Annotated[dict[str, Any] | None, "JSON", "properties of the call; the name of a page or screen is among them"]
    traits: Annotated[dict[str, Any] | None, "JSON", "traits of the call (identify and group)"]
    context: Annotated[dict[str, Any] | None, "JSON", "context of the call; under lookup what lookups have found"]
    contract: Annotated[str, "VARCHAR", "The contract that judged it, such as order_completed/1-0-0"]
    definitions: Annotated[str, "VARCHAR", "Digest of the definitions that it was judged by"]


EVENTS = Table("events", "Accepted events, each message once, whoever it belongs to (see attributions)", EventRow)
