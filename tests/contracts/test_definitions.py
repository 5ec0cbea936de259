"""What good contracts mean, down to the typed conditions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import contracts
from contracts import ContractErrors, digest, load, read_files
from contracts.model.definitions import CHANGES, DAY_US, All, AnyOf, ConsentIs, Did, MemberOf, Not, Predicate, TraitIs
from contracts.text.times import iso
from schemalogic.validation import compile_schema
from tests.contracts.project import GOOD, segment

ROOT = Path(__file__).resolve().parents[2]


def test_nothing_at_all_is_the_documented_defaults() -> None:
    rules = load({}).identity
    assert [(one.name, one.scope, one.unique, one.limit, one.normalize, one.personal) for one in rules.namespaces] == [
        ("user_id", "person", True, None, "trim", False),
        ("email", "person", False, 5, "email", True),
        ("phone", "person", False, 5, "phone", False),
        ("anonymous_id", "device", False, None, "trim", False),
    ]
    assert (rules.conflict, rules.owner, rules.session_gap_us, rules.backstitch_us) == ("newest", "session", 1_800_000_000, 30 * DAY_US)
    written = load({"identity.yaml": Path("contracts/identity.yaml").read_text()}).identity
    assert (rules.blocked_values, rules.blocked_patterns) == (written.blocked_values, written.blocked_patterns)


def test_the_model_that_the_rules_name_may_be_called_anything(tmp_path: Path) -> None:
    """Beside the rules or in a folder of its own; other JSON files have no place there."""
    part = "probabilistic:\n  model: ./models/m.json\n  block: [[a]]\n  compare: [{trait: a}]\n"
    (tmp_path / "models").mkdir()
    (tmp_path / "identity.yaml").write_text(part)
    (tmp_path / "models" / "m.json").write_text("{}")
    files = read_files(tmp_path)
    assert set(files) == {"identity.yaml", "models/m.json"}
    rules = load(files).identity.probabilistic
    assert rules is not None
    assert rules.model == "models/m.json"
    (tmp_path / "models" / "n.json").write_text("{}")
    with pytest.raises(ContractErrors, match=r"models/n\.json:1: expected one of identity\.yaml"):
        read_files(tmp_path)


def test_a_key_that_is_left_out_keeps_its_default() -> None:
    text = "namespaces: [{name: card, from: properties.card}]\nblocked: {values: ['x']}\nstitching: {owner: device}\nlimits: {links: 7}\n"
    rules = load({"identity.yaml": text}).identity
    (card,) = rules.namespaces
    assert (card.paths, card.scope, card.unique, card.limit, card.personal, card.shared_after) == (
        ("properties.card",),
        "person",
        False,
        None,
        False,
        None,
    )
    assert (rules.blocked_values, rules.blocked_patterns) == (frozenset("x"), load({}).identity.blocked_patterns)
    assert (rules.owner, rules.limit_links, rules.limit_identifiers, rules.session_gap_us) == ("device", 7, 1000, 1_800_000_000)


def test_every_kind_of_condition_is_read() -> None:
    who = """
  all:
    - any: [{segment: two}, {consent: marketing}]
    - not: {trait: plan, in: [free, plus], exists: true}
    - {did: [Order Completed, "order_*"], where: {currency: EUR, revenue: [1, 2.5], order_id: {ne: x}}, within: 7d, times: 3}
    - {did: order_completed, sum: revenue, gt: 10, value: {between: [10, 20.5]}}
