"""``did: event`` with ``where``, a window and a measure."""

from __future__ import annotations

from typing import Any

from contracts.language.features import Measured, read_events, read_property, read_where, zoned
from contracts.language.forms.form import Form, Inner, Surroundings
from contracts.language.forms.trait import other_traits
from contracts.language.measures import CONDITIONS, MEASURES, OPTIONS, TRAITS
from contracts.language.measures.beside import as_options, duration_or_none
from contracts.language.measures.counting import TIMES
from contracts.language.measures.measure import Measure, computed
from contracts.language.measures.telling import read_options, read_span
from contracts.language.operators import NUMERIC, OPERATORS
from contracts.language.plain import Plainly, long_duration, names, said_of, where_phrase, window_phrase
from contracts.language.predicates import Others, cap_of, check_comparison, meant_operator, predicates_text, read_durations, read_predicates
from contracts.language.spans import WINDOWS, TimeSpan, window_text
from contracts.model.definitions import Condition, Did, Feature, OtherField, Predicate, Where
from contracts.text.problems import closest, listed
from contracts.text.scalars import meant_number, unquoted
from contracts.text.yaml_tree import Reader, Tree
from schemalogic.paths import parse_path
from schemalogic.typed import ANYTHING, Typed

_OPTIONS = tuple(dict.fromkeys(option.name for word in CONDITIONS for option in MEASURES[word].options))
BESIDE = ("where", "each", *WINDOWS, *_OPTIONS, *CONDITIONS)
"""What may stand beside it."""
_FEW = "`where`, a window or a measure in docs/segments.md, such as within, times, sum, distinct or last"
_ONCE = computed({"type": "integer", "minimum": 1})
_VALUE = "a mapping of predicates such as {between: [10, 20]}"


def _did(reader: Reader, at: Tree, parts: dict[str, Tree], around: Surroundings, _inner: Inner) -> Condition | None:
    measured = around.measured
    events = read_events(reader, parts["did"], measured)
    where = read_where(reader, parts.get("where"), events, measured)
    named = [name for name in parts if name in CONDITIONS]
    if len(named) > 1:
        reader.refuse(parts[named[1]], "only one measure", " and ".join(named))
        return None
    measure = MEASURES[named[0] if named else "times"]
    before = len(reader.problems)
    window = _window(reader, parts, measure, around)
    misplaced = len(reader.problems) > before
    by = _each(reader, parts, measure, events, measured)
    rest = _beside(reader, parts, measure)
    path, options, typed = _measured(reader, parts.get(measure.name), measure, events, measured, where=where)
    misplaced = misplaced or options is None
    word, each = parts.get(measure.name), by is not None
    others = None if each or measure.name == "decayed_sum" else other_traits(around)
    predicates = () if misplaced and not rest else _predicates(reader, at, word, measure, rest=rest, typed=typed, others=others, each=each)
    more = read_options(reader, parts, measure, measure.name, events)
    if not events or (path is None and measure.of_property) or options is None or more is None:
        return None
    if "each" in options:
        window = TimeSpan(options["each"] * options["of"])
    counted = measure.counts and not any(isinstance(one.operand, OtherField) for one in predicates)
    cap = cap_of(predicates) if counted else None
    zone = around.timezone if zoned(where) or measure.name == "distinct_days" else "UTC"
    feature = Feature(
        "", events, where, window.within_us, measure.name, path, cap, zone, window.until_us, window.between, as_options(options | more),
        session_us=window.session_us, by=by,
    )  # fmt: skip
    return Did(measured.add(feature), predicates)


def _each(reader: Reader, parts: dict[str, Tree], measure: Measure, events: tuple[str, ...], measured: Measured) -> str | None:
    """The path of the property of whose values each counts alone; None without one, and, with a problem, if it is none."""
    at = parts.get("each")
    if at is None:
        return None
    if duration_or_none(at.value) is not None:
        hint = f"write `active_periods: {{each: {at.value}, of: 4}}` for periods"
        reader.refuse(at, "the path of a property such as cart_id", None, hint)
        return None
    path = reader.text(at, expected="the path of a property such as cart_id")
    if not path or read_property(reader, at, path, events, measured) is None:
        return None
    steps = parse_path(path)
    if None in steps or steps[0] == "context":
        hint = "a path with [] has several values" if None in steps else "what context says is not told apart"
        reader.refuse(at, "a property that an event has once", path, hint)
    if measure.asks == "nothing":
        reader.refuse(at, f"no `each` beside {measure.name}, which is of one event", "each")
    if "session" in parts:
        reader.refuse(at, "no `each` beside `session`", "each", "a session is made of everything that the person does")
    return path


