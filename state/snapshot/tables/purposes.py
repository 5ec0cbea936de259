"""Table ``purposes``."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from state.snapshot.table import Space, Table


class PurposeRow(NamedTuple):
    space: Space
    purpose: Annotated[str, "VARCHAR", "Purpose, as in contracts/consent.yaml"]
    granted_by_default: Annotated[bool, "BOOLEAN", "Whether it is granted by those who have decided nothing"]


PURPOSES = Table("purposes", "The purposes of contracts/consent.yaml in each space", PurposeRow)
