"""``sequence: [..]``: steps that come one after the other, some of which must not come."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce

from contracts.language.features import Measured, read_events, read_property, read_where, zoned
from contracts.language.forms.form import Form, Inner, Surroundings
from contracts.language.operands import KINDS
from contracts.language.plain import Plainly, long_duration, names, where_phrase, window_phrase
from contracts.language.predicates import predicates_text
from contracts.language.spans import window_text
from contracts.model.definitions import Condition, Feature, InOrder, SequenceStep
from contracts.text.durations import duration_text
from contracts.text.problems import listed
from contracts.text.yaml_tree import Reader, Tree
from schemalogic.paths import parse_path
from schemalogic.typed import Typed

KEPT_MAX = 10_000
"""So many events of a person, the newest that some step asks for, does a sequence look at."""
BESIDE = ("same", "within", "span")
"""What may stand beside it."""
_STEP = "a step: `did: …`, or `not: {did: …}` for what must not come"
_ALONE = "put it into a condition of its own, below `all`"


def _sequence(reader: Reader, at: Tree, parts: dict[str, Tree], around: Surroundings, _inner: Inner) -> Condition | None:
    parts = reader.fields(
        at, ("sequence", *BESIDE), beside="a sequence has `same`, `within` and `span` beside it; the rest stands in its steps"
    )
    before, listing = len(reader.problems), parts["sequence"]
    items = reader.items(listing, "a list of steps, each beginning with `- `")
    steps = [_step(reader, item, around.measured) for item in items]
    _check_ends(reader, listing, items)
    same = _same(reader, parts["same"], items, steps, around.measured) if "same" in parts else None
    within, span = (_window(reader, parts.get(name)) for name in ("within", "span"))
    good = tuple(step for step in steps if step is not None)
    if len(reader.problems) > before or len(good) < 2:
        return None
    if not around.contradictions_ok:
        for name, length in (("within", within), ("span", span)):
            _check_length(reader, parts.get(name), name, length, good)
    events = tuple(sorted({event for step in good for event in step.events}))
    zone = around.timezone if any(zoned(step.where) for step in good) else "UTC"
    options = (("kept", KEPT_MAX), ("span_us", span), ("steps", good))
    return InOrder(around.measured.add(Feature("", events, (), within, "sequence", same, None, zone, options=options)))


def _step(reader: Reader, at: Tree, measured: Measured) -> SequenceStep | None:
    """One step; None, and a problem, if it is none."""
    if not isinstance(at.value, dict):
        reader.refuse(at, _STEP, None, f"write `did: {at.value}`" if isinstance(at.value, str) else "")
        return None
    never = "not" in at.value
    if never and "did" in at.value:
        reader.refuse(at.value["did"], "a step that is `did` or `not`", "both", "begin another step with `- `")
        return None
    known = ("not", "within") if never else ("did", "where", "within")
    parts = reader.fields(at, known, beside=f"a step is one event; {_ALONE}")
    within = _window(reader, parts.get("within"))
    what = parts
    if never:
        if not isinstance(parts["not"].value, dict):
            reader.refuse(parts["not"], "what must not come, such as {did: order_completed}", None, f"write {{did: {parts['not'].value}}}")
            return None
        beside = "`within` stands beside `not`" if "within" in parts["not"].value else f"a step is one event; {_ALONE}"
        what = reader.fields(parts["not"], ("did", "where"), beside=beside)
    if "did" not in what:
        if not at.value or set(at.value) <= {*known, "where"}:
            reader.refuse(at, _STEP, "no `did`")
        return None
    events = read_events(reader, what["did"], measured)
    where = read_where(reader, what.get("where"), events, measured)
    return SequenceStep(events, where, within, never) if events else None


def _check_ends(reader: Reader, at: Tree, items: list[Tree]) -> None:
    """What stands first and last."""
    if isinstance(at.value, list) and len(items) < 2:
        found = "an empty list" if not items else "one step"
        reader.refuse(at, "at least two steps, the later one below the earlier", found, "one event alone is `did: …`" if items else "")
    if not items:
        return
    first, last = items[0], items[-1]
    inside = first.value if isinstance(first.value, dict) else {}
    if "not" in inside:
        reader.refuse(first, "a step that people do, `did: …`, at the beginning", "not", "`not` says what does not come after a step")
    elif "within" in inside:
        hint = "there is no step before the first; the window of the whole stands beside `sequence`"
        reader.refuse(inside["within"], "no `within` in the first step", None, hint)
    if len(items) > 1 and isinstance(last.value, dict) and "not" in last.value and "within" not in last.value:
        hint = "with nothing behind it, say how long it must not come: `within: 2h` beside `not`"
        reader.refuse(last, "`within` beside the last `not`", "none", hint)


def _window(reader: Reader, at: Tree | None) -> int | None:
    """A duration in µs; None without one, and, with a problem, if it is nothing."""
    if at is None:
        return None
    before, length = len(reader.problems), reader.duration(at, 0)
    if length == 0 and len(reader.problems) == before:
        reader.refuse(at, "a time longer than nothing")
    return length or None


def _same(reader: Reader, at: Tree, items: list[Tree], steps: list[SequenceStep | None], measured: Measured) -> str | None:
    """The path of the property that all steps share."""
    path = reader.text(at, expected="the path of a property such as cart_id")
    if not path:
        return None
    try:
        parsed = parse_path(path)
    except ValueError as error:
        reader.refuse(at, "the path of a property such as cart_id", str(error))
        return None
    if None in parsed or parsed[0] == "context":
        hint = "a path with [] has several values" if None in parsed else "what context says cannot be shared by steps"
        reader.refuse(at, "a property that an event has once", path, hint)
        return None
    found: list[tuple[Tree, Mapping[str, Typed]]] = []
    for item, step in zip(items, steps, strict=True):
        typed = None if step is None else read_property(reader, at, path, step.events, measured)
        if typed is None:
            return None
        found.append((item, typed))
    known = [(item, kinds) for item, typed in found if (kinds := _kinds(typed)) is not None]
    if known and not reduce(frozenset.intersection, [kinds for _, kinds in known]):
        words = [f"{listed(sorted(kinds), 'or')} in line {item.line}" for item, kinds in known]
        reader.refuse(at, f"a property of one kind in all steps: {path}", listed(words, "and"))
    return path


def _kinds(typed: Mapping[str, Typed]) -> frozenset[str] | None:
    """The kinds that a property can be of, missing apart; None is any."""
    kinds = [one.kinds for one in typed.values()]
    if not kinds or None in kinds:
        return None
    return frozenset(str(kind) for each in kinds for kind in each or ()) & frozenset(map(str, KINDS))


def _check_length(reader: Reader, at: Tree | None, name: str, length: int | None, steps: tuple[SequenceStep, ...]) -> None:
    """A problem if the steps take longer than there is time: what must not come ends only when its time has passed."""
    waits = sum(step.within_us or 0 for step in steps if step.never)
    if at is not None and length is not None and waits + sum(not step.never for step in steps[1:]) >= length:
        takes = f"{duration_text(waits)}, which its `not` steps take" if waits else "that"
        reader.refuse(at, f"a `{name}` longer than {takes}", None, "nobody can ever have been through all steps in it")


def sequence_text(feature: Feature) -> str:
    """``order_completed, then not order_refunded for 2h``, as messages and explanations say it."""
    said = [step_text(step) for step in feature.option("steps")]
    span = feature.option("span_us")
    whole = [f", the same {feature.property}"] if feature.property else []
    whole += [f",{window_text(feature)}"] if feature.within_us else []
    whole += [f", in less than {duration_text(span)}"] if span else []
    return ", then ".join(said) + "".join(whole)


def step_text(step: SequenceStep) -> str:
    """One step in words."""
    where = f" where {' and '.join(f'{one.path} {predicates_text(one.predicates)}' for one in step.where)}" if step.where else ""
    within = "" if step.within_us is None else f" {'for' if step.never else 'within'} {duration_text(step.within_us)}"
    return f"{'no ' if step.never else ''}{' or '.join(step.events)}{where}{within}"


def _tells(condition: InOrder, telling: Plainly) -> str:
    feature = telling.features[condition.feature]
    span = feature.option("span_us")
    said = ", then ".join(map(_tells_step, feature.option("steps")))
    same = f", all with the same {feature.property}" if feature.property else ""
    begun = f", beginning{window_phrase(feature)}" if window_phrase(feature) else ""
    return f"who did {said}{same}{begun}{f', in less than {long_duration(span)}' if span else ''}"


def _tells_step(step: SequenceStep) -> str:
    where = where_phrase(step.where).removesuffix(",")
    if step.never:
        return f"no {names(step.events)}{where}{'' if step.within_us is None else f' for {long_duration(step.within_us)}'}"
    return f"{names(step.events)}{where}{'' if step.within_us is None else f' less than {long_duration(step.within_us)} later'}"


SEQUENCE = Form(_sequence, lambda condition, features: f"sequence of {sequence_text(features[condition.feature])}", _tells)
