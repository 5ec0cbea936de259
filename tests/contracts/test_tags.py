"""Tags: what holds where several say something, what is inherited, and where personal values stand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from contracts import ContractErrors, load
from contracts.meaning.personal import personal_paths
from contracts.meaning.tags import Tags
from contracts.model.definitions import DAY_US
from contracts.reading.lineage import inheritance_of, properties_of
from skep.tools.inference import infer, of_file
from tests.contracts.project import CONSENT

MONEY = {"$defs": {"amount": {"type": "number", "x-retention": "30d", "x-unit": "cent", "description": "an amount"}}}


def project(event: dict[str, Any], name: str = "paid", **files: str) -> dict[str, str]:
    """A project of one event and what else is given, by the file's name without its ending."""
    schema = {"events/" + name + "/1-0-0.json": json.dumps(event), "types/money.json": json.dumps(MONEY), "consent.yaml": CONSENT}
    return {**schema, **{f"{path.replace('__', '/')}.yaml": text for path, text in files.items()}}


def tags(event: dict[str, Any], path: str) -> Tags:
    return properties_of(load(project(event))).tags("paid", path)


def properties(**parts: Any) -> dict[str, Any]:
    return {"type": "object", "properties": parts}


def test_a_tag_counts_for_everything_inside() -> None:
    """The class, purposes and retention of an object hold of its members; the strictest of all counts."""
    person = {**properties(city={"type": "string", "x-personal": "none", "x-purpose": ["analytics"], "x-retention": "90d"}),
              "x-personal": "direct", "x-purpose": ["analytics", "marketing"], "x-retention": "30d"}  # fmt: skip
    found = tags(properties(person=person), "person.city")
    assert (found.personal, found.purposes, found.retention_us) == ("direct", frozenset({"analytics"}), 30 * DAY_US)


def test_tags_of_a_type_and_of_the_property_that_refers_to_it_join() -> None:
    """A reference brings its tags along; what the property says itself comes first."""
    found = tags(properties(amount={"$ref": "../../types/money.json#/$defs/amount", "x-retention": "60d", "x-unit": "EUR"}), "amount")
    assert (found.retention_us, found.unit, found.description) == (30 * DAY_US, "EUR", "an amount")


@pytest.mark.parametrize(
    "schema",
    [
        {"allOf": [{"type": "string"}, {"x-personal": "direct"}]},
        {"anyOf": [{"type": "string", "x-personal": "direct"}, {"type": "null"}]},
        {"if": {"type": "string"}, "then": {"x-personal": "direct"}},
        {"$ref": "#/$defs/name", "$comment": "beside"},
    ],
)
def test_a_tag_is_seen_through_branches(schema: dict[str, Any]) -> None:
    """Wherever in the branches of a property its class stands, it counts."""
    event = {**properties(name=schema), "$defs": {"name": {"type": "string", "x-personal": "direct"}}}
    assert tags(event, "name").personal == "direct"


def test_personal_values_are_found_wherever_they_stand() -> None:
    """Paths of named members and items; of members that no name tells, and of what contains itself, the whole."""
    event = {
        **properties(
            name={"x-personal": "direct", "x-identifier": "email"},
            rows={"type": "array", "items": properties(cell={"x-personal": "sensitive"}, other={"type": "string"})},
            extra={"type": "object", "additionalProperties": {"type": "string", "x-personal": "direct"}},
            tree={"$ref": "#/$defs/tree"},
            plain={"type": "string"},
        ),
        "$defs": {"tree": {"type": "object", "properties": {"who": {"x-personal": "direct"}, "below": {"$ref": "#/$defs/tree"}}}},
    }
    assert personal_paths(properties_of(load(project(event)))) == {
        "paid": [
            ("email", ("properties", "name")),
            ("", ("properties", "rows", None, "cell")),
            ("", ("properties", "extra")),
            ("", ("properties", "tree", "who")),
            ("", ("properties", "tree", "below")),
        ]
    }


def test_too_many_personal_paths_hide_whole_properties() -> None:
    """Types that contain each other in every order would give a path for each order."""
    names = [f"t{at}" for at in range(8)]
    parts = {name: {"$ref": f"#/$defs/{name}"} for name in names}
    types = {name: {"type": "object", "properties": {**parts, "who": {"x-personal": "direct"}}} for name in names}
    event = {**properties(one=parts["t0"], plain={"type": "string"}), "$defs": types}
    assert personal_paths(properties_of(load(project(event)))) == {"paid": [("", ("properties", "one"))]}


def test_old_versions_count_for_what_is_stored() -> None:
    """A property that only an old version tags stays hidden, and that of identify stands among the traits; of alias it does not."""
    files = {
        **project(properties(name={"x-personal": "direct"})),
        "events/paid/1-0-1.json": json.dumps(properties(name={"type": "string"})),
        "events/identify/1-0-0.json": json.dumps(properties(phone={"x-personal": "direct"})),
        "events/alias/1-0-0.json": json.dumps(properties(phone={"x-personal": "direct"})),
    }
    found = personal_paths(properties_of(load(files)))
    assert found == {
        "paid": [("", ("properties", "name"))],
        "identify": [("", ("traits", "phone"))],
        "alias": [("", ("properties", "phone"))],
    }


