"""`skep segments cost` and contracts/budget.yaml: what is counted, what is refused at check, and what at the next apply."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from contracts import ContractErrors, load
from skep.answers.segments.cost import SegmentCosts, costs
from skep.answers.status import status
from skep.project.apply import apply
from skep.project.errors import CommandError
from skep.project.settings import Settings
from tests.skep.small_shop import SECRET
from tests.skep.test_cli import skep

SEGMENTS = {
    "segments/a.yaml": "segment: a\nowner: crm\nwho: {did: paid, times: {gte: 2}}\n",
    "segments/b.yaml": "segment: b\nowner: crm\ntier: micro\nwho: {all: [{did: paid, times: {gte: 2}}, {did: seen}]}\n",
    "segments/c.yaml": "segment: c\nwho: {segment: b}\n",
}


@pytest.fixture
def settings(small_shop: Path, tmp_path: Path) -> Settings:
    return Settings.load(shutil.copytree(small_shop, tmp_path / "shop"), secret=SECRET)


def budget(settings: Settings, text: str) -> None:
    (settings.root / "contracts" / "budget.yaml").write_text(text)


def applied(settings: Settings) -> None:
    apply(settings, settings.spaces)
    done = skep("run", "--once", project=settings.root, SKEP_SECRET=SECRET)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tiers: {macro: {segments: 2}}", None),
        ("tiers: {macro: {segments: 1}}", "at most 1 segments of tier macro, found 2 segments of a and c"),
        ("owners: {crm: {features: 2}}", None),
        ("owners: {crm: {features: 1}}", "at most 1 features of owner crm, found 2 features of a and b"),
        ("owners: {shop: {segments: 1}}", None),
        ("owners: {crm: {members: 1, state: 1, evaluations: 1}}", None),
    ],
)
def test_what_definitions_alone_decide(text: str, said: str | None) -> None:
    """A feature that two ask for is one; what a segment that is named asks for is that one's. What is in force stays so."""
    files = {**SEGMENTS, "budget.yaml": text}
    load(files, unknown_events_ok=True, contradictions_ok=True)
    if said is None:
        assert load(files, unknown_events_ok=True).budget.limits
        return
    with pytest.raises(ContractErrors) as raised:
        load(files, unknown_events_ok=True)
    [problem] = raised.value.problems
    assert said in str(problem)
    assert (problem.file, problem.line) == ("budget.yaml", 1)


def found(settings: Settings) -> SegmentCosts:
    [one] = costs(settings, None)
    return one


def test_what_they_cost(settings: Settings) -> None:
    one = found(settings)
    by_name = {each.segment: each for each in one.segments}
    assert [(each.segment, each.features, each.members, each.tier) for each in one.segments] == [
        ("buyers", 1, 3, "macro"), ("spenders", 1, 2, "macro"), ("lapsing", 1, 2, "macro"),
    ]  # fmt: skip
    assert by_name["spenders"].state > 0
    assert by_name["buyers"].evaluations == pytest.approx(3 / 86_400, rel=1e-4)
    assert {each.owner: (each.segments, each.features, each.members) for each in one.owners} == {"": (1, 1.0, 3), "crm": (2, 2.0, 4)}
    assert one.limits == []
    done = skep("segments", "cost", project=settings.root, SKEP_SECRET=SECRET)
    assert (done.returncode, "by owner; what several ask for is shared out" in done.stdout) == (0, True)


def test_against_the_budget(settings: Settings) -> None:
    """Live it touches nothing but what is said: by the command, its exit code, `skep status`; and the next apply has to lower it."""
    budget(settings, "owners: {crm: {members: 3, state: 100000, features: 5}}\n")
    applied(settings)
    limits = {each.measure: each for each in found(settings).limits}
    assert {name: (each.used, each.over) for name, each in limits.items() if name != "state"} == {
        "members": (4, True),
        "features": (2, False),
    }
    assert not limits["state"].over
    done = skep("segments", "cost", "--json", project=settings.root, SKEP_SECRET=SECRET)
    assert (done.returncode, json.loads(done.stdout)[0]["limits"][0]["name"]) == (1, "crm")
    assert [(one.name, one.measure, one.used, one.most) for one in status(settings).over_budget] == [("crm", "members", 4, 3)]
    done = skep("status", project=settings.root, SKEP_SECRET=SECRET)
    assert "OVER BUDGET: 4 members of owner crm in space shop, and the budget has 3" in " ".join(done.stderr.split())
    buyers = settings.root / "contracts/segments/buyers.yaml"
    buyers.write_text(buyers.read_text().replace("within: 7d", "within: 8d"))
    refused = "space shop: expected at most 3 members of owner crm, found 4 live → take out or change one of spenders, lapsing, or raise"
    with pytest.raises(CommandError, match=refused):
        apply(settings, settings.spaces)
    spenders = settings.root / "contracts/segments/spenders.yaml"
    spenders.write_text(spenders.read_text().replace("gte: 50", "gte: 65"))
    applied(settings)
    assert status(settings).over_budget == []
    assert "over_budget" in _json(settings)


def _json(settings: Settings) -> Any:
    return json.loads(skep("status", "--json", project=settings.root, SKEP_SECRET=SECRET).stdout)
