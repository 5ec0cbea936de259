"""Conditions: the ``who`` of a segment, read into a tree of typed conditions."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from contracts.language.comparisons import said
from contracts.language.features import COUNT, Measured, check_sum, computed, read_events, read_property, read_where, sum_type, zoned
from contracts.language.operators import NUMERIC, OPERATORS
from contracts.language.operators import RESERVED as RESERVED_OPERATORS
from contracts.language.predicates import cap_of, check_comparison, meant_operator, read_predicates
from contracts.model.definitions import All, AnyOf, Condition, ConsentIs, Did, Feature, MemberOf, Not, Predicate, TraitIs, Where
from contracts.text.names import event_name
from contracts.text.problems import choices, closest, listed, meant
from contracts.text.scalars import meant_number, unquoted
from contracts.text.yaml_tree import Reader, Tree
from schemalogic.paths import parse_path
from schemalogic.typed import ANYTHING, Typed, typed_below

FORMS = ("all", "any", "not", "trait", "did", "segment", "consent")
LATER_FORMS = ("at_least", "sequence", "has", "account", "sample", "in_list", "new_within", "inactive_for")
_MEASURES = ("times", "sum", "distinct")
_BESIDE_DID = ("where", "within", *_MEASURES)
_LATER_DID = (
    "ago", "between", "session", "avg", "min", "max", "distinct_days", "active_periods", "first", "last", "latest", "first_time",
    "since_last", "since_first", "each", "decayed_sum", "half_life",
)  # fmt: skip


@dataclass(slots=True)
class Surroundings:
    """What conditions may name."""

    measured: Measured
    purposes: tuple[str, ...] | None
    """The declared ones; None if consent.yaml cannot be read."""
    segments: frozenset[str]
    traits: dict[str, Typed] = field(default_factory=dict)
    """The traits of ``traits.yaml`` and what they can be."""
    identify: bool = False
    """Whether the contract of ``identify`` calls says which other traits there are."""
    contradictions_ok: bool = False
    """Whether a segment may be one that nobody can be in."""
    timezone: str = "UTC"
    """Of the segment that is being read."""


def read_condition(reader: Reader, at: Tree, around: Surroundings) -> Condition | None:
    """One condition; None if it is not one (the problems say why)."""
    parts = at.value if isinstance(at.value, dict) else {}
    forms = [name for name in parts if name in FORMS]
    later = [name for name in parts if name in LATER_FORMS]
    if not isinstance(at.value, dict):
        reader.refuse(at, f"a condition, one of {listed(FORMS)}", None, _bare(at, around))
        return None
    if later and not forms and not meant(next(iter(parts)), FORMS):
        reader.refuse(parts[later[0]], f"a condition, one of {listed(FORMS)}", later[0], f"{later[0]} is not supported yet")
        return None
    if len(forms) != 1:
        place = parts[forms[1]] if forms else next(iter(parts.values()), at)
        found = " and ".join(forms) if forms else listed(parts) if parts else "nothing"
        hint = "put them into a list below `all`" if forms else _formless(parts, around)
        reader.refuse(place, f"{'only one of' if forms else 'one of'} {listed(FORMS)}", found, hint)
        return None
    return _READERS[forms[0]](reader, at, parts, around)


def _bare(at: Tree, around: Surroundings) -> str:
    """How to write as a condition what is no mapping."""
    value = at.value
    if isinstance(value, list) and at.key.endswith("not"):
        return "put `any:` before the list for nobody of these, `all:` for not everything at once"
    if isinstance(value, list):
        return "put `all:` before the list"
    form, colon, rest = re.sub(r"[:\s]+", ":", str(value), count=1).partition(":")
    if colon and form in FORMS:
        return f"write `{form}: {rest}`"
    if value in around.segments:
        return f"write `segment: {value}`"
    return f"write `did: {value}`" if isinstance(value, str) and event_name(value) in around.measured.properties.contracts else ""


def _formless(parts: dict[str, Tree], around: Surroundings) -> str:
    """What to write in place of, or beside, parts of which none says what kind of condition they are."""
    first = next(iter(parts), "")
    if first == "none":
        return "write `not:`, and below it `any:` before the list"
    if first in around.traits or first in around.measured.properties.names("identify"):
        return f"write `trait: {first}` and an operator such as `eq`"
    if any(name in _BESIDE_DID for name in parts):
        return "name the event beside it: `did: …`"
    if any(name in OPERATORS for name in parts):
        return "say of which trait: `trait: …`"
    return closest(first, (*FORMS, *LATER_FORMS))


def _list(kind: Callable[[tuple[Condition, ...]], Condition], name: str) -> Any:
    def read(reader: Reader, at: Tree, _parts: dict[str, Tree], around: Surroundings) -> Condition | None:
        parts = reader.fields(at, (name,))
        if isinstance(parts[name].value, dict):
            reader.refuse(parts[name], "a list of conditions", None, "begin each condition with `- `")
            return None
        items = reader.items(parts[name], "a list of conditions")
        if isinstance(parts[name].value, list) and not items:
            reader.refuse(parts[name], "at least one condition", "an empty list")
        conditions = [read_condition(reader, item, around) for item in items]
        good = tuple(one for one in conditions if one is not None)
        return kind(good) if good and len(good) == len(conditions) else None

    return read


def _not(reader: Reader, at: Tree, _parts: dict[str, Tree], around: Surroundings) -> Condition | None:
    inner = read_condition(reader, reader.fields(at, ("not",))["not"], around)
    return None if inner is None else Not(inner)


def _trait(reader: Reader, at: Tree, parts: dict[str, Tree], around: Surroundings) -> Condition | None:
    path = reader.text(parts["trait"], expected="the path of a trait such as plan or address.city")
    rest = {name: part for name, part in parts.items() if name != "trait"}
    if "for" in rest:
        reader.refuse(rest.pop("for"), "a trait with predicates", "for", "for is not supported yet")
    compared = _compared(path)
    if compared:
        reader.refuse(parts["trait"], "a trait, and what it is compared with in a line of its own", None, compared)
        return None
    typed = _trait_type(reader, parts["trait"], path, around) if path else None
    predicates = read_predicates(reader, at, rest, [] if typed is None else [typed])
    return TraitIs(path, predicates) if path else None


def _compared(path: str) -> str:
    """How to write a trait and its comparison in one text, such as ``orders > 3``; empty if it is none."""
    name, sign, operand = [*path.split(maxsplit=2), "", "", ""][:3]
    op = meant_operator(sign) if sign and operand else ""
    return f"write `trait: {name}` and below it `{op}: {operand}`" if op else ""


def _trait_type(reader: Reader, at: Tree, path: str, around: Surroundings) -> Typed | None:
    try:
        steps = parse_path(path)
    except ValueError as error:
        reader.refuse(at, "a path such as address.city", str(error))
        return None
    name, measured = steps[0], around.measured
    if isinstance(name, str) and name in around.traits:
        measured.note("trait", "", name, at)
        below = typed_below(around.traits[name], steps[1:])
        if below is None:
            reader.refuse(at, f"a path into what the trait {name} is", path, said(around.traits[name])[1])
        return below
    measured.note("property", "identify", path, at)
    if not around.identify:
        return ANYTHING
    typed = measured.properties.typed("identify", path)
    if typed is None:
        known = (*around.traits, *measured.properties.names("identify"))
        hint = measured.properties.gone("identify", path) or choices(str(name), known)
        reader.refuse(at, "a trait of traits.yaml or of the contract of identify", path, hint)
    return typed


def _did(reader: Reader, at: Tree, parts: dict[str, Tree], around: Surroundings) -> Condition | None:
    measured = around.measured
    events = read_events(reader, parts["did"], measured)
    where = read_where(reader, parts.get("where"), events, measured)
    within_us = reader.duration(parts["within"], 1) if "within" in parts else None
    if within_us == 0:
        reader.refuse(parts["within"], "a window longer than nothing")
    named = [name for name in parts if name in _MEASURES]
    if len(named) > 1:
        reader.refuse(parts[named[1]], f"only one of {listed(_MEASURES)}", " and ".join(named))
        return None
    measure: Any = named[0] if named else "times"
    rest = _beside(reader, parts, measure)
    if measure == "times":
        predicates = _times(reader, parts.get("times"))
        path = None
    else:
        path, typed = _measured_property(reader, parts[measure], measure, events, measured, where=where)
        between = "between" in parts and "value" not in rest and not rest
        predicates = () if between else _measured_predicates(reader, at, rest, typed)
    if not events or (path is None and measure != "times"):
        return None
    cap = None if measure == "sum" else cap_of(predicates)
    zone = around.timezone if zoned(where) else "UTC"
    return Did(measured.add(Feature("", events, where, within_us, measure, path, cap, zone)), predicates)


def _beside(reader: Reader, parts: dict[str, Tree], measure: str) -> dict[str, Tree]:
    """What stands beside ``did`` and is a predicate of the measure; every other word is refused."""
    known = ("did", *_BESIDE_DID)
    rest = {}
    for name, part in parts.items():
        if name in known:
            continue
        if name in _LATER_DID or name in RESERVED_OPERATORS:
            hint = "as a window, between is not supported yet; a measure's own stands under `value:`"
            hint = hint if name == "between" else "; ".join(filter(None, (f"{name} is not supported yet", meant(name, known))))
            reader.refuse(part, f"one of {listed(known)}", name, hint)
        elif measure != "times" and (name in NUMERIC or name == "value"):
            rest[name] = part
        elif name in OPERATORS:
            hint = f"write `times: {{{name}: …}}`" if measure == "times" else f"a {measure} is a number"
            reader.refuse(part, f"one of {listed(known)}", name, hint)
        else:
            reader.refuse(part, f"one of {listed(known)}", name, closest(name, (*known, *(NUMERIC if measure != "times" else ()))))
    return rest


def _times(reader: Reader, at: Tree | None) -> tuple[Predicate, ...]:
    if at is None:
        return (Predicate("gte", 1),)
    if type(at.value) in {int, float}:
        exactly = Predicate("eq", at.value)
        check_comparison(reader, at, [exactly], [computed(COUNT)])
        return (exactly,)
    if isinstance(at.value, dict):
        return read_predicates(reader, at, at.value, [computed(COUNT)], numeric=True)
    sign, _, number = str(at.value).rpartition(" ")
    op = meant_operator(sign) if meant_number(number) is not None else ""
    reader.refuse(at, "a number or a predicate such as {gte: 3}", None, f"write {{{op}: {number}}}" if op else unquoted(at.value))
    return ()


def _measured_property(
    reader: Reader, at: Tree, measure: str, events: tuple[str, ...], measured: Measured, *, where: tuple[Where, ...]
) -> tuple[str | None, Typed]:
    """The property that is measured, and what the measure can be."""
    path = reader.text(at, expected="the path of a property such as revenue") or None
    typed = read_property(reader, at, path, events, measured) if path is not None else None
    if path is None or typed is None:
        return None, ANYTHING
    if measure == "distinct":
        return path, computed(COUNT)
    check_sum(reader, at, path, typed, measured, where=where)
    return path, sum_type(typed)


def _measured_predicates(reader: Reader, at: Tree, rest: dict[str, Tree], typed: Typed) -> tuple[Predicate, ...]:
    value = rest.pop("value", None)
    inner = reader.mapping(value, "a mapping of predicates such as {between: [10, 20]}") if value is not None else {}
    if value is not None and not isinstance(value.value, dict):
        return ()
    return read_predicates(reader, at, {**rest, **inner}, [typed], numeric=True)


def _segment(reader: Reader, at: Tree, _parts: dict[str, Tree], around: Surroundings) -> Condition | None:
    part = reader.fields(at, ("segment",))["segment"]
    name = reader.text(part, expected="the name of a segment")
    if name:
        around.measured.note("segment", "", name, part)
    if name and name not in around.segments:
        reader.refuse(part, "the name of a segment in segments/", name, choices(name, around.segments))
        return None
    return MemberOf(name) if name else None


def _consent(reader: Reader, at: Tree, _parts: dict[str, Tree], around: Surroundings) -> Condition | None:
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


_READERS: dict[str, Callable[[Reader, Tree, dict[str, Tree], Surroundings], Condition | None]] = {
    "all": _list(All, "all"),
    "any": _list(AnyOf, "any"),
    "not": _not,
    "trait": _trait,
    "did": _did,
    "segment": _segment,
    "consent": _consent,
}
