"""What destinations hold, and what became of calls, for the snapshot: no address, no body, nobody's name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from contracts.model.hashing import profile_id
from operators.activation.ledger_row import FEED, NEVER, decode_attempt, decode_receipt, decode_row, place_of
from operators.activation.wanted import is_pending
from state.ledger import LedgerReader
from state.snapshot.tables.deliveries import SentRow
from state.snapshot.tables.destination_state import DestinationStateRow
from state.snapshot.tables.receipts import ReceiptRow


def told_tables(ledger: LedgerReader | None, space: str) -> Mapping[str, Iterable[tuple[Any, ...]]]:
    """The rows of a space's ledger; none where there is no ledger."""
    if ledger is None:
        return {"destination_state": (), "deliveries": (), "receipts": ()}
    return {"destination_state": _states(ledger, space), "deliveries": _sent(ledger, space), "receipts": _receipts(ledger, space)}


def _states(ledger: LedgerReader, space: str) -> Iterator[DestinationStateRow]:
    for key, stored in ledger.scan("rows"):
        place, row = place_of(key), decode_row(stored)
        if place.audience[:1] in {"\x01", FEED}:
            continue
        taken, waits = row.acknowledged != "", is_pending(row, place.audience) and row.next_at != NEVER
        yield DestinationStateRow(
            place.destination, place.audience or None, place.profile_id, row.wanted, row.wanted_version, row.acknowledged or None,
            row.acknowledged_version if taken else None, row.acknowledged_at if taken else None, row.attempts,
            "dead" if row.dead else row.last_class or None, row.barred or row.reason or None, row.next_at if waits else None, space,
        )  # fmt: skip


def _sent(ledger: LedgerReader, space: str) -> Iterator[SentRow]:
    for key, stored in ledger.scan("attempts"):
        one = decode_attempt(stored)
        yield SentRow(
            key.hex(), one.destination, one.audience or None, profile_id(one.profile), one.call, one.batch, one.at, one.milliseconds,
            one.status or None, one.says, one.reason or None, one.key, one.change or None, space,
        )  # fmt: skip


def _receipts(ledger: LedgerReader, space: str) -> Iterator[ReceiptRow]:
    for _, stored in ledger.scan("receipts"):
        one = decode_receipt(stored)
        yield ReceiptRow(one.destination, one.profile_hash, one.at, one.status, one.reference, space)
