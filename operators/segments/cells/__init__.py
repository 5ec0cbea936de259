"""The running value of a feature: how an event changes it, what it is at a moment, how two of them join. One file a kind of measures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from contracts.model.definitions import Feature
from operators.segments.cells.around import ITEM, ItemsOf, Spanned
from operators.segments.cells.cell import Cell
from operators.segments.cells.current import InSession
from operators.segments.cells.days import Days, Streak, seen_days, seen_periods
from operators.segments.cells.decayed import Decayed
from operators.segments.cells.distinct import distinct, seen_distinct
from operators.segments.cells.each_value import EachValue
from operators.segments.cells.first import by_source, first, last, latest, seen_end, seen_latest
from operators.segments.cells.mean import Extreme, Mean, Percentile, seen_extreme, seen_mean, seen_percentile
from operators.segments.cells.moving import Moving, Noted
from operators.segments.cells.sequence import InTurn
from operators.segments.cells.sessions import Interval, Sessions, seen_interval, seen_sessions
from operators.segments.cells.set import newest, seen_set
from operators.segments.cells.since import FirstTime, Since
from operators.segments.cells.spread import Spread, seen_spread
from operators.segments.cells.sum import seen_sum, total
from operators.segments.cells.times import seen_times, times
from operators.segments.cells.top import Listed, Top, seen_list, seen_top
from operators.segments.cells.unbroken import Unbroken


class Recipe(NamedTuple):
    """``ever``: the cell of a feature without a window, or with one that it ``knows`` itself; ``seen``: what is kept in any other."""

    ever: Callable[[Feature], Cell] | None
    seen: Callable[[Feature], Noted] | None
    knows: Callable[[Feature], bool] = lambda feature: feature.within_us is None


def _to_now(feature: Feature) -> bool:
    """Whether the window, if there is one, ends now."""
    return not feature.until_us


def _any(_feature: Feature) -> bool:
    return True


MEASURES = {
    "times": Recipe(times, seen_times, _to_now),
    "sum": Recipe(total, seen_sum, _to_now),
    "distinct": Recipe(distinct, seen_distinct, _to_now),
    "first": Recipe(first, seen_end),
    "last": Recipe(last, seen_end),
    "latest": Recipe(latest, seen_latest),
    "by_source": Recipe(by_source, None),
    "set": Recipe(newest, seen_set),
    "list": Recipe(Listed, seen_list),
    "top": Recipe(Top, seen_top),
    "avg": Recipe(Mean, seen_mean),
    "min": Recipe(Extreme, seen_extreme),
    "max": Recipe(Extreme, seen_extreme),
    "stddev": Recipe(Spread, seen_spread),
    "percentile": Recipe(Percentile, seen_percentile),
    "distinct_days": Recipe(Days, seen_days),
    "active_periods": Recipe(None, seen_periods),
    "streak": Recipe(Streak, None),
    "since_first": Recipe(Since, None, _any),
    "since_last": Recipe(Since, None, _any),
    "first_time": Recipe(FirstTime, None, _any),
    "decayed_sum": Recipe(Decayed, None, _any),
    "interval_mean": Recipe(Interval, seen_interval),
    "session_count": Recipe(Sessions, seen_sessions),
    "session_length": Recipe(Sessions, seen_sessions),
}


def cell_of(feature: Feature, event: str = "", *, matched: bool = True, step: int = 0, active: bool = False) -> Cell:
    """The cell of a feature. ``event``: the name of the events that it folds; ``matched``: whether these satisfy its ``where``;
    ``step``: of a sequence, which of its steps they match, of `by_source` which source they come from; ``active``: of the current
    session, that they are no matches, but activity."""
    if feature.measure == "sequence":
        return InTurn(replace(feature, options=(*feature.options, ("step", step))))
    if feature.measure == "unbroken":
        return Unbroken(feature)
    if feature.by is not None:
        alone = replace(feature, by=None)
        counted = cell_of(replace(alone, measure="times", property=None, cap=1, options=()), event)
        counted.critical({1})
        return EachValue(cell_of(alone, event, matched=matched), counted, feature.by, feature.within_us)
    if feature.session_us is not None:
        seen = MEASURES[feature.measure].seen
        assert seen is not None, "what takes a session is known"
        one = replace(feature, property=ITEM) if "[]" in (feature.property or "") else feature
        told = replace(one, options=(*feature.options, ("event", event), ("matched", matched)))
        return InSession(feature, seen(told), active=active)
    if "[]" in (feature.property or ""):
        return ItemsOf(cell_of(replace(feature, property=ITEM), event, matched=matched), feature)
    kind = MEASURES[feature.measure]
    feature = replace(feature, options=(*feature.options, ("event", event), ("matched", matched), ("step", step)))
    if kind.knows(feature):
        assert kind.ever is not None, "what has no window is known"
        made = kind.ever(feature)
    else:
        assert kind.seen is not None, "what takes a window is known"
        made = Moving(kind.seen(feature), feature.within_us or 0, feature.until_us, feature.cap)
    return made if feature.between is None or feature.measure == "first_time" else Spanned(made, *feature.between)
