"""What activation keeps of each destination beside its rows: how far it is told, its pace, its audiences."""

from __future__ import annotations

import msgspec
import orjson

from operators.activation.pace import Pace
from state.family import Family

_CURSOR, _MARK, _PACE, _KNOWN = b"cursor/", b"mark/", b"pace/", b"known/"
_SYNC, _SMALL, _ACTIVE = b"sync/", b"small/", b"active/"
_decode_pace = msgspec.msgpack.Decoder(Pace).decode
_encode = msgspec.msgpack.Encoder().encode


class Syncing(msgspec.Struct):
    """Audiences whose members are looked up one after the other, and behind which profile that is."""

    audiences: list[str]
    after: str = ""


class KeptOfDestinations:
    """In the family ``meta`` of the ledger, or of its reader; what is put waits for the writer's commit."""

    def __init__(self, meta: Family) -> None:
        self._meta = meta

    def cursor(self, destination: str) -> int | None:
        """Up to which change a destination's rows say what is wanted; None of one that is new."""
        found = self._meta.get(_CURSOR + destination.encode())
        return None if found is None else int(found)

    def begun(self) -> list[str]:
        """The destinations that have a cursor, as of the last commit."""
        return [key.removeprefix(_CURSOR).decode() for key, _ in self._meta.committed(_CURSOR, b"cursor0")]

    def move(self, destination: str, sequence: int, mark: bytes) -> None:
        """``mark`` stands for the change of this sequence."""
        self._meta.put(_CURSOR + destination.encode(), str(sequence).encode())
        self._meta.put(_MARK + destination.encode(), mark)

    def mark(self, destination: str) -> bytes | None:
        """What stands for the change up to which it is told."""
        return self._meta.get(_MARK + destination.encode())

    def pace(self, destination: str) -> Pace:
        found = self._meta.get(_PACE + destination.encode())
        return Pace() if found is None else _decode_pace(found)

    def keep_pace(self, destination: str, pace: Pace) -> None:
        self._meta.put(_PACE + destination.encode(), _encode(pace))

    def known(self, destination: str) -> list[str]:
        """The audiences of which a destination has ever been told."""
        return self._listed(_KNOWN, destination)

    def know(self, destination: str, audiences: list[str]) -> None:
        self._meta.put(_KNOWN + destination.encode(), orjson.dumps(audiences))

    def active(self, destination: str) -> list[str]:
        """The audiences of which it is told by the definitions that were looked at last."""
        return self._listed(_ACTIVE, destination)

    def activate(self, destination: str, audiences: list[str]) -> None:
        self._meta.put(_ACTIVE + destination.encode(), orjson.dumps(audiences))

    def small(self, destination: str) -> list[str]:
        """The audiences that have fewer members than are sent."""
        return self._listed(_SMALL, destination)

    def keep_small(self, destination: str, audiences: list[str]) -> None:
        self._meta.put(_SMALL + destination.encode(), orjson.dumps(audiences))

    def _listed(self, what: bytes, destination: str) -> list[str]:
        found = self._meta.get(what + destination.encode())
        return [] if found is None else orjson.loads(found)

    def syncing(self, destination: str) -> Syncing | None:
        found = self._meta.get(_SYNC + destination.encode())
        return None if found is None else msgspec.json.decode(found, type=Syncing)

    def sync(self, destination: str, how: Syncing | None) -> None:
        if how is None:
            self._meta.delete(_SYNC + destination.encode())
        else:
            self._meta.put(_SYNC + destination.encode(), msgspec.json.encode(how))
