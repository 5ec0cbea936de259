"""Links by likeness in the commands: how a match weight adds up, why records are not linked, the picture, floors of destinations."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import orjson
import pytest

from contracts.model.probabilistic import Compare
from operators.match.model import Model, Terms, Weights, dump
from operators.match.scoring import probability, weight
from tests.promises.project import Json, asked, flow, project, ran
from tests.promises.project import dump as dumped
from tests.promises.test_floors import Cohorts, held_of
from tests.skep.test_cli import skep

RULES: Json = {
    "namespaces": [
        {"name": "user_id", "from": "userId"},
        {"name": "tax_id", "from": "traits.tax_id", "unique": True},
        {"name": "device", "from": "anonymousId", "scope": "device"},
    ],
    "probabilistic": {
        "accept": 0.999, "review": 0.9, "block_limit": 4,
        "block": [["last_name", "birth_date"], ["city"], {"same": ["context.ip"], "within": "1h"}],
        "compare": [
            {"trait": "first_name", "how": "jaro_winkler", "at": [0.9], "term_frequency": True},
            {"trait": "last_name"}, {"trait": "birth_date"},
        ],
    },
}  # fmt: skip


def weights(compare: Compare, *bits: float, terms: Terms | None = None) -> Weights:
    return Weights(compare, tuple(2.0 ** (bit - 8) for bit in bits), tuple(2.0**-8 for _ in bits), terms)


MODEL = Model(
    0.05,
    (
        weights(Compare("first_name", "jaro_winkler", (0.9,), term_frequency=True), 6, 3, -3, terms=Terms(1024, {"ann": 64})),
        weights(Compare("last_name"), 4, -4),
        weights(Compare("birth_date"), 6, -5),
    ),
)
PRIOR = weight(0.05)


def person(user: str, first: str, last: str, *, hour: int = 10, minute: int = 0, ip: str | None = None, **traits: str) -> bytes:
    body: Json = {"type": "identify", "messageId": f"m-{user}", "timestamp": f"2026-01-01T{hour}:{minute:02d}:00Z", "userId": user}
    body["traits"] = {"first_name": first, "last_name": last, "birth_date": "1971-06-24", **traits}
    if ip:
        body["context"] = {"ip": ip}
    return orjson.dumps(body)


LINES = [
    person("liz1", "Elisabeth", "Dwyer"), person("liz2", "ELISABETH", "Dwyer", minute=1),
    person("liz3", "Elizabeth", "Dwyer", minute=2), person("bob", "Bob", "Dwyer", minute=3),
    person("zoe", "Zoe", "Smith", minute=4),
    person("eve1", "Evelyn", "Stone", tax_id="1"), person("eve2", "Evelyn", "Stone", tax_id="2"),
    *(person(f"kim{at}", "Kim", f"K{at}", city="York") for at in range(5)),
    person("ip1", "Una", "Early", ip="10.0.0.1"), person("ip2", "Vera", "Late", ip="10.0.0.1", minute=59),
    person("ip3", "Wanda", "Later", ip="10.0.0.1", hour=12),
    orjson.dumps({"type": "track", "event": "seen", "messageId": "s1", "timestamp": "2026-01-01T10:09:00Z", "userId": "liz2"}),
]  # fmt: skip
CONTRACTS: Json = {
    "identity.yaml": RULES,
    "identity_model.json": dump(MODEL).decode(),
    "events/seen/1-0-0.json": {},
    "segments/everybody.yaml": {"segment": "everybody", "who": {"not": {"did": "never"}}},
    "segments/sure.yaml": {"segment": "sure", "confidence": {"gte": 0.99995}, "who": {"not": {"did": "never"}}},
    "events/never/1-0-0.json": {},
    "destinations/all.yaml": {"kind": "file", "path": "out/all.jsonl"},
    "destinations/sure.yaml": {"kind": "file", "path": "out/sure.jsonl", "confidence": {"gte": 0.99995}},
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose flow has read `LINES`."""
    folder = project(tmp_path_factory.mktemp("likeness") / "shop", CONTRACTS, LINES)
    ran(folder)
    return folder


def explained(folder: Path, a: str, b: str) -> Json:
    told: Json = asked(folder, "identity", "explain", f"user_id:{a}", f"user_id:{b}")
    return told


