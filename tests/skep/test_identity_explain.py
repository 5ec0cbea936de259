"""`skep identity explain`, `graph`, `doctor`, `split`: over shards that a real flow has written, and over random evidence."""

from __future__ import annotations

import random
import re
import xml.etree.ElementTree as ET
from itertools import combinations
from pathlib import Path
from typing import Any

import orjson
import pytest

from contracts import load
from operators.refusal import UNLINKED
from skep.answers.identity import drawing, explanation
from skep.answers.identity.drawing import LABEL, shortened
from skep.answers.identity.evidence import Evidence
from skep.answers.identity.graph import SHOWN, picture_of
from tests.engine import Engine, steps
from tests.generator import scenario as generated
from tests.promises.project import Json, asked, flow, project, ran
from tests.skep.test_cli import refused, skep

RULES: Json = {
    "namespaces": [
        {"name": "user_id", "from": "userId", "unique": True},
        {"name": "email", "from": "traits.email", "normalize": "email", "limit": 2},
        {"name": "device", "from": "anonymousId", "scope": "device", "shared_after": 3},
    ],
    "limits": {"links": 5, "identifiers": 8},
}


def seen(number: int, day: int = 1, **body: Any) -> bytes:
    """An identify call on a day of January 2026; ``number`` makes the message id and the minute."""
    stamp = f"2026-01-{day:02d}T{number // 60:02d}:{number % 60:02d}:00Z"
    return orjson.dumps({"type": "identify", "messageId": f"m{number}", "timestamp": stamp, **body})


def on(number: int, user: str | None = None, device: str | None = None, day: int = 1, **traits: str) -> bytes:
    body: Json = {"traits": traits}
    if user:
        body["userId"] = user
    if device:
        body["anonymousId"] = device
    return seen(number, day, **body)


LINES = [
    # One person: a device, a customer number, two addresses.
    on(1, "ann", "d-ann"),
    on(2, "ann", "d-ann", day=3),
    on(3, "ann", email="Ann@x.com"),
    on(4, "ann", email="ann@work.com", day=2),
    # Two customers share an address: it belongs to the one who used it last.
    on(10, "bob", email="shared@x.com"),
    on(11, "cid", email="shared@x.com", day=2),
    # A third address is one too many.
    on(20, "dan", email="dan1@x.com", day=3),
    on(21, "dan", email="dan2@x.com", day=2),
    on(22, "dan", email="dan3@x.com"),
    # A device of three persons is nobody's.
    *(on(30 + at, f"k{at}", "kiosk", day=1 + at) for at in range(3)),
    # Six links of one address, of which five count.
    *(seen(50 + at, day=1 + at, anonymousId=f"hub-{at}", traits={"email": "hub@x.com"}) for at in range(6)),
    # One profile too large: eleven identifiers, of which eight fit.
    *(seen(60 + at, day=9 - at, anonymousId=f"big-{at}", traits={"email": f"big{at // 4}@x.com"}) for at in range(8)),
    *(on(70 + at, "big", email=f"big{at}@x.com", day=20 + at) for at in range(2)),
    # Somebody who has nothing to do with anybody.
    on(80, "zoe"),
    on(81, "eve", "d-eve"),
]


