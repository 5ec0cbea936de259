"""Conditions of a segment that are always true, whoever is asked about: those that cannot but hold."""

from __future__ import annotations

from collections.abc import Iterator

from contracts.language.contradictions import Literal, check_contradictions
from contracts.model.definitions import All, AnyOf, AtLeast, Condition, Feature, Not
from contracts.text.problems import Problem
from contracts.text.yaml_tree import Reader, Tree


def always(at: Tree, condition: Condition, features: dict[str, Feature]) -> Iterator[Tree]:
    """Where the outermost conditions stand that hold of everybody. Every one is certain; what cannot be told at a glance is not named."""
    if _always(at, condition, features):
        yield at
        return
    for inner, part in _parts(at, condition):
        yield from always(inner, part, features)


def _always(at: Tree, condition: Condition, features: dict[str, Feature]) -> bool:
    if isinstance(condition, All | AtLeast):
        certain = sum(_always(inner, part, features) for inner, part in _parts(at, condition))
        return certain >= (condition.n if isinstance(condition, AtLeast) else len(condition.of))
    problems: list[Problem] = []
    check_contradictions(Reader(problems), [Literal(at, condition, wanted=False)], features)
    return bool(problems)


def _parts(at: Tree, condition: Condition) -> Iterator[tuple[Tree, Condition]]:
    """The conditions in one, each with its place."""
    if isinstance(condition, Not):
        yield at.value["not"], condition.of
    elif isinstance(condition, All | AnyOf | AtLeast):
        listing = at.value[condition.form]
        yield from zip(listing.value["of"] if isinstance(condition, AtLeast) else listing, condition.of, strict=True)
