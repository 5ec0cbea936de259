"""Table ``receipts``."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from state.snapshot.table import Space, Table


class ReceiptRow(NamedTuple):
    destination: Annotated[str, "VARCHAR", "The destination, as its file is called"]
    profile_hash: Annotated[str, "VARCHAR", "Stands for the profile that is gone"]
    at: Annotated[int, "TIMESTAMP", "When it answered (UTC)"]
    status: Annotated[int, "INTEGER", "HTTP status"]
    reference: Annotated[str, "VARCHAR", "What the destination calls the request, else the key that it was sent with"]
    space: Space


RECEIPTS = Table("receipts", "That destinations have forgotten somebody, when they were told to", ReceiptRow)
