"""Causes: records that were refused for the same reason, by the same line of the same contract, whatever their values."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b

import msgspec

from contracts.model.batches import Refused
from contracts.text.times import iso
from operators.view.quarantine import Quarantined

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
_INDEX = re.compile(r"\[\d+\]")
_FOUND = re.compile(r"\bfound .*", re.DOTALL)
_POSITION = re.compile(r": line \d+ column \d+ \(char \d+\)$")
_CONFLICT = re.compile(r"^message .* came before", re.DOTALL)
_VALUE_INSIDE = re.compile(r"^(None of|False schema does not allow) .*?( are valid.*|$)", re.DOTALL)
_NAMES = frozenset({"required", "additionalProperties", "dependentRequired", "unevaluatedProperties"})
"""Keywords whose message names properties, and no value."""
_LITERAL = json.JSONDecoder()


class Cause(msgspec.Struct):
    """Records of one cause in one space; times are ISO 8601, when they were received, or read if they do not say it.

    ``sample``: the id of one of them.
    """

    id: str = msgspec.field(name="cause")
    space: str
    reason: str
    event: str
    contract: str
    schema_path: str
    detail: str
    records: int
    first: str | None
    last: str | None
    sample: str


class Causes:
    """Groups records as they come by; remembers one line for each cause only."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], Cause] = {}
        self._times: dict[tuple[str, str], tuple[int, int]] = {}
        """The first and the last, in µs."""

    def add(self, space: str, row: Quarantined, refused: Quarantined | Refused | None = None) -> None:
        """Count a record under what it says, or under another refusal of it."""
        why = refused or row
        key = space, cause_id(why)
        cause = self._found.get(key)
        if cause is None:
            detail = _abstracted(why.reason, why.detail, why.schema_path)
            cause = self._found[key] = Cause(
                key[1], space, why.reason, why.event, why.contract, why.schema_path, detail, 0, None, None, row.id
            )
        cause.records += 1
        at = moment_us(row)
        if at is not None:
            first, last = self._times.get(key, (at, at))
            self._times[key] = min(first, at), max(last, at)

    def sorted(self) -> list[Cause]:
        """The causes, the most frequent first."""
        for key, (first, last) in self._times.items():
            self._found[key].first, self._found[key].last = iso(first), iso(last)
        return sorted(self._found.values(), key=lambda one: (-one.records, one.space, one.reason, one.id))


def moment_us(row: Quarantined) -> int | None:
    """When a record was received, or read if it does not say that, in µs."""
    return row.stored_at_us if row.received_at_us is None else row.received_at_us


def cause_id(row: Quarantined | Refused) -> str:
    """``c-`` and eight digits that all records of one cause share, in all spaces."""
    return _id(row.reason, row.event, row.contract, row.schema_path, _abstracted(row.reason, row.detail, row.schema_path))


def listed(rows: Iterable[tuple[str, Quarantined]]) -> list[Cause]:
    """The causes of records, each with its space."""
    causes = Causes()
    for space, row in rows:
        causes.add(space, row)
    return causes.sorted()


@lru_cache(maxsize=10_000)
def _id(*parts: str) -> str:
    return "c-" + blake2b(json.dumps(parts).encode(), digest_size=4).hexdigest()


@lru_cache(maxsize=10_000)
def _abstracted(reason: str, detail: str, schema_path: str) -> str:
    """The words of a refusal without the values of this one record."""
    if reason in {"unknown_event", "edited"}:
        return detail
    if reason == "invalid" and schema_path:
        place, _, message = detail.partition(": ")
        keyword = schema_path.rpartition("/")[2]
        return f"{_INDEX.sub('[]', place)}: {message if keyword in _NAMES else without_value(message)}"
    if reason == "undecodable":
        return _POSITION.sub("", detail)
    return _CONFLICT.sub("message … came before", _FOUND.sub("found …", _TIME.sub("…", detail)))


def without_value(message: str) -> str:
    """``"20" is not of type "number"`` → ``… is not of type "number"``; a message that is cut off within the value is ``…``."""
    if _VALUE_INSIDE.match(message):
        return _VALUE_INSIDE.sub(r"\1 …\2", message)
    try:
        _, end = _LITERAL.raw_decode(message)
    except (ValueError, RecursionError):
        return message if message[:1].isalpha() else "…"
    return f"…{message[end:]}"
