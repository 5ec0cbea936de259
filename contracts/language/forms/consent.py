"""``consent: purpose``: that consent is granted now."""

from __future__ import annotations

from contracts.language.forms.form import Form, Inner, Surroundings
from contracts.model.definitions import Condition, ConsentIs
from contracts.text.problems import choices
from contracts.text.yaml_tree import Reader, Tree


def _consent(reader: Reader, at: Tree, _parts: dict[str, Tree], around: Surroundings, _inner: Inner) -> Condition | None:
    part = reader.fields(at, ("consent",), beside="`consent` alone asks that it is granted; put it below `not` for the others")["consent"]
    name = read_purpose(reader, part, around.purposes)
    return ConsentIs(name) if name else None


def read_purpose(reader: Reader, at: Tree | None, purposes: tuple[str, ...] | None) -> str | None:
    """A declared purpose, or None."""
    if at is None:
        return None
    name = reader.text(at, expected="the name of a purpose")
    if name and purposes is not None and name not in purposes:
        reader.refuse(at, "a purpose of consent.yaml", name, choices(name, purposes))
    return name or None


CONSENT = Form(
    _consent,
    lambda condition, _features: f"consent {condition.purpose}",
    lambda condition, _telling: f"who consent to {condition.purpose}",
)
