"""``new_within: 7d`` and ``inactive_for: 30d``: when somebody was first, or last, seen."""

from __future__ import annotations

from contracts.language.forms.form import Form, Inner, Surroundings
from contracts.language.plain import long_duration
from contracts.model.definitions import Condition, InactiveFor, NewWithin
from contracts.text.durations import duration_text, duration_us
from contracts.text.yaml_tree import Reader, Tree


def _new(reader: Reader, at: Tree, _parts: dict[str, Tree], _around: Surroundings, _inner: Inner) -> Condition | None:
    length = _length(reader, at, "new_within")
    return NewWithin(length) if length else None


def _inactive(reader: Reader, at: Tree, _parts: dict[str, Tree], _around: Surroundings, _inner: Inner) -> Condition | None:
    length = _length(reader, at, "inactive_for")
    return InactiveFor(length) if length else None


def _length(reader: Reader, at: Tree, form: str) -> int:
    """How long; 0 if it is no duration, or none at all (the problems say why)."""
    part = reader.fields(at, (form,), beside=f"`{form}` stands alone; put it into a list below `all`")[form]
    before = len(reader.problems)
    length: int = reader.read(part, 0, duration_us)
    if not length and len(reader.problems) == before:
        reader.refuse(part, "a duration longer than nothing, such as 30d")
    return length


NEW_WITHIN = Form(
    _new,
    lambda condition, _features: f"new_within {duration_text(condition.within_us)}",
    lambda condition, _telling: f"who were first seen less than {long_duration(condition.within_us)} ago",
)
INACTIVE_FOR = Form(
    _inactive,
    lambda condition, _features: f"inactive_for {duration_text(condition.for_us)}",
    lambda condition, _telling: f"who have not been seen for {long_duration(condition.for_us)}",
)
