"""`skep segments doctor`: each kind of illness is found where it is, and nothing where there is none."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from skep.answers.segments.doctor import KINDS, SegmentFinding, SegmentHealth, diagnosed
from skep.project.errors import CommandError
from skep.project.settings import Settings
from tests.skep.small_shop import SECRET
from tests.skep.test_cli import skep

FIRST = date(2026, 1, 1)
DAYS = 60
"""The shop goes on for so many days; what is old ends on the tenth of them."""
SEGMENTS = {
    "healthy": "who: {did: order_completed, within: 20d}",
    "nowhere": "who: {did: page_viewed, where: {path: /nowhere}}",
    "everybody": "who: {not: {did: page_viewed, where: {path: /nowhere}}}",
    "whoever": "who: {all: [{did: order_completed}, {any: [{did: page_viewed}, {not: {did: page_viewed}}]}]}",
    "long_ago": "who: {did: order_old}",
    "gone_quiet": "who: {segment: nowhere}",
    "twin": "who: {did: order_completed, within: 480h, times: {gte: 1}}",
    "burst": "min_size: 1000\nwho: {did: sale_joined}",
    "open_letter": "who: {did: order_completed}\nactivate: [letters]",
    "nobody_asked": "purpose: marketing\nwho: {did: order_old}",
    "halves": "who: {any: [{did: order_completed}, {did: page_viewed, where: {path: /nowhere}}]}",
}


def events() -> Iterator[dict[str, Any]]:
    """A customer a day, who orders; one order of the old kind; a sale that half the customers join on one day, and others one by one."""
    for day in range(DAYS):
        when = f"{FIRST + timedelta(days=day)}T12:00:00.000Z"
        yield event(f"a{day}", "track", when, f"u{day}", event="Order Completed")
        yield event(f"p{day}", "page", when, f"u{day}", properties={"path": "/"})
        if day % 10 == 5:
            yield event(f"s{day}", "track", when, f"u{day}", event="Sale Joined")
        if day == 9:
            yield event("old", "track", when, "u9", event="Order Old")
    when = f"{FIRST + timedelta(days=DAYS - 3)}T13:00:00.000Z"
    for day in range(30):
        yield event(f"b{day}", "track", when, f"u{day}", event="Sale Joined")


def event(number: str, kind: str, when: str, user: str, **fields: Any) -> dict[str, Any]:
    return {"messageId": number, "type": kind, "timestamp": when, "userId": user, **fields}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("ill")
    files = {
        "skep.yaml": "spaces: [shop]\nhorizon: 90d\nunknown_events: accept\nsources: [{name: web, kind: jsonl, path: web.jsonl}]\n",
        "contracts/consent.yaml": "purposes: [{name: marketing, default: denied}]\n",
        "contracts/destinations/letters.yaml": "kind: file\npath: data/letters.jsonl\n",
        "web.jsonl": "".join(json.dumps(one) + "\n" for one in sorted(events(), key=lambda one: one["timestamp"])),
        **{f"contracts/segments/{name}.yaml": f"segment: {name}\n{text}\n" for name, text in SEGMENTS.items()},
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    done = skep("run", "--once", project=folder, SKEP_SECRET=SECRET, SKEP_BATCH_SIZE="1")
    assert done.returncode == 0, done.stderr
    return Settings.load(folder, secret=SECRET)


@pytest.fixture(scope="module")
def found(settings: Settings) -> SegmentHealth:
    [health] = diagnosed(settings, None, 30)
    return health


def by_segment(found: SegmentHealth) -> dict[str, dict[str, SegmentFinding]]:
    told: dict[str, dict[str, SegmentFinding]] = defaultdict(dict)
    for one in found.findings:
        told[one.segment][one.kind] = one
    return told


def test_each_illness_is_found(found: SegmentHealth) -> None:
    told = by_segment(found)
    assert told["nowhere"]["never_matched"].says == "nobody has ever been a member"
    assert told["everybody"]["always_matched"].says == "all 60 people are members"
    assert (told["whoever"]["always_true"].says, told["whoever"]["always_true"].line) == ("the condition in line 2 is always true", 2)
    assert told["long_ago"]["nobody_new"].says == "nobody has entered for 50 days, since 2026-01-10"
    assert told["long_ago"]["dead_dependency"].says == "order_old has not come for 50 days, since 2026-01-10"
    assert told["gone_quiet"]["dead_dependency"].says == "nobody has ever been a member of nowhere, which it asks about"
    assert (told["healthy"]["near_duplicate"].other, told["healthy"]["near_duplicate"].says) == (
        "twin", "20 of the 20 who are in it or in twin are in both, 100%",
    )  # fmt: skip
    assert told["burst"]["size_jumped"].says == ("on 2026-02-27 it went from 6 to 33 members; the usual change of a day is 0")
    assert told["burst"]["too_small"].says == "33 members, and the min_size of the segment is 1,000"
    assert "60 of 60 members do not consent to marketing" in told["open_letter"]["not_consented"].says
    assert told["nobody_asked"]["not_consented"].says == "the conditions hold of one person, who does not consent to marketing"
    assert told["halves"]["holds_of_nobody"].says == "did page_viewed, where path is /nowhere, times at least 1: holds of nobody"
    assert told["healthy"]["unused"].says == "no destination is told of it, and no segment asks about it"


def test_nothing_is_found_where_nothing_is(found: SegmentHealth) -> None:
    """What somebody enters every day, and what other segments ask about."""
    told = by_segment(found)
    assert set(told["healthy"]) == {"near_duplicate", "unused"}
    assert "unused" not in told["nowhere"]
    assert "unused" not in told["open_letter"]
    assert {one.kind for one in found.findings} <= set(KINDS)
    assert found.hashed == {}


def test_how_long_is_too_long(settings: Settings) -> None:
    [health] = diagnosed(settings, None, 60)
    assert not {one.kind for one in health.findings if one.segment == "long_ago"} & {"nobody_new", "dead_dependency"}
    with pytest.raises(CommandError, match="--days: expected a number from 1 on, found 0"):
        diagnosed(settings, None, 0)


def test_on_the_command_line(settings: Settings) -> None:
    done = skep("segments", "doctor", project=settings.root, SKEP_SECRET=SECRET)
    assert done.returncode == 0
    assert "never matched" in done.stdout
    [health] = json.loads(skep("segments", "doctor", "--json", project=settings.root, SKEP_SECRET=SECRET).stdout)
    assert health["segments"] == len(SEGMENTS)
