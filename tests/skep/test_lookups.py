"""`skep lookups` and what a flow does with lookups: files checked, newer data taken in while it runs, kills, lost data, checkpoints."""

from __future__ import annotations

import json
import shutil
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import duckdb
import pytest

from skep.project.settings import Settings
from skep.project.spaces import snapshot_path
from skep.runtime.snapshots import publish_snapshot
from state.snapshot.publish import sql
from tests.mmdb import mmdb
from tests.patience import until
from tests.promises.project import applied, asked, dump, flow, project, ran, write_contract
from tests.skep.test_apply_beside import started
from tests.skep.test_cli import refused, skep
from tests.skep.test_in_force import received

REGION = "kind: csv\npath: regions.csv\ncolumn: code\nkey: properties.code\n"
CONTRACTS = {
    "events/paid/1-0-0.json": {"type": "object", "properties": {"code": {"type": "string"}}},
    "lookups/region.yaml": REGION,
    "traits.yaml": "traits:\n  - {name: saxon, count: true, did: paid, where: {context.lookup.region.name: Saxony}}\n",
}
DATA = "code,name\n1,Saxony\n2,Berlin\n"


def paid(number: int, code: str | None = "1", **context: Any) -> bytes:
    """An event of a user of its own."""
    body = {
        "messageId": f"m{number}",
        "type": "track",
        "event": "paid",
        "userId": f"u{number}",
        "timestamp": f"2026-01-01T10:00:{number:02}Z",
        "properties": {} if code is None else {"code": code},
    }
    return json.dumps({**body, "context": context} if context else body).encode()


def shop(folder: Path, lines: list[bytes], contracts: dict[str, Any] | None = None, data: str | None = DATA, more: str = "") -> Path:
    made = project(folder, contracts or CONTRACTS, lines, more)
    settings = made / "skep.yaml"
    # A flow that follows goes on with the wall clock.
    settings.write_text(settings.read_text().replace("horizon: 30d", "horizon: 36500d"))
    if data is not None:
        (made / "regions.csv").write_text(data)
    return made


def add(folder: Path, *lines: bytes) -> None:
    with (folder / "events.jsonl").open("ab") as stream:
        stream.write(b"".join(line + b"\n" for line in lines))


def names(folder: Path) -> dict[str, Any]:
    """By user what stands under `context.lookup.region`, without its version."""
    settings = Settings.load(folder)
    publish_snapshot(settings)
    found = sql(snapshot_path(settings), "SELECT user_id, context->'$.lookup.region' FROM events ORDER BY user_id")[1]
    said = {user: json.loads(text) if text else None for user, text in found}
    return {user: one and {key: value for key, value in one.items() if key != "version"} for user, one in said.items()}


def test_a_sender_is_not_believed_and_a_segment_reads_what_was_found(tmp_path: Path) -> None:
    mine = {"lookup": {"region": {"name": "Saxony"}}}
    folder = shop(tmp_path / "shop", [paid(1), paid(2, "2", **mine), paid(3, None, **mine), paid(4, "9", ip="1.2.3.4")])
    ran(folder)
    assert names(folder) == {"u1": {"name": "Saxony"}, "u2": {"name": "Berlin"}, "u3": None, "u4": {}}
    saxons = [asked(folder, "profile", "show", f"user_id:u{number}")[0]["traits"].get("saxon", 0) for number in (1, 2, 3, 4)]
    assert saxons == [1, 0, 0, 0]
    [row] = asked(folder, "lookups", "list")
    assert (row["lookup"], row["rows"], row["hits"], row["misses"], row["unavailable"]) == ("region", 2, 2, 1, 0)
    found = json.loads(skep("lookups", "show", "region", "2", project=folder).stdout)
    assert found == {"name": "Berlin", "version": row["version"]}
    assert asked(folder, "state", "verify")["sound"]


