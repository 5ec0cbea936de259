"""`skep identity history` and `show --at`, and the table of the snapshot: over a shard that a real flow has written."""

from __future__ import annotations

import re
from pathlib import Path

import orjson
import pytest

from contracts.model.hashing import DEFAULT_SECRET, Hasher
from tests.promises.project import Json, asked, project, ran
from tests.skep.test_cli import refused, skep

RULES: Json = {
    "version": 7,
    "namespaces": [
        {"name": "user_id", "from": "userId", "unique": True},
        {"name": "email", "from": "traits.email", "normalize": "email", "personal": True},
        {"name": "device", "from": "anonymousId", "scope": "device"},
    ],
}


def seen(number: int, **body: object) -> bytes:
    """An identify call on a day of January 2026."""
    return orjson.dumps({"type": "identify", "messageId": f"m{number}", "timestamp": f"2026-01-{number:02d}T12:00:00Z", **body})


LINES = [
    seen(1, anonymousId="tablet"),
    seen(2, userId="ann", traits={"email": "Ann@x.com"}),
    seen(3, anonymousId="tablet", userId="ann"),
    seen(4, userId="bob", anonymousId="tablet"),
    seen(5, userId="zoe"),
]
WHYS = {"unlink": "not her tablet", "link": "it was hers after all"}