def _window(reader: Reader, parts: dict[str, Tree], measure: Measure, around: Surroundings) -> TimeSpan:
    """The window beside ``did``, where the measure has none of its own."""
    if measure.name == "first_time" and not any(name in parts for name in WINDOWS):
        reader.refuse(parts[measure.name], f"a window beside it, one of {listed(WINDOWS)}", "none", "whoever has ever done it: `did` alone")
    if measure.name == "latest" and "where" not in parts:
        reader.refuse(parts[measure.name], "`where` beside it: what the latest event must be", "none")
    return read_span(reader, parts, measure, measure.name, around.timezone, gap_us=around.measured.session_gap_us)


def _beside(reader: Reader, parts: dict[str, Tree], measure: Measure) -> dict[str, Tree]:
    """What stands beside ``did`` and is a predicate of the measure; every other word is refused."""
    known, asks = ("did", *BESIDE), measure.asks
    allowed = {"beside": NUMERIC, "any": tuple(OPERATORS)}.get(asks, ())
    rest = {}
    for name, part in parts.items():
        if name in known or name in OPTIONS:  # `read_options` refuses what is not of this measure.
            continue
        if allowed and (name in allowed or name == "value"):
            rest[name] = part
        elif name in TRAITS and not TRAITS[name].asks:
            reader.refuse(part, _FEW, name, "only traits have it")
        elif name in OPERATORS:
            inside = f"write `{measure.name}: {{{name}: …}}`" if asks == "inside" else f"{measure.name} is true or not"
            reader.refuse(part, _FEW, name, f"a {measure.name} is a number" if allowed else inside)
        else:
            reader.refuse(part, _FEW, name, closest(name, (*known, *allowed)))
    return rest


def _predicates(
    reader: Reader, at: Tree, word: Tree | None, measure: Measure, *, rest: dict[str, Tree], typed: Typed, others: Others | None, each: bool
) -> tuple[Predicate, ...]:
    """With what the measure is compared."""
    if measure.asks == "nothing":
        return (Predicate("eq", True),)
    if measure.passing and measure.asks == "inside" and word is not None:
        return read_durations(reader, word)
    if measure.asks == "inside":
        return _times(reader, word, others, each=each)
    value = rest.pop("value", None)
    inner = reader.mapping(value, _VALUE) if value is not None else {}
    if value is not None and not isinstance(value.value, dict):
        return ()
    return read_predicates(reader, at, {**rest, **inner}, [typed], numeric=measure.asks == "beside", others=others)


def _times(reader: Reader, at: Tree | None, others: Others | None, *, each: bool) -> tuple[Predicate, ...]:
    """How often; a value that is told apart has been there once at least."""
    typed = _ONCE if each else TIMES.value(None, "", 0)
    if at is None:
        return (Predicate("gte", 1),)
    if type(at.value) in {int, float}:
        exactly = Predicate("eq", at.value)
        check_comparison(reader, at, [exactly], [typed])
        return (exactly,)
    if isinstance(at.value, dict):
        return read_predicates(reader, at, at.value, [typed], numeric=True, others=others)
    sign, _, number = str(at.value).rpartition(" ")
    op = meant_operator(sign) if meant_number(number) is not None else ""
    reader.refuse(at, "a number or a predicate such as {gte: 3}", None, f"write {{{op}: {number}}}" if op else unquoted(at.value))
    return ()


