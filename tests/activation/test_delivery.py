"""Destinations end equal to their segments: without faults and with every one there is, whoever is killed meanwhile."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from skep.project.settings import Settings
from skep.runtime.activation import pending
from tests.activation.shop import differences, events, shop
from tests.fakes.receiver import Receiver
from tests.patience import until
from tests.processes import started
from tests.promises.project import environment, flow, ran


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
        told(folder)
        assert differences(folder, receiver) == {}, receiver.counts
        assert pending(Settings.load(folder)) == {}
    requests = receiver.counts["requests"]
    told(folder)
    assert receiver.counts["requests"] == requests, "nothing is said twice"


@pytest.mark.parametrize("receiver", [{"seed": 2, "faults": 0.2}], indirect=True)
def test_killed_at_any_moment_it_ends_the_same(tmp_path: Path, receiver: Receiver) -> None:
    folder, rng = shop(tmp_path / "shop", receiver, events(2, 40, 300)), Random(2)
    ran(folder)
    for _ in range(4):
        wanted = receiver.counts["requests"] + rng.randrange(1, 40)
        process = started("bytewax.run", "flows.activation", env=environment(folder, SKEP_FOLLOW="0"), stderr=subprocess.DEVNULL)
        until(lambda: receiver.counts["requests"] >= wanted or process.poll() is not None, pause_s=0.001)  # noqa: B023
        process.send_signal(signal.SIGKILL)
        process.wait()
    told(folder)
    assert differences(folder, receiver) == {}, receiver.counts