def test_newer_data_while_the_flow_runs_and_is_killed(tmp_path: Path) -> None:
    """Events keep what they found, those from then on find what is new; half a file is not taken; read again, all judge alike."""
    folder = shop(tmp_path / "shop", [paid(1), paid(2, "2")], more="archive: {interval: 1h}")
    settings = Settings.load(folder)
    with ExitStack() as stack:
        running = started(folder, stack, "flows.cdp")
        until(lambda: received(settings), lambda found: found == 2)
        first = asked(folder, "lookups", "list")[0]["version"]
        (folder / "regions.csv").write_text("code,name\n1,Thuringia\n2,Ham")
        done = skep("lookups", "refresh", project=folder)
        assert done.returncode == 1
        words = "contracts/lookups/region.yaml:2: path: expected a line break behind the last row, found none in line 3"
        assert words in done.stdout
        assert f"version {first} (2 rows) stays in force" in done.stdout
        assert asked(folder, "lookups", "list")[0]["version"] == first
        add(folder, paid(3))
        until(lambda: received(settings), lambda found: found == 3)
        (folder / "regions.csv").write_text("code,name\n1,Thuringia\n2,Hamburg\n3,Bremen\n")
        [taken] = asked(folder, "lookups", "refresh", "region")
        assert (taken["before"], taken["rows"], taken["answer"]) == (first, 3, "in force")
        [again] = asked(folder, "lookups", "refresh")
        assert (again["version"], again["before"], again["answer"]) == (taken["version"], taken["version"], None)
        add(folder, paid(4), paid(5, "3"))
        until(lambda: received(settings), lambda found: found == 5)
        running.kill()
        running.wait(60)
    # The archive has nothing yet: all records are read again.
    add(folder, paid(6))
    (folder / "regions.csv").unlink()
    ran(folder)
    expected = ["Saxony", "Berlin", "Saxony", "Thuringia", "Bremen", "Thuringia"]
    assert names(folder) == {f"u{at}": {"name": name} for at, name in enumerate(expected, 1)}
    assert asked(folder, "state", "verify")["sound"]
    assert asked(folder, "lookups", "list")[0]["hits"] == 6


def test_a_refresh_without_a_flow_holds_from_what_comes_next(tmp_path: Path) -> None:
    folder = shop(tmp_path / "shop", [paid(1)])
    ran(folder)
    (folder / "regions.csv").write_text("code,name\n1,Thuringia\n")
    [taken] = asked(folder, "lookups", "refresh")
    assert taken["answer"].startswith("recorded; no flow is running")
    add(folder, paid(2))
    ran(folder)
    assert names(folder) == {"u1": {"name": "Saxony"}, "u2": {"name": "Thuringia"}}


def test_everybody_computed_anew_keeps_what_was_found(tmp_path: Path) -> None:
    """Identity rules that compute everybody anew, a denial of quarantine read again, a trait that is new: all from what is stored."""
    folder = shop(tmp_path / "shop", [paid(1), paid(2, "2"), b'{"type": "track"}'])
    ran(folder)
    before = names(folder)
    (folder / "regions.csv").unlink()
    write_contract(folder, "identity.yaml", "version: 2\nnamespaces:\n  - {name: user_id, from: userId}\n")
    write_contract(
        folder, "traits.yaml", "traits:\n  - {name: berliner, count: true, did: paid, where: {context.lookup.region.name: Berlin}}\n"
    )
    applied(folder)
    ran(folder)
    assert [asked(folder, "profile", "show", f"user_id:u{number}")[0]["traits"].get("berliner", 0) for number in (1, 2)] == [0, 1]
    assert names(folder) == before
    assert asked(folder, "state", "verify")["sound"]


def test_a_lookup_that_comes_later_and_one_that_reads_other_columns(tmp_path: Path) -> None:
    """`skep apply` loads what is new or says something else; events from before found nothing."""
    bare = {name: content for name, content in CONTRACTS.items() if name.startswith("events/")}
    folder = shop(tmp_path / "shop", [paid(1, lookup={"region": {"name": "mine"}})], bare, data=None)
    ran(folder)
    write_contract(folder, "lookups/region.yaml", REGION)
    assert "contracts/lookups/region.yaml:2: path: expected a file at regions.csv, found none" in refused(skep("apply", project=folder))
    (folder / "regions.csv").write_text(DATA)
    assert "lookup region: version " in skep("apply", project=folder).stdout
    add(folder, paid(2))
    ran(folder)
    write_contract(folder, "lookups/region.yaml", REGION + "values: {land: name}\n")
    applied(folder)
    add(folder, paid(3))
    ran(folder)
    assert names(folder) == {"u1": None, "u2": {"name": "Saxony"}, "u3": {"land": "Saxony"}}


def test_without_data_no_flow_starts_unless_the_lookup_says_otherwise(tmp_path: Path) -> None:
    folder = shop(tmp_path / "shop", [paid(1), paid(2, None)], data=None)
    done = flow(folder)
    assert done.returncode == 1
    assert "contracts/lookups/region.yaml:2: path: expected a file at regions.csv, found none" in done.stderr
    assert "Traceback" not in done.stderr
    write_contract(folder, "lookups/region.yaml", REGION + "on_error: mark\n")
    ran(folder)
    assert names(folder) == {"u1": {"error": "unavailable"}, "u2": None}
    assert asked(folder, "lookups", "list")[0]["unavailable"] == 1
    assert (
        "skep lookups refresh" in skep("lookups", "list", project=folder).stdout or asked(folder, "lookups", "list")[0]["version"] is None
    )


