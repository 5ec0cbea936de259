"""What two records of one message id must have in common, and which of two equal ones stands ("The envelope, exactly", 6)."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Any

import orjson

from contracts.model.batches import Event

_OF_THE_DELIVERY = frozenset({"messageId", "timestamp", "originalTimestamp", "sentAt", "receivedAt"})
_OF_THE_SENDER = frozenset({"ip", "library"})
"""Of the context: who sends an event again sends it from elsewhere, by another version of its library."""
_EMPTY = ("context", "properties", "traits")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)


def content(body: dict[str, Any]) -> bytes:
    """The canonical form of an event without what a server rewrites when it delivers it again; equal bytes are equal contents.

    A number and a text that writes the same number as JSON does are equal; absent, null and empty ``properties`` are.
    """
    kept = {key: value for key, value in body.items() if key not in _OF_THE_DELIVERY}
    context = kept.get("context")
    if type(context) is dict:
        kept["context"] = {key: value for key, value in context.items() if key not in _OF_THE_SENDER}
    kept = {key: value for key, value in kept.items() if key not in _EMPTY or value not in (None, {}, [])}
    return orjson.dumps(_plain(kept), option=orjson.OPT_SORT_KEYS)


def canonical(raw: bytes) -> bytes:
    """All of an event with sorted keys and no blanks."""
    return orjson.dumps(orjson.loads(raw), option=orjson.OPT_SORT_KEYS)


def replaces(event: Event, time_us: int, contract: str, raw: bytes) -> bool:
    """Whether a repeat of equal content stands in the place of what is stored: what a contract accepts before what none does,
    then the smaller time, then the smaller canonical bytes. What is equal by then is ordered too, so that one always stands."""
    mine, theirs = (not event.contract, event.time_us), (not contract, time_us)
    if mine != theirs or (event.raw == raw and event.contract == contract):
        return mine < theirs
    return (canonical(event.raw), event.contract, event.raw) < (canonical(raw), contract, raw)


def _plain(value: Any) -> Any:
    """The value with each number as a text: a text that writes none cannot be taken for it."""
    kind = type(value)
    if kind is dict:
        return {key: _plain(each) for key, each in value.items()}
    if kind is list:
        return [_plain(each) for each in value]
    if kind is int or kind is float:
        return _number(repr(value))
    return _number(value) if kind is str and _NUMBER.fullmatch(value) else value


def _number(text: str) -> str:
    """One text for all that write a number: its digits without zeros at the ends, and where its point is."""
    try:
        sign, digits, exponent = Decimal(text).as_tuple()
    except InvalidOperation:
        return text
    written = "".join(map(str, digits)).lstrip("0")
    kept = written.rstrip("0")
    if not kept or type(exponent) is not int:
        return "0"
    return f"{'-' * sign}{kept}e{exponent + len(written) - len(kept)}"
