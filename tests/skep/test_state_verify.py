"""`skep state verify`: a sound project is called so, beside a flow too, and whatever is altered in it is found and said."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from operators import meta as meta_row
from operators.moment_row import with_owner
from operators.records import decode_page, decode_person, encode
from skep.answers.state_verify import verify
from skep.project.settings import Settings
from state.archive_files import archive_files
from state.keys import sequence_key
from state.shard import Shard
from tests.crash.harness import FLOW, finish
from tests.crash.shop import make_lines, make_project
from tests.promises.project import asked
from tests.skep.test_cli import refused, skep
from tests.skep.test_state_upkeep import following

SEED = 71
ALL = 100_000
KIOSK = "kiosk-1"


def lines() -> list[bytes]:
    """Some weeks of the shop, of which most are sealed, and a device on which more people log in than its row holds."""
    found = make_lines(6000, SEED)[:1500]
    last = next(body["timestamp"] for line in reversed(found) if (body := _body(line)).get("timestamp"))
    logins = [
        {"type": "identify", "messageId": f"k-{at}", "userId": f"guest-{at}", "anonymousId": KIOSK, "timestamp": last, "traits": {}}
        for at in range(12)
    ]
    return [*found, *map(orjson.dumps, logins)]


def _body(line: bytes) -> dict[str, Any]:
    try:
        return dict(orjson.loads(line))
    except (orjson.JSONDecodeError, ValueError):
        return {}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = make_project(tmp_path_factory.mktemp("verify") / "shop")
    (project / "events").mkdir(exist_ok=True)
    (project / "events/part-0.jsonl").write_bytes(b"".join(line + b"\n" for line in lines()))
    finish(project, FLOW)
    return project


@pytest.fixture
def shop(made: Path, tmp_path: Path) -> Settings:
    return Settings.load(shutil.copytree(made, tmp_path / "shop"))


def test_a_sound_project_is_called_so(made: Path) -> None:
    found = asked(made, "state", "verify", "--sample", str(ALL))
    assert (found["sound"], found["differences"]) == (True, [])
    looked = {one["check"]: one["looked"] for one in found["checks"]}
    assert list(looked) == ["aliases", "moments", "archive", "changes", "timers", "members", "counts", "people"]
    status = asked(made, "status")
    assert (looked["moments"], looked["changes"]) == (status["applied"], status["changes"])
    assert min(looked.values()) > 0


def test_a_running_flow_is_looked_at_as_it_was_committed(shop: Settings) -> None:
    with following(shop.root):
        for seed in ("1", "2"):
            assert asked(shop.root, "state", "verify", "--sample", "20", "--seed", seed)["sound"] is True


def test_people_on_their_way_to_other_definitions_are_left_alone(shop: Settings) -> None:
    with closing(Shard(shop.data / "shards/shop")) as shard:
        _meta(shard, lambda meta: setattr(meta, "change", meta_row.Underway(meta.digest, meta.digest, "", [], 0)))
        shard.commit()
    found = verify(shop, ("shop",), ALL)
    assert (found.sound, found.changing, [one.check for one in found.checks]) == (True, ["shop"], ["aliases", "moments", "archive"])


def _first(shard: Shard, family: str, wanted: Callable[[bytes], Any] = bool) -> tuple[bytes, bytes]:
    return next((key, row) for key, row in shard.rows(family) if wanted(row))


def _person(shard: Shard, change: Callable[[Any], object], wanted: Callable[[Any], Any] = bool) -> None:
    """Alter the row of somebody."""
    key, row = _first(shard, "people", lambda row: wanted(decode_person(row)))
    person = decode_person(row)
    change(person)
    shard.people.put(key, encode(person))


def _counted(person: Any) -> list[int]:
    return [at for at, cell in person.cells.items() if isinstance(cell, int) and cell]


def _cell(shard: Shard) -> None:
    _person(shard, lambda one: one.cells.__setitem__(_counted(one)[0], 10**9), _counted)


def _trait(shard: Shard) -> None:
    _person(shard, lambda one: next(iter(one.traits.values())).__setitem__(2, "altered"), lambda one: one.traits)


def _link(shard: Shard) -> None:
    _person(shard, lambda one: one.links.pop(next(iter(one.links))), lambda one: one.links)


def _member(shard: Shard) -> None:
    _person(shard, lambda one: setattr(one, "bits", b""), lambda one: any(one.bits))


def _version(shard: Shard) -> None:
    _person(shard, lambda one: setattr(one, "version", one.version + 1))


def _consent(shard: Shard) -> None:
    _person(shard, lambda one: one.granted.update({name: not said for name, said in one.granted.items()}), lambda one: one.granted)


def _alias(shard: Shard) -> None:
    """An identifier leads to somebody else."""
    key, lead = _first(shard, "alias")
    other = next(one for _, one in shard.rows("alias") if one != lead)
    shard.alias.put(key, other)


def _owner(shard: Shard) -> None:
    """An event is owned by nobody who is there."""
    key, page = _first(shard, "pages", lambda page: any(each.row[0] == 2 for each in decode_page(page)))
    stored = decode_page(page)
    each = next(each for each in stored if each.row[0] == 2)
    each.row = with_owner(each.row, 2, b"\0" * 16)
    shard.pages.put(key, encode(stored))


def _bytes(shard: Shard) -> None:
    """An event says something else than in the archive."""
    key, row = _first(shard, "moments", lambda row: row[0] <= 2 and b'"price":' in row)
    shard.moments.put(key, row.replace(b'"price":', b'"prise":'))


def _twice(shard: Shard) -> None:
    """An event hangs on two identifiers."""
    key, row = _first(shard, "moments", lambda row: row[0] <= 2)
    other = next(one for one, _ in shard.rows("alias") if one != key[4:20])
    shard.moments.put(key[:4] + other + key[20:], row)


def _less(shard: Shard, family: str) -> None:
    shard.families[family].delete(_first(shard, family, lambda _: True)[0])


def _meta(shard: Shard, change: Callable[[meta_row.Meta], object]) -> None:
    meta = meta_row.decode(shard.row("meta", meta_row.KEY) or b"")
    change(meta)
    shard.meta.put(meta_row.KEY, meta_row.encode(meta))


def _change(shard: Shard) -> None:
    """The log tells somebody's segment as another."""
    key, row = _first(shard, "changes", lambda row: b'"segment.entered"' in row)
    shard.changes.put(key, orjson.dumps({**orjson.loads(row), "segment": "another"}))


