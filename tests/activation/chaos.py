"""Activation killed again and again while a receiver answers in every way that hurts, and people come, go, withdraw and become one.

At the end the receiver must hold exactly the segments, and must never have been told what nobody may be told.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from pathlib import Path
from random import Random
from typing import Any

import orjson

from skep.project.settings import Settings
from skep.project.spaces import open_view
from tests.activation.shop import FORBIDDEN, SECRETS, denied, events, shop, wanted
from tests.fakes.receiver import Receiver
from tests.patience import until
from tests.processes import started
from tests.promises.project import environment, flow, ran

Json = dict[str, Any]


def play(folder: Path, seed: int, *, orders: int, people: int, rounds: int, kills: int, faults: float = 0.2) -> Json:
    """What was wrong at the end (all 0 if nothing is), and what there was of everything. ``orders``: events of a round."""
    receiver, random, log = Receiver(seed, faults), Random(seed), folder.with_suffix(".log")
    project = shop(folder, receiver, events(seed, people, orders))
    killed = 0
    try:
        with log.open("wb") as said:
            for number in range(rounds):
                if number:
                    with (project / "events.jsonl").open("ab") as stream:
                        stream.write(b"".join(line + b"\n" for line in events(seed + number, people, orders, number * orders)))
                ran(project)
                receiver.denied = denied(project)
                for _ in range(kills // rounds + (number < kills % rounds)):
                    killed += _killed(project, receiver, random, said)
            receiver.calm()
            done = flow(project, "flows.activation", SKEP_FOLLOW="0")
            said.write(done.stderr.encode())
        assert done.returncode == 0, done.stderr[-2000:]
        there = wanted(project)
        wrong = {name: len(members ^ receiver.members(name)) for name, members in there.items()}
        return {
            "differences": sum(wrong.values()),
            **{name: receiver.counts[name] for name in FORBIDDEN},
            "leaked": leaked([project / "data", log], SECRETS.values()),
            "kills": killed,
            "changes": _memberships(project),
            "requests": receiver.counts["requests"],
            "told": receiver.counts["requests"] - receiver.counts["well"],
            "members": sum(map(len, there.values())),
        }
    finally:
        receiver.close()


def _killed(project: Path, receiver: Receiver, random: Random, said: Any) -> bool:
    """Activation for a while, then no longer; whether it was killed before its end."""
    requests = receiver.counts["requests"] + random.randrange(1, 400)
    process = started("bytewax.run", "flows.activation", env=environment(project, SKEP_FOLLOW="0"), stderr=said, stdout=subprocess.DEVNULL)
    until(lambda: receiver.counts["requests"] >= requests or process.poll() is not None, pause_s=0.001)
    process.kill()
    return process.wait() != 0


def _memberships(project: Path) -> int:
    """How many changes of memberships there were."""
    view = open_view(Settings.load(project), "shop")
    try:
        return sum(orjson.loads(row)["type"].startswith("segment.") for _, row in view.changes())
    finally:
        view.close()


def leaked(places: Iterable[Path], secrets: Iterable[str]) -> int:
    """How many files hold one of the secrets."""
    files = [file for place in places for file in ([place] if place.is_file() else place.rglob("*")) if file.is_file()]
    wanted = [secret.encode() for secret in secrets]
    return sum(any(secret in content for secret in wanted) for file in files for content in [file.read_bytes()])