def manual(folder: Path, kind: str, a: str, b: str, why: str = "a ticket") -> None:
    done = skep("identity", kind, a, b, "--why", why, project=folder)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose flow has read `LINES`, an unlink and a manual link."""
    folder = project(tmp_path_factory.mktemp("explain") / "shop", {"identity.yaml": RULES}, LINES)
    ran(folder)
    manual(folder, "unlink", "user_id:eve", "device:d-eve", "not her tablet")
    manual(folder, "link", "user_id:ann", "device:d-desk", "she said so")
    ran(folder)
    return folder


def explained(folder: Path, a: str, b: str) -> Json:
    told: Json = asked(folder, "identity", "explain", a, b)
    return told


def ends(link: Json) -> tuple[str, str]:
    return ":".join(link["a"]), ":".join(link["b"])


def test_the_path_between_two_identifiers_of_one_person(shop: Path) -> None:
    """Each link with its times, how many events say so, the first of them, and the version of the rules."""
    told = explained(shop, "email:ANN@x.com", "device:d-ann")
    assert told["joined"] is True
    assert told["a"] == ["email", "ann@x.com"]
    assert told["profiles"]["a"] == told["profiles"]["b"]
    assert told["rules"] == 1
    assert told["reason"] is None
    assert told["would_join"] == []
    first, second = told["path"]
    assert ends(first) == ("user_id:ann", "email:ann@x.com")
    assert ends(second) == ("user_id:ann", "device:d-ann")
    assert (first["events"], first["first_message"]) == (1, "m3")
    assert second == {
        "a": ["user_id", "ann"],
        "b": ["device", "d-ann"],
        "kind": "deterministic",
        "state": "accepted",
        "first_seen": "2026-01-01T00:01:00.000000Z",
        "last_seen": "2026-01-03T00:02:00.000000Z",
        "events": 2,
        "first_message": "m1",
        "rules": 1,
        "rule": None,
        "reason": None,
        "clash": None,
        "why": None,
    }


def test_a_manual_link_says_who_wanted_it(shop: Path) -> None:
    """It has no events; its message is the entry's, with the reason that was given."""
    told = explained(shop, "device:d-ann", "device:d-desk")
    link = told["path"][1]
    assert (ends(link), link["kind"], link["events"], link["why"]) == (("user_id:ann", "device:d-desk"), "manual", None, "she said so")
    assert link["first_message"].startswith("c_")


def test_nothing_connects_strangers(shop: Path) -> None:
    """No evidence at all; a manual link or an event would join them."""
    told = explained(shop, "user_id:zoe", "email:ann@x.com")
    assert (told["joined"], told["path"]) == (False, [])
    assert told["reason"].startswith("no evidence")
    assert told["would_join"] == ["skep identity link user_id:zoe email:ann@x.com --why …", "an event that carries both"]


CASES = [
    ("user_id:bob", "email:shared@x.com", "unique", "would have two values of user_id"),
    ("user_id:dan", "email:dan3@x.com", "limit", "more than 2 values of email"),
    ("user_id:k0", "device:kiosk", "shared_after", "3 persons or more were identified on device:kiosk"),
    ("email:hub@x.com", "device:hub-0", "limits.links", "not among the 5 newest links"),
    ("email:big1@x.com", "device:big-7", "limits.identifiers", "more than 8 identifiers"),
    ("user_id:eve", "device:d-eve", "unlink", "unlinked by hand"),
]


@pytest.mark.parametrize(("a", "b", "rule", "words"), CASES, ids=[case[2] for case in CASES])
def test_the_rule_that_refuses_a_link_is_named(shop: Path, a: str, b: str, rule: str, words: str) -> None:
    """One refused link is on the way, with its rule in words."""
    told = explained(shop, a, b)
    assert told["joined"] is False
    assert told["profiles"]["a"] != told["profiles"]["b"]
    found = [link for link in told["path"] if link["state"] == "rejected"]
    assert [(ends(link), link["rule"]) for link in found] == [((a, b), rule)]
    assert words in told["reason"]
    assert told["would_join"]


def test_the_values_that_clash_are_named(shop: Path) -> None:
    """Of a unique namespace, of one with a limit; the reason says them, too."""
    told = explained(shop, "user_id:bob", "email:shared@x.com")
    assert told["path"][0]["clash"] == {"namespace": "user_id", "a": ["bob"], "b": ["cid"]}
    assert "(bob beside user_id:bob, cid beside email:shared@x.com)" in told["reason"]
    told = explained(shop, "user_id:dan", "email:dan3@x.com")
    assert told["path"][0]["clash"] == {"namespace": "email", "a": ["dan1@x.com", "dan2@x.com"], "b": ["dan3@x.com"]}


