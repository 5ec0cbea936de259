"""Table ``profiles``."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

from state.snapshot.personal import Hider
from state.snapshot.table import Space, Table


class ProfileRow(NamedTuple):
    profile_id: Annotated[str, "VARCHAR", "Id of the profile, p_ and 32 hexadecimal digits"]
    space: Space
    first_seen: Annotated[int | None, "TIMESTAMP", "Time of its earliest event (UTC); NULL if it owns none"]
    last_seen: Annotated[int | None, "TIMESTAMP", "Time of its latest event (UTC); NULL if it owns none"]
    traits: Annotated[dict[str, Any], "JSON", "Plain and computed traits by name"]
    confidence: Annotated[float, "DOUBLE", "How sure it is that all this is one person's, from 0 to 1: the smallest of its identifiers"]


def _hidden(row: ProfileRow, hider: Hider) -> ProfileRow:
    return row._replace(traits=hider.traits(row.traits))


PROFILES = Table("profiles", "Every profile at the snapshot's moment, shared devices too", ProfileRow, hide=_hidden)
