"""What the last audit of segments has found, kept for the metrics."""

from __future__ import annotations

from contextlib import suppress

import msgspec
import orjson

from skep.project.settings import Settings
from state.files import replace


class Audited(msgspec.Struct, frozen=True):
    """Of a space: when it was (Unix seconds), and how many people differ, by segment."""

    at: float
    differences: dict[str, int]


def remember(settings: Settings, space: str, audited: Audited, *, of_all: bool) -> None:
    """Keep what an audit of a space has found; unless it was ``of_all`` segments, the last figures of the others stay."""
    known = last(settings)
    before = known[space].differences if space in known and not of_all else {}
    merged = {**known, space: Audited(audited.at, {**before, **audited.differences})}
    replace(settings.data / "audit.json", msgspec.json.encode(merged))


def last(settings: Settings) -> dict[str, Audited]:
    """By space; empty before the first audit."""
    with suppress(FileNotFoundError, orjson.JSONDecodeError, msgspec.ValidationError):
        return msgspec.convert(orjson.loads((settings.data / "audit.json").read_bytes()), dict[str, Audited])
    return {}
