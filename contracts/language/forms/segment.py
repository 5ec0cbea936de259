"""``segment: name``: is a member of that segment."""

from __future__ import annotations

from contracts.language.forms.form import Form, Inner, Surroundings
from contracts.model.definitions import Condition, MemberOf
from contracts.text.problems import choices
from contracts.text.yaml_tree import Reader, Tree


def _segment(reader: Reader, at: Tree, _parts: dict[str, Tree], around: Surroundings, _inner: Inner) -> Condition | None:
    part = reader.fields(at, ("segment",))["segment"]
    name = reader.text(part, expected="the name of a segment")
    if name:
        around.measured.note("segment", "", name, part)
    if name and name not in around.segments:
        reader.refuse(part, "the name of a segment in segments/", name, choices(name, around.segments))
        return None
    return MemberOf(name) if name else None


SEGMENT = Form(
    _segment,
    lambda condition, _features: f"segment {condition.segment}",
    lambda condition, _telling: f"who are members of {condition.segment}",
)
