"""Records that a schema registry's producers frame: a zero byte, the schema's id in four bytes, and the JSON."""

from __future__ import annotations

from typing import Any

import orjson

from contracts.envelope import CALLS, NotAccepted
from contracts.model.definitions import Contract, Definitions
from operators.extract import values_at
from schemalogic.paths import parse_path

MAGIC = b"\0"
_HEAD = 5


class Frames:
    """The contracts by the ids that a registry gave their schemas."""

    def __init__(self, definitions: Definitions) -> None:
        self._known: dict[int, list[Contract]] = {}
        for versions in definitions.contracts.values():
            for one in versions:
                if one.registered is not None:
                    self._known.setdefault(one.registered.id, []).append(one)

    def payload(self, raw: bytes) -> tuple[bytes, list[Contract]]:
        """The JSON in a frame, and the contracts that its id names."""
        if len(raw) <= _HEAD:
            raise NotAccepted("undecodable", f"expected a schema's id and JSON behind the zero byte, found {len(raw) - 1} bytes")
        number = int.from_bytes(raw[1:_HEAD], "big")
        found = self._known.get(number)
        if found is None:
            raise NotAccepted("unsupported_version", f"schema id {number}: no contract has it; `skep contracts pull` fetches what is new")
        return raw[_HEAD:], found


def as_json(raw: bytes) -> bytes:
    """The JSON of a record, without its frame if it has one."""
    return raw[_HEAD:] if raw[:1] == MAGIC else raw


def is_event(body: dict[str, Any]) -> bool:
    """Whether a document is an event as Skep knows it."""
    call = body.get("type")
    return type(call) is str and call in CALLS and (call != "track" or type(body.get("event")) is str)


def as_event(document: dict[str, Any], found: list[Contract]) -> tuple[dict[str, Any], bytes, Contract]:
    """A bare document as a track call: the body, its bytes, and its contract."""
    bare = [one for one in found if one.registered is not None and one.registered.record == "document"]
    if len(bare) != 1:
        names = ", ".join(one.name for one in found)
        raise NotAccepted("envelope", f"type: expected an event of {names}, found a document" + (" that is of several" if bare else ""))
    contract = bare[0]
    assert contract.registered is not None
    body: dict[str, Any] = {"type": "track", "event": contract.event}
    for field, path in contract.registered.fields:
        value = next(iter(values_at(document, parse_path(path))), None)
        if value is not None:
            body[field] = value
    body["properties"] = document
    return body, orjson.dumps(body), contract
