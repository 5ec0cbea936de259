"""Conditions as people say them: ``did order_completed within 30d, at least 2 times``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from contracts.language.claims import sentence
from contracts.language.measures import MEASURES
from contracts.language.spans import window_text
from contracts.model.definitions import Feature, Predicate, SequenceStep, Where
from contracts.text.durations import duration_text
from contracts.text.problems import listed
from operators.segments.predicates import canonical


def predicate_words(predicates: Iterable[Predicate]) -> str:
    """``at least 2 and less than 5``."""
    return sentence(predicates, value_text)


def did_words(feature: Feature, predicates: tuple[Predicate, ...]) -> str:
    """What is done, of which kind, how far back, and how often, or how much of what."""
    how = "" if MEASURES[feature.measure].asks == "nothing" else f" {predicate_words(predicates)}"
    return f"{feature_words(feature)}{how}"


def feature_words(feature: Feature) -> str:
    """What is done, of which kind, how far back, and what is measured of it; of a sequence its steps."""
    if feature.measure == "sequence":
        return _sequence_words(feature)
    where = _wheres(feature.where)
    of = f" of {feature.property}" if feature.property else ""
    each = f" of each {feature.by}" if feature.by else ""
    return f"{listed(feature.events)}{window_text(feature)}{where}, {feature.measure}{of}{each}"


def _sequence_words(feature: Feature) -> str:
    """The steps, what they share, and in what time."""
    beside = beside_words(feature)
    return " → ".join(map(step_words, feature.option("steps"))) + (f", {beside}" if beside else "")


def beside_words(feature: Feature) -> str:
    """What the steps of a sequence share, and in what time."""
    span = feature.option("span_us")
    same = [f"of one {feature.property}"] if feature.property else []
    begun = [] if feature.within_us is None else [f"begun{window_text(feature)}"]
    return ", ".join([*same, *begun, *([f"in less than {duration_text(span)}"] if span else [])])


def step_words(step: SequenceStep) -> str:
    """``no order_completed for 2h``."""
    within = "" if step.within_us is None else f" {'for' if step.never else 'within'} {duration_text(step.within_us)}"
    return f"{'no ' if step.never else ''}{listed(step.events)}{_wheres(step.where)}{within}"


def _wheres(where: Iterable[Where]) -> str:
    return "".join(f", where {_where(one)}" for one in where)


def _where(where: Where) -> str:
    return f"{where.path} {predicate_words(where.predicates)}"


def value_text(value: Any) -> str:
    """A text as it is, all else as JSON."""
    if isinstance(value, str):
        return value
    try:
        return orjson.dumps(value).decode()
    except TypeError:  # a whole number of more than 64 bits
        return orjson.dumps(canonical(value)).decode()