def shown(folder: Path, *words: str) -> str:
    done = skep(*words, project=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_an_accepted_link_with_its_waterfall(shop: Path) -> None:
    """The prior, each comparison, what a rare name adds; the sum is the weight, and that is the confidence."""
    told = explained(shop, "liz1", "liz2")
    assert (told["joined"], told["reason"], told["would_join"]) == (True, None, [])
    [link] = told["path"]
    assert (link["kind"], link["state"], link["first_seen"], link["rule"]) == (
        "probabilistic",
        "accepted",
        "2026-01-01T10:01:00.000000Z",
        None,
    )
    fall = link["waterfall"]
    assert fall["prior"] == pytest.approx(PRIOR, abs=1e-6)
    rare = 6 - 8 + 10  # m of equal names, over one in 1,024
    assert [(step["trait"], step["level"], step["a"], step["b"], step["bits"], step["frequency"]) for step in fall["steps"]] == [
        ("first_name", "equal", "elisabeth", "elisabeth", rare, rare - 6),
        ("last_name", "equal", "dwyer", "dwyer", 4, 0),
        ("birth_date", "equal", "1971-06-24", "1971-06-24", 6, 0),
    ]
    assert fall["weight"] == fall["steps"][-1]["sum"] == pytest.approx(PRIOR + rare + 10, abs=1e-6)
    assert link["probability"] == fall["probability"] == pytest.approx(probability(PRIOR + rare + 10), abs=1e-6)
    [profile] = asked(shop, "profile", "show", "user_id:liz1")
    assert profile["confidence"] == link["probability"]
    assert f"probability of {profile['confidence']:g}" in shown(shop, "profile", "show", "user_id:liz2")


def test_a_candidate_says_what_it_lacks(shop: Path) -> None:
    told = explained(shop, "liz1", "liz3")
    assert told["joined"] is False
    assert {link["state"] for link in told["path"]} == {"candidate"}
    assert "below accept" in told["reason"]
    assert told["would_join"] == ["skep identity link user_id:liz1 user_id:liz3 --why …"]
    assert told["path"][0]["waterfall"]["steps"][0]["bits"] == 3


def test_a_refused_link_says_by_which_rule(shop: Path) -> None:
    told = explained(shop, "eve1", "eve2")
    assert [link["state"] for link in told["path"]] == ["rejected"]
    assert "unique" in told["reason"]
    assert told["path"][0]["waterfall"]["weight"] > 9


@pytest.mark.parametrize(
    ("a", "b", "why", "candidates"),
    [
        ("liz1", "bob", "compared: +2.8 bits, probability 0.8707, below review, 0.9", True),
        ("liz1", "zoe", "not compared: they share no block", False),
        ("kim0", "kim1", "not compared: the blocks that they share hold more than 4 records each, `block_limit`", False),
        ("ip1", "ip3", "not compared: they were not seen in one block within its time of each other", False),
        ("ip1", "ip2", "compared: ", True),
    ],
)
def test_records_without_a_link_are_laid_side_by_side(shop: Path, a: str, b: str, why: str, candidates: bool) -> None:
    told = explained(shop, a, b)
    assert told["path"] == []
    compared = told["compared"]
    assert compared["why"].startswith(why)
    assert compared["candidates"] is candidates
    assert told["reason"].endswith(f"by likeness: {compared['why']}")
    assert (compared["a"], compared["b"]) == (["user_id", a], ["user_id", b])


def test_the_explanation_for_people(shop: Path) -> None:
    """The waterfall as a table, of a link and of a pair that was compared."""
    said = shown(shop, "identity", "explain", "user_id:liz1", "user_id:liz2")
    assert "probabilistic" in said
    assert re.search(r"\(a candidate\) .*probability 0\.05 +-4\.25 +-4\.25", said)
    assert re.search(r"first_name +jaro_winkler +elisabeth +elisabeth +equal +\+8\.00 +\+2\.00 +\+3\.75", said)
    side = shown(shop, "identity", "explain", "user_id:liz1", "user_id:bob")
    assert "blocks that they share: last_name, birth_date" in side
    assert re.search(r"first_name +jaro_winkler +elisabeth +bob", side)
    apart = shown(shop, "identity", "explain", "user_id:liz1", "user_id:zoe")
    assert "(a candidate)" not in apart


def test_the_picture_has_links_by_likeness_and_candidates(shop: Path, tmp_path: Path) -> None:
    """With their probability; a candidate is dotted and no refusal."""
    target = tmp_path / "liz.svg"
    shown(shop, "identity", "graph", "user_id:liz1", "--out", str(target))
    drawn = target.read_text()
    assert drawn.count('stroke-dasharray="1 5"') >= 2, "a candidate, and the legend"
    assert "candidate, not applied" in drawn
    assert ">0.9997<" not in drawn
    assert ">0.9999<" in drawn
    assert ">candidate<" in drawn
    evelyn = tmp_path / "eve.svg"
    shown(shop, "identity", "graph", "user_id:eve1", "--out", str(evelyn))
    assert "by likeness, unique" in evelyn.read_text()


def test_the_snapshot_has_the_confidence_of_each_event(shop: Path) -> None:
    shown(shop, "snapshot")
    rows = asked(shop, "sql", "select message_id, confidence from attributions order by 1")
    told = {row["message_id"]: row["confidence"] for row in rows}
    assert told["s1"] == told["m-liz2"] < 1 == told["m-liz1"] == told["m-bob"]


def test_the_snapshot_has_the_links_that_do_not_stand(shop: Path) -> None:
    """Every probabilistic link once, whatever became of it, with its weight; deterministic ones have none."""
    shown(shop, "snapshot")
    rows = asked(shop, "sql", "select a_value, b_value, state, weight from identity_links where kind = 'probabilistic' order by all")
    told = {(row["a_value"], row["b_value"]): row["state"] for row in rows}
    assert len(told) == len(rows)
    assert told["liz1", "liz2"] == "accepted"
    assert told["eve1", "eve2"] == "rejected"
    assert "candidate" in told.values()
    for row in rows:
        assert (probability(row["weight"]) >= 0.999) is (row["state"] != "candidate"), row
    assert asked(shop, "sql", "select count(*) as n from identity_links where kind <> 'probabilistic' and weight is not null")[0]["n"] == 0


def test_a_destination_with_a_floor_beside_one_without(tmp_path: Path) -> None:
    """Real processes, in several runs: a person is named, falls to the cohort when somebody alike comes, and is named again."""
    folder = project(tmp_path / "shop", CONTRACTS, LINES[:1])
    folded: dict[str, Any] = {}
    for lines in (LINES[:1], LINES[:4], [*LINES, moved()], [*LINES, moved()]):
        (folder / "events.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))
        ran(folder)
        done = flow(folder, "flows.activation")
        assert done.returncode == 0, done.stderr
        named = Cohorts(0.99995)
        named.read(enumerate((folder / "out" / "sure.jsonl").read_bytes().splitlines()))
        assert named.told() == held_of(dumped(folder).splitlines(), 0.99995)
        folded = named.told()
    everything = (folder / "out" / "all.jsonl").read_bytes().splitlines()
    kinds = [orjson.loads(line)["type"] for line in everything]
    assert kinds.count("identity.confidence") == 2
    assert folded["cohorts"] == {}
    floored = [orjson.loads(line) for line in (folder / "out" / "sure.jsonl").read_bytes().splitlines()]
    assert [(one["type"], one["segment"]) for one in floored if one["profile"] is None] == [
        ("segment.entered", "everybody"), ("segment.entered", "sure"), ("segment.exited", "sure"), ("segment.exited", "everybody"),
    ]  # fmt: skip


def moved() -> bytes:
    """The other Elisabeth gets another birthday: no longer alike."""
    body = {"type": "identify", "messageId": "m-new", "timestamp": "2026-01-01T10:30:00Z", "userId": "liz2"}
    return orjson.dumps({**body, "traits": {"birth_date": "1999-09-09"}})


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (None, "expected the model that identity.yaml names, found nothing (run `skep identity train`)"),
        ('{"format": 99}', "expected a model of format 1, found 99 (run `skep identity train` again)"),
        ("[1", "expected a model written by `skep identity train`"),
        (dump(Model(0.05, MODEL.comparisons[:2])).decode(), "expected a model for the comparisons of the rules, found one for others"),
    ],
)
def test_without_its_model_no_flow_starts(tmp_path: Path, model: str | None, said: str) -> None:
    """Nothing, one of another format, none at all, and one for other comparisons: file, line and key, from check and from the flow."""
    text = "version: 1\nprobabilistic:\n  block: [[last_name]]\n  model: my_model.json\n  compare:\n" + "".join(
        f"    - {orjson.dumps(compare).decode()}\n" for compare in RULES["probabilistic"]["compare"]
    )
    contracts = {"identity.yaml": text} | ({} if model is None else {"my_model.json": model})
    folder = project(tmp_path / "shop", contracts, LINES)
    for done in (skep("check", project=folder), flow(folder)):
        assert done.returncode != 0
        assert f"contracts/identity.yaml:4: probabilistic.model: {said}" in done.stdout + done.stderr
    assert not (folder / "data" / "shards" / "shop" / "CURRENT").exists()


