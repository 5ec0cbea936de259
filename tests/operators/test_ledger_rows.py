"""What is wanted of a row, what an answer makes of it, and how fast a destination may be called: functions on plain data."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.model.destinations import Limits
from operators.activation.ledger_row import (
    ALIAS,
    ERASE,
    IN,
    NEVER,
    OUT,
    TRAITS,
    LedgerRow,
    Place,
    beginning,
    decode_row,
    due_place,
    due_until,
    encode_row,
    place_of,
)
from operators.activation.pace import BREAKS_AT, Pace, heard, opens_at, resumed, took
from operators.activation.settle import backoff, failed, halves, of_each, unknown
from operators.activation.told import Verdict
from operators.activation.wanted import (
    acknowledged,
    again,
    barred,
    call_of,
    called_now,
    held_back,
    is_pending,
    renamed,
    wish,
)

LIMITS = Limits(concurrency=4, attempts=3, backoff_from_us=1_000, backoff_to_us=8_000)


def row(**how: Any) -> LedgerRow:
    return LedgerRow(**{"wanted": IN, "wanted_version": 5, "place": 9, **how})


# ---- what is wanted


def test_enter_exit_enter_is_one_enter() -> None:
    found: LedgerRow | None = None
    for version, wanted in enumerate((IN, OUT, IN), 1):
        found = wish(found, wanted, version, version, now=100)
    assert found is not None
    assert (call_of(found, "vips"), found.wanted_version) == ("enter", 3)


def test_who_was_never_told_of_leaves_without_a_word() -> None:
    """Unless a call was made, whose answer nobody has heard."""
    entered = wish(None, IN, 1, 1, now=0)
    assert entered is not None
    assert wish(entered, OUT, 2, 2, now=0) is None
    assert wish(None, OUT, 2, 2, now=0) is None
    called = wish(called_now(entered, "enter", {"email": "a@x"}, 1), OUT, 2, 2, now=0)
    assert called is not None
    assert call_of(called, "vips") == "exit"
    assert acknowledged(called, "exit", OUT, 2, 3) is None


def test_nothing_older_changes_a_row() -> None:
    """And what is read twice changes nothing."""
    found = row(acknowledged=IN)
    assert wish(found, OUT, 4, 1, now=0) is found
    assert wish(found, IN, 5, 9, now=0) is found
    newer = wish(found, OUT, 6, 10, now=0)
    assert newer is not None
    assert (newer.wanted, newer.place) == (OUT, 10)


def test_a_word_that_comes_while_another_is_on_its_way_is_said_behind_it() -> None:
    sent = called_now(row(), "enter", {"email": "a@x"}, 1)
    meanwhile = wish(sent, OUT, 6, 10, now=2)
    assert meanwhile is not None
    after = acknowledged(meanwhile, "enter", IN, 5, 3)
    assert after is not None
    assert (after.acknowledged, after.acknowledged_version, call_of(after, "vips")) == (IN, 5, "exit")


def test_whoever_has_another_address_leaves_by_the_old_one_and_comes_back() -> None:
    there = row(acknowledged=IN, sent_as={"email": "old@x"})
    assert renamed(there, {"email": "old@x"}, 1) is there
    anew = renamed(there, {"email": "new@x"}, 1)
    assert call_of(anew, "vips") == "exit"
    assert renamed(anew, {"email": "old@x"}, 1).anew is False
    left = acknowledged(anew, "exit", OUT, 5, 2)
    assert left is not None
    assert (left.sent_as, call_of(left, "vips")) == ({}, "enter")
    outside = row(wanted=OUT, acknowledged=IN, sent_as={"email": "old@x"})
    assert renamed(outside, {"email": "new@x"}, 1).sent_as == {"email": "old@x"}


def test_who_is_barred_leaves_and_comes_back() -> None:
    there = barred(row(acknowledged=IN), "consent", 1)
    assert call_of(there, "vips") == "exit"
    left = acknowledged(there, "exit", OUT, 5, 2)
    assert left is not None
    assert not is_pending(left, "vips")
    assert call_of(barred(left, "", 3), "vips") == "enter"


def test_what_is_held_is_not_pending_and_what_is_dead_is_not_called() -> None:
    assert not is_pending(held_back(row(), "stale"), "vips")
    assert is_pending(held_back(row(), "quiet", until=9), "vips")
    assert call_of(row(dead=True), "vips") is None
    assert call_of(again(row(dead=True, attempts=20), 1), "vips") == "enter"


@pytest.mark.parametrize(("audience", "call"), [(ERASE, "erase"), (ALIAS, "alias"), (TRAITS, "update"), ("vips", "enter")])
def test_what_is_said_depends_on_what_it_is_about(audience: str, call: str) -> None:
    assert call_of(row(), audience) == call


def test_traits_are_told_until_they_are_as_they_were_taken() -> None:
    found = row(wanted="d1", called=False)
    assert call_of(found, TRAITS) == "update"
    taken = acknowledged(found, "update", "d1", 5, 1)
    assert taken is not None
    assert call_of(taken, TRAITS) is None
    changed = wish(taken, "d2", 6, 10, now=2)
    assert changed is not None
    assert call_of(changed, TRAITS) == "update"


# ---- keys

NAMES = st.text(st.characters(exclude_characters="\0\x01", exclude_categories=["Cs"]), min_size=1, max_size=8)


@given(NAMES, st.one_of(NAMES, st.sampled_from([TRAITS, ERASE, ALIAS])), st.binary(min_size=16, max_size=16), st.integers(0, NEVER))
def test_a_row_is_found_again_by_its_keys(destination: str, audience: str, profile: bytes, when: int) -> None:
    place, found = Place(destination, audience, profile), row(next_at=when, sent_as={"email": "a"})
    assert place_of(place.key) == place
    assert due_place(place.due(found)) == (when, place)
    assert decode_row(encode_row(found)) == found
    start, end = beginning(destination, audience)
    assert start <= place.key < end
    start, end = beginning(destination)
    assert start <= place.key < end
    start, end = due_until(destination, when)
    assert start <= place.due(found) < end
    assert not start <= place.due(row(next_at=when + 1)) < end or when == NEVER


# ---- answers


def test_whom_the_vendor_does_not_know_has_left_and_cannot_come() -> None:
    """A look-up that finds nobody says so with an empty answer or, at HubSpot and SendGrid, with 404."""
    for says, status in (("delivered", 200), ("refused", 404), ("refused", 410)):
        found = {call: unknown(says, status, call) for call in ("exit", "erase", "enter", "update", "event", "alias")}
        assert {call for call, what in found.items() if what == "delivered"} == {"exit", "erase"}
        assert set(found.values()) == {"delivered", "refused"}
    for says, status in (("retry", 503), ("throttle", 429), ("auth", 401), ("refused", 400)):
        assert unknown(says, status, "exit") is None


def test_what_becomes_of_each_in_a_request() -> None:
    assert of_each(Verdict("delivered"), 2) == ["delivered"] * 2
    assert of_each(Verdict("partial", failed=(0, 2), retry=(2,)), 3) == ["refused", "delivered", "retry"]
    assert of_each(Verdict("throttle"), 2) == ["throttle"] * 2
    assert halves([1, 2, 3]) == ([1, 2], [3])


def test_who_is_tried_too_often_is_a_dead_letter() -> None:
    found, random = row(), Random(1)
    for attempt in (1, 2, 3):
        found = failed(found, "retry", Verdict("retry", reason="HTTP 500"), status=500, limits=LIMITS, now=0, random=random, counts=True)
        assert (found.attempts, found.dead) == (attempt, attempt == 3)
    assert found.reason == "HTTP 500"


def test_a_destination_that_takes_nothing_makes_no_dead_letters() -> None:
    found = row()
    for _ in range(50):
        found = failed(found, "retry", Verdict("retry"), status=0, limits=LIMITS, now=0, random=Random(1), counts=False)
    for says in ("throttle", "auth", "split"):
        found = failed(found, says, Verdict("throttle"), status=429, limits=LIMITS, now=0, random=Random(1), counts=True)
    assert (found.attempts, found.dead) == (0, False)


@given(st.integers(0, 60), st.integers(0, 1_000))
def test_backoff_grows_and_has_an_end(attempts: int, seed: int) -> None:
    assert 0 <= backoff(attempts, LIMITS, Random(seed)) <= min(8_000, 1_000 * 2**attempts)


# ---- pace


def test_a_rate_is_kept_to_whoever_calls() -> None:
    """No second has more calls than are said, but for the little burst behind a silence."""
    limits, pace, now, calls = Limits(rate=50.0, concurrency=100), Pace(), 0, []
    while now < 3_000_000:
        when = opens_at(pace, limits, now, 0)
        assert when is not None
        if when <= now:
            pace = took(pace, limits, now)
            calls.append(now)
        now = max(now + 1, when)
    assert len(calls) in range(145, 152)
    assert all(later - earlier >= 1_000_000 - 1 for earlier, later in zip(calls, calls[51:], strict=False))


def test_a_destination_that_says_wait_is_left_alone() -> None:
    pace = heard(Pace(), Verdict("throttle", wait=2.0), LIMITS, 1_000, "m")
    assert opens_at(pace, LIMITS, 1_000, 0) == 2_001_000
    without = heard(Pace(), Verdict("throttle"), LIMITS, 1_000, "m")
    assert opens_at(without, LIMITS, 1_000, 0) == 2_000


def test_the_breaker_opens_and_one_call_tries() -> None:
    pace, now = Pace(), 0
    for _ in range(BREAKS_AT):
        pace = heard(pace, Verdict("retry"), LIMITS, now, "m")
    assert pace.breaker == "open"
    assert opens_at(pace, LIMITS, now, 0) == 8_000
    assert opens_at(pace, LIMITS, 8_000, 1) is None
    assert heard(pace, Verdict("delivered"), LIMITS, 9_000, "m").breaker == "closed"
    assert resumed(pace).breaker == "closed"


def test_who_is_not_let_in_stops_until_something_changes() -> None:
    pace = heard(Pace(), Verdict("auth", reason="HTTP 401"), LIMITS, 1, "mark")
    assert (pace.breaker, pace.stopped, opens_at(pace, LIMITS, 10**12, 0)) == ("auth", "mark", None)


def test_no_more_calls_at_once_than_are_said() -> None:
    assert opens_at(Pace(), LIMITS, 5, 3) == 5
    assert opens_at(Pace(), LIMITS, 5, 4) is None
