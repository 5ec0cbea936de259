"""Table ``identity_history``."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from state.snapshot.personal import Hider
from state.snapshot.table import Profile, Space, Table


class HistoryRow(NamedTuple):
    profile_id: Profile
    sequence: Annotated[int, "BIGINT", "Its place in the history of the space"]
    clock: Annotated[int | None, "TIMESTAMP", "The space's clock when it became true (UTC); NULL before the clock ran"]
    event_time: Annotated[int | None, "TIMESTAMP", "Time of the cause itself (UTC)"]
    type: Annotated[
        str, "VARCHAR", "created, grew, merged, split_from, gained: identifiers came; merged_into, split, lost, erased: they left"
    ]
    other_profile_id: Annotated[str | None, "VARCHAR", "The profile on the other side; NULL if there is none"]
    identifiers: Annotated[
        list[str], "VARCHAR[]", "namespace:value, personal values as hashes; a hash alone of what nothing names any more"
    ]
    cause: Annotated[str, "VARCHAR", "message, link, unlink, definition or meaning"]
    cause_id: Annotated[str, "VARCHAR", "The message, the entry of the control partition, or the digest of the definitions"]
    rules: Annotated[int, "BIGINT", "version of contracts/identity.yaml that was in force"]
    space: Space


def _hidden(row: HistoryRow, hider: Hider) -> HistoryRow:
    return row._replace(identifiers=[_identifier(text, hider) for text in row.identifiers])


def _identifier(text: str, hider: Hider) -> str:
    namespace, colon, value = text.partition(":")
    return f"{namespace}:{hider.identifier(namespace, value)}" if colon else text


IDENTITY_HISTORY = Table(
    "identity_history", "What happened to profiles, for good: who was merged or split, when, by which evidence", HistoryRow, hide=_hidden
)