def manual(folder: Path, kind: str, a: str, b: str, why: str) -> None:
    done = skep("identity", kind, a, b, "--why", why, project=folder)
    assert done.returncode == 0, done.stderr
    ran(folder)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tablet that is ann's, then bob's; an address that is unlinked from ann and linked again."""
    folder = tmp_path_factory.mktemp("history") / "shop"
    project(folder, {"identity.yaml": RULES}, LINES)
    ran(folder)
    for kind, why in WHYS.items():
        manual(folder, kind, "user_id:ann", "email:ann@x.com", why)
    done = skep("snapshot", project=folder)
    assert done.returncode == 0, done.stderr
    return folder


def told(folder: Path, profile: str) -> Json:
    found: Json = asked(folder, "identity", "history", profile)
    return found


def known(folder: Path, who: str, at: str | None = None) -> list[str]:
    """The identifiers of somebody as `skep identity show` has them."""
    found = asked(folder, "identity", "show", who, *(["--at", at] if at else []))
    return [":".join(pair) for pair in found["identifiers"]]


def test_a_merge_a_split_and_the_same_merge_again(shop: Path) -> None:
    """Each with its cause, its reason, the identifiers and the profile on the other side, oldest first."""
    found = told(shop, "email:ANN@x.com")
    email = found["history"][-1]["other"]
    tablet = found["history"][1]["other"]
    assert [(turn["type"], turn["other"]) for turn in found["history"]] == [
        ("created", None),
        ("merged", tablet),
        ("lost", told(shop, "user_id:bob")["profile"]),
        ("split", email),
        ("merged", email),
    ]
    created, merged, lost, split, again = found["history"]
    assert created["identifiers"] == [["user_id", "ann"], ["email", "ann@x.com"]]
    assert merged["identifiers"] == lost["identifiers"] == [["device", "tablet"]]
    assert split["identifiers"] == again["identifiers"] == [["email", "ann@x.com"]]
    assert merged["cause"] == {"type": "message", "id": "m3", "why": None}
    assert (merged["clock"], merged["time"]) == ("2026-01-03T12:00:00.000000Z",) * 2
    assert [(turn["cause"]["type"], turn["cause"]["why"]) for turn in (split, again)] == list(WHYS.items())
    assert split["clock"] == "2026-01-05T12:00:00.000000Z" < split["time"]
    assert {turn["rules"] for turn in found["history"]} == {7}


def test_the_other_side_has_its_own_history(shop: Path) -> None:
    """The profile of the address came out of ann's and went back; that of the tablet went into ann's for good. Both by id."""
    ann = told(shop, "user_id:ann")
    turns = told(shop, ann["history"][-1]["other"])["history"]
    assert [(turn["type"], turn["other"]) for turn in turns] == [("split_from", ann["profile"]), ("merged_into", ann["profile"])]
    turns = told(shop, ann["history"][1]["other"])["history"]
    assert [(turn["type"], turn["other"]) for turn in turns] == [("created", None), ("merged_into", ann["profile"])]
    turns = told(shop, "user_id:bob")["history"]
    assert [(turn["type"], turn["identifiers"]) for turn in turns] == [
        ("created", [["user_id", "bob"]]),
        ("gained", [["device", "tablet"]]),
    ]


def test_a_history_for_people(shop: Path) -> None:
    """A line for each, with the reasons; of a profile that is alone, too."""
    done = skep("identity", "history", "user_id:ann", project=shop)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("p_")
    assert [line.split()[1] for line in lines[3:]] == ["created", "merged", "lost", "split", "merged"]
    assert all(why in done.stdout for why in WHYS.values())
    assert re.search(r"\bmessage +m3\b", done.stdout)
    assert [turn["type"] for turn in told(shop, "user_id:zoe")["history"]] == ["created"]


def test_people_as_they_were_believed_to_be(shop: Path) -> None:
    """By an identifier, at times between; now without a time. Personal values are in the clear, as everywhere on the command line."""
    assert known(shop, "device:tablet", "2026-01-01T12:00:00Z") == ["device:tablet"]
    assert known(shop, "device:tablet", "2026-01-03T12:00:00Z") == ["user_id:ann", "email:ann@x.com", "device:tablet"]
    assert known(shop, "user_id:ann", "2026-01-03T11:59:59Z") == ["user_id:ann", "email:ann@x.com"]
    assert known(shop, "device:tablet", "2026-01-04T12:00:00Z") == known(shop, "device:tablet") == ["user_id:bob", "device:tablet"]
    assert known(shop, "user_id:ann") == ["user_id:ann", "email:ann@x.com"]
    done = skep("identity", "show", "device:tablet", "--at", "2026-01-03T12:00:00Z", project=shop)
    assert "as believed at 2026-01-03T12:00:00.000000Z" in done.stdout
    assert "user_id     ann" in done.stdout


def test_an_id_that_is_gone_leads_to_what_it_became(shop: Path) -> None:
    """The tablet's own profile was there on the first day; later its id means ann's, of whose profile it became part."""
    ann = told(shop, "user_id:ann")
    tablet = ann["history"][1]["other"]
    assert known(shop, tablet, "2026-01-02T00:00:00Z") == ["device:tablet"]
    assert asked(shop, "identity", "show", tablet, "--at", "2026-01-03T12:00:00Z")["profile"] == ann["profile"]
    assert asked(shop, "identity", "show", tablet)["profile"] == ann["profile"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("history", "p_00000000000000000000000000000000"), "no profile of space shop has the id"),
        (("history", "p_xyz"), "expected p_ and 32 hexadecimal digits"),
        (("history", "user_id:nobody"), "nobody in space shop has user_id:nobody"),
        (("show", "user_id:nobody"), "nobody in space shop was known as user_id:nobody →"),
        (("show", "user_id:zoe", "--at", "2026-01-04T00:00:00Z"), "was known as user_id:zoe at 2026-01-04T00:00:00.000000Z"),
        (("show", "user_id:zoe", "--at", "yesterday"), "--at: expected a time such as"),
        (("show", "user_id:guest"), "it is blocked"),
        (("show", "usr:1"), "found usr"),
    ],
)
def test_what_cannot_be_shown(shop: Path, words: tuple[str, ...], said: str) -> None:
    """Nobody, nobody yet, no time, no namespace: one line that says so."""
    assert said in refused(skep("identity", *words, project=shop))


def test_the_snapshot_has_the_history(shop: Path) -> None:
    """One row for each thing that happened, personal values as hashes, links with their first message, count and rules."""
    query = "select type, identifiers, cause, cause_id, rules from identity_history h join identifiers i using (profile_id) "
    rows = asked(shop, "sql", query + "where i.value = 'ann' order by sequence")
    hashed = next(one["value"] for one in asked(shop, "sql", "select value from identifiers where namespace = 'email'"))
    assert hashed.startswith("h_")
    assert sorted(rows[0].pop("identifiers")) == ["email:" + hashed, "user_id:ann"]
    assert rows[0] == {
        "type": "created",
        "cause": "message",
        "cause_id": "m2",
        "rules": 7,
    }
    assert [row["type"] for row in rows] == ["created", "merged", "lost", "split", "merged"]
    assert [row["cause"] for row in rows] == ["message", "message", "message", "unlink", "link"]
    query = "select kind, state, message_id, events, rules from identity_links where a_value = 'ann' and b_value = 'tablet'"
    assert asked(shop, "sql", query) == [{"kind": "deterministic", "state": "rejected", "message_id": "m3", "events": 1, "rules": 7}]


def test_other_rules_let_identifiers_go_and_take_them_back(tmp_path: Path) -> None:
    """A namespace is taken out and put back: its identifiers are gone meanwhile, and the history tells by which definitions."""
    folder = project(tmp_path / "shop", {"identity.yaml": RULES}, LINES)
    ran(folder)
    namespaces = [each for each in RULES["namespaces"] if each["name"] != "email"]
    (folder / "contracts" / "identity.yaml").write_bytes(orjson.dumps({**RULES, "version": 8, "namespaces": namespaces}))
    assert skep("apply", project=folder).returncode == 0
    ran(folder)
    last = told(folder, "user_id:ann")["history"][-1]
    key = Hasher(DEFAULT_SECRET, "shop").identifier("email", "ann@x.com")
    assert (last["type"], last["other"], last["identifiers"]) == ("lost", None, [[None, f"h_{key.hex()}"]])
    assert (last["cause"]["type"], last["rules"]) == ("definition", 8)
    assert known(folder, "user_id:ann") == ["user_id:ann"]
    (folder / "contracts" / "identity.yaml").write_bytes(orjson.dumps({**RULES, "version": 9}))
    assert skep("apply", project=folder).returncode == 0
    ran(folder)
    last = told(folder, "user_id:ann")["history"][-1]
    assert (last["type"], last["identifiers"], last["rules"]) == ("grew", [["email", "ann@x.com"]], 9)
    assert known(folder, "email:ann@x.com", "2026-01-05T00:00:00Z") == ["user_id:ann", "email:ann@x.com"]
    steps = asked(folder, "identity", "explain", "user_id:ann", "email:ann@x.com")["path"]
    assert [link["rules"] for link in steps] == [9]
    steps = asked(folder, "identity", "explain", "user_id:bob", "device:tablet")["path"]
    assert [link["rules"] for link in steps] == [7]