def home(folder: Path, identifier: str) -> str:
    """The id of the profile that holds an identifier."""
    (found,) = asked(folder, "profile", "show", identifier)
    return str(found["id"])


def test_a_split_keeps_apart_what_is_alike_in_parts(tmp_path: Path) -> None:
    """What leaves a person is a record of its own, which may be like those that stay: that is cut, too, and told before."""
    tablet = orjson.dumps(
        {
            "type": "identify",
            "messageId": "t",
            "timestamp": "2026-01-01T09:00:00Z",
            "anonymousId": "tablet",
            "traits": orjson.loads(LINES[0])["traits"],
        }
    )
    login = orjson.dumps(
        {"type": "track", "event": "seen", "messageId": "l", "timestamp": "2026-01-01T10:09:30Z", "userId": "liz2", "anonymousId": "tablet"}
    )
    folder = project(tmp_path / "shop", CONTRACTS, [*LINES, tablet, login])
    ran(folder)
    assert home(folder, "device:tablet") == home(folder, "user_id:liz1")
    words = ["identity", "split", "user_id:liz1", "--keep", "user_id:liz1", "--keep", "user_id:liz2", "--why", "a shop's"]
    planned = asked(folder, *words, "--dry-run")
    assert [one["identifiers"] for one in planned["people"]] == [[["user_id", "liz1"], ["user_id", "liz2"]], [["device", "tablet"]]]
    assert len(planned["unlink"]) == 2
    assert {**asked(folder, *words), "entries": []} == planned
    ran(folder)
    assert home(folder, "user_id:liz1") == home(folder, "user_id:liz2") == planned["people"][0]["profile"]
    assert home(folder, "device:tablet") == planned["people"][1]["profile"]


