"""Destinations end equal to their segments: without faults and with every one there is, whoever is killed meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from skep.project.settings import Settings
from skep.runtime.activation import pending
from tests.activation.chaos import play
from tests.activation.shop import FORBIDDEN, denied, differences, events, shop
from tests.fakes.receiver import Receiver
from tests.promises.project import flow, ran


@pytest.fixture
def receiver(request: pytest.FixtureRequest) -> Iterator[Receiver]:
    found = Receiver(**getattr(request, "param", {}))
    yield found
    found.close()


def told(folder: Path, code: int = 0) -> None:
    """Activation to its end."""
    done = flow(folder, "flows.activation", SKEP_FOLLOW="0")
    assert done.returncode == code, done.stderr.partition("nanobind")[0][-3000:]


@pytest.mark.parametrize("receiver", [{}, {"seed": 1, "faults": 0.2}], indirect=True, ids=["well", "faults"])
def test_what_a_destination_holds_is_the_segment(tmp_path: Path, receiver: Receiver) -> None:
    """Also what comes later: other addresses, withdrawals, merges."""
    folder = shop(tmp_path / "shop", receiver, events(1, 30, 150))
    for start in (0, 150, 300):
        if start:
            with (folder / "events.jsonl").open("ab") as stream:
                stream.write(b"".join(line + b"\n" for line in events(start, 30, 150, start)))
        ran(folder)
        receiver.denied = denied(folder)
        told(folder)
        assert differences(folder, receiver) == {}, receiver.counts
        assert pending(Settings.load(folder)) == {}
    requests = receiver.counts["requests"]
    told(folder)
    assert receiver.counts["requests"] == requests, "nothing is said twice"


@pytest.mark.parametrize("seed", [11, 12])
def test_killed_at_any_moment_it_ends_the_same(tmp_path: Path, seed: int) -> None:
    """With every fault there is, under withdrawals, other addresses and merges; nobody is told what nobody may be told."""
    found = play(tmp_path / "shop", seed, orders=200, people=30, rounds=2, kills=4)
    wrong = ("differences", *FORBIDDEN, "leaked")
    assert {name: found[name] for name in wrong if found[name]} == {}, found
    assert found["told"] > 0
