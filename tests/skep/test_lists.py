"""Lists of identifiers: kept as hashes where they are personal, asked in the stream and in SQL, and as long as you like."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

import contracts
from contracts.model.definitions import Definitions
from contracts.model.hashing import Hasher
from operators.records import Identifier, Person
from operators.segments.compile import Program
from operators.segments.sql.printed import segment_query
from skep.answers import segment_tests
from skep.answers.segment_query import query_of
from skep.answers.segments.audit import audit_segments
from skep.answers.segments.doctor import diagnosed
from skep.answers.segments.preview import preview
from skep.project.errors import CommandError
from skep.project.in_force import standing
from skep.project.settings import Settings, load_definitions, written_files
from skep.runtime.snapshots import publish_snapshot
from tests.engine import Engine
from tests.skep.small_shop import SECRET
from tests.skep.test_cli import skep

FILES = {
    "skep.yaml": "spaces: [shop]\nsources:\n  - {name: web, kind: jsonl, path: web.jsonl}\n",
    "contracts/identity.yaml": """\
namespaces:
  - {name: user_id, from: userId}
  - {name: email, from: traits.email, normalize: email, personal: true}
""",
    "contracts/lists/vips.csv": "namespace,value\nemail,Ann@Example.com\nuser_id, 2 \nemail,n/a\n",
    "contracts/segments/vips.yaml": "segment: vips\nwho: {in_list: vips.csv}\n",
    "contracts/segments/ann.yaml": "segment: ann\nwho: {has: email, in: [ANN@example.com, x@example.com]}\n",
    "contracts/segments/most.yaml": "segment: most\nwho: {sample: {percent: 100, seed: a, by: user_id}}\n",
    "contracts/segments/some.yaml": "segment: some\nwho: {sample: {percent: 50, seed: a, by: email}}\n",
    "contracts/segments/at_home.yaml": "segment: at_home\nwho: {has: email, ends_with: '@example.com'}\n",
    "contracts/segments/tests/vips.yaml": """\
cases:
  - name: by address
    segment: vips
    events: [{type: identify, userId: "9", timestamp: 2026-03-01T00:00:00Z, traits: {email: ann@example.com}}]
    expect: [{at: 2026-03-01T00:00:00Z, who: "user_id:9", is: entered}]