def test_only_what_would_join_them_is_offered(shop: Path) -> None:
    """Two customers cannot be joined by hand while their number is unique; the address of one can."""
    told = explained(shop, "user_id:bob", "user_id:cid")
    assert [link["state"] for link in told["path"]] == ["rejected", "accepted"]
    assert told["would_join"] == ["no `unique: true` of user_id in contracts/identity.yaml"]
    told = explained(shop, "user_id:bob", "email:shared@x.com")
    assert told["would_join"][0] == "skep identity link user_id:bob email:shared@x.com --why …"
    told = explained(shop, "user_id:eve", "device:d-eve")
    assert told["would_join"] == ["skep identity link user_id:eve device:d-eve --why …"]
    assert told["unlinked"]["why"] == "not her tablet"


def test_an_explanation_for_people(shop: Path) -> None:
    """Tables and sentences instead of JSON."""
    done = skep("identity", "explain", "user_id:eve", "device:d-eve", project=shop)
    assert done.returncode == 0, done.stderr
    assert "are two people" in done.stdout
    assert "not her tablet" in done.stdout
    assert "would join them:\n  skep identity link user_id:eve device:d-eve --why …" in done.stdout
    assert "are one person: p_" in skep("identity", "explain", "user_id:ann", "email:ann@x.com", project=shop).stdout


@pytest.mark.parametrize(
    ("a", "b", "words"),
    [
        ("user_id:nobody", "user_id:ann", "nobody in space shop has user_id:nobody"),
        ("usr:1", "user_id:ann", "found usr"),
        ("user_id:guest", "user_id:ann", "it is blocked"),
        ("ann", "user_id:ann", "expected NAMESPACE:VALUE"),
        ("email:ann@x.com", "email: ANN@X.com", "which are the same"),
    ],
)
def test_identifiers_that_cannot_be_explained(shop: Path, a: str, b: str, words: str) -> None:
    """Unknown, of no namespace, blocked, misspelt, twice the same: one line that says so."""
    assert words in refused(skep("identity", "explain", a, b, project=shop))


def engine_of(seed: int, folder: Path) -> Engine:
    """A store that was fed a random scenario."""
    scenario = generated(seed, 40)
    engine = Engine(folder / "shard", load(scenario.definitions_files))
    engine.start([f"p{at}" for at in range(len(scenario.partitions))])
    for name, records in steps(scenario, random.Random(seed)):
        engine.take(name, records)
    return engine


@pytest.mark.parametrize("seed", range(40))
def test_random_evidence_is_decided_as_the_store_has_it(tmp_path: Path, seed: int) -> None:
    """The links that stand are those of the store; a path leads from end to end, over accepted links if and only if it is one person."""
    engine = engine_of(seed, tmp_path)
    people = list(engine.view.people())
    for person in people:
        evidence = Evidence(engine.view, [person])
        assert {id(link) for one in evidence.people.values() for link in one.links.values()} == {
            id(link) for link in evidence.links if evidence.stands(link)
        }
        assert all(link.void == (evidence.refusals[id(link)] == UNLINKED) for link in evidence.links)
        for a, b in random.Random(seed).sample(pairs := list(combinations(sorted(evidence.identifiers), 2)), min(len(pairs), 8)):
            found = explanation.path(evidence, a, b)
            # Between two that a manual link joins, a refused one of their events may stand beside it.
            joined = {(link.a, link.b) for link in found if evidence.stands(link)}
            assert ({(link.a, link.b) for link in found} == joined) == (evidence.home[a] is evidence.home[b])
            at = a
            for link in dict.fromkeys((link.a, link.b) for link in found):
                at = link[1] if at == link[0] else link[0]
                assert at in link
            assert at == b
    engine.shard.close()


