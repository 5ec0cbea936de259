"""The row of one moment: who owns the event, which contract has accepted it, its id and its bytes."""

from __future__ import annotations

from typing import Final

from operators.records import OWNED

_BEGINS_MAX: Final = 10_000
_begins: dict[int, bytes] = {}
"""How a row begins, by the three numbers that are written there; all are forgotten when there are more."""


def pack_moment(owner: int, person: bytes, contract: int, message_id: bytes, raw: bytes) -> bytes:
    """Owner code, the contract's number, message id, person's hash if owned, the event's bytes."""
    numbers = (contract << 24 | len(message_id)) * (OWNED + 1) + owner
    begin = _begins.get(numbers)
    if begin is None:
        if len(_begins) >= _BEGINS_MAX:
            _begins.clear()
        begin = _begins[numbers] = bytes((owner,)) + contract.to_bytes(3, "big") + len(message_id).to_bytes(3, "big")
    return b"".join((begin, person, message_id, raw))


def moment_owner(row: bytes) -> tuple[int, bytes]:
    """Owner code and, if owned, the person identifier's hash."""
    return row[0], row[7:23] if row[0] == OWNED else b""


def moment_message(row: bytes) -> str:
    """The message id of a moment's row."""
    start = 23 if row[0] == OWNED else 7
    return row[start : start + int.from_bytes(row[4:7], "big")].decode()


def moment_raw(row: bytes) -> bytes:
    """The event's bytes of a moment's row."""
    start = 23 if row[0] == OWNED else 7
    return row[start + int.from_bytes(row[4:7], "big") :]


def moment_contract(row: bytes) -> int:
    """The number of the contract that accepted the event."""
    return int.from_bytes(row[1:4], "big")


def with_owner(row: bytes, owner: int, person: bytes) -> bytes:
    """The same moment with another owner."""
    rest = row[23 if row[0] == OWNED else 7 :]
    return bytes((owner,)) + row[1:7] + person + rest
