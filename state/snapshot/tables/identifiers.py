"""Table ``identifiers``."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from state.snapshot.personal import Hider
from state.snapshot.table import Profile, Space, Table


class IdentifierRow(NamedTuple):
    namespace: Annotated[str, "VARCHAR", "Kind of identifier, as in contracts/identity.yaml"]
    value: Annotated[str, "VARCHAR", "Normalised value; a hash (h_…) if the namespace is personal"]
    profile_id: Profile
    first_seen: Annotated[int, "TIMESTAMP", "Time of the earliest event that carries it (UTC)"]
    last_seen: Annotated[int, "TIMESTAMP", "Time of the latest event that carries it (UTC)"]
    confidence: Annotated[
        float, "DOUBLE", "Of the weakest link on the strongest way to the profile's lead: 1, or that of a link by likeness"
    ]
    space: Space


def _hidden(row: IdentifierRow, hider: Hider) -> IdentifierRow:
    hidden = hider.identifier(row.namespace, row.value)
    return row if hidden is row.value else row._replace(value=hidden)


IDENTIFIERS = Table("identifiers", "Every identifier and the profile that it belongs to", IdentifierRow, hide=_hidden)
