"""`limits` of a destination and of a kind: how fast, how much, how long, how often."""

from __future__ import annotations

from contracts.model.destinations import Limits
from contracts.text.durations import duration_text
from contracts.text.keys import Fields, Integer, Key, Own, Plain, Schema, text_schema
from contracts.text.rates import rate, short_us, size
from contracts.text.yaml_tree import Reader, Tree

_DURATION: Schema = text_schema()
BACKOFF = Fields((
    Key("from", Plain(short_us, _DURATION), "after the first failure"),
    Key("to", Plain(short_us, _DURATION), "at most"),
))  # fmt: skip
LIMITS = Fields((
    Key("rate", Plain(rate, text_schema()), "requests, such as 50/s or 600/m"),
    Key("concurrency", Integer(), "requests under way at once"),
    Key("batch", Integer(), "people in a request"),
    Key("bytes", Plain(size, text_schema()), "of a body, such as 5MB"),
    Key("wait", Plain(short_us, _DURATION), "how long a batch is filled"),
    Key("timeout", Plain(short_us, _DURATION), "how long an answer is waited for"),
    Key("attempts", Integer(), "how often a person is tried"),
    Key("backoff", Own(BACKOFF.schema), "how long is waited between them"),
    Key("backlog", Integer(), "events that may wait"),
))  # fmt: skip
_FIELDS = {"wait": "wait_us", "timeout": "timeout_us"}


def read_limits(reader: Reader, at: Tree | None, kind: Limits | None = None) -> Limits:
    """What the file says; ``kind``: what the kind allows, which may be made tighter, never looser."""
    if at is None:
        return Limits()
    parts = LIMITS.parts(reader, at)
    said = LIMITS.values(reader, at, parts)
    backoff = said.pop("backoff")
    inside = BACKOFF.read(reader, backoff) if backoff is not None else {"from": None, "to": None}
    for name in ("concurrency", "batch", "attempts", "backlog"):
        said[name] = said[name] if name in parts and type(said[name]) is int else None
    first, last = inside["from"], inside["to"]
    if backoff is not None and first is not None and last is not None and first > last:
        reader.refuse(backoff, "`from` no longer than `to`", f"{_text(first)} and {_text(last)}")
    found = Limits(**{_FIELDS.get(name, name): value for name, value in said.items()}, backoff_from_us=first, backoff_to_us=last)
    for name in () if kind is None else ("rate", "batch", "bytes"):
        most, mine = getattr(kind, name), getattr(found, name)
        if name in parts and most is not None and mine is not None and mine > most:
            reader.refuse(parts[name], f"at most what the kind allows, {_shown(name, most)}")
    return found


def _text(total_us: int) -> str:
    return f"{total_us // 1000}ms" if total_us % 1_000_000 else duration_text(total_us)


def _shown(name: str, most: float) -> str:
    if name == "rate":
        return f"{most:g}/s" if most >= 1 else f"{most * 60:g}/m"
    return f"{most / 1e6:g}MB" if name == "bytes" and most >= 1e6 else f"{most:g}{'B' if name == 'bytes' else ''}"
