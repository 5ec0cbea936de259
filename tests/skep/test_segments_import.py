"""`skep segments import`: definitions of four platforms, made after their documentation, as ours; golden files, which REWRITE=1 writes.

Each of them is loaded as it is written, and what cannot be said is refused by its place.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from contracts import ContractErrors, load
from skep.answers.simulation.members import simulate_segments
from skep.project.errors import CommandError
from skep.tools.importing.imported import drafted
from tests.skep.test_cli import refused, skep

GOLDEN = Path(__file__).parent / "data" / "imports"


def last(amount: int, unit: str, before: str = "") -> dict[str, Any]:
    """A window of PostHog's."""
    return {f"{before}time_value": amount, f"{before}time_interval": unit}


def profile(name: str, operator: str, value: dict[str, Any]) -> dict[str, Any]:
    """A condition of Unomi's on a property of the profile."""
    given = {"propertyName": f"properties.{name}", "comparisonOperator": operator, **value}
    return {"type": "profilePropertyCondition", "parameterValues": given}


EVENT = {"type": "behavioral", "event_type": "events", "key": "order_completed"}
SAMPLES: dict[str, dict[str, Any]] = {
    "posthog": {
        "people": [
            {"type": "person", "key": "plan", "operator": "exact", "value": ["gold", "free"]},
            {"type": "person", "key": "age", "operator": "gte", "value": "18"},
            {"type": "person", "key": "seats", "operator": "exact", "value": "5"},
            {"type": "person", "key": "email", "operator": "not_icontains", "value": "@example.com"},
            {"type": "person", "key": "name", "operator": "is_not_set", "value": "is_not_set"},
            {"type": "person", "key": "joined", "operator": "is_date_after", "value": "-30d"},
            {"type": "person", "key": "joined", "operator": "is_date_before", "value": "2026-01-31"},
            {"type": "person", "key": "phone", "operator": "regex", "value": "^\\+44"},
        ],
        "behaviour": [
            {**EVENT, "value": "performed_event", **last(30, "day")},
            {**EVENT, "key": "order_refunded", "value": "performed_event", **last(1, "month"), "negation": True},
            {**EVENT, "value": "performed_event_multiple", "operator": "lte", "operator_value": 3, **last(1, "week")},
            {**EVENT, "key": "$pageview", "value": "performed_event_multiple", "operator": "gte", "operator_value": 5,
             "explicit_datetime": "-7d", "event_filters": [{"type": "event", "key": "path", "operator": "icontains", "value": "/hives"}]},
            {**EVENT, "value": "performed_event_first_time", **last(7, "day")},
        ],
        "lifecycle": [
            {**EVENT, "value": "performed_event_sequence", "key": "product_added", "seq_event": "order_completed", **last(8, "day"),
             **last(3, "day", "seq_")},
            {**EVENT, "value": "stopped_performing_event", **last(30, "day"), **last(7, "day", "seq_")},
            {**EVENT, "value": "restarted_performing_event", **last(30, "day"), **last(7, "day", "seq_")},
            {**EVENT, "value": "performed_event_regularly", "operator": "gte", "operator_value": 1, **last(3, "day"),
             "min_periods": 2, "total_periods": 4},
            {"type": "behavioral", "event_type": "actions", "key": 7, "value": "performed_event", **last(30, "day")},
        ],
    },
    "segment": {
        "bought": "event('Shoes Bought').where( property('price') >= 100 ).within(7 days).count() >= 1",
        "not_bought": "NOT ( event('Shoes Bought').count() >= 1 AND trait('total_spend') > 200 )",
        "returned": "event('Shoes Bought').where(event('Shoes Returned').within(parent: 5 days).count() >= 1).within(30 days).count() >= 1",
        "spent": "event('Order Completed').between(30 days, 60 days).sum(property('total')) > 99.5 AND trait('bought') = 'true'",
        "texts": "trait('email').ends_with('@example.com') AND trait('city').one_of('Rome', 'Oslo') AND trait('name').absent()",
        "either": "event('Viewed').where(property('a') = 'x' OR context('page.url').contains('y')).count() >= 1 OR trait('a').omits('b')",
        "days": "trait('birthday').within_next(7 days) AND event('Seen').unique(property('sku')).count() >= 3",
        "accounts": "ALL ( event('Shoes Bought').count() >= 1 )",
    },
    "unomi": {
        "adults": profile("age", "greaterThanOrEqualTo", {"propertyValueInteger": 18}),
        "towns": {"type": "booleanCondition", "parameterValues": {"operator": "and", "subConditions": [
            profile("city", "in", {"propertyValues": ["Rome", "Oslo"]}),
            profile("plan", "notEquals", {"propertyValue": "gold"}),
            profile("lastVisit", "greaterThan", {"propertyValueDateExpr": "now-30d"}),
            profile("home", "distance", {"center": "52.5,13.4", "distance": 10, "unit": "kilometers"}),
            {"type": "profileSegmentCondition", "parameterValues": {"segments": ["adults"], "matchType": "in"}}]}},
        "orders": {"type": "booleanCondition", "parameterValues": {"operator": "or", "subConditions": [
            {"type": "pastEventCondition", "parameterValues": {"numberOfDays": 30, "minimumEventCount": 2, "maximumEventCount": 5,
                "eventCondition": {"type": "booleanCondition", "parameterValues": {"operator": "and", "subConditions": [
                    {"type": "eventTypeCondition", "parameterValues": {"eventTypeId": "order"}},
                    {"type": "eventPropertyCondition", "parameterValues": {
                        "propertyName": "properties.total", "comparisonOperator": "greaterThan", "propertyValueDouble": 9.5}}]}}}},
            {"type": "notCondition", "parameterValues": {"subCondition": {"type": "pastEventCondition", "parameterValues": {
                "eventCondition": {"type": "eventTypeCondition", "parameterValues": {"eventTypeId": "view"}}}}}},
            {"type": "goalMatchCondition", "parameterValues": {"goalId": "g"}}]}},
    },
    "dittofeed": {
        "traits": [
            {"type": "Trait", "path": "plan", "operator": {"type": "Equals", "value": "gold"}},
            {"type": "Trait", "path": "$.seats", "operator": {"type": "Equals", "value": "5"}},
            {"type": "Trait", "path": "createdAt", "operator": {"type": "Within", "windowSeconds": 1800}},
            {"type": "Trait", "path": "status", "operator": {"type": "HasBeen", "comparator": "GTE", "value": "trial",
             "windowSeconds": 604800}},
            {"type": "Trait", "path": "email", "operator": {"type": "NotExists"}},
        ],
        "events": [
            {"type": "Performed", "event": "Order Completed", "times": 3, "timesOperator": ">=", "withinSeconds": 86400,
             "properties": [{"path": "currency", "operator": {"type": "Equals", "value": "EUR"}}]},
            {"type": "LastPerformed", "event": "Subscription Changed", "hasProperties": [
                {"path": "action", "operator": {"type": "Equals", "value": "Subscribe"}}]},
            {"type": "RandomBucket", "percent": 0.1},
            {"type": "Everyone"},
            {"type": "Email", "event": "DFEmailOpened", "templateId": "t"},
        ],
    },
}  # fmt: skip


