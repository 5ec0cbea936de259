"""`skep plan`, `rollback` and `audit`: what an edit would do, that it does exactly that, and that it can be taken back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import orjson
import pytest

from contracts import load
from contracts.model.definitions import Definitions
from contracts.model.hashing import Hasher
from operators.judge import Judge
from operators.people import anew, told_anew
from operators.sandbox import Sandbox
from skep.answers.planning.trial import trial
from skep.project.definitions import keep
from skep.project.settings import Settings
from skep.project.spaces import shard_path
from state.shard import Shard
from tests.drawn_definitions import definitions_files
from tests.generator import Scenario, scenario
from tests.graphs import likenesses
from tests.promises.project import applied, asked, dump, project, ran, write_contract
from tests.skep.test_apply import following, until
from tests.skep.test_cli import refused, skep

IDENTITY = """\
version: 1
namespaces:
  - {name: user_id, from: userId, unique: true}
  - {name: email, from: traits.email, normalize: email, limit: 2}
  - {name: anonymous_id, from: anonymousId, scope: device}
"""
MORE = """\
version: 2
namespaces:
  - {name: user_id, from: userId, unique: true}
  - {name: card, from: properties.card}
  - {name: email, from: traits.email, normalize: email, limit: 1}
  - {name: anonymous_id, from: anonymousId, scope: device}
conflict: oldest
limits: {identifiers: 3}
stitching: {session_gap: 1m, backstitch: 10d}
"""
CONTRACTS: dict[str, Any] = {
    "identity.yaml": IDENTITY,
    "traits.yaml": "traits:\n  - {name: orders, count: true, did: paid, emit: true}\n",
    "events/paid/1-0-0.json": '{"type": "object"}',
    "segments/buyers.yaml": "segment: buyers\nwho: {did: paid}\nactivate: [file]\n",
    "destinations/file.yaml": "kind: file\npath: data/told.jsonl\n",
}


def event(number: int, minute: int, **fields: Any) -> bytes:
    time = f"2026-01-01T{minute // 60:02}:{minute % 60:02}:00Z"
    return json.dumps({"type": "identify", "messageId": f"m{number}", "timestamp": time, **fields}).encode()


def paid(number: int, minute: int, card: str | None = None, **fields: Any) -> bytes:
    return event(number, minute, **{"type": "track", "event": "paid", "properties": {"card": card}, **fields})


LINES = [
    event(1, 0, anonymousId="d", type="page"),
    event(2, 5, userId="1", anonymousId="d"),
    event(3, 10, userId="1", traits={"email": "a@x.org"}),
    event(4, 15, userId="1", traits={"email": "b@x.org"}),
    event(5, 20, traits={"email": "c@x.org"}),
    paid(6, 25, "777", userId="1"),
    paid(7, 30, "777", traits={"email": "c@x.org"}),
    paid(8, 35, "888"),
    event(9, 40, userId="2", anonymousId="d"),
    event(10, 45, anonymousId="d", type="page"),
]


class Run:
    """A space in its folder under several sets of definitions, without a flow."""

    def __init__(self, settings: Settings, known: list[Definitions]) -> None:
        self._known = {one.digest: one for one in known}
        self._judges = {one.digest: Judge(one, unknown_ok=True, future_skew_us=1 << 60, max_event_bytes=1_000_000) for one in known}
        for one in known:
            keep(settings, one)
        hasher = Hasher(settings.secret, "shop")
        self.shard = Shard(shard_path(settings, "shop"))
        self.box = Sandbox(
            "shop", self.shard, hasher, load=self._known.__getitem__, judge=self._judges.__getitem__, horizon_us=settings.horizon_us
        )
        self.space = self.box.space
        self.space.renew()

    def control(self, entry: dict[str, Any]) -> None:
        self.box.enter(entry)

    def definitions(self, one: Definitions) -> None:
        self.control({"type": "definitions", "digest": one.digest})
        self.space.bring_along()

    def feed(self, records: list[bytes]) -> None:
        events, wrong = self._judges[self.space.work.digest].judge_many(records, self.box.following("web"), 0)
        self.box.feed("web", events, wrong)

    def dump(self) -> list[bytes]:
        return list(self.box.view.dump())


@pytest.mark.parametrize("seed", range(16))
def test_a_plan_is_what_comes_and_what_was_comes_back(seed: int, tmp_path: Path) -> None:
    """Two sets of generated rules, segments and traits over generated events, with manual links, half of them with old days sealed:
    the trial's dump and its changes are those of the flow, and the definitions before give the dump before."""
    one, two = (definitions_files(number) for number in (seed, seed + 1000))
    _there_and_back(tmp_path, scenario(seed, 60), one, two, "1d" if seed % 2 else "400d")


