"""Which version of a contract judges an event, and which one the event is read at."""

from __future__ import annotations

import re
from collections.abc import Iterable

from contracts.model.definitions import Contract, Version
from contracts.model.upcast_steps import Upcast
from contracts.text.names import event_name

VERSION = re.compile(r"(\d+)-(\d+)-(\d+)")
"""MODEL-REVISION-ADDITION."""
_NUMBER = "(0|[1-9][0-9]*)"
_NAMED = re.compile(rf"(?P<event>[^/]+)/{_NUMBER}-{_NUMBER}-{_NUMBER}")


def names_contract(said: object) -> bool:
    """Whether what a sender says is the name of a contract in its form, ``order_completed/1-0-0``, be it there or not."""
    found = _NAMED.fullmatch(said) if isinstance(said, str) else None
    return found is not None and found["event"] == event_name(found["event"])


def version_text(version: Version) -> str:
    """``1-0-0`` of (1, 0, 0)."""
    return "-".join(map(str, version))


def newest(versions: Iterable[Contract]) -> Contract:
    """The version that traits and segments see: the newest that is no draft, else the newest draft."""
    versions = list(versions)
    return max([one for one in versions if one.status != "draft"] or versions, key=lambda one: one.version)


def trial_order(versions: Iterable[Contract]) -> tuple[Contract, ...]:
    """The versions in the order in which they are tried for an event that names none: the oldest model first, in it the
    newest version. The first that accepts the event is its contract. Drafts wait until an event names them."""
    return tuple(sorted((one for one in versions if one.status != "draft"), key=_by_trial))


def _by_trial(one: Contract) -> tuple[int, int, int]:
    model, revision, addition = one.version
    return model, -revision, -addition


def way(version: Version, upcasts: Iterable[Upcast], target: Version) -> tuple[Upcast, ...]:
    """The upcasts that lead from a version to the model of ``target``; empty if it is of that model, or nothing leads there.

    From a model leads the upcast that starts at the version itself, else at the next newer one of its model, else at
    the newest before it; of several with one start, the one that leads furthest.
    """
    by_model: dict[int, list[Upcast]] = {}
    for one in upcasts:
        if one.new[0] <= target[0]:
            by_model.setdefault(one.old[0], []).append(one)
    steps: list[Upcast] = []
    while version[0] < target[0]:
        leading = by_model.get(version[0])
        if not leading:
            return ()
        starts = {one.old for one in leading}
        start = min((start for start in starts if start >= version), default=max(starts))
        step = max((one for one in leading if one.old == start), key=lambda one: one.new)
        steps.append(step)
        version = step.new
    return tuple(steps)