ALTERED: dict[str, tuple[Callable[[Shard], object], str, str]] = {
    "an alias": (_alias, "aliases", "identifier"),
    "an alias too many": (lambda shard: shard.alias.put(b"\1" * 16, b"\2" * 16), "aliases", "alias 0101"),
    "an owner": (_owner, "moments", "event "),
    "an event twice": (_twice, "moments", "event "),
    "a page": (lambda shard: _less(shard, "pages"), "moments", "events that are counted"),
    "a message id": (lambda shard: shard.seen.put(b"\1" * 16, b"\2" * 24), "moments", "message id 0101"),
    "the bytes of an event": (_bytes, "archive", "event "),
    "a cell": (_cell, "people", "p_"),
    "a trait": (_trait, "people", "p_"),
    "a link": (_link, "people", "p_"),
    "who was on a device": (lambda shard: _less(shard, "identified"), "people", "row "),
    "a membership": (_member, "changes", "p_"),
    "a version": (_version, "changes", "p_"),
    "a consent": (_consent, "changes", "p_"),
    "the log": (_change, "changes", "change "),
    "a change": (lambda shard: shard.changes.delete(sequence_key(3)), "changes", "change 4"),
    "no change": (lambda shard: shard.changes.put(sequence_key(5), b"{"), "changes", "change 5"),
    "a counter": (lambda shard: _meta(shard, lambda meta: setattr(meta, "people", meta.people + 1)), "counts", "people"),
    "a size": (lambda shard: _meta(shard, lambda meta: meta.sizes.update(nobody=3)), "counts", "members of segments"),
    "the quarantine": (lambda shard: _less(shard, "quarantine"), "counts", "quarantine"),
    "the timers": (lambda shard: [shard.timers.delete(key) for key, _ in shard.rows("timers")], "timers", "profile"),
}


@pytest.mark.parametrize("name", ALTERED)
def test_what_is_altered_is_found(name: str, shop: Settings) -> None:
    altering, check, about = ALTERED[name]
    with closing(Shard(shop.data / "shards/shop")) as shard:
        altering(shard)
        shard.commit()
    found = verify(shop, ("shop",), ALL)
    assert not found.sound
    assert [one.about for one in found.differences if one.check == check and one.about.startswith(about)] != []


def test_what_is_altered_in_the_archive_is_found(shop: Settings) -> None:
    first, second, *_ = archive_files(shop.data / "archive/shop")
    lost = pq.ParquetFile(first).read(["message_id"])["message_id"].to_pylist()
    first.unlink()
    table = pq.ParquetFile(second).read()
    rows = table["raw"].to_pylist()
    altered = table["message_id"][0].as_py()
    rows[0] += " "
    pq.write_table(table.set_column(table.schema.get_field_index("raw"), "raw", pa.array(rows)), second)
    found = verify(shop, ("shop",), 0)
    said = {(one.about, one.found) for one in found.differences}
    assert (f"event {altered}", "other bytes in the archive than in the shard") in said
    assert {about for about, words in said if words == "in the shard, not in the archive"} <= {f"event {message}" for message in lost}
    assert {one.check for one in found.checks if one.differences} == {"archive"}
    done = skep("state", "verify", "--sample", "0", project=shop.root)
    assert (done.returncode, f"event {altered}" in done.stdout, "Not sound" in done.stdout) == (1, True, True)


def test_before_the_first_run_there_is_nothing_to_verify(tmp_path: Path) -> None:
    skep("init", str(tmp_path / "p"))
    assert "nothing has run here yet" in refused(skep("state", "verify", project=tmp_path / "p"))
