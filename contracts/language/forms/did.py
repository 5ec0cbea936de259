"""``did: event`` with ``where``, ``within`` and a measure."""

from __future__ import annotations

from contracts.language.features import Measured, read_events, read_property, read_where, zoned
from contracts.language.forms.form import Form, Inner, Surroundings
from contracts.language.measures import CONDITIONS, MEASURES, RESERVED
from contracts.language.measures.measure import Measure
from contracts.language.measures.times import TIMES
from contracts.language.operators import NUMERIC, OPERATORS
from contracts.language.operators import RESERVED as RESERVED_OPERATORS
from contracts.language.predicates import cap_of, check_comparison, meant_operator, predicates_text, read_predicates
from contracts.model.definitions import Condition, Did, Feature, Predicate, Where
from contracts.text.durations import duration_text
from contracts.text.problems import closest, listed, meant
from contracts.text.scalars import meant_number, unquoted
from contracts.text.yaml_tree import Reader, Tree
from schemalogic.typed import ANYTHING, Typed

BESIDE = ("where", "within", *CONDITIONS)
"""What may stand beside it."""


def _did(reader: Reader, at: Tree, parts: dict[str, Tree], around: Surroundings, _inner: Inner) -> Condition | None:
    measured = around.measured
    events = read_events(reader, parts["did"], measured)
    where = read_where(reader, parts.get("where"), events, measured)
    within_us = reader.duration(parts["within"], 1) if "within" in parts else None
    if within_us == 0:
        reader.refuse(parts["within"], "a window longer than nothing")
    named = [name for name in parts if name in CONDITIONS]
    if len(named) > 1:
        reader.refuse(parts[named[1]], f"only one of {listed(CONDITIONS)}", " and ".join(named))
        return None
    measure = MEASURES[named[0] if named else "times"]
    rest = _beside(reader, parts, measure)
    if not measure.of_property:
        predicates = _times(reader, parts.get("times"))
        path = None
    else:
        path, typed = _measured_property(reader, parts[measure.name], measure, events, measured, where=where)
        between = "between" in parts and "value" not in rest and not rest
        predicates = () if between else _measured_predicates(reader, at, rest, typed)
    if not events or (path is None and measure.of_property):
        return None
    cap = cap_of(predicates) if measure.counts else None
    zone = around.timezone if zoned(where) else "UTC"
    return Did(measured.add(Feature("", events, where, within_us, measure.name, path, cap, zone)), predicates)


def _beside(reader: Reader, parts: dict[str, Tree], measure: Measure) -> dict[str, Tree]:
    """What stands beside ``did`` and is a predicate of the measure; every other word is refused."""
    known = ("did", *BESIDE)
    rest = {}
    for name, part in parts.items():
        if name in known:
            continue
        if name in RESERVED or name in RESERVED_OPERATORS:
            hint = "as a window, between is not supported yet; a measure's own stands under `value:`"
            hint = hint if name == "between" else "; ".join(filter(None, (f"{name} is not supported yet", meant(name, known))))
            reader.refuse(part, f"one of {listed(known)}", name, hint)
        elif measure.of_property and (name in NUMERIC or name == "value"):
            rest[name] = part
        elif name in OPERATORS:
            hint = f"write `times: {{{name}: …}}`" if not measure.of_property else f"a {measure.name} is a number"
            reader.refuse(part, f"one of {listed(known)}", name, hint)
        else:
            reader.refuse(part, f"one of {listed(known)}", name, closest(name, (*known, *(NUMERIC if measure.of_property else ()))))
    return rest


def _times(reader: Reader, at: Tree | None) -> tuple[Predicate, ...]:
    if at is None:
        return (Predicate("gte", 1),)
    if type(at.value) in {int, float}:
        exactly = Predicate("eq", at.value)
        check_comparison(reader, at, [exactly], [TIMES.value(None, "", 0)])
        return (exactly,)
    if isinstance(at.value, dict):
        return read_predicates(reader, at, at.value, [TIMES.value(None, "", 0)], numeric=True)
    sign, _, number = str(at.value).rpartition(" ")
    op = meant_operator(sign) if meant_number(number) is not None else ""
    reader.refuse(at, "a number or a predicate such as {gte: 3}", None, f"write {{{op}: {number}}}" if op else unquoted(at.value))
    return ()


def _measured_property(
    reader: Reader, at: Tree, measure: Measure, events: tuple[str, ...], measured: Measured, *, where: tuple[Where, ...]
) -> tuple[str | None, Typed]:
    """The property that is measured, and what the measure can be."""
    path = reader.text(at, expected="the path of a property such as revenue") or None
    typed = read_property(reader, at, path, events, measured) if path is not None else None
    if path is None or typed is None:
        return None, ANYTHING
    if measure.check is not None:
        measure.check(reader, at, path, typed, measured, where=where)
    return path, measure.value(typed, "", 0)


def _measured_predicates(reader: Reader, at: Tree, rest: dict[str, Tree], typed: Typed) -> tuple[Predicate, ...]:
    value = rest.pop("value", None)
    inner = reader.mapping(value, "a mapping of predicates such as {between: [10, 20]}") if value is not None else {}
    if value is not None and not isinstance(value.value, dict):
        return ()
    return read_predicates(reader, at, {**rest, **inner}, [typed], numeric=True)


def _says(condition: Did, features: dict[str, Feature]) -> str:
    feature, predicates = features[condition.feature], condition.predicates
    often = feature.measure == "times" and predicates == (Predicate("gte", 1),)
    measured = "" if often else f" {feature.measure}{f' of {feature.property}' if feature.property else ''} {predicates_text(predicates)}"
    where = f" where {' and '.join(f'{one.path} {predicates_text(one.predicates)}' for one in feature.where)}" if feature.where else ""
    within = f" within {duration_text(feature.within_us)}" if feature.within_us is not None else ""
    return f"did {' or '.join(feature.events)}{where}{within}{measured}"


DID = Form(_did, _says)