"""
    found = load({**segment(who), "segments/two.yaml": "segment: two\nwho: {did: order_completed}\n"})
    assert [one.name for one in found.segments] == ["two", "one"]
    (either, negated, times, spent) = found.segments[1].who.of  # type: ignore[union-attr]
    assert either == AnyOf((MemberOf("two"), ConsentIs("marketing")))
    assert negated == Not(TraitIs("plan", (Predicate("in", ["free", "plus"]), Predicate("exists", True))))
    assert isinstance(times, Did)
    assert times.predicates == (Predicate("eq", 3),)
    feature = found.features[times.feature]
    assert (feature.events, feature.within_us, feature.measure, feature.cap) == (("order_*", "order_completed"), 7 * DAY_US, "times", 4)
    assert [(one.path, one.predicates) for one in feature.where] == [
        ("currency", (Predicate("eq", "EUR"),)),
        ("order_id", (Predicate("ne", "x"),)),
        ("revenue", (Predicate("in", [1, 2.5]),)),
    ]
    assert spent.predicates == (Predicate("gt", 10), Predicate("between", [10, 20.5]))
    assert found.features[spent.feature].cap is None
    assert json.loads(times.feature)["events"] == ["order_*", "order_completed"]


@pytest.mark.parametrize(
    ("zone", "day", "first", "last"),
    [
        ("Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00.000000Z", "2026-03-29T21:59:59.999999Z"),
        ("Europe/Berlin", "1880-01-01", "1879-12-31T23:06:32.000000Z", "1880-01-01T23:06:31.999999Z"),
        ("Europe/Berlin", "0001-01-01", "0001-01-01T00:00:00.000000Z", "0001-01-01T23:06:31.999999Z"),
    ],
)
def test_a_date_of_a_window_is_its_whole_day_in_the_zone(zone: str, day: str, first: str, last: str) -> None:
    """Also of the years in which the clocks of a place differed by no whole minutes, and as far as there are times."""
    files = segment(f"{{did: order_completed, between: [{day}, {day}]}}\ntimezone: {zone}")
    ((start, end),) = [one.between for one in load(files).features.values() if one.between is not None]
    assert (iso(start), iso(end)) == (first, last)


def test_only_true_and_false_are_booleans_and_dates_are_texts() -> None:
    found = load({"segments/a.yaml": "segment: a\nwho: {trait: x, in: [yes, NO, on, true, 2026-01-31, 1, 1.5, '1']}\n"})
    assert isinstance(found.segments[0].who, TraitIs)
    operand = found.segments[0].who.predicates[0].operand
    assert operand == ["yes", "NO", "on", True, "2026-01-31", 1, 1.5, "1"]
    assert [type(one) for one in operand] == [str, str, str, bool, str, int, float, str]


@pytest.mark.parametrize(
    ("times", "cap"),
    [
        ("{gte: 3}", 3),
        ("{gt: 3}", 4),
        ("{gt: 2.5}", 3),
        ("{gte: 2.5}", 3),
        ("{eq: 3}", 4),
        ("{ne: 3}", 4),
        ("{lte: 3}", 4),
        ("{lt: 3}", 3),
        ("{between: [2, 5]}", 6),
        ("{in: [1, 7]}", 8),
        ("{not_in: [1, 7]}", 8),
        ("{gte: 2, lt: 9}", 9),
        ("{gte: -4}", 1),
        ("{eq: 0}", 1),
    ],
)
def test_a_count_is_exact_as_far_as_its_predicates_look(times: str, cap: int) -> None:
    (feature,) = [one for one in load(segment(f"{{did: order_completed, times: {times}}}")).features.values() if one.measure == "times"]
    assert feature.cap == cap


def test_conditions_of_one_content_share_a_feature_with_the_largest_cap() -> None:
    who = "{any: [{did: order_completed, times: {gte: 2}}, {did: Order Completed, times: {gt: 4}}, {did: orderCompleted}]}"
    (feature,) = [one for one in load(segment(who)).features.values() if one.measure == "times"]
    assert feature.cap == 5


def test_a_computed_count_lifts_the_cap() -> None:
    files = {**segment("{did: order_completed}"), "traits.yaml": "traits: [{name: orders, count: true, did: order_completed}]\n"}
    (feature,) = load(files).features.values()
    assert feature.cap is None


def test_equal_numbers_are_one_feature_and_other_limits_are_another() -> None:
    who = "{any: [{did: order_completed, where: {revenue: 5}}, {did: order_completed, where: {revenue: 5.0}}]}"
    assert len(load({**segment(who), "traits.yaml": ""}).features) == 1
    sets = "traits:\n- {name: a, set: order_id, did: order_completed}\n- {name: b, set: order_id, limit: 5, did: order_completed}\n"
    found = load({**GOOD, "traits.yaml": sets})
    assert len(found.features) == 2
    assert [found.features[trait.feature or ""].option("limit") for trait in found.traits] == [100, 5]


def test_dates_in_where_belong_to_the_time_zone_of_the_segment() -> None:
    who = "{did: order_completed, where: {order_id: {gte: 2026-01-31}}}\ntimezone: Europe/Berlin"
    (feature,) = [one for one in load(segment(who)).features.values() if one.measure == "times"]
    assert feature.timezone == "Europe/Berlin"
    (other,) = [one for one in load(segment(who.replace("2026-01-31", "b"))).features.values() if one.measure == "times"]
    assert other.timezone == "UTC"


def test_traits_versions_purposes_destinations_and_mappings() -> None:
    files = {
        **GOOD,
        "events/order_completed/1-1-0.json": "{}",
        **{f"events/order_completed/1-0-{addition}.json": "{}" for addition in range(1, 11)},
        "destinations/file.yaml": "kind: file\npath: out/changes.jsonl\n",
        "sources/retail.yaml": "columns: {userId: CustomerID, timestamp: {column: D, format: '%Y', zone: UTC}}\nconstants: {type: track}\n",
    }
    found = load(files)
    assert [one.name for one in found.contracts["order_completed"]] == [
        *(f"order_completed/1-0-{addition}" for addition in range(11)),
        "order_completed/1-1-0",
    ]
    assert [(one.name, one.default) for one in found.purposes] == [("marketing", False), ("analytics", True)]
    assert found.destinations[0].changes == CHANGES
    assert found.mappings["retail"].spec["constants"] == {"type": "track"}
    assert (found.traits[0].kind, found.traits[0].emit) == ("sum", True)


def test_unknown_events_may_be_accepted() -> None:
    files = segment("{did: never_heard_of, where: {a: 1}}")
    with pytest.raises(ContractErrors):
        load(files)
    assert load(files, unknown_events_ok=True).segments


def test_calls_that_are_always_known_need_no_contract_and_a_page_has_a_name() -> None:
    assert load(segment("{did: page_viewed, where: {name: Home}}")).segments
    closed = '{"type": "object", "properties": {"url": {"type": "string"}}, "additionalProperties": false}'
    files = {**segment("{did: page_viewed, where: {name: Home}}"), "events/page_viewed/1-0-0.json": closed}
    assert load(files).segments
    with pytest.raises(ContractErrors, match=r"where\.path: expected a property of page_viewed"):
        load({**files, **segment("{did: page_viewed, where: {path: /}}", "two")})


def test_the_digest_names_the_content() -> None:
    assert load(GOOD).digest == digest(dict(reversed(GOOD.items())))
    assert load(GOOD).digest != load({**GOOD, "consent.yaml": GOOD["consent.yaml"] + "\n"}).digest
    assert len(load(GOOD).digest) == 16


def test_files_are_read_without_notes_and_hidden_files(tmp_path: Path) -> None:
    for path, text in {**GOOD, "README.md": "notes", ".hidden": "", "segments/.keep": ""}.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    assert read_files(tmp_path) == GOOD


def test_a_python_file_and_bytes_that_are_no_text_are_told_with_the_other_problems(tmp_path: Path) -> None:
    (tmp_path / "tool.py").write_text("import os")
    (tmp_path / "consent.yaml").write_bytes(b"\xff\xfe")
    (tmp_path / "traits.yaml").write_text("trait: []")
    with pytest.raises(ContractErrors) as raised:
        read_files(tmp_path)
    assert [problem.file for problem in raised.value.problems] == ["consent.yaml", "tool.py", "traits.yaml"]


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ContractErrors, match="skep init"):
        read_files(tmp_path / "contracts")


def test_the_demo_shop_is_as_it_should_be() -> None:
    found = load(read_files(Path(contracts.__file__).parent))
    assert len(found.segments) == 8
    assert {one.purpose for one in found.segments} == {None, "marketing"}
    assert {trait.kind for trait in found.traits} == {"plain", "sum", "count", "first", "last", "set"}
    assert all(one.title and one.owner for one in found.segments)
    assert isinstance(next(one for one in found.segments if one.name == "lapsing_vips").who, All)


def test_what_names_something_of_an_unreadable_file_is_not_told_as_well() -> None:
    files = segment("{all: [{trait: lifetime_value, gt: 1}, {did: order_completed}, {consent: marketing}]}")
    broken = dict.fromkeys(("consent.yaml", "traits.yaml", "events/order_completed/1-0-0.json"), "{")
    with pytest.raises(ContractErrors) as raised:
        load({**files, **broken})
    assert {problem.file for problem in raised.value.problems} == set(broken)


@pytest.mark.parametrize("path", ["", "/etc/passwd", "../x.yaml", "segments", "segments/", "segments/.yaml", "events/a/b/1-0-0.json"])
def test_paths_outside_of_the_known_places_are_told(path: str) -> None:
    with pytest.raises(ContractErrors):
        load({path: ""})


@pytest.mark.parametrize(
    "text", ["", "segment: one", "segment: one\nwho:", "segment: 1\nwho: {trait: 1, eq: 1}", "who: {", "{" * 500, "\x00"]
)
def test_a_segment_that_is_hardly_one_is_told(text: str) -> None:
    with pytest.raises(ContractErrors):
        load({"segments/one.yaml": text})


@pytest.mark.parametrize("text", ["", "true", "[", "[" * 5000, '{"$schema": 3}', '{"a": 1e', '{"type": 3}', '{"properties": []}'])
def test_a_schema_that_is_none_is_told(text: str) -> None:
    with pytest.raises(ContractErrors):
        load({"events/a/1-0-0.json": text})


def test_a_schema_of_two_megabytes_is_refused() -> None:
    schema = json.dumps({"enum": [f"value {number}" for number in range(140_000)]})
    assert len(schema) > 2_000_000
    with pytest.raises(ContractErrors) as raised:
        load({**GOOD, "events/big/1-0-0.json": schema})
    (problem,) = raised.value.problems
    assert (problem.file, problem.expected, problem.hint) == (
        "events/big/1-0-0.json",
        "at most 1,000,000 bytes",
        "move what repeats into contracts/types/",
    )


@pytest.mark.parametrize("pattern", ["^(a|aa)+$", "^(([a-z])+.)+[A-Z]([a-z])+$", "(x+x+)+y", "^(.*)*$"])
def test_catastrophic_patterns_run_in_linear_time(pattern: str) -> None:
    """An engine that tries every way would not end."""
    (contract,) = load({**GOOD, "events/x/1-0-0.json": json.dumps({"properties": {"a": {"pattern": pattern}}})}).contracts["x"]
    judge = compile_schema(contract.schema)
    for text in ("a" * 50_000 + "!", "x" * 50_000, "ab" * 25_000):
        judge.is_valid({"a": text})
