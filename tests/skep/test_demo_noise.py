"""Demo data with errors: the same for the same seed, with every kind of error, and most people are found in spite of them."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from pathlib import Path
from random import Random
from typing import Any

import jsonschema_rs
import pytest

from contracts import load, read_files
from operators.extract import Identifiers
from skep.answers.simulation.run import read_rules
from skep.tools.demo.events import make_demo
from skep.tools.demo.noise import noisy_rules, typo
from skep.tools.training.evaluation import measure
from skep.tools.training.records import read_records
from tests.skep.test_cli import skep

ROOT = Path(__file__).resolve().parents[2]
PLAIN = "33fc057a3df7a4f8637e7f6afbade8d76aac9d02b9b98f2a6eb2b6f033798903"
"""The SHA-256 of the lines of `make_demo(60, 2000, 3, conflicts=0.2)`, joined by line ends."""


def _records(lines: list[bytes]) -> list[dict[str, Any]]:
    found = []
    for line in lines:
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found


def test_without_noise_the_bytes_are_what_they_were() -> None:
    """Whoever has written down what the demo says finds it again; the hash changes only with the demo itself."""
    assert hashlib.sha256(b"\n".join(make_demo(60, 2000, 3, conflicts=0.2).lines)).hexdigest() == PLAIN
    assert make_demo(60, 2000, 3, conflicts=0.2, noise=0.0).lines == make_demo(60, 2000, 3, conflicts=0.2).lines


def test_the_same_seed_and_noise_give_the_same_bytes() -> None:
    one, two = make_demo(50, 2000, 3, noise=0.3), make_demo(50, 2000, 3, noise=0.3)
    assert (one.lines, one.truth) == (two.lines, two.truth)
    assert len(one.lines) == 2000
    assert one.lines != make_demo(50, 2000, 3, noise=0.31).lines != make_demo(50, 2000, 4, noise=0.31).lines


def test_every_kind_of_error_occurs() -> None:
    """Guests, second accounts, addresses and devices of two people, and several spellings of one person."""
    demo = make_demo(400, 20_000, 1, noise=0.3)
    accounts, devices, guests = defaultdict(set), defaultdict(set), 0
    for record in _records(demo.lines):
        if record["type"] == "identify" and "email" in record.get("traits", {}):
            guests += "userId" not in record
            accounts[record["traits"]["email"].lower()].add(record.get("userId"))
        if "anonymousId" in record and "userId" in record:
            devices[record["anonymousId"]].add(record["userId"])
    assert guests > 20
    assert sum(len(users - {None}) > 1 for users in accounts.values()) > 10
    assert sum(len(users) > 1 for users in devices.values()) > 10
    people = defaultdict(set)
    for namespace, value, person in demo.truth:
        people[person].add((namespace, value))
    assert sum(sum(namespace == "user_id" for namespace, _ in known) > 1 for known in people.values()) > 3
    assert sum(sum(namespace == "email" for namespace, _ in known) > 1 for known in people.values()) > 20
    assert len(people) <= 400


def test_what_two_people_share_has_no_truth() -> None:
    """Each identifier has one person, as the rules write it, and a shared device or address has none."""
    demo = make_demo(300, 12_000, 2, noise=0.3)
    read = Identifiers(load(read_files(ROOT / "contracts")).identity)
    assert len({(namespace, value) for namespace, value, _ in demo.truth}) == len(demo.truth)
    assert all(read.normalize(namespace, value) is not None for namespace, value, _ in demo.truth)
    users = defaultdict(set)
    for record in _records(demo.lines):
        if "anonymousId" in record and "userId" in record:
            users[record["anonymousId"]].add(record["userId"])
    owner = {(namespace, value): person for namespace, value, person in demo.truth}
    shared = {device for device, known in users.items() if len({owner["user_id", user] for user in known}) > 1}
    assert shared
    assert not shared & {value for namespace, value, _ in demo.truth if namespace == "anonymous_id"}


def test_what_people_say_of_themselves_passes_its_contract() -> None:
    judge = jsonschema_rs.validator_for(load(read_files(ROOT / "contracts")).contracts["identify"][-1].schema)
    told = [record["traits"] for record in _records(make_demo(200, 8000, 5, noise=0.5).lines) if record["type"] == "identify"]
    assert told
    assert all(judge.is_valid(traits) for traits in told if "email" in traits)


@pytest.mark.parametrize("text", ["a", "Ann", "1980-05-17", "LS1 4AB", "o"])
def test_a_typo_changes_one_letter_or_digit(text: str) -> None:
    """A digit stays a digit, so that a date keeps its form; every text can be mistyped."""
    for seed in range(50):
        wrong = typo(Random(seed), text)
        assert abs(len(wrong) - len(text)) <= 1
        if text[0].isdigit():
            assert len(wrong) == len(text)
            assert sum(a != b for a, b in zip(text, wrong, strict=True)) == 1


def test_the_command_prints_how_many_people_it_finds(tmp_path: Path) -> None:
    """From nothing: events, truth, rules, model and charts; the commands that it prints work; comparing finds more than identifiers do."""
    out = tmp_path / "demo"
    done = skep("demo", "--people", "300", "--events", "8000", "--noise", "--until", "2026-07-01", "--out", str(out), timeout=300)
    assert done.returncode == 0, done.stderr
    assert "0.95" in done.stdout
    assert "false merges" in done.stdout
    names = {".demo.json", "events.jsonl", "_truth.jsonl", "identity.yaml", "identity_model.json", "identity_model.svg", "thresholds.svg"}
    assert {path.name for path in out.iterdir()} == names
    command = next(line.split() for line in done.stdout.splitlines() if "skep identity evaluate" in line)
    told = json.loads(skep(*command[1:], "--json", timeout=120).stdout)
    assert told["people"] <= 300
    rules = read_rules(out / "identity.yaml").identity
    whose = {(row["namespace"], row["value"]): row["person"] for row in map(json.loads, (out / "_truth.jsonl").read_text().splitlines())}
    records = read_records(out / "events.jsonl", rules).people.values()
    alone = [[whose[each] for each in person.identifiers if each in whose] for person in records]
    assert told["pairwise"]["f1"] > measure(alone).pairwise.f1 + 0.02
    assert told["pairwise"]["precision"] > 0.95


def test_too_few_people_and_a_share_that_is_none_are_refused_in_words(tmp_path: Path) -> None:
    few = skep("demo", "--people", "2", "--events", "20", "--noise", "0.1", "--out", str(tmp_path), timeout=120)
    assert (few.returncode, "Traceback" in few.stderr) == (1, False)
    assert "records" in few.stderr
    more = skep("demo", "--people", "2", "--events", "20", "--noise", "2", "--out", str(tmp_path))
    assert more.returncode == 2
    assert "--noise" in more.stderr


def test_the_rules_are_the_shops_with_a_part_that_compares(tmp_path: Path) -> None:
    path = tmp_path / "identity.yaml"
    path.write_text(noisy_rules(), encoding="utf-8")
    rules = read_rules(path).identity
    assert rules.namespaces == load(read_files(ROOT / "contracts")).identity.namespaces
    assert rules.probabilistic is not None