@pytest.mark.parametrize("seed", range(9))
def test_links_by_likeness_are_planned_too(seed: int, tmp_path: Path) -> None:
    """Other lines, comparisons and models; rules with such links for the first time; and none any more."""
    made = likenesses(seed)
    rules = orjson.loads(made.definitions_files["identity.yaml"])
    del rules["probabilistic"]
    files = {path: text for path, text in made.definitions_files.items() if path != "identity_model.json"} | {
        "identity.yaml": orjson.dumps(rules).decode()
    }
    one, two = [
        (made.definitions_files, likenesses(seed + 500).definitions_files),
        (files, made.definitions_files),
        (made.definitions_files, files),
    ][seed % 3]
    _there_and_back(tmp_path, made, one, two, "400d")


def _there_and_back(folder: Path, made: Scenario, before_files: dict[str, str], after_files: dict[str, str], horizon: str) -> None:
    (folder / "skep.yaml").write_text(f"data: data\nunknown_events: accept\nhorizon: {horizon}\n")
    settings = Settings.load(folder)
    one, two = (load(files, unknown_events_ok=True) for files in (before_files, after_files))
    records = [orjson.dumps(body) for body in sorted(made.events, key=lambda body: str(body["timestamp"]))]
    run = Run(settings, [one, two])
    run.definitions(one)
    for at in range(0, len(records), 10):
        run.feed(records[at : at + 10])
    for entry in made.control:
        run.control(entry)
    run.feed([])
    before, told = run.dump(), run.space.meta.changes
    with trial(settings, "shop", two, lambda *_: None) as tried:
        assert list(tried.before.dump()) == before
        planned, changes = list(tried.after.dump()), list(tried.told)
    assert run.dump() == before
    run.definitions(two)
    assert run.dump() == planned
    assert [row for _, row in run.shard.rows("changes")][told:] == changes
    run.feed([])
    run.definitions(one)
    assert run.dump() == before
    run.shard.close()


