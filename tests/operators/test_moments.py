"""Events as they are stored: whichever of them share a row, each is found, changed and removed by itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from contracts import load
from operators.meta import Meta
from operators.moment_row import moment_raw, pack_moment
from operators.people.clock import Clock
from operators.people.heads import Heads
from operators.people.moments import ROW_MOMENTS, ROW_US, Kept, Moments
from operators.people.reading import Reading
from operators.records import SELF, Stored, decode_moments
from operators.segments.compile import Program
from state.keys import PERIOD_US, moment_parts, period_of
from state.shard import Shard

A, B = b"a" * 16, b"b" * 16
MINUTE = 60_000_000


@pytest.fixture
def shard(tmp_path: Path) -> Iterator[Shard]:
    shard = Shard(tmp_path / "shard")
    yield shard
    shard.close()


def opened(shard: Shard) -> Moments:
    meta = Meta()
    return Moments(shard, meta, Heads(Program(load({})), Clock(meta), 0), Reading())


def moment(time_us: int, name: str, raw: bytes = b"{}") -> Stored:
    return Stored(time_us, name.encode().rjust(16, b"."), pack_moment(SELF, b"", 0, name.encode(), raw))


def put(moments: Moments, anchor: bytes, stored: Stored) -> None:
    moments.put(anchor, stored.time_us, stored.message, stored.row)


def commit(shard: Shard, moments: Moments) -> None:
    moments.flush()
    shard.commit()


def rows(shard: Shard) -> list[int]:
    """How many moments lie in each row."""
    return [len(decode_moments(key, row)) for key, row in shard.moments.committed(b"")]


def remembered(shard: Shard, moments: Moments, stored: Stored) -> Kept | None:
    seen = shard.seen.get(stored.message)
    return None if seen is None else moments.remembered(stored.message, seen)


def test_what_one_commit_brings_of_an_anchor_is_one_row(shard: Shard) -> None:
    moments = opened(shard)
    for at in range(4):
        put(moments, A, moment(at * MINUTE, f"a{at}"))
        put(moments, B, moment(at * MINUTE, f"b{at}"))
    commit(shard, moments)
    put(moments, A, moment(4 * MINUTE, "a4"))
    commit(shard, moments)
    assert rows(shard) == [4, 1, 4]
    assert len(shard.seen.pending) == 0


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ([MINUTE] * (ROW_MOMENTS + 1), [ROW_MOMENTS, 1]),
        ([0, ROW_US - 1, ROW_US], [2, 1]),
        ([1, 0], [1, 1]),
        ([PERIOD_US - 1, PERIOD_US], [1, 1]),
    ],
)
def test_a_row_ends_where_it_is_full_or_would_reach_too_far(shard: Shard, times: list[int], expected: list[int]) -> None:
    """Nothing lies before the moment that the row is found by, nor in another period."""
    moments = opened(shard)
    for at, time_us in enumerate(times):
        put(moments, A, moment(time_us, f"{at:03d}"))
    commit(shard, moments)
    assert sorted(rows(shard), reverse=True) == expected


@pytest.mark.parametrize("committed", [True, False])
def test_taking_one_out_of_a_row_leaves_the_others_where_they_are_found(shard: Shard, committed: bool) -> None:
    """Also when it comes back under the key by which the row lay, and when several go that were found together."""
    moments = opened(shard)
    three = [moment(at * MINUTE, str(at)) for at in range(3)]
    for each in three:
        put(moments, A, each)
    if committed:
        commit(shard, moments)
    found = {kept.message: kept for kept in moments.of([A])}
    moments.drop(found[three[0].message])
    put(moments, A, moment(0, "0", b"again"))
    moments.drop(found[three[1].message])
    shard.seen.delete(three[1].message)
    commit(shard, moments)
    assert {kept.message: moment_raw(kept.row) for kept in moments.of([A])} == {three[0].message: b"again", three[2].message: b"{}"}
    assert [remembered(shard, moments, each) is not None for each in three] == [True, False, True]


def test_a_row_that_begins_earlier_is_read_for_a_later_time(shard: Shard) -> None:
    moments = opened(shard)
    for at in range(5):
        put(moments, A, moment(at * 3 * MINUTE, str(at)))
    commit(shard, moments)
    assert rows(shard) == [5]
    found = moments.between(A, 9 * MINUTE, 10 * MINUTE)
    assert found is not None
    assert [kept.time_us for kept in found] == [9 * MINUTE]


@pytest.mark.parametrize("seed", range(8))
def test_whatever_happens_each_moment_is_found_as_it_is(shard: Shard, seed: int) -> None:
    """Held against a dictionary: stored, changed, taken away, stored again, committed, sealed, in any order."""
    rng = Random(seed)
    moments = opened(shard)
    held: dict[bytes, tuple[bytes, int, bytes]] = {}
    """Message → anchor, time, bytes."""
    for turn in range(150):
        what = rng.random()
        if what < 0.6 or not held:
            anchor, time_us, raw = rng.choice((A, B)), rng.randrange(-3, 60) * MINUTE + rng.choice((0, PERIOD_US)), b"%d" % turn
            stored = moment(time_us, f"m{turn}", raw)
            put(moments, anchor, stored)
            held[stored.message] = (anchor, time_us, raw)
        elif what < 0.85:
            together = list(moments.of([A, B]))
            for kept in rng.sample(together, min(3, len(together))):
                anchor, time_us, raw = held[kept.message]
                row = pack_moment(SELF, b"", 0, b"m", raw + b"!")
                if rng.random() < 0.5:
                    moments.rewrite(kept, row)
                else:
                    moments.drop(kept)
                    anchor, time_us = rng.choice(((anchor, time_us), (A, time_us), (B, time_us - MINUTE)))
                    put(moments, anchor, Stored(time_us, kept.message, row))
                held[kept.message] = (anchor, time_us, raw + b"!")
        else:
            commit(shard, moments)
            if rng.random() < 0.3:
                moments = opened(shard)
        _check(shard, moments, held, rng)
    commit(shard, moments)
    for key, row in shard.moments.committed(b""):
        anchor, first, message = moment_parts(key)
        inside = decode_moments(key, row)
        assert message in {each.message for each in inside}
        assert len(inside) <= ROW_MOMENTS
        assert all(first <= each.time_us < first + ROW_US and period_of(each.time_us) == period_of(first) for each in inside)
        assert all(held[each.message][0] == anchor for each in inside)
    moments.seal(period_of(PERIOD_US), 1_000)
    commit(shard, moments)
    open_ones = {message for message, (_, time_us, _) in held.items() if period_of(time_us) >= period_of(PERIOD_US)}
    assert {key for key, _ in shard.seen.committed(b"")} == open_ones
    assert {kept.message for kept in moments.of([A, B])} == set(held)
    assert {kept.message for kept in moments.of([A, B]) if not kept.sealed} == open_ones


def _check(shard: Shard, moments: Moments, held: dict[bytes, tuple[bytes, int, bytes]], rng: Random) -> None:
    found = {kept.message: (kept.anchor, kept.time_us, moment_raw(kept.row)) for kept in moments.of([A, B])}
    assert found == held
    message, (anchor, time_us, raw) = rng.choice(list(held.items()))
    seen = shard.seen.get(message)
    assert seen is not None
    kept = moments.remembered(message, seen)
    assert kept is not None
    assert (kept.anchor, kept.time_us, moment_raw(kept.row)) == (anchor, time_us, raw)
    first, last = sorted(rng.randrange(-3, 60) * MINUTE for _ in range(2))
    between = moments.between(A, first, last)
    assert between is not None
    assert {kept.message for kept in between} == {key for key, (anchor, at, _) in held.items() if anchor == A and first <= at <= last}
