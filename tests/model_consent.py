"""What Skep means by consent: what a record says of it, what a refused one withdraws, and what that comes to for a profile."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from contracts.model.batches import Event
from contracts.model.definitions import Definitions
from tests.model_links import Ident, Identity, Link, Moment, anchor_of, moment

YES = "1 1.0 true t yes y on granted grant allowed allow accepted accept agreed agree approved consented enabled optin optedin"
NO = (
    "0 0.0 false f no n off denied deny disallowed disallow declined decline rejected reject refused refuse revoked revoke withdrawn"
    " withdraw disagreed disagree disabled objected optout optedout unsubscribed unsubscribe"
)
WORDS = dict.fromkeys([*YES.split(), "subscribed", "subscribe"], True) | dict.fromkeys(NO.split(), False)


class Denial(NamedTuple):
    """A refused record's denial; ``identifier`` is the name of the namespace and the normalised value."""

    message_id: str
    identifier: tuple[str, str]
    purpose: str
    time_us: int


# ── what a record says ──────────────────────────────────────────────────────────────────────────────────────────────
def said(value: object) -> bool | None:
    """Whether a value grants or denies; None is neither."""
    if isinstance(value, str):
        seen = "".join(one for one in unicodedata.normalize("NFKC", value.strip()) if unicodedata.category(one) != "Cf")
        return WORDS.get(re.sub("(?<=[a-z])[-\u2010-\u2015_ ]+(?=[a-z])", "", seen.strip().lower()))
    return bool(value) if isinstance(value, (bool, int, float)) and value in (0, 1) else None


def decisions(holders: Iterable[object], purposes: Iterable[str]) -> dict[str, bool]:
    """By purpose, what the holders of preferences say, the later ones win. What is neither yes nor no is a denial."""
    decided: dict[str, bool] = {}
    for holder in holders:
        preferences = holder.get("categoryPreferences") if isinstance(holder, dict) else holder
        if not isinstance(preferences, dict):
            of_all = preferences not in (None, "", []) and said(preferences) is not True
            preferences = dict.fromkeys(purposes, preferences) if of_all else {}
        decided |= {purpose: said(told) is True for purpose, told in preferences.items() if purpose in purposes and told is not None}
    return decided


def context_of(body: Mapping[str, Any]) -> object:
    context = body.get("context")
    return context.get("consent") if isinstance(context, dict) else None


# ── what that comes to ──────────────────────────────────────────────────────────────────────────────────────────────
def stands_for(event: Event, denial: Denial, identifier: Ident) -> bool:
    """Whether a denial was accepted after all: its message carries its identifier and denies, then or later."""
    mine = event.message_id == denial.message_id and event.time_us >= denial.time_us and identifier in event.identifiers
    return mine and (event.consents or {}).get(denial.purpose) is False


def waiting(definitions: Definitions, denials: Iterable[Denial], events: Sequence[Event]) -> list[tuple[Ident, Denial]]:
    """The denials that count, with their identifiers as the rules know them."""
    index = {namespace.name: at for at, namespace in enumerate(definitions.identity.namespaces)}
    known = [((index[each.identifier[0]], each.identifier[1]), each) for each in denials if each.identifier[0] in index]
    return [(identifier, each) for identifier, each in known if not any(stands_for(event, each, identifier) for event in events)]


def consents_of(
    definitions: Definitions, events: Sequence[Event], identity: Identity, denied: Sequence[tuple[Ident, Denial]] = ()
) -> dict[str, bool]:
    """Only decided purposes. Among the decisions that no later one overrides, denial wins. ``denied``: by identifiers of the profile."""
    decided = {}
    for purpose in definitions.purposes:
        told: list[tuple[Moment, bool, Ident]] = []
        for event in events:
            anchor = anchor_of(definitions.identity, event)
            if anchor is not None and event.consents and purpose.name in event.consents:
                told.append((moment(event), event.consents[purpose.name], anchor))
        told += [((each.time_us, each.message_id), False, anchor) for anchor, each in denied if each.purpose == purpose.name]
        newest = {anchor: (at, anchor, granted) for at, granted, anchor in sorted(told, key=lambda each: (each[0], not each[1]))}
        heard = newest.values()
        standing = [granted for at, anchor, granted in heard if not any(overrides(b, (at, anchor), identity.links) for *b, _ in heard)]
        if standing:
            decided[purpose.name] = all(standing)
    return decided


def overrides(later: Sequence[Any], earlier: Sequence[Any], links: Sequence[Link]) -> bool:
    """Whether accepted links first seen by the later decision's time already joined the anchors of both."""
    (at, anchor), (before, other) = later, earlier
    reached: set[Ident] = set()
    more = {anchor}
    while more:
        reached |= more
        more = {end for link in links if link.first_seen <= at[0] and {link.a, link.b} & reached for end in (link.a, link.b)} - reached
    return bool(before < at) and other in reached