def test_traits_inherit_of_what_they_show_and_of_sensitive_filters() -> None:
    """A filter on a direct value says nothing of it, one on a sensitive value does; purposes and retention always pass on."""
    event = properties(
        name={"type": "string", "x-personal": "direct", "x-retention": "30d"},
        illness={"type": "string", "x-personal": "sensitive", "x-purpose": ["analytics"]},
        amount={"type": "number"},
    )
    traits = """traits:
  - {name: shown, last: name, did: paid}
  - {name: filtered, count: true, did: paid, where: {name: Ann}}
  - {name: ill, count: true, did: paid, where: {illness: flu}}
  - {name: plain, sum: amount, did: paid}
"""
    found = inheritance_of(load(project(event, traits=traits)))
    assert {name: found.of("trait", name).personal for name in ("shown", "filtered", "ill", "plain")} == {
        "shown": "direct",
        "filtered": "none",
        "ill": "sensitive",
        "plain": "none",
    }
    assert found.of("trait", "filtered").retention_us == 30 * DAY_US
    assert found.of("trait", "ill").purposes == {"analytics"}


def test_a_purpose_is_checked_through_traits_and_segments() -> None:
    """What a trait is computed from limits the segments that use it, and those that name these."""
    event = properties(score={"type": "number", "x-purpose": ["analytics"]})
    files = project(
        event,
        traits="traits: [{name: score, last: score, did: paid}]\n",
        segments__one="segment: one\npurpose: analytics\nwho: {trait: score, gt: 3}\n",
    )
    assert [one.name for one in load(files).segments] == ["one"]
    two = "segment: two\npurpose: marketing\nwho: {segment: one}\n"
    with pytest.raises(ContractErrors) as raised:
        load({**files, "segments/two.yaml": two})
    (problem,) = raised.value.problems
    assert (problem.file, problem.line, problem.key) == ("segments/two.yaml", 3, "who.segment")
    assert "contracts/events/paid/1-0-0.json:1" in problem.hint


def test_own_words_are_left_alone() -> None:
    """Other words that begin with x- are nobody's business, also in what is no schema."""
    event = {**properties(a={"enum": [{"x-personl": 1}], "x-owner": "shop"}), "x-team": {"x-personl": 1}}
    assert load(project(event)).contracts["paid"]


def test_what_an_upcast_moves_stays_personal() -> None:
    """Stored documents are shown as the newest model reads them, so a tag of the old one goes with the value."""
    steps = """upcast: 1-0-0 to 2-0-0
steps:
  - rename: {mail: email}
  - move: {from: phone, to: contact.phone}
  - split: {path: name, by: " ", into: [first, family]}
    examples: [{old: {name: Ann Lee}, new: {first: Ann, family: Lee}}]
"""
    old = properties(mail={"x-personal": "direct", "x-identifier": "email"}, phone={"x-personal": "direct"}, name={"x-personal": "direct"})
    files = {
        **project({**old, "additionalProperties": False}),
        "events/paid/2-0-0.json": json.dumps({"type": "object"}),
        "events/paid/1-0-0-to-2-0-0.yaml": steps,
    }
    found = personal_paths(properties_of(load(files)))["paid"]
    assert ("email", ("properties", "email")) in found
    assert {path[1:] for _, path in found} == {("mail",), ("email",), ("phone",), ("contact", "phone"), ("name",), ("first",), ("family",)}


@pytest.mark.parametrize(
    "way",
    [{"$id": "m"}, {"$id": "https://a.b/m"}, {"$anchor": "m"}, {"$dynamicAnchor": "m"}],
)
def test_types_and_tags_are_known_through_every_reference(way: dict[str, Any]) -> None:
    """What the checks of traits and segments know is what events are judged by."""
    reference = {"$dynamicRef": "#m"} if "$dynamicAnchor" in way else {"$ref": way.get("$id") or "#m"}
    event = {**properties(mail=reference), "$defs": {"m": {**way, "type": "string", "x-personal": "direct", "x-purpose": ["analytics"]}}}
    found = properties_of(load(project(event)))
    assert found.tags("paid", "mail").purposes == frozenset({"analytics"})
    typed = found.typed("paid", "mail")
    assert typed is not None
    assert typed.kinds == frozenset({"text"})


def test_a_draft_repeats_no_value_that_the_contract_tags(tmp_path: Path) -> None:
    event = properties(nick={"x-personal": "direct"}, who={"items": properties(age={"type": "integer", "x-personal": "sensitive"})})
    lines = [{"type": "track", "event": "Paid", "properties": {"nick": "Zoe", "who": [{"age": 77}], "plan": "pro"}}] * 3
    (tmp_path / "e.jsonl").write_text("\n".join(map(json.dumps, lines)))
    drafted, _, _ = infer("paid", of_file(tmp_path / "e.jsonl"), "e.jsonl", load(project(event)))
    text = json.dumps(drafted)
    assert ("pro" in text, "Zoe" in text, "77" in text) == (True, False, False)
    assert drafted["properties"]["nick"]["x-personal"] == "direct"