def exported(platform: str) -> Any:
    """The samples as the platform exports them."""
    samples = SAMPLES[platform]
    if platform == "posthog":
        inside = {name: {"properties": {"type": "OR", "values": [{"type": "AND", "values": parts}]}} for name, parts in samples.items()}
        cohorts = [{"id": at, "name": name, "filters": inside[name], "is_static": False} for at, name in enumerate(samples)]
        both = {
            "type": "AND",
            "values": [{"type": "cohort", "key": "id", "value": 0}, {"type": "cohort", "key": "id", "value": 1, "negation": True}],
        }
        cohorts += [
            {"id": 8, "name": "In one, not the other!", "filters": {"properties": both}},
            {"id": 9, "name": "A list of people", "is_static": True, "filters": {}},
            {
                "id": 10,
                "name": "Of long ago",
                "groups": [{"event_id": "order_completed", "days": 7}, {"properties": [{"key": "a", "value": "b"}]}],
            },
            {"id": 11, "name": "gone", "deleted": True},
        ]
        return {"count": len(cohorts), "results": cohorts}
    if platform == "segment":
        return {"data": {"audiences": [{"key": key, "name": key, "definition": {"query": text}} for key, text in samples.items()]}}
    if platform == "unomi":
        return [{"metadata": {"id": name, "name": name.title(), "scope": "shop"}, "condition": one} for name, one in samples.items()]
    told = []
    for name, parts in samples.items():
        nodes = [{"id": str(at), **one} for at, one in enumerate(parts)]
        entry = {"type": "And", "id": "entry", "children": [one["id"] for one in nodes]}
        told.append({"id": name, "name": name, "definition": {"entryNode": entry, "nodes": nodes}})
    return {"segments": told}


