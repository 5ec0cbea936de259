"""``confidence: 0.95``, or ``{gte: 0.95}``: the floor that a segment or a destination sets for how sure it must be who somebody is."""

from __future__ import annotations

from contracts.text.keys import Own
from contracts.text.problems import Unexpected
from contracts.text.scalars import share_hint
from contracts.text.yaml_tree import Reader, Tree


def read_floor(reader: Reader, at: Tree | None) -> float | None:
    """The least confidence, above 0 and at most 1; None without the key."""
    if at is None:
        return None
    if isinstance(at.value, int | float):
        plain: float | None = reader.read(at, None, _probability)
        return plain
    if not isinstance(at.value, dict):
        share = share_hint(at.value).removeprefix("write ")
        reader.refuse(at, "a floor such as {gte: 0.95}", None, f"write {{gte: {share}}}" if share else "")
        return None
    parts = reader.fields(at, ("gte",))
    floor: float | None = reader.read(reader.required(at, parts, "gte", "the least confidence, such as 0.95"), None, _probability)
    return floor


def _probability(value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= 1:
        return float(value)
    raise Unexpected("a probability above 0 and at most 1, such as 0.95", share_hint(value))


_PROBABILITY = {"type": "number", "exclusiveMinimum": 0, "maximum": 1, "description": "at least this probability"}
FLOOR = Own(
    {"anyOf": [_PROBABILITY, {"type": "object", "properties": {"gte": _PROBABILITY}, "additionalProperties": False, "required": ["gte"]}]},
    read_floor,
)
"""The key ``confidence`` of a file."""
