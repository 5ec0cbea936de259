"""By which values a profile is called where one of each namespace is wanted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from operators.records import Identifier

Called = dict[str, str]
"""Namespace → value."""


def called(identifiers: Iterable[Identifier], names: Sequence[str]) -> Called:
    """Of each namespace the value that was first seen last, of several at one moment the smaller. ``names``: of the namespaces, by
    their numbers."""
    newest: dict[int, Identifier] = {}
    for each in identifiers:
        known = newest.get(each.namespace)
        if known is None or (-each.first, each.value) < (-known.first, known.value):
            newest[each.namespace] = each
    return {names[number]: each.value for number, each in newest.items()}


def differing(before: Called, after: Called) -> list[str]:
    """The namespaces of which the value is another, or is only there before or after; sorted."""
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
