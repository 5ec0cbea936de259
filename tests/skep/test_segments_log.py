"""`skep segments log` and `diff`, the sentences of `skep plan`, and `skep apply --plan FILE`: what a change is, in words, and no other."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from skep.answers.segments.diff import difference
from skep.answers.segments.log import logged
from skep.project.errors import CommandError
from skep.project.settings import Settings
from tests.skep.small_shop import SECRET
from tests.skep.test_cli import refused, skep

SPENDERS = "contracts/segments/spenders.yaml"


@pytest.fixture
def shop(small_shop: Path, tmp_path: Path) -> Path:
    return shutil.copytree(small_shop, tmp_path / "shop")


def told(shop: Path, *words: str) -> Any:
    done = skep(*words, "--json", project=shop, SKEP_SECRET=SECRET, SKEP_USER="jo@desk")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def written(shop: Path, path: str, before: str, after: str) -> None:
    text = (shop / path).read_text()
    assert before in text
    (shop / path).write_text(text.replace(before, after))


def applied(shop: Path, *words: str) -> None:
    for command in (("apply", *words), ("run", "--once")):
        done = skep(*command, project=shop, SKEP_SECRET=SECRET, SKEP_USER="jo@desk")
        assert done.returncode == 0, done.stderr


def test_who_changed_it_when_and_why(shop: Path) -> None:
    """Its own file, and what it rests on; a change of something else is none of its."""
    written(shop, SPENDERS, "gte: 50", "gte: 20")
    applied(shop, "--why", "fewer were left")
    written(shop, "contracts/segments/buyers.yaml", "within: 7d", "within: 8d")
    applied(shop)
    shutil.rmtree(shop / "contracts/segments")
    applied(shop)
    done = skep("rollback", "--why", "too few", project=shop, SKEP_SECRET=SECRET, SKEP_USER="jo@desk")
    assert done.returncode == 0, done.stderr
    found = logged(Settings.load(shop, secret=SECRET), "lapsing", None)
    assert [(one.how, one.by, one.why, one.rollback, one.version) for one in found] == [
        ("added", "ci@build", None, False, 2), ("changed", "jo@desk", "fewer were left", False, 2),
        ("removed", "jo@desk", None, False, None), ("added", "jo@desk", "too few", True, 2),
    ]  # fmt: skip
    [change] = found[1].changes
    assert change.of == "segment spenders"
    assert change.before == "Members of spenders are those whose spent is at least 50."
    assert change.after == "Members of spenders are those whose spent is at least 20."
    assert (found[1].people is not None, found[3].people) == (True, None)
    assert [one["how"] for one in told(shop, "segments", "log", "spenders")] == ["added", "changed", "removed", "added"]


def test_a_trait_on_which_it_rests(shop: Path) -> None:
    written(shop, "contracts/traits.yaml", "sum: revenue", "max: revenue")
    found = difference(Settings.load(shop, secret=SECRET), "lapsing", None, None, None)
    assert [one.of for one in found.changes] == ["trait spent"]
    assert found.lines == []
    assert "greatest revenue" in str(found.changes[0].after)


def test_what_is_between_two_definitions(shop: Path) -> None:
    settings = Settings.load(shop, secret=SECRET)
    assert difference(settings, "spenders", None, None, None).changes == []
    written(shop, SPENDERS, "gte: 50", "gte: 20")
    first = difference(settings, "spenders", None, None, None)
    assert [one.of for one in first.changes] == ["who"]
    assert [line for line in first.lines if line.startswith(("+who", "-who"))] == [
        "-who: {trait: spent, gte: 50}", "+who: {trait: spent, gte: 20}",
    ]  # fmt: skip
    applied(shop)
    back = difference(settings, "spenders", None, first.before[:6], None)
    assert (back.before, back.after) == (first.after, first.before)
    shown = skep("segments", "diff", "spenders", "--from", first.before, project=shop, SKEP_SECRET=SECRET).stdout
    assert "    - Members of spenders are those whose spent is at least 50." in shown
    assert "nothing differs" in skep("segments", "diff", "spenders", project=shop, SKEP_SECRET=SECRET).stdout


def test_what_there_is_not(shop: Path) -> None:
    settings = Settings.load(shop, secret=SECRET)
    with pytest.raises(CommandError, match="expected a segment that has been in force, found lapsin → did you mean lapsing"):
        logged(settings, "lapsin", None)
    with pytest.raises(CommandError, match="expected the name of a segment, found lapsin → did you mean lapsing"):
        difference(settings, "lapsin", None, None, None)
    with pytest.raises(
        CommandError, match="--from: expected the beginning of a digest that was in force, found 77 → `skep audit` lists them"
    ):
        difference(settings, "lapsing", "77", None, None)
    (shop / "contracts/segments/young.yaml").write_text("segment: young\nwho: {did: page_viewed}\n")
    with pytest.raises(CommandError, match="found young, which is not yet → `skep apply`"):
        logged(settings, "young", None)


def test_a_plan_says_what_changes_for_whom(shop: Path) -> None:
    """In words, for the segments that ask about it, and how many changes each destination would be told."""
    written(shop, SPENDERS, "gte: 50", "gte: 65")
    [plan] = told(shop, "plan")
    assert [(one["segment"], one["how"], one["asked_by"]) for one in plan["meanings"]] == [
        ("lapsing", "rests on others", []), ("spenders", "changed", ["lapsing"]),
    ]  # fmt: skip
    assert plan["segments"]["lapsing"]["told"] == {"file": {"entered": 0, "left": 2}}
    assert plan["segments"]["spenders"]["told"] == {}
    shown = skep("plan", project=shop, SKEP_SECRET=SECRET, COLUMNS="100").stdout
    assert "    + Members of spenders are those whose spent is at least 65." in shown
    assert "0 enter, 2 leave: 2 members now, 0 after; file would be told of 0 who entered and 2 who left" in shown
    assert "lapsing asks about it" in shown
    assert "spenders now    █" in shown


def test_exactly_what_was_planned(shop: Path) -> None:
    """A plan in a file holds while the files, what is in force, and the figures are what they were."""
    written(shop, SPENDERS, "gte: 50", "gte: 65")
    kept = shop / "plan.json"
    kept.write_text(json.dumps(told(shop, "plan")))
    written(shop, SPENDERS, "gte: 65", "gte: 64")
    assert "files or definitions in force that are others by now" in refused(
        skep("apply", "--plan", str(kept), project=shop, SKEP_SECRET=SECRET)
    )
    written(shop, SPENDERS, "gte: 64", "gte: 65")
    [plan] = json.loads(kept.read_text())
    plan["segments"]["spenders"]["leave"]["count"] = 3
    kept.write_text(json.dumps([plan]))
    moved = "expected what was planned, give or take 0%, found shop: 2 who leave spenders, planned were 3 →"
    assert moved in refused(skep("apply", "--plan", str(kept), project=shop, SKEP_SECRET=SECRET))
    done = skep("apply", "--plan", str(kept), "--tolerance", "35%", project=shop, SKEP_SECRET=SECRET)
    assert done.returncode == 0, done.stderr
    assert logged(Settings.load(shop, secret=SECRET), "spenders", None)[-1].how == "changed"


def test_what_is_no_plan(shop: Path) -> None:
    kept = shop / "plan.json"
    kept.write_text("[{}]")
    assert "expected what `skep plan --json` prints, found something else" in refused(skep("apply", "--plan", str(kept), project=shop))
    kept.write_text(json.dumps(told(shop, "plan")))
    assert "found one by which nothing changes" in refused(skep("apply", "--plan", str(kept), project=shop, SKEP_SECRET=SECRET))
    said = refused(skep("apply", "--plan", str(kept), "--tolerance", "much", project=shop, SKEP_SECRET=SECRET))
    assert "--tolerance: expected a share such as 5% or 0.05, found much" in said