@pytest.mark.parametrize("commits", [2, 4, 6, 9])
def test_planned_while_people_are_made_anew(commits: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The flow was killed before the switch, or behind it: what it will come to next is what a plan says."""
    for where in (anew, told_anew):
        monkeypatch.setattr(where, "PEOPLE", 2)
    monkeypatch.setattr(anew, "MOMENTS", 4)
    (tmp_path / "skep.yaml").write_text("data: data\n")
    settings = Settings.load(tmp_path)
    one, two, three = (load({**CONTRACTS, "identity.yaml": text}) for text in (IDENTITY, MORE, MORE.replace("limit: 1", "limit: 2")))
    run = Run(settings, [one, two, three])
    run.definitions(one)
    run.feed(LINES)
    commit, left = run.shard.commit, iter(range(commits))

    def perhaps() -> int:
        next(left)
        return commit()

    monkeypatch.setattr(run.shard, "commit", perhaps)
    with pytest.raises(StopIteration):
        run.definitions(two)
    monkeypatch.undo()
    run.shard.close()
    run = Run(settings, [one, two, three])
    assert run.space.meta.change is not None
    with trial(settings, "shop", three, lambda *_: None) as tried:
        planned, changes = list(tried.after.dump()), list(tried.told)
    assert run.space.meta.change is not None
    told = run.space.meta.changes
    run.definitions(three)
    assert run.dump() == planned
    assert [row for _, row in run.shard.rows("changes")][told:] == changes
    run.shard.close()


def test_a_new_namespace_finds_old_events_without_identifiers(tmp_path: Path) -> None:
    """Hundreds of them, sealed since, over several rows; taken back, they are nobody's again, and are sealed and found once more."""
    (tmp_path / "skep.yaml").write_text("data: data\nhorizon: 1d\n")
    settings = Settings.load(tmp_path)
    one, two = (load({**CONTRACTS, "identity.yaml": text}) for text in (IDENTITY, MORE))
    run = Run(settings, [one, two])
    run.definitions(one)
    run.feed([paid(number, number, f"c{number}") for number in range(250)])
    late = {"type": "track", "event": "paid", "userId": "u", "timestamp": "2026-06-01T00:00:00Z", "messageId": "late"}
    run.feed([orjson.dumps(late)])
    run.feed([])
    before = run.dump()
    assert len(list(run.shard.rows("moments"))) == 1
    assert len(list(run.shard.rows("pages"))) == 3
    for _ in range(2):
        run.definitions(two)
        found = [json.loads(line) for line in run.dump()]
        assert {row["value"] for row in found if row.get("namespace") == "card"} == {f"c{number}" for number in range(250)}
        assert run.space.meta.unidentified == 0
        run.feed([])
        run.definitions(one)
        assert run.dump() == before
        assert run.space.meta.unidentified == 250
        run.feed([])
    run.shard.close()


def planned(folder: Path, *words: str) -> Any:
    (found,) = asked(folder, "plan", *words)
    return found


def _homes(state: str) -> tuple[dict[tuple[str, str], str], set[str]]:
    """By identifier its profile id; and all profile ids."""
    rows = [json.loads(line) for line in state.splitlines()]
    homes = {(row["namespace"], row["value"]): row["profile"] for row in rows if row["kind"] == "identifier"}
    return homes, {row["id"] for row in rows if row["kind"] == "profile"}


def test_a_plan_says_what_an_edit_does_and_apply_does_it(tmp_path: Path) -> None:
    """A new namespace, limits, conflict and windows, while the flow runs: counted and with samples; nothing is touched by planning."""
    folder = project(tmp_path / "one", CONTRACTS, LINES)
    with following(folder):
        until(folder, len(LINES))
        state = dump(folder)
        before, profiles = _homes(state)
        assert ("card", "777") not in before
        write_contract(folder, "identity.yaml", MORE)
        found = planned(folder, "--dump", str(tmp_path / "planned"))
        assert found["files"] == [{"file": "contracts/identity.yaml", "change": "changed"}]
        assert found["recomputed"] is True
        assert dump(folder) == state
        assert asked(folder, "apply")[0]["answer"]["recomputed"] is True
        assert dump(folder) == (tmp_path / "planned").read_text()
    after, later = _homes(dump(folder))
    assert {("card", "777"), ("card", "888")} <= after.keys()
    moved = sum(after[pair] != profile for pair, profile in before.items() if pair in after)
    assert found["identifiers"] == {"moved": moved, "added": 2, "gone": 0}
    gone, come = profiles - later, later - profiles
    assert (found["id"]["vanish"]["count"], found["id"]["appear"]["count"]) == (len(gone), len(come))
    assert {one["after"][0]["profile"] for one in found["id"]["appear"]["samples"]} == come
    assert found["split"]["count"] == 2
    apart = {one["before"][0]["identifiers"][0][1]: one["after"] for one in found["split"]["samples"]}
    assert {user: len(parts) > 1 for user, parts in apart.items()} == {"1": True, "2": True}
    assert after["user_id", "1"] == after["anonymous_id", "d"] != before["anonymous_id", "d"]
    changes = [json.loads(line) for line in skep("changes", project=folder).stdout.splitlines()]
    mine = [change for change in changes if change["cause"]["type"] == "definition"]
    assert found["destinations"]["file"]["changes"] == len(mine) > 0
    entered = [change["profile"] for change in mine if change["type"] == "segment.entered"]
    buyers = found["segments"]["buyers"]
    assert [one["profile"] for one in buyers["enter"]["samples"]] == sorted(entered)
    assert buyers["after"] - buyers["before"] == buyers["enter"]["count"] - buyers["leave"]["count"]


def test_a_plan_says_what_it_takes(tmp_path: Path) -> None:
    """As many people and events as the flow then tells of; of events those alone that a new condition asks for, of another number none."""
    folder = project(tmp_path / "one", CONTRACTS, LINES)
    with following(folder):
        until(folder, len(LINES))
        for condition in ("{did: paid, times: {gte: 2}, within: 9d}", "{did: paid, times: {gte: 1}, within: 8d}"):
            write_contract(folder, "segments/regulars.yaml", f"segment: regulars\nwho: {condition}\n")
            cost = planned(folder, "--dump", str(tmp_path / "planned"))["cost"]
            answer = asked(folder, "apply")[0]["answer"]
            assert (cost["people"], cost["events"], cost["anew"]) == (answer["people"], answer["events"], False)
            assert cost["seconds"] > 0
            assert 0 < cost["bytes"] < cost["memory"]
            assert (0 < answer["events"] < len(LINES)) is ("gte: 2" in condition)
            assert dump(folder) == (tmp_path / "planned").read_text()
        write_contract(folder, "identity.yaml", MORE)
        assert planned(folder)["cost"]["anew"] is True


def test_a_plan_of_what_means_the_same(tmp_path: Path) -> None:
    folder = project(tmp_path / "one", CONTRACTS, LINES)
    assert "nothing has run here yet" in refused(skep("plan", project=folder))
    ran(folder)
    assert "are in force already" in skep("plan", project=folder).stdout
    write_contract(folder, "identity.yaml", f"# who is who\n{IDENTITY}")
    done = skep("plan", "--dump", str(tmp_path / "planned"), project=folder)
    assert "changed  contracts/identity.yaml" in done.stdout
    assert "nothing would change" in done.stdout
    assert (tmp_path / "planned").read_text() == dump(folder)
    write_contract(folder, "traits.yaml", "traits:\n  - {name: orders, sum: n, did: paid}\n")
    done = skep("plan", project=folder)
    assert "orders" in done.stdout
    write_contract(folder, "identity.yaml", IDENTITY.replace("unique", "unqiue"))
    assert "contracts/identity.yaml:3" in refused(skep("plan", project=folder))


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("identity.yaml", MORE),
        ("identity.yaml", IDENTITY.replace("  - {name: email, from: traits.email, normalize: email, limit: 2}\n", "")),
        ("identity.yaml", IDENTITY + "limits: {links: 1}\nstitching: {session_gap: 1m, owner: device}\n"),
        ("segments/buyers.yaml", "segment: buyers\nwho: {not: {did: paid}}\n"),
        ("segments/others.yaml", "segment: others\nwho: {not: {segment: buyers}}\n"),
        ("traits.yaml", "traits:\n  - {name: cards, set: card, did: paid, limit: 2}\n"),
    ],
)
def test_a_rollback_gives_the_state_and_the_files_before(path: str, text: str, tmp_path: Path) -> None:
    folder = project(tmp_path / "one", CONTRACTS, LINES)
    ran(folder)
    before, files = dump(folder), _files(folder)
    write_contract(folder, path, text)
    applied(folder)
    ran(folder)
    assert dump(folder) != before
    done = asked(folder, "rollback", "--why", "a test")
    assert [one["file"] for one in done["files"]] == [f"contracts/{path}"]
    assert _files(folder) == files
    ran(folder)
    assert dump(folder) == before
    assert [row["type"] for row in asked(folder, "audit")] == ["definitions", "definitions", "rollback"]
    asked(folder, "rollback")
    assert _files(folder)[path] == text


