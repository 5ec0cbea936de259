"""Table ``quarantine``."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from state.snapshot.personal import Hider
from state.snapshot.table import Space, Table


class RefusedRow(NamedTuple):
    id: Annotated[str, "VARCHAR", "Id of the entry, for skep quarantine show and replay"]
    reason: Annotated[str, "VARCHAR", "Why: `skep quarantine list` groups by it, docs/operations.md lists them"]
    detail: Annotated[str, "VARCHAR", "What was expected and what was found; personal values are hashed"]
    event: Annotated[str | None, "VARCHAR", "What the record says it is, as events are named; NULL if that cannot be told"]
    contract: Annotated[str | None, "VARCHAR", "The version of the contract that refused it, or accepts it if something else is wrong"]
    source: Annotated[str, "VARCHAR", "The partition that the record came from"]
    position: Annotated[int, "BIGINT", "Its number in that partition, counted from 1"]
    received_at: Annotated[int | None, "TIMESTAMP", "When the collector received it (UTC), if the record says so"]
    raw: Annotated[
        bytes | None, "BLOB", "The record's bytes; decode(raw) is its text. Personal values are hashed; NULL if it cannot be read"
    ]
    space: Space


def _hidden(row: RefusedRow, hider: Hider) -> RefusedRow:
    raw, detail = hider.record(row.raw or b"", row.detail)
    return row._replace(raw=raw, detail=detail)


QUARANTINE = Table("quarantine", "Records that were not accepted, with the reason", RefusedRow, hide=_hidden)
