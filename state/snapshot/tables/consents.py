"""Table ``consents``."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from state.snapshot.table import Profile, Space, Table


class ConsentRow(NamedTuple):
    profile_id: Profile
    purpose: Annotated[str, "VARCHAR", "Purpose, as in contracts/consent.yaml"]
    granted: Annotated[bool, "BOOLEAN", "Whether it is granted"]
    decided_at: Annotated[int, "TIMESTAMP", "Time of the decision that counts (UTC)"]
    space: Space


CONSENTS = Table("consents", "Decided purposes of each profile; a purpose that is not here has its default", ConsentRow)
