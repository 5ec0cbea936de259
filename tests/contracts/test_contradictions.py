"""An `all` that nobody can meet is refused, with both lines; one that somebody can meet never is."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import orjson
import pytest

from contracts import ContractErrors, load
from contracts.model.hashing import Hasher
from tests.contracts.project import segment
from tests.drawn_definitions import drawn_files
from tests.generator import scenario, to_events
from tests.model import dump

CANNOT = {
    "one count": ("{did: order_completed, times: {gt: 5}}", "{did: order_completed, times: {lt: 3}}"),
    "two counts": ("{did: order_completed, times: 2}", "{did: Order Completed, times: 3}"),
    "no number between": ("{did: order_completed, times: {gt: 2}}", "{did: order_completed, times: {lt: 3}}"),
    "did and did not": ("{did: order_completed, within: 7d}", "{not: {did: order_completed, within: 7d}}"),
    "a longer window": ("{did: order_completed, within: 7d}", "{not: {did: order_completed, within: 30d}}"),
    "no window at all": ("{did: order_completed, within: 7d, times: {gte: 3}}", "{did: order_completed, times: {lt: 3}}"),
    "fewer filters": ("{did: order_completed, where: {currency: EUR}}", "{not: {did: order_completed}}"),
    "a prefix": ("{did: order_completed}", "{did: order_*, times: 0}"),
    "more values than events": ("{did: order_completed, distinct: order_id, gte: 3}", "{did: order_completed, times: {lte: 2}}"),
    "a sum of nothing": ("{did: order_completed, sum: revenue, gt: 50}", "{not: {did: order_completed}}"),
    "one sum": ("{did: order_completed, sum: revenue, gt: 50}", "{did: order_completed, sum: revenue, lte: 50}"),
    "two values": ("{trait: city, eq: Bonn}", "{trait: city, eq: Rome}"),
    "two lists": ("{trait: city, in: [Bonn, Rome]}", "{trait: city, in: [Oslo, Riga]}"),
    "a number of a trait": ("{trait: age, gt: 5}", "{trait: age, lt: 3}"),
    "there and missing": ("{trait: city, exists: true}", "{trait: city, exists: false}"),
    "a value of what is missing": ("{trait: city, eq: Bonn}", "{trait: city, exists: false}"),
    "a value and not that value": ("{trait: plan, eq: plus}", "{not: {trait: plan, in: [free, plus]}}"),
    "two beginnings": ("{trait: city, starts_with: B}", "{trait: city, starts_with: R}"),
    "a part of the beginning": ("{trait: city, starts_with: Bonn}", "{trait: city, not_contains: onn}"),
    "two days": ("{trait: city, gt: 2026-05-01}", "{trait: city, lt: 2026-04-01}"),
    "before and after a day": ("{trait: city, before: 2026-05-01}", "{trait: city, after: 2026-05-01}"),
    "on a day and before it": ("{trait: city, on: 2026-05-01}", "{trait: city, before: 2026-05-01}"),
    "a list and a text": ("{trait: city, includes: a}", "{trait: city, matches: a}"),
    "consent and none": ("{consent: marketing}", "{not: {consent: marketing}}"),
    "neither of two": ("{did: order_completed}", "{not: {any: [{did: order_completed}, {consent: marketing}]}}"),
    "in a list in it": ("{trait: city, eq: Bonn}", "{all: [{consent: marketing}, {trait: city, eq: Rome}]}"),
}
CAN = {
    "the same twice": ("{did: order_completed}", "{did: order_completed}"),
    "what the other says already": ("{did: order_completed, times: {gt: 2}}", "{did: order_completed, times: {gt: 5}}"),
    "orders of other filters": ("{did: order_completed, where: {currency: EUR}}", "{did: order_completed, where: {currency: GBP}}"),
    "none of other filters": ("{did: order_completed, where: {currency: EUR}}", "{not: {did: order_completed, where: {currency: GBP}}}"),
    "a shorter window": ("{did: order_completed, within: 30d}", "{not: {did: order_completed, within: 7d}}"),
    "one more": ("{did: order_completed, times: {gt: 2}}", "{did: order_completed, times: {lt: 4}}"),
    "a sum between": ("{did: order_completed, sum: revenue, gt: 2}", "{did: order_completed, sum: revenue, lt: 3}"),
    "a sum of some": ("{did: order_completed, sum: revenue, gt: 50}", "{not: {did: order_completed, within: 7d}}"),
    "one of two": ("{any: [{trait: city, eq: Bonn}, {trait: city, eq: Rome}]}", "{trait: city, eq: Rome}"),
    "another item": ("{trait: 'tags[]', eq: a}", "{trait: 'tags[]', eq: b}"),
    "an empty text": ("{trait: city, is: empty}", "{trait: city, exists: true}"),
    "equal numbers": ("{trait: age, eq: 5}", "{trait: age, in: [5.0, 7]}"),
    "an end and a beginning": ("{trait: city, starts_with: Bo}", "{trait: city, starts_with: Bonn}"),
    "one day": ("{trait: city, gte: 2026-05-01}", "{trait: city, lte: 2026-05-01}"),
    "an hour of a day": ("{trait: city, gt: 2026-05-01}", "{trait: city, lt: '2026-05-02T12:00:00Z'}"),
    "before the day after": ("{trait: city, on: 2026-05-01}", "{trait: city, before: 2026-05-02}"),
    "in capitals": ("{trait: city, eq: BONN, ignore_case: true}", "{trait: city, eq: Bonn}"),
    "one item and another": ("{trait: tags, any_item: {eq: a}}", "{trait: tags, any_item: {eq: b}}"),
    "not a day after": ("{trait: city, eq: 2026-05-01}", "{not: {trait: city, gt: 2026-05-02}}"),
}


def _project(one: str, two: str) -> dict[str, str]:
    identify = '{"type": "object", "properties": {"plan": {"type": "string"}, "city": {}, "age": {}, "tags": {}}}'
    return {**segment(f"\n  all:\n    - {one}\n    - {two}"), "events/identify/1-0-0.json": identify}


@pytest.mark.parametrize("case", CANNOT)
def test_what_cannot_hold_together_is_refused_with_both_lines(case: str) -> None:
    """The problem stands at the second condition and names the line of the first."""
    with pytest.raises(ContractErrors) as raised:
        load(_project(*CANNOT[case]))
    (problem,) = raised.value.problems
    assert problem.expected == "conditions that can hold together"
    assert problem.line == 5
    assert "in line 4" in problem.found
    assert "in line 5" in problem.found


@pytest.mark.parametrize("case", CAN)
def test_what_can_hold_together_is_taken(case: str) -> None:
    """Also what is said twice, and what the other condition implies."""
    load(_project(*CAN[case]))


def test_one_that_is_in_force_already_is_read() -> None:
    """An older version let it pass, and a flow goes on with what is in force; only who writes it anew is told."""
    files = segment("{all: [{trait: age, gt: 5}, {trait: age, lt: 3}]}")
    with pytest.raises(ContractErrors):
        load(files)
    assert load(files, contradictions_ok=True).segments


def test_a_purpose_is_a_condition() -> None:
    """Without the consent that a segment asks for nobody is a member, and so not one who has denied it."""
    files = segment("{not: {consent: marketing}}")
    files["segments/one.yaml"] += "purpose: marketing\n"
    with pytest.raises(ContractErrors, match="consent marketing in line 3"):
        load(files)


def test_each_all_is_looked_at_wherever_it_stands() -> None:
    """Below an `any` and below a `not`; branches of an `any` are not held against each other."""
    dead = "{all: [{trait: city, eq: Bonn}, {trait: city, eq: Rome}]}"
    for who in (f"{{any: [{dead}, {{consent: marketing}}]}}", f"{{not: {dead}}}", f"{{not: {{any: [{{consent: marketing}}, {dead}]}}}}"):
        with pytest.raises(ContractErrors, match="conditions that can hold together"):
            load(segment(who))
    load(segment("{any: [{trait: city, eq: Bonn}, {trait: city, eq: Rome}]}"))


def test_only_what_contradicts_is_named() -> None:
    """Conditions that have nothing to do with it are not."""
    with pytest.raises(ContractErrors) as raised:
        load(
            segment("\n  all:\n    - {trait: age, gt: 5}\n    - {consent: marketing}\n    - {trait: age, gt: 1}\n    - {trait: age, lt: 3}")
        )
    assert raised.value.problems[0].found == "trait age gt 5 in line 4 and trait age lt 3 in line 7"


# ── soundness ───────────────────────────────────────────────────────────────────────────────────────────────────────
def _drawn(rng: Random, subject: str) -> dict[str, Any]:
    """A condition of few words on one subject."""
    n = rng.choice([0, 1, 2, 3])
    number = rng.choice([{"gte": n}, {"gt": n}, {"lt": n + 1}, {"lte": n}, {"eq": n}, {"ne": n}, {"in": [0, n]}, {"between": [n, n + 1]}])
    text = rng.choice(
        [{"eq": "A"}, {"ne": "A"}, {"in": ["A", "B"]}, {"exists": False}, {"is": "empty"}, {"starts_with": "B"}, {"not_contains": "B"},
         {"gt": "A"}, {"lte": "B"}, {"eq": 1}, {"is": "number"}, {"gt": 0}]
    )  # fmt: skip
    did: dict[str, Any] = {"did": rng.choice(["order_completed", "order_*"])} | rng.choice([{}, {"within": "1d"}, {"within": "10d"}])
    did |= rng.choice([{}, {}, {"where": {"currency": "EUR"}}])
    one = {
        "times": did | {"times": number},
        "measure": did | rng.choice([{"times": number}, {"sum": "amount", "value": number}, {"distinct": "sku", "value": number}]),
        "trait": {"trait": rng.choice(["first_sku", "first_sku", "skus[]"]), **text},
        "number": {"trait": "age", **number},
    }[subject]
    return {"not": one} if rng.random() < 0.3 else one


@pytest.mark.parametrize("seed", range(2))
def test_nobody_meets_what_is_refused(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of generated segments those that are refused have no member in the model, whoever the people are; most others have some."""
    rng = Random(f"{seed}:contradictions")
    files = {path: text for path, text in drawn_files(seed).items() if not path.startswith("segments/")}
    for number in range(100):
        subject = rng.choice(["times", "measure", "trait", "number"])
        who = {"all": [_drawn(rng, subject) for _ in range(rng.choice([2, 2, 3]))]}
        files[f"segments/s{number}.yaml"] = json.dumps({"segment": f"s{number}", "who": who})
    with pytest.raises(ContractErrors) as raised:
        load(files)
    assert {problem.expected for problem in raised.value.problems} <= {"conditions that can hold together", "a comparison that can be true"}
    refused = {problem.file.removeprefix("segments/").removesuffix(".yaml") for problem in raised.value.problems}
    monkeypatch.setattr("contracts.reading.segments.check_contradictions", lambda *_: None)
    definitions = load(files)
    members: set[str] = set()
    for people in range(seed * 100, seed * 100 + 3):
        made = scenario(people, 30)
        events = to_events(made.events, definitions)
        lines = dump(events, made.control, definitions, made.at(events), hasher=Hasher("secret", "shop"))
        members |= {name for line in map(orjson.loads, lines) if line["kind"] == "profile" for name in line["segments"]}
    assert len(refused) > 12
    assert len(members) > 30
    assert refused & members == set()
