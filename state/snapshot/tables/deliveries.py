"""Table ``deliveries``."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from state.snapshot.table import Profile, Space, Table


class SentRow(NamedTuple):
    id: Annotated[str, "VARCHAR", "Id of the attempt"]
    destination: Annotated[str, "VARCHAR", "The destination, as its file is called"]
    audience: Annotated[str | None, "VARCHAR", "The segment; NULL: of none"]
    profile_id: Profile
    call: Annotated[str, "VARCHAR", "enter, exit, update, erase, alias, lookup or create"]
    batch: Annotated[str, "VARCHAR", "The request: the same for all who were in it"]
    at: Annotated[int, "TIMESTAMP", "When it was sent (UTC)"]
    milliseconds: Annotated[int, "INTEGER", "How long the answer took"]
    status: Annotated[int | None, "INTEGER", "HTTP status; NULL: there was no answer"]
    class_: Annotated[str, "VARCHAR", "delivered, retry, refused, throttle, auth or split"]
    reason: Annotated[str | None, "VARCHAR", "Why it was not taken, in words that name nobody"]
    idempotency_key: Annotated[str, "VARCHAR", "The same whenever the same is said again"]
    change_id: Annotated[str | None, "VARCHAR", "The change that it follows from, as in table changes"]
    space: Space


DELIVERIES = Table("deliveries", "One row for each attempt and person, kept for 30 days", SentRow)