""",
    "web.jsonl": "".join(
        json.dumps({"messageId": f"m{at}", "type": "identify", "timestamp": f"2026-03-0{at}T00:00:00Z", "userId": str(at), "traits": said})
        + "\n"
        for at, said in enumerate([{"email": "ann@example.com"}, {}, {"email": "bob@example.com"}], 1)
    ),
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lists")
    for path, text in FILES.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    done = skep("run", "--once", project=folder, SKEP_SECRET=SECRET)
    assert done.returncode == 0, done.stderr
    publish_snapshot(Settings.load(folder, secret=SECRET))
    return folder


def test_personal_values_are_kept_as_hashes(shop: Path) -> None:
    """What is in force has none of them, and differs in nothing from the files."""
    settings = Settings.load(shop, secret=SECRET)
    (kept,) = (shop / "data" / "definitions").glob("*.json")
    text = json.loads(kept.read_text())["lists/vips.csv"]
    assert text.splitlines()[:3] == [
        "namespace,value",
        f"email,{Hasher(SECRET, 'shop').personal('email', 'ann@example.com')}",
        "user_id, 2 ",
    ]
    assert "example.com" not in text.lower()
    assert "n/a" not in text
    assert standing(settings).same
    assert load_definitions(Settings.load(shop, secret=SECRET, snapshot_personal="clear")).files == written_files(settings)


@pytest.mark.parametrize(("segment", "users"), [("vips", ["1", "2"]), ("ann", ["1"]), ("most", ["1", "2", "3"])])
def test_who_is_in_is_who_the_query_finds(shop: Path, segment: str, users: list[str]) -> None:
    query = query_of(Settings.load(shop, secret=SECRET), segment, None, None).sql
    with duckdb.connect(str(shop / "data" / "skep.duckdb"), read_only=True) as con:
        inside = con.execute(f"SELECT profile_id FROM memberships WHERE segment = '{segment}' AND exited_at IS NULL ORDER BY 1").fetchall()
        named = f"SELECT value FROM identifiers WHERE namespace = 'user_id' AND profile_id IN ({query.rstrip().rstrip(';')}) ORDER BY 1"
        assert con.execute(query).fetchall() == inside
        assert [user for (user,) in con.execute(named).fetchall()] == users


@pytest.mark.parametrize(("segment", "what"), [("some", "sample by email"), ("at_home", "has: email with ends_with")])
def test_a_query_is_refused_that_needs_values_of_which_there_are_hashes(shop: Path, segment: str, what: str) -> None:
    with pytest.raises(CommandError, match=f"{segment}: {what} asks for values of email, of which a snapshot has hashes"):
        query_of(Settings.load(shop, secret=SECRET), segment, None, None)
    assert "sha256" in query_of(Settings.load(shop, secret=SECRET, snapshot_personal="clear"), "some", None, None).sql


def test_audit_and_preview_know_lists_by_their_hashes(shop: Path) -> None:
    settings = Settings.load(shop, secret=SECRET)
    (audited,) = audit_segments(settings, None, None, None)
    assert {one.segment: (one.archive, one.differ) for one in audited.segments} == {
        "vips": (2, 0), "ann": (1, 0), "most": (3, 0), "some": (audited.segments[-2].archive, 0), "at_home": (2, 0),
    }  # fmt: skip
    found = preview(settings, "vips", None, 2)
    assert (found.members, [day.members for day in found.history or ()]) == (2, [1, 2, 2])
    with pytest.raises(CommandError, match="at_home: has: email with ends_with asks for values of email"):
        preview(settings, "at_home", None, 2)
    (health,) = diagnosed(settings, None, 30)
    assert {**health.hashed} == {"at_home": ["email"], "some": ["email"]}


def test_cases_are_run_by_what_is_written(shop: Path) -> None:
    assert [one.differs for one in segment_tests.tested(Settings.load(shop, secret=SECRET))] == [[]]


def test_another_list_moves_who_is_in(tmp_path: Path) -> None:
    """As any change of definitions does; one that says the same moves nobody."""

    def defined(*users: str) -> Definitions:
        rows = "".join(f"user_id,{user}\n" for user in users)
        files = {"lists/some.csv": f"namespace,value\n{rows}", "segments/some.yaml": "segment: some\nwho: {in_list: some.csv}\n"}
        return contracts.load(files, unknown_events_ok=True)

    engine = Engine(tmp_path / "shard", defined("1"))
    engine.start(["p"])
    bodies = ({"messageId": at, "type": "page", "timestamp": "2026-03-01T00:00:00Z", "userId": at} for at in "123")
    engine.feed("p", [json.dumps(body).encode() for body in bodies], finished=True)
    for users in (("1",), ("2", "3"), ("2", "3", "4"), ()):
        engine.define(defined(*users))
        inside = [person.identifiers[0].value for person in engine.view.people() if any(person.bits)]
        assert sorted(inside) == [user for user in users if user != "4"]
    engine.shard.close()


def test_a_hundred_thousand_entries(tmp_path: Path) -> None:
    """Read once, looked up at once, in SQL as one literal."""
    rows = "".join(f"user_id,{number}\n" for number in range(100_000))
    files = {"lists/all.csv": f"namespace,value\n{rows}", "segments/all.yaml": "segment: all\nwho: {in_list: all.csv}\n"}
    program = Program(contracts.load(files))
    for value, inside in (("99999", 1), ("100000", 0)):
        assert program.members(Person(b"k", [Identifier(0, value, b"k", 0, 0)], {}), 0) == inside
    query = segment_query(program.definitions, "all", "shop", 0)
    con = duckdb.connect(str(tmp_path / "all.duckdb"))
    con.execute("CREATE TABLE identifiers AS SELECT 'shop' AS space, 'user_id' AS namespace, '99999' AS value, 'p' AS profile_id")
    con.execute("CREATE TABLE profiles AS SELECT 'shop' AS space, 'p' AS profile_id, CAST('{}' AS JSON) AS traits, 1.0 AS confidence")
    assert con.execute(query).fetchall() == [("p",)]
