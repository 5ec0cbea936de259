"""The project and the input of the crash tests: a small shop with windows that empty, late, repeated and broken events."""

from __future__ import annotations

from pathlib import Path
from random import Random
from zlib import crc32

import orjson

from contracts import load
from operators.match.comparisons import levels
from operators.match.model import Model, Weights, dump
from skep.tools.demo.events import make_demo
from skep.tools.starter import create

SETTINGS = """\
spaces: [shop]
data: data
horizon: 6d
sources:
  - name: shop
    kind: jsonl
    path: events/*.jsonl
    space: shop
batch_size: 200
archive: {rows: 1500}
log: json
"""
"""Small batches and files, so that there are many commits and flushes to be killed in; a horizon that seals most days."""
LIKENESS = """
probabilistic:
  accept: 0.9
  review: 0.5
  block_limit: 6
  block: [[last_name], [first_name, city]]
  compare: [{trait: first_name}, {trait: last_name, how: jaro_winkler, at: [0.8]}, {trait: city}]
"""
"""Namesakes of one town are one person: links by likeness come, and go again as blocks grow too large."""


def make_project(folder: Path, *, horizon: str = "6d") -> Path:
    """A project of the demo shop's contracts, with a short backstitch, and links by likeness."""
    create(folder)
    (folder / "skep.yaml").write_text(SETTINGS.replace("6d", horizon))
    rules = folder / "contracts" / "identity.yaml"
    replace(rules, "backstitch: 30d", "backstitch: 2d")
    replace(rules, "unique: true ", "unique: false")
    replace(
        folder / "contracts/destinations/changes_file.yaml",
        "  - identity.confidence\n",
        "  - identity.confidence\n  - identity.identifiers\n",
    )
    rules.write_text(rules.read_text() + LIKENESS)
    compared = load({"identity.yaml": rules.read_text()}).identity.probabilistic
    assert compared is not None
    weights = tuple(
        Weights(compare, (0.9, *(0.02,) * (len(levels(compare)) - 1)), (0.04,) * len(levels(compare))) for compare in compared.compare
    )
    (folder / "contracts" / "identity_model.json").write_bytes(dump(Model(0.01, weights)))
    return folder


def replace(path: Path, old: str, new: str) -> None:
    """Edit a file as a person would; what is replaced must be there."""
    text = path.read_text()
    assert old in text, f"{path} has no {old!r}"
    path.write_text(text.replace(old, new))


def make_lines(events: int, seed: int, *, people: int = 250, refusals: bool = True) -> list[bytes]:
    """The demo with shared devices, events that come late, are repeated much later, conflict, or name nobody.

    ``refusals=False`` leaves out what depends on the order across partitions: conflicts.
    """
    rng = Random(seed)
    lines = make_demo(people, events, seed, conflicts=0.1).lines
    arrivals = [(float(at), line) for at, line in enumerate(lines)]
    for at, line in enumerate(lines):
        chance = rng.random()
        if chance < 0.02:
            arrivals[at] = (at + rng.expovariate(1 / 300), line)
        elif chance < 0.03:
            arrivals.append((at + rng.expovariate(1 / 1000), _changed(line, sentAt="2026-01-01T00:00:00Z", receivedAt=None)))
        elif chance < 0.035 and refusals:
            arrivals.append((at + rng.expovariate(1 / 500), _changed(line, channel="second")))
        elif chance < 0.04:
            arrivals.append((at + 0.5, _changed(line, messageId=None, anonymousId=None, userId=None, traits=None, properties={})))
    return [line for _, line in sorted(arrivals)]


def write_partitions(folder: Path, lines: list[bytes], count: int) -> None:
    """The lines in ``count`` files; the repeats of a message are in the same one."""
    folder.mkdir(exist_ok=True)
    for number in range(count):
        mine = [line for line in lines if crc32(_identity(line)) % count == number]
        (folder / f"part-{number}.jsonl").write_bytes(b"".join(line + b"\n" for line in mine))


def _identity(line: bytes) -> bytes:
    try:
        return str(orjson.loads(line).get("messageId")).encode()
    except orjson.JSONDecodeError:
        return line


def _changed(line: bytes, **fields: object) -> bytes:
    """The event with other fields; None takes one away. What is no event stays as it is."""
    try:
        body = orjson.loads(line)
    except orjson.JSONDecodeError:
        return line
    return orjson.dumps({key: value for key, value in (body | fields).items() if value is not None})