def test_events_wait_in_quarantine_for_data(tmp_path: Path) -> None:
    contracts = CONTRACTS | {"lookups/region.yaml": REGION + "on_error: quarantine\n"}
    folder = shop(tmp_path / "shop", [paid(1), paid(2, None)], contracts, data=None)
    ran(folder)
    assert names(folder) == {"u2": None}
    [waiting] = asked(folder, "quarantine", "list", "--each")
    assert waiting["reason"] == "lookup"
    assert "`skep lookups refresh region`" in waiting["detail"]
    assert skep("quarantine", "replay", project=folder).returncode == 0
    (folder / "regions.csv").write_text(DATA)
    asked(folder, "lookups", "refresh")
    ran(folder)
    assert names(folder) == {"u2": None}, "the replay was asked for before there was data"
    assert skep("quarantine", "replay", project=folder).returncode == 0
    ran(folder)
    assert names(folder) == {"u1": {"name": "Saxony"}, "u2": None}
    assert asked(folder, "state", "verify")["sound"]


def test_lost_data_is_loaded_again_or_missed(tmp_path: Path) -> None:
    folder = shop(tmp_path / "shop", [paid(1)])
    ran(folder)
    [kept] = (folder / "data/lookups/region").iterdir()
    kept.unlink()
    add(folder, paid(2))
    ran(folder)
    assert kept.exists()
    assert names(folder) == {"u1": {"name": "Saxony"}, "u2": {"name": "Saxony"}}
    kept.unlink()
    (folder / "regions.csv").write_text("code,name\n1,Other\n")
    done = flow(folder)
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert f"{kept.name} is in force but not there" in done.stderr
    kept.write_bytes(b"no Parquet")
    add(folder, paid(3))
    done = flow(folder)
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert "expected the rows of a lookup" in done.stderr


def test_a_checkpoint_holds_the_data(tmp_path: Path) -> None:
    folder = shop(tmp_path / "shop", [paid(1), paid(2, "2")])
    ran(folder)
    before = dump(folder)
    asked(folder, "state", "checkpoint", str(tmp_path / "kept"))
    shutil.rmtree(folder / "data")
    (folder / "regions.csv").unlink()
    asked(folder, "state", "restore", str(tmp_path / "kept"))
    assert dump(folder) == before
    add(folder, paid(3))
    ran(folder)
    assert names(folder)["u3"] == {"name": "Saxony"}


WRONG = {
    "kind: csv\n": "lookups/region.yaml:1: path: expected the file, relative to the project folder, found nothing",
    REGION + "kind2: x\n": "lookups/region.yaml:5: kind2: expected one of the keys",
    REGION.replace("csv\n", "xml\n"): "lookups/region.yaml:1: kind: expected csv, parquet, duckdb, maxmind,",
    REGION.replace("properties.code", "properties..code"): "lookups/region.yaml:4: key: expected a path",
    REGION.replace("properties.code", "context.lookup.a.b"): "lookups/region.yaml:4: key: expected what the sender says",
    REGION + "values: [version]\n": "lookups/region.yaml:5: values[0]: expected a name other than version and error",
    REGION + "values: {error: name}\n": "lookups/region.yaml:5: values.error: expected a name other than version and error",
    REGION + "on_error: ignore\n": "lookups/region.yaml:5: on_error: expected refuse, mark or quarantine, found 'ignore'",
    "kind: maxmind\npath: a.mmdb\n": "lookups/region.yaml:1: values: expected what of a record is found",
    "kind: maxmind\npath: a.mmdb\nvalues: {a: 'b[].c'}\n": "lookups/region.yaml:3: values.a: expected a path in the record such as",
    "kind: user_agent\ncolumn: x\n": "lookups/region.yaml:2: column: expected one of the keys title, kind, on_error, key or values of kind",
    "kind: user_agent\nvalues: [browsr]\n": "lookups/region.yaml:2: values[0]: expected one of browser,",
    "kind: duckdb\ncolumn: a\nkey: userId\n": "lookups/region.yaml:1: query: expected a query of DuckDB that gives the rows",
    "kind: channel\nkey: userId\n": "lookups/region.yaml:2: key: expected one of the keys title, kind, on_error, path or values of kind",
    REGION + "values: [nam]\n": "lookups/region.yaml:5: values: expected a column of the data, found nam (did you mean name?)",
    REGION.replace("column: code", "column: cod"): "lookups/region.yaml:3: column: expected a column of the data, found cod",
}


@pytest.mark.parametrize("text", WRONG)
def test_check_says_what_is_wrong(tmp_path: Path, text: str) -> None:
    folder = shop(tmp_path / "shop", [], {"lookups/region.yaml": text})
    assert f"contracts/{WRONG[text]}" in refused(skep("check", project=folder))


