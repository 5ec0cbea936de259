"""The row of one moment: who owns the event, which contract has accepted it, its id, what was looked up for it, and its bytes."""

from __future__ import annotations

from typing import Final

from operators.records import OWNED

_BEGINS_MAX: Final = 10_000
_LOOKED_UP: Final = 1 << 23
"""In the length of the message id: between id and event stands what was looked up, behind its length in 4 bytes."""
_begins: dict[int, bytes] = {}
"""How a row begins, by the three numbers that are written there; all are forgotten when there are more."""


def pack_moment(owner: int, person: bytes, contract: int, message_id: bytes, raw: bytes, lookup: bytes = b"") -> bytes:  # noqa: PLR0917
    """Owner code, the contract's number, message id, person's hash if owned, the event's bytes; what lookups found, if anything."""
    length = len(message_id) | _LOOKED_UP if lookup else len(message_id)
    numbers = (contract << 24 | length) * (OWNED + 1) + owner
    begin = _begins.get(numbers)
    if begin is None:
        if len(_begins) >= _BEGINS_MAX:
            _begins.clear()
        begin = _begins[numbers] = bytes((owner,)) + contract.to_bytes(3, "big") + length.to_bytes(3, "big")
    if lookup:
        return b"".join((begin, person, message_id, len(lookup).to_bytes(4, "big"), lookup, raw))
    return b"".join((begin, person, message_id, raw))


def moment_owner(row: bytes) -> tuple[int, bytes]:
    """Owner code and, if owned, the person identifier's hash."""
    return row[0], row[7:23] if row[0] == OWNED else b""


def moment_message(row: bytes) -> str:
    """The message id of a moment's row."""
    start = 23 if row[0] == OWNED else 7
    return row[start : _behind_id(row)].decode()


def moment_raw(row: bytes) -> bytes:
    """The event's bytes of a moment's row."""
    end = _behind_id(row)
    return row[end + 4 + int.from_bytes(row[end : end + 4], "big") :] if row[4] & 0x80 else row[end:]


def moment_lookup(row: bytes) -> bytes:
    """What was looked up for the event of a moment's row, as it is in `Event`."""
    if not row[4] & 0x80:
        return b""
    end = _behind_id(row)
    return row[end + 4 : end + 4 + int.from_bytes(row[end : end + 4], "big")]


def _behind_id(row: bytes) -> int:
    return (23 if row[0] == OWNED else 7) + (int.from_bytes(row[4:7], "big") & ~_LOOKED_UP)


def moment_contract(row: bytes) -> int:
    """The number, in `Meta.contracts`, of the contract that accepted the event."""
    return int.from_bytes(row[1:4], "big")


def with_contract(row: bytes, contract: int) -> bytes:
    """The same moment with another number of what accepted it."""
    return row[:1] + contract.to_bytes(3, "big") + row[4:]


def with_owner(row: bytes, owner: int, person: bytes) -> bytes:
    """The same moment with another owner."""
    rest = row[23 if row[0] == OWNED else 7 :]
    return bytes((owner,)) + row[1:7] + person + rest