@pytest.mark.parametrize("platform", sorted(SAMPLES))
def test_samples(platform: str, tmp_path: Path) -> None:
    """As golden files; all of them together are good, but for what is marked as missing."""
    file = tmp_path / "export.json"
    file.write_text(json.dumps(exported(platform)))
    found = drafted(platform, file)
    text = "".join(f"# ── {one.name}.yaml\n{one.text()}" for one in found)
    golden = GOLDEN / f"{platform}.yaml"
    if os.environ.get("REWRITE"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(text)
    assert text == golden.read_text()
    files = {f"segments/{one.name}.yaml": one.text() for one in found} | {"lists/a_list_of_people.csv": "namespace,value\nuser_id,1\n"}
    try:
        load(files, unknown_events_ok=True)
        problems = []
    except ContractErrors as error:
        problems = error.problems
    wrong = {one.file for one in problems}
    assert wrong == {f"segments/{one.name}.yaml" for one in found if one.missing}, [str(one) for one in problems]
    assert all("missing" in str(one) for one in problems), [str(one) for one in problems]


def members(folder: Path, who: str, *events: dict[str, Any], at: str = "2026-03-10T00:00:00Z") -> bool:
    """Whether somebody who does this is in."""
    definitions, lines = folder / "tried", folder / "events.jsonl"
    definitions.mkdir(exist_ok=True)
    (definitions / "s.yaml").write_text(who)
    lines.write_text("".join(json.dumps({"userId": "1", **one}) + "\n" for one in events))
    return any(one.segments for one in simulate_segments(definitions, lines, [at], None, lambda *_: None).enrolled)


def one(folder: Path, platform: str, document: Any) -> str:
    file = folder / "one.json"
    file.write_text(document if isinstance(document, str) else json.dumps(document))
    [found] = drafted(platform, file)
    return found.text().replace(f"segment: {found.name}", "segment: s")


def done(event: str, day: int, **said: Any) -> dict[str, Any]:
    return {"type": "track", "event": event, "timestamp": f"2026-03-{day:02}T12:00:00Z", "properties": said}


def test_they_mean_what_they_meant(tmp_path: Path) -> None:
    """Run by the engine: windows, counts, and what is negative of those who have nothing."""
    funnel = "event('A').where(event('B').within(parent: 2 days).count() = 0).within(30 days).count() >= 1"
    assert members(tmp_path, one(tmp_path, "segment", funnel), done("A", 1), done("B", 5))
    assert not members(tmp_path, one(tmp_path, "segment", funnel), done("A", 1), done("B", 2))
    few = {**EVENT, "value": "performed_event_multiple", "operator": "lte", "operator_value": 1, **last(5, "day")}
    cohort = one(tmp_path, "posthog", {"id": 1, "name": "s", "filters": {"properties": {"type": "AND", "values": [few]}}})
    assert members(tmp_path, cohort, done("order_completed", 8))
    assert not members(tmp_path, cohort, done("order_completed", 1))
    without = {"type": "person", "key": "plan", "operator": "is_not", "value": ["gold"]}
    cohort = one(tmp_path, "posthog", {"id": 1, "name": "s", "filters": {"properties": {"type": "AND", "values": [without]}}})
    assert members(tmp_path, cohort, done("x", 1))
    folded = profile("city", "equals", {"propertyValue": "rome"})  # fmt: skip
    segment = one(tmp_path, "unomi", {"metadata": {"id": "s"}, "condition": folded})
    assert members(tmp_path, segment, {"type": "identify", "timestamp": "2026-03-01T00:00:00Z", "traits": {"city": "Rome"}})


@pytest.mark.parametrize(
    ("platform", "text", "words"),
    [
        ("posthog", "trait('a') = 1", "expected JSON as posthog exports it"),
        ("posthog", "[]", "expected segments as posthog exports them, found none"),
        ("unomi", '[{"condition": {"type": "booleanCondition", "parameterValues": {"subConditions": 7}}}]', "found something else"),
        ("segment", "event('A').count() >= ", "expected word, found 'the end'"),
        ("segment", "event('A') ; drop", "expected a query in Segment's language, found ' ; drop'"),
        ("segment", "event('A').count() >= 1 event('B')", "expected the end, found 'event'"),
        ("segment", '{"data": {"audience": {"key": "a"}}}', "expected an audience with a definition, found none in a"),
    ],
)
def test_what_cannot_be_read(tmp_path: Path, platform: str, text: str, words: str) -> None:
    (tmp_path / "export").write_text(text)
    with pytest.raises(CommandError) as raised:
        drafted(platform, tmp_path / "export")
    assert words in str(raised.value)


def test_on_the_command_line(small_shop: Path, tmp_path: Path) -> None:
    file = tmp_path / "export.json"
    file.write_text(json.dumps(exported("dittofeed")))
    out = tmp_path / "segments"
    done = skep("segments", "import", "--from", "dittofeed", str(file), "--out", str(out), project=small_shop)
    assert done.returncode == 0, done.stderr
    assert f"{out / 'events.yaml'}, 1 conditions of it cannot be said\n" in done.stdout
    assert "  cannot be said here: a node of type Email\n" in done.stdout
    assert (out / "traits.yaml").exists()
    assert "expected names that are free" in refused(
        skep("segments", "import", "--from", "dittofeed", str(file), "--out", str(out), project=small_shop)
    )
    again = skep("segments", "import", "--from", "dittofeed", str(file), "--out", str(out), "--force", project=small_shop)
    assert again.returncode == 0