def _measured(
    reader: Reader, at: Tree | None, measure: Measure, events: tuple[str, ...], measured: Measured, *, where: tuple[Where, ...]
) -> tuple[str | None, dict[str, Any] | None, Typed]:
    """The property that is measured, what else is said of it (None if that is wrong), and what the measure can be."""
    if at is None or measure.asks == "inside":
        return None, {}, measure.value(None, "", 0)
    if not measure.reads(at):
        options = measure.takes.read(reader, at)
        return None, options, _counted(options, measure)
    if measure.name == "last" and duration_or_none(at.value) is not None:
        reader.refuse(at, "the path of a property such as revenue", None, f"write `within: {at.value}`")
        return None, None, ANYTHING
    path = reader.text(at, expected="the path of a property such as revenue") or None
    typed = read_property(reader, at, path, events, measured) if path is not None else None
    if path is None or typed is None:
        return None, {}, ANYTHING
    if measure.check is not None:
        measure.check(reader, at, path, typed, measured, where=where)
    return path, {}, measure.value(typed, "", 0)


def _counted(options: dict[str, Any] | None, measure: Measure) -> Typed:
    """What a measure without a property can be: of so many periods there are no more."""
    periods = {"maximum": options["of"]} if options and "of" in options else None
    return measure.value(None, "", 0) if periods is None else computed({"type": "integer", "minimum": 0, **periods})


def _says(condition: Did, features: dict[str, Feature]) -> str:
    feature, predicates = features[condition.feature], condition.predicates
    often = feature.measure == "times" and predicates == (Predicate("gte", 1),)
    measured = "" if often else f" {feature.measure}{f' of {feature.property}' if feature.property else ''} {predicates_text(predicates)}"
    measured = f" {feature.measure}" if MEASURES[feature.measure].asks == "nothing" else measured
    measured = measured if feature.by is None else f" each {feature.by}{measured}"
    where = f" where {' and '.join(f'{one.path} {predicates_text(one.predicates)}' for one in feature.where)}" if feature.where else ""
    return f"did {' or '.join(feature.events)}{where}{window_text(feature)}{measured}"


_NOUNS = {
    "sum": "total {property} of", "avg": "average {property} of", "min": "smallest {property} of", "max": "largest {property} of",
    "distinct": "number of different {property} of", "distinct_days": "number of days with", "first": "{property} of the earliest",
    "last": "{property} of the latest", "since_first": "time since the first", "since_last": "time since the last",
}  # fmt: skip
"""What is measured of the events that are named behind it."""


def _tells(condition: Did, telling: Plainly) -> str:
    by = telling.features[condition.feature].by
    said = _tells_measured(condition, telling)
    return said if by is None else f"{said.removesuffix(',')}, with one and the same {by},"


def _tells_measured(condition: Did, telling: Plainly) -> str:
    feature = telling.features[condition.feature]
    done, window, where = names(feature.events), window_phrase(feature), where_phrase(feature.where)
    match feature.measure:
        case "times":
            often = "" if condition.predicates == (Predicate("gte", 1),) else f" {_often(condition.predicates)}"
            return f"who did {done}{often}{window}{where}" if often != " never" else f"who never did {done}{window}{where}"
        case "latest":
            return f"whose latest {done}{window} has {where.removeprefix(', with ')}"
        case "first_time":
            return f"who did {done} for the first time ever{window}{where}"
        case "active_periods":
            of, each = feature.option("of"), long_duration(feature.option("each"))
            return f"who did {done} in {_number(condition.predicates)} of the last {of} periods of {each}{where}"
        case "decayed_sum":
            what = f"total {feature.property} of" if feature.property else "number of"
            halved = f"in which each counts half after every {long_duration(feature.option('half_life'))}"
            return f"whose {what} {done}{window}{where.removesuffix(',')}, {halved}, {said_of(condition.predicates)}"
        case measure:
            what = _NOUNS[measure].format(property=feature.property)
            return f"whose {what} {done}{window}{where} {said_of(condition.predicates, passing=MEASURES[measure].passing)}"


def _often(predicates: tuple[Predicate, ...]) -> str:
    """``at least 3 times``, ``never``."""
    if predicates == (Predicate("eq", 0),):
        return "never"
    said = _number(predicates)
    return f"{said} time{'' if said == 'exactly 1' else 's'}"


def _number(predicates: tuple[Predicate, ...]) -> str:
    """``at least 3``, ``exactly 1``."""
    said = said_of(predicates).removeprefix("is ").replace(" and is ", " and ")
    return f"exactly {said}" if predicates[0].op == "eq" else said


DID = Form(_did, _says, _tells)