def test_events_are_counted_wherever_they_hang(tmp_path: Path) -> None:
    """Also where a device ranks above people, so that an event hangs on neither end of a link."""
    rules = {
        "namespaces": [
            {"name": "till", "from": "properties.till", "scope": "device"},
            {"name": "user_id", "from": "userId"},
            {"name": "device", "from": "anonymousId", "scope": "device"},
        ]
    }
    engine = Engine(tmp_path / "shard", load({"identity.yaml": orjson.dumps(rules).decode()}))
    engine.start(["p"])
    days = [5, 3, 29, 3]
    lines = [seen(at, day, userId=f"u{at}", anonymousId="d", properties={"till": "t"}) for at, day in enumerate(days)]
    lines.append(seen(9, 4, anonymousId="d", properties={"till": "t"}))
    engine.feed("p", [line.replace(b'"identify"', b'"page"') for line in lines])
    assert engine.space.meta.events == len(lines)
    person = engine.view.profiles.holder("till", "t")
    assert person is not None
    evidence = Evidence(engine.view, [person])
    found = {evidence.pair(link.b)[0]: (link.count, link.message) for link in evidence.links}
    assert found["device"] == (5, "m1")
    assert found["user_id"][0] == 1
    engine.shard.close()


# ── graph ───────────────────────────────────────────────────────────────────────────────────────────────────────────

SVG = "{http://www.w3.org/2000/svg}"


def drawn(folder: Path, profile: str, target: Path) -> ET.Element:
    """The picture that the command writes, read as XML."""
    done = skep("identity", "graph", profile, "--out", str(target), project=folder)
    assert done.returncode == 0, done.stderr
    return ET.fromstring(target.read_text())


def texts(picture: ET.Element) -> list[str]:
    return [each.text or "" for each in picture.iter(f"{SVG}text")]


def test_a_picture_shows_identifiers_links_and_reasons(shop: Path, tmp_path: Path) -> None:
    """Boxes by namespace with times to point at; manual lines are thick, refused ones dashed and explained in the legend."""
    picture = drawn(shop, "user_id:ann", tmp_path / "ann.svg")
    assert {"user_id", "email", "device", "ann", "ann@x.com", "ann@work.com", "d-ann", "d-desk", "linked by hand"} <= set(texts(picture))
    widths = [path.get("stroke-width") for path in picture.iter(f"{SVG}path")]
    assert sorted(widths) == ["1.5", "1.5", "1.5", "4"]
    titles = [each.text or "" for each in picture.iter(f"{SVG}title")]
    assert any("user_id:ann – device:d-ann" in title and "2026-01-03T00:02" in title for title in titles)
    picture = drawn(shop, "user_id:bob", tmp_path / "bob.svg")
    assert [path.get("stroke-dasharray") for path in picture.iter(f"{SVG}path")] == ["6 4"]
    assert "unique: it would have two values of user_id (1 link)" in texts(picture)
    assert "email of others" in texts(picture)


def test_a_page_holds_the_picture(shop: Path, tmp_path: Path) -> None:
    """By the profile's id, which the command's JSON tells, too."""
    told = asked(shop, "identity", "graph", "user_id:dan", "--out", str(tmp_path / "dan.svg"))
    again = asked(shop, "identity", "graph", told["profile"], "--out", str(tmp_path / "dan.html"))
    assert (again["profile"], again["identifiers"], again["accepted"], again["refused"]) == (told["profile"], 3, 2, 1)
    assert (tmp_path / "dan.svg").read_text() in (tmp_path / "dan.html").read_text()


@pytest.mark.parametrize(
    ("profile", "target", "words"),
    [
        ("p_00000000000000000000000000000000", "g.svg", "no profile of space shop has the id"),
        ("p_xyz", "g.svg", "no profile of space shop has the id"),
        ("user_id:nobody", "g.svg", "nobody in space shop has user_id:nobody"),
        ("user_id:ann", "g.png", "ends in .svg or .html"),
        ("user_id:ann", "missing/g.svg", "cannot be written"),
    ],
)
def test_pictures_that_cannot_be_drawn(shop: Path, tmp_path: Path, profile: str, target: str, words: str) -> None:
    """An unknown profile, another kind of file, a folder that is not there."""
    assert words in refused(skep("identity", "graph", profile, "--out", str(tmp_path / target), project=shop))


