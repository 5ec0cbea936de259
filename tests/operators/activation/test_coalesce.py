"""What lines come to: only the last state of a membership is told, and every event."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operators.activation.coalesce import coalesced
from operators.activation.last_moment import why_not
from operators.activation.told import Told
from tests.model_activation import Move, wanted
from tests.operators.activation.files import HTTP, destination

CALLS = "{enter: {path: /in}, exit: {path: /out}, update: {path: /up}, event: {path: /event}, alias: {path: /alias}, erase: {path: /gone}}"
TEXT = HTTP + f"audiences: {{vips: v, buyers: b}}\nmatch: [email]\ntraits: {{plan: tier}}\npurpose: marketing\nrequests: {CALLS}\n"
EVENTS = TEXT + "events: [order_*, identify, alias, page_viewed]\nevent_names: {order_paid: Paid}\n"


def change(kind: str, *, version: int = 2, **more: Any) -> dict[str, Any]:
    return {"type": kind, "profile": "p", "version": version, **more}


def person(**more: Any) -> dict[str, Any]:
    return {"profile": "p", "identifiers": {"email": "new@example.org"}, "traits": {"plan": "gold", "other": 1}, **more}


def told(text: str, *lines: dict[str, Any]) -> list[tuple[int, str, str | None]]:
    return [(line, one.call, one.audience) for line, one in coalesced(destination(text), enumerate(lines, 1))]


def line(kind: str, who: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {"change": change(kind, **more), "person": who or person()}


MOVES = st.lists(
    st.builds(Move, st.sampled_from("ab"), st.integers(1, 9), st.sampled_from(["vips", "buyers", "else"]), st.booleans()), max_size=12
)


@given(MOVES)
def test_the_last_state_of_each_membership_is_told(moves: list[Move]) -> None:
    lines = [
        {
            "change": change(
                "segment.entered" if one.is_in else "segment.exited", version=one.version, segment=one.segment, profile=one.profile
            ),
            "person": {**person(), "profile": one.profile},
        }
        for one in moves
    ]
    found = coalesced(destination(TEXT), enumerate(lines, 1))
    memberships = {(str(one.audience), one.person["profile"]): (one.call, at) for at, one in found if one.audience is not None}
    assert memberships == wanted(moves, frozenset({"vips", "buyers"}))


def test_who_comes_in_is_told_with_traits_and_who_goes_without() -> None:
    assert told(TEXT, line("segment.entered", segment="vips")) == [(1, "enter", "vips"), (1, "update", None)]
    assert told(TEXT, line("segment.entered", segment="vips"), line("segment.exited", segment="vips", version=3)) == [(2, "exit", "vips")]


def test_a_new_address_of_a_member_takes_the_old_one_away_first() -> None:
    member = person(segments=["vips", "else"], sent_as={"vips": {"email": "old@example.org"}})
    renamed = line("identity.identifiers", member, namespaces=["email"])
    assert told(TEXT, renamed) == [(1, "exit", "vips"), (1, "enter", "vips")]
    assert told(TEXT, renamed, line("segment.exited", member, segment="vips", version=3)) == [(2, "exit", "vips")]
    assert told(TEXT, line("identity.identifiers", person(segments=[]), namespaces=["email"])) == []
    assert told(TEXT, line("identity.identifiers", member, namespaces=["phone"])) == []


CHANGES = [
    ("profile.updated", {"trait": "plan"}, {"segments": ["vips"]}, [(1, "update", None)]),
    ("profile.updated", {"trait": "plan"}, {"segments": ["else"]}, []),
    ("profile.updated", {"trait": "other"}, {"segments": ["vips"]}, []),
    ("profile.erased", {"cause": {"type": "message"}}, {"sent_as": {"vips": {"email": "a"}}}, [(1, "exit", "vips")]),
    ("profile.erased", {"cause": {"type": "erasure"}}, {"sent_as": {"vips": {"email": "a"}}}, [(1, "erase", None)]),
    ("consent.changed", {"purpose": "marketing"}, {"segments": ["vips"], "consents": {"marketing": False}}, [(1, "exit", "vips")]),
    ("consent.changed", {"purpose": "marketing"}, {"segments": ["vips"], "consents": {"marketing": True}}, [(1, "enter", "vips")]),
    ("consent.changed", {"purpose": "analytics"}, {"segments": ["vips"], "consents": {}}, []),
    ("identity.merged", {"merged": "p", "profile": "q"}, {"sent_as": {"buyers": {"email": "a"}}}, [(1, "exit", "buyers")]),
    ("identity.split", {"split": "q"}, {"segments": ["vips"]}, []),
    ("events.reassigned", {"messages": ["m"]}, {"segments": ["vips"]}, []),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "said", "who", "found"), CHANGES)
def test_changes(kind: str, said: dict[str, Any], who: dict[str, Any], found: list[Any]) -> None:
    assert told(TEXT, {"change": {**change(kind), **said}, "person": person(**who)}) == found


def test_who_falls_below_the_floor_leaves() -> None:
    text = TEXT + "confidence: 0.9\n"
    member = person(segments=["vips"])
    assert told(text, line("identity.confidence", member, evidence={"before": 1.0, "confidence": 0.5})) == [(1, "exit", "vips")]
    assert told(text, line("identity.confidence", member, evidence={"before": 0.5, "confidence": 0.95})) == [(1, "enter", "vips")]
    assert told(text, line("identity.confidence", member, evidence={"before": 0.92, "confidence": 0.95})) == []


def event(kind: str, **more: Any) -> dict[str, Any]:
    return {"event": {"type": kind, "timestamp": "2026-01-01T00:00:00Z", "userId": "u", **more}, "person": person()}


def test_events_are_told_one_by_one_and_once() -> None:
    paid = event("track", event="Order Paid", messageId="m1")
    lines = [
        paid, event("track", event="Product Viewed"), event("page", name="Home"), event("screen"), event("group", groupId="g"), paid,
        event("identify", traits={"plan": "plus", "own": 1}), event("alias", previousId="a"),
    ]  # fmt: skip
    assert told(EVENTS, *lines) == [(1, "event", None), (3, "event", None), (7, "update", None), (8, "alias", None)]
    (update,) = [one for _, one in coalesced(destination(EVENTS), enumerate(lines, 1)) if one.call == "update"]
    assert update.person["traits"] == {"tier": "plus", "own": 1}


def test_chosen_traits_go_under_their_names_there() -> None:
    found = [one for _, one in coalesced(destination(TEXT), [(1, line("segment.entered", segment="vips"))]) if one.call == "update"]
    assert [one.person["traits"] for one in found] == [{"tier": "gold"}]


GATES = [
    ("enter", {"consents": {"marketing": True}}, None),
    ("enter", {"consents": {"marketing": False}}, "consent"),
    ("enter", {}, "consent"),
    ("event", {}, "consent"),
    ("exit", {}, None),
    ("erase", {}, None),
    ("alias", {"confidence": 0.1}, None),
    ("enter", {"consents": {"marketing": True}, "confidence": 0.1}, "confidence"),
    ("enter", {"consents": {"marketing": "denied"}, "confidence": 0.1}, "consent"),
]


@pytest.mark.parametrize(("call", "who", "why"), GATES)
def test_who_may_not_be_told_of(call: Any, who: dict[str, Any], why: str | None) -> None:
    assert why_not(destination(TEXT + "confidence: 0.9\n"), Told(call, person(**who), "k")) == why


def test_the_purpose_is_the_segments_unless_the_destination_has_one() -> None:
    of_segment = Told("enter", person(), "k", "vips", change("segment.entered", purpose="analytics"))
    assert why_not(destination(TEXT.replace("purpose: marketing\n", "")), of_segment) == "consent"
    assert why_not(destination(TEXT.replace("purpose: marketing", "purpose: none")), of_segment) is None