def test_conditions_name_lookups_that_are_there(tmp_path: Path) -> None:
    trait = "traits:\n  - {name: a, count: true, did: paid, where: {%s: 1}}\n"
    folder = shop(tmp_path / "shop", [])
    for path, words in {
        "context.lookup.regio.name": "expected context.lookup and the name of a file of lookups/, found regio (did you mean region?)",
        "context.lookup": "expected context.lookup and the name of a file of lookups/, found no name behind it",
        "context.lookup.region.nam": "expected a value of lookups/region.yaml, found nam (did you mean name?)",
    }.items():
        write_contract(folder, "lookups/region.yaml", REGION + "values: [name]\n")
        write_contract(folder, "traits.yaml", trait % path)
        assert words in refused(skep("check", project=folder)), path
    write_contract(folder, "traits.yaml", trait % "context.lookup.region.version")
    write_contract(folder, "identity.yaml", "namespaces: [{name: a, from: context.lookup.region.name}]\n")
    assert "identity.yaml:1: namespaces[0].from: expected what the sender says" in refused(skep("check", project=folder))
    (folder / "contracts/identity.yaml").unlink()
    assert skep("check", project=folder).returncode == 0
    (folder / "regions.csv").unlink()
    write_contract(folder, "lookups/region.yaml", REGION + "on_error: mark\n")
    done = skep("check", project=folder)
    assert done.returncode == 0
    assert "warning: contracts/lookups/region.yaml:2: path: expected a file at regions.csv, found none" in done.stderr


KINDS = {
    "events/paid/1-0-0.json": {"type": "object"},
    "lookups/country.yaml": "kind: maxmind\npath: ip.mmdb\nvalues: {code: country.iso_code}\n",
    "lookups/device.yaml": "kind: user_agent\nvalues: {system: os}\n",
    "lookups/channel.yaml": "kind: channel\nvalues: [channel]\n",
    "lookups/size.yaml": "kind: duckdb\npath: shop.duckdb\nquery: FROM sizes\ncolumn: code\nkey: properties.code\n",
    "segments/germans.yaml": """\
segment: germans
who: {did: paid, where: {context.lookup.country.code: DE, context.lookup.device.system: {starts_with: iOS},
  context.lookup.size.size: {gt: 5}, context.lookup.channel.channel: Direct}}
""",
}
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Mobile/15E148 Safari/604.1"


def test_all_kinds_in_a_flow(tmp_path: Path) -> None:
    """What is found is stored, read by segments and SQL, and stays when data of another kind comes under the same name."""
    came = {"ip": "10.1.2.3", "userAgent": PHONE, "page": {"url": "https://shop.example/"}}
    folder = shop(tmp_path / "shop", [paid(1, "a", **came), paid(2, "b", **came), paid(3, "a")], KINDS, data=None)
    (folder / "ip.mmdb").write_bytes(mmdb({"10.0.0.0/8": {"country": {"iso_code": "DE"}}}))
    with duckdb.connect(folder / "shop.duckdb") as con:
        con.execute("CREATE TABLE sizes AS SELECT 'a' AS code, 7 AS size UNION ALL SELECT 'b', 3")
    ran(folder)
    assert asked(folder, "segments", "explain", "germans", "user_id:u1")[0]["member"]
    assert not asked(folder, "segments", "explain", "germans", "user_id:u2")[0]["member"]
    versions = {row["lookup"]: row["version"] for row in asked(folder, "lookups", "list")}
    assert [row["what"]["versions"] for row in asked(folder, "audit") if row["type"] == "lookups"] == [versions]
    assert f"device:{versions['device']}" in skep("audit", project=folder).stdout
    rows = {row["lookup"]: (row["hits"], row["misses"]) for row in asked(folder, "lookups", "list")}
    assert rows == {"country": (2, 0), "device": (2, 0), "channel": (2, 0), "size": (3, 0)}
    assert asked(folder, "state", "verify")["sound"]
    (folder / "ip.mmdb").write_bytes(mmdb({"10.0.0.0/8": {"country": {"iso_code": "FR"}}})[:-5])
    done = skep("lookups", "refresh", project=folder)
    assert (done.returncode, "country: not taken: contracts/lookups/country.yaml:2: path: expected a complete" in done.stdout) == (1, True)
    (folder / "regions.csv").write_text("ip,code\n10.1.2.3,AT\n")
    write_contract(folder, "lookups/country.yaml", "kind: csv\npath: regions.csv\ncolumn: ip\nkey: context.ip\n")
    applied(folder)
    add(folder, paid(4, "a", **came))
    ran(folder)
    publish_snapshot(Settings.load(folder))
    codes = sql(snapshot_path(Settings.load(folder)), "SELECT context->>'$.lookup.country.code' FROM events ORDER BY user_id")[1]
    assert [code for (code,) in codes] == ["DE", "DE", None, "AT"]
    assert asked(folder, "state", "verify")["sound"]
