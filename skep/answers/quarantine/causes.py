"""Causes: records that were refused for the same reason, by the same line of the same contract, whatever their values."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Any

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


@dataclass(slots=True)
class Cause:
    """Records of one cause in one space; times are µs, when they were received, or read if they do not say it."""

    id: str
    space: str
    reason: str
    event: str
    contract: str
    schema_path: str
    detail: str
    sample: str
    records: int = 0
    first_us: int | None = None
    last_us: int | None = None

    def public(self) -> dict[str, Any]:
        """As JSON says it."""
        first, last = (None if at is None else iso(at) for at in (self.first_us, self.last_us))
        names = ("space", "reason", "event", "contract", "schema_path", "detail", "records")
        return {"cause": self.id, **{name: getattr(self, name) for name in names}, "first": first, "last": last, "sample": self.sample}


class Causes:
    """Groups records as they come by; remembers one line for each cause only."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], Cause] = {}

    def add(self, space: str, row: Quarantined, refused: Quarantined | Refused | None = None) -> None:
        """Count a record under what it says, or under another refusal of it."""
        why = refused or row
        key = space, cause_id(why)
        cause = self._found.get(key)
        if cause is None:
            detail = _abstracted(why.reason, why.detail, why.schema_path)
            cause = self._found[key] = Cause(key[1], space, why.reason, why.event, why.contract, why.schema_path, detail, row.id)
        cause.records += 1
        at = moment_us(row)
        if at is not None:
            cause.first_us = at if cause.first_us is None else min(cause.first_us, at)
            cause.last_us = at if cause.last_us is None else max(cause.last_us, at)

    def sorted(self) -> list[Cause]:
        """The causes, the most frequent first."""
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