def _files(folder: Path) -> dict[str, str]:
    root = folder / "contracts"
    return {path.relative_to(root).as_posix(): path.read_text() for path in root.rglob("*") if path.is_file()}


def test_a_rollback_while_the_flow_runs(tmp_path: Path) -> None:
    folder = project(tmp_path / "one", CONTRACTS, LINES)
    with following(folder):
        until(folder, len(LINES))
        before = dump(folder)
        write_contract(folder, "identity.yaml", MORE)
        asked(folder, "apply")
        assert dump(folder) != before
        (done,) = asked(folder, "rollback")["spaces"]
        assert (done["running"], done["answer"]["recomputed"]) == (True, True)
        assert dump(folder) == before


def test_what_was_never_in_force_is_not_lost(tmp_path: Path) -> None:
    folder = project(tmp_path / "one", CONTRACTS, LINES[:2])
    ran(folder)
    assert "never changed" in refused(skep("rollback", project=folder))
    first = asked(folder, "audit")[0]["what"]["definitions"]
    write_contract(folder, "identity.yaml", MORE)
    asked(folder, "apply")
    write_contract(folder, "segments/new.yaml", "segment: new\nwho: {did: paid}\n")
    said = refused(skep("rollback", project=folder))
    assert "contracts/segments/new.yaml" in said
    assert "--force" in said
    assert "begin" in refused(skep("rollback", "--to", "zz", project=folder))
    done = asked(folder, "rollback", "--force", "--to", first[:8])
    assert done["definitions"] == first
    assert "segments/new.yaml" not in _files(folder)
    assert _files(folder)["identity.yaml"] == IDENTITY


def test_the_audit_says_who_did_what(tmp_path: Path) -> None:
    folder = project(tmp_path / "one", CONTRACTS, LINES)
    assert asked(folder, "audit") == []
    ran(folder)
    link = ("identity", "link", "user_id:1", "user_id:2", "--why", "ticket 17")
    assert skep(*link, project=folder, SKEP_USER="ann").returncode == 0
    waiting = asked(folder, "audit")[-1]
    assert (waiting["type"], waiting["by"], waiting["why"], waiting["answer"]) == ("link", "ann", "ticket 17", None)
    assert waiting["what"] == {end: {"namespace": "user_id", "value": value} for end, value in (("a", "1"), ("b", "2"))}
    assert planned(folder)["waiting"] == 1
    ran(folder)
    write_contract(folder, "identity.yaml", MORE)
    asked(folder, "apply")
    rows = asked(folder, "audit")
    assert [row["type"] for row in rows] == ["definitions", "link", "definitions"]
    assert rows[1]["answer"]["joined"] is False
    assert "@" in rows[2]["by"]
    assert rows[2]["what"]["files"] == [{"file": "contracts/identity.yaml", "change": "changed"}]
    shown = skep("audit", project=folder).stdout
    assert "ticket 17" in shown
    assert "no flow has read it yet" in shown