def fed(folder: Path, rules: Json, lines: list[bytes]) -> Engine:
    """A store that has read these lines by these rules."""
    engine = Engine(folder / "shard", load({"identity.yaml": orjson.dumps(rules).decode()}))
    engine.start(["p"])
    engine.feed("p", lines)
    assert engine.space.meta.events == len(lines)
    return engine


def svg_of(engine: Engine, namespace: str, value: str) -> ET.Element:
    person = engine.view.profiles.holder(namespace, value)
    assert person is not None
    evidence = Evidence(engine.view, [person])
    return ET.fromstring(drawing.draw(picture_of(evidence, evidence.people[person.key])))


def test_a_hub_stays_readable(tmp_path: Path) -> None:
    """Of a thousand devices the forty seen last are drawn, the others are one box; boxes do not lie upon each other."""
    rules = {**RULES, "limits": {"identifiers": 2000, "links": 2000}}
    engine = fed(tmp_path, rules, [seen(at % 1400, 1 + at // 1400, userId="hub", anonymousId=f"d{at:04d}") for at in range(1000)])
    picture = svg_of(engine, "user_id", "hub")
    labels = texts(picture)
    assert "+960" in labels
    assert sum(bool(re.fullmatch(r"d\d{4}", label)) for label in labels) == SHOWN
    assert "d0999" in labels
    assert "d0959" not in labels
    boxes = [(float(each.get("x", 0)), float(each.get("y", 0))) for each in picture.iter(f"{SVG}rect") if each.get("x")]
    assert all(abs(one[0] - two[0]) >= drawing.WIDTH or abs(one[1] - two[1]) >= drawing.HEIGHT for one, two in combinations(boxes, 2))
    assert float(picture.get("height", 0)) < 1200
    engine.shard.close()


def test_values_of_any_kind_are_text_in_the_picture(tmp_path: Path) -> None:
    """Markup is escaped, what XML cannot hold is replaced, long and wide values are cut."""
    values = ["<script>&\"'", "bell\x07 none\uffff", "長" * 60, "🙂" * 3, "x" * 9000]
    engine = fed(tmp_path, {**RULES}, [seen(at, userId="u", anonymousId=value) for at, value in enumerate(values)][:5])
    labels = texts(svg_of(engine, "user_id", "u"))
    assert {"<script>&\"'", "bell none\ufffd", "🙂🙂🙂"} <= set(labels)
    assert shortened(values[2]) == "長" * 11 + "…"
    assert len(shortened(values[4])) == LABEL
    engine.shard.close()


# ── doctor ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_limits_that_were_hit_are_found(shop: Path) -> None:
    """Each kind of limit with the profile that is full, not the one that could not join it."""
    (told,) = asked(shop, "identity", "doctor")
    found = {(one["limit"], one["profile"]): one["refused"] for one in told["limits"]}
    profile = {
        name: explained(shop, *name.split("|"))["profiles"]["a"]
        for name in ("email:hub@x.com|device:hub-5", "user_id:dan|email:dan1@x.com", "user_id:big|email:big0@x.com")
    }
    hub, dan, big = profile.values()
    assert found == {("limits.links", hub): 1, ("limit of email", dan): 1, ("limits.identifiers", big): 3}
    assert told["shared_devices"][0]["identifier"] == ["device", "kiosk"]
    assert told["shared_devices"][0]["persons"] == 3


@pytest.fixture(scope="module")
def sick(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An address of 25 customers, a device of four, a placeholder."""
    rules = {"namespaces": [{key: each[key] for key in each if key != "shared_after"} for each in RULES["namespaces"]]}
    lines = [on(at, f"c{at}", email="office@shop.com") for at in range(25)]
    lines += [on(30 + at, f"p{at}", "tablet") for at in range(4)]
    lines.append(on(40, "eve", email="noreply@x.com"))
    folder = project(tmp_path_factory.mktemp("doctor") / "shop", {"identity.yaml": rules}, lines)
    ran(folder)
    return folder


def test_hubs_and_suspicious_values_are_found(sick: Path) -> None:
    """With their links, whom they touch, and the rule that would help; its effect counts the links of the value."""
    (told,) = asked(sick, "identity", "doctor")
    office = {"identifier": ["email", "office@shop.com"], "accepted": 1, "refused": 24, "people": 25}
    assert [{key: one[key] for key in office} for one in told["hubs"]] == [office]
    assert [(one["identifier"][1], one["why"]) for one in told["suspicious"]] == [
        ("office@shop.com", "of many people"),
        ("noreply@x.com", "looks like a placeholder"),
    ]
    assert [(one["identifier"][1], one["persons"]) for one in told["shared_devices"]] == [("tablet", 4)]
    assert [one["effect"] for one in told["proposals"]] == [
        {"links": 25, "people": 25},
        {"links": 1, "people": 1},
        {"links": 4, "people": 4},
    ]
    assert all(one["estimate"] for one in told["proposals"])
    assert told["proposals"][2]["write"] == "shared_after: 3"
    shown = skep("identity", "doctor", project=sick)
    assert "estimate" in shown.stdout


def test_what_is_proposed_for_blocked_can_be_written_and_helps(sick: Path) -> None:
    """The line keeps what is blocked already, and the value identifies nobody by it."""
    (told,) = asked(sick, "identity", "doctor")
    rules = load({"identity.yaml": told["proposals"][0]["write"]}).identity
    assert rules.blocked_values == load({}).identity.blocked_values | {"office@shop.com"}


def test_a_healthy_space_has_no_findings(tmp_path: Path) -> None:
    """Ordinary people are no suspects."""
    folder = project(
        tmp_path / "shop", {"identity.yaml": "version: 1"}, [on(at, f"u{at}", f"d{at}", email=f"u{at}@mail.com") for at in range(9)]
    )
    ran(folder)
    (told,) = asked(folder, "identity", "doctor")
    nothing = {"rebuilds": 0, "identifiers": 0, "events_read": 0, "seconds": 0.0, "behind": []}
    findings = {key: [] for key in ("limits", "hubs", "suspicious", "shared_devices", "proposals")}
    assert told == {"space": "shop", "profiles": 9, **findings, "rebuilds": nothing}
    assert "rebuilds" not in skep("status", project=folder).stdout


def test_what_makes_rebuilds_is_named(tmp_path: Path) -> None:
    """An address that two people take from each other again and again, with its events."""
    rules = {"version": 1, "namespaces": [*RULES["namespaces"][:1], {"name": "email", "from": "traits.email", "limit": 1}]}
    lines = [line for at in range(0, 12, 2) for line in (on(at, f"u{at % 4}", email="ann@x.com"), on(at + 1, None, email="ann@x.com"))]
    folder = project(tmp_path / "shop", {"identity.yaml": rules}, lines)
    ran(folder)
    cost = asked(folder, "identity", "doctor")[0]["rebuilds"]
    assert cost["rebuilds"] == 5
    assert ["email", "ann@x.com"] in [one["identifier"] for one in cost["behind"]]
    assert sum(one["identifiers"] for one in cost["behind"]) == cost["identifiers"] > 0
    assert f"5 rebuilds of people with {cost['identifiers']} identifiers took" in skep("status", project=folder).stdout
    assert "email:ann@x.com" in skep("identity", "doctor", project=folder).stdout


def test_what_takes_more_than_the_budget_comes_first_with_its_cure(tmp_path: Path) -> None:
    """A till on which everybody logs in, and somebody before all others but too late: all of its visits are looked at."""
    rules = {"version": 1, "namespaces": [*RULES["namespaces"][:1], {"name": "till", "from": "anonymousId", "scope": "device"}]}
    lines = [on(at, f"u{at % 3}" if at % 2 else None, "till", day=5) for at in range(150)]
    folder = project(tmp_path / "shop", {"identity.yaml": rules}, [*lines, on(150, "u9", "till", day=1)])
    assert "large repair" in flow(folder, SKEP_REPAIR_MOMENTS="100").stderr
    cost = asked(folder, "identity", "doctor")[0]["rebuilds"]
    assert (cost["behind"][0]["identifier"], cost["behind"][0]["over"]) == (["till", "till"], 1)
    assert cost["behind"][0]["write"] == "till: {shared_after: 3}"
    assert cost["events_read"] >= 150
    assert "till: {shared_after: 3}" in skep("identity", "doctor", project=folder).stdout


# ── split ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_profile_is_split_and_joined_again(tmp_path: Path) -> None:
    """What is kept stays one profile though only what leaves held it together; a dry run does nothing; links undo it."""
    lines = [on(1, "u", "d1", email="a@x.com"), on(2, "u", "d2", email="b@x.com"), on(3, "v", "d9")]
    folder = project(tmp_path / "shop", {"identity.yaml": RULES}, lines)
    ran(folder)
    words = ["identity", "split", "user_id:u", "--keep", "email:a@x.com", "--keep", "device:d1", "--why", "not his"]
    planned = asked(folder, *words, "--dry-run")
    assert sorted(planned["unlink"]) == [[["user_id", "u"], ["device", "d1"]], [["user_id", "u"], ["email", "a@x.com"]]]
    assert planned["link"] == [[["email", "a@x.com"], ["device", "d1"]]]
    ran(folder)
    assert explained(folder, "user_id:u", "device:d1")["joined"]
    assert {**asked(folder, *words), "entries": []} == planned
    ran(folder)
    for one in planned["people"]:
        (shown,) = asked(folder, "profile", "show", ":".join(one["identifiers"][0]))
        assert (shown["id"], sorted(each[:2] for each in shown["identifiers"])) == (one["profile"], one["identifiers"])
    assert [one["kept"] for one in planned["people"]] == [True, False]
    for a, b in planned["unlink"]:
        manual(folder, "link", ":".join(a), ":".join(b))
    ran(folder)
    assert explained(folder, "device:d1", "device:d2")["joined"]


def test_a_manual_link_that_cannot_stand_is_refused_with_the_reason(tmp_path: Path) -> None:
    """Two values of a unique namespace. Of two manual links that cannot both stand, the newer one does."""
    lines = [on(1, "u", "d1", email="a@x.com"), on(2, "v", "d2")]
    folder = project(tmp_path / "shop", {"identity.yaml": RULES}, lines)
    ran(folder)
    manual(folder, "link", "user_id:u", "user_id:v")
    manual(folder, "link", "user_id:u", "device:d2")
    manual(folder, "link", "user_id:v", "device:d2")
    ran(folder)
    answers = [row["answer"] for row in asked(folder, "audit") if row["type"] == "link"]
    refusal = "unique: the profile would have two values of user_id"
    assert [(one["joined"], one.get("reason")) for one in answers] == [(False, refusal), (True, None), (True, None)]
    assert f"refused, kept as evidence: {refusal}; p_" in " ".join(skep("audit", project=folder, COLUMNS="400").stdout.split())


@pytest.mark.parametrize(
    ("profile", "keep", "words"),
    [
        ("user_id:eve", "user_id:eve", "found all of them"),
        ("user_id:ann", "user_id:bob", "user_id:bob is in p_"),
        ("user_id:nobody", "user_id:ann", "nobody in space shop"),
        ("p_00", "user_id:ann", "has the id p_00"),
    ],
)
def test_splits_that_cannot_be(shop: Path, profile: str, keep: str, words: str) -> None:
    """Everything kept, another's identifier, unknown ones."""
    assert words in refused(skep("identity", "split", profile, "--keep", keep, "--why", "x", project=shop))