def test_an_unlink_by_hand_takes_people_apart_who_are_alike(tmp_path: Path) -> None:
    """And a manual link of the same two brings them together again, whatever they look like."""
    folder = project(tmp_path / "shop", CONTRACTS, LINES)
    ran(folder)
    together = dumped(folder)
    one, two = "user_id:zoe", "user_id:bob"
    assert len({home(folder, f"user_id:liz{at}") for at in (1, 2)}) == 1
    skep("identity", "unlink", "user_id:liz1", "user_id:liz2", "--why", "twins", project=folder)
    skep("identity", "link", one, two, "--why", "married", project=folder)
    ran(folder)
    assert home(folder, one) == home(folder, two)
    told = [row for row in map(orjson.loads, dumped(folder).splitlines()) if row["kind"] == "link"]
    assert not [row for row in told if [row["a"][1], row["b"][1]] == ["liz1", "liz2"]]
    skep("identity", "unlink", one, two, "--why", "no", project=folder)
    skep("identity", "link", "user_id:liz1", "user_id:liz2", "--why", "the same after all", project=folder)
    skep("identity", "unlink", "user_id:kim0", "user_id:kim1", "--why", "never were", project=folder)
    ran(folder)
    assert home(folder, "user_id:liz1") == home(folder, "user_id:liz2")
    assert home(folder, one) != home(folder, two)
    same = {row["id"] for row in map(orjson.loads, together.splitlines()) if row["kind"] == "profile"}
    assert same == {row["id"] for row in map(orjson.loads, dumped(folder).splitlines()) if row["kind"] == "profile"}
