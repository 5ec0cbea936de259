"""Table ``spaces``."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

from state.snapshot.table import Space, Table


class SpaceRow(NamedTuple):
    space: Space
    clock: Annotated[int | None, "TIMESTAMP", "The space's clock (UTC)"]
    applied: Annotated[dict[str, Any], "JSON", "Last applied position of each partition"]


SPACES = Table("spaces", "How far each space had come when the snapshot was made", SpaceRow)
