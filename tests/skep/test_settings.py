"""``skep.yaml``, the environment, and what is wrong with them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from connectors.sources.kafka.spec import KafkaSpec
from contracts import ContractErrors
from contracts.model.definitions import DAY_US
from contracts.model.hashing import DEFAULT_SECRET
from skep.project.keys import VARIABLES
from skep.project.settings import OTHER_VARIABLES, Settings, SourceSettings, load_definitions


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    import os  # noqa: PLC0415

    for name in [name for name in os.environ if name.startswith("SKEP_")]:
        monkeypatch.delenv(name)


def project(tmp_path: Path, text: str = "") -> Path:
    (tmp_path / "skep.yaml").write_text(text)
    (tmp_path / "contracts").mkdir()
    return tmp_path


def said(tmp_path: Path) -> list[str]:
    with pytest.raises(ContractErrors) as raised:
        Settings.load(tmp_path)
    return [str(problem) for problem in raised.value.problems]


def test_an_empty_file_is_the_defaults(tmp_path: Path) -> None:
    found = Settings.load(project(tmp_path))
    assert (found.root, found.data, found.spaces, found.sources) == (tmp_path, tmp_path / "data", ("shop",), ())
    assert (found.horizon_us, found.future_skew_us, found.unknown_events, found.follow) == (30 * DAY_US, 600_000_000, "quarantine", False)
    assert (found.batch_size, found.max_event_bytes, found.sync, found.cache_mb) == (2000, 1_000_000, False, 512)
    assert (found.archive_rows, found.archive_interval_us) == (100_000, 10_000_000)
    assert (found.snapshot_personal, found.snapshot_interval_us, found.log, found.secret) == ("hash", 60_000_000, "console", DEFAULT_SECRET)
    assert "set SKEP_SECRET" not in repr(found)


def test_everything_can_be_said(tmp_path: Path) -> None:
    text = """
spaces: [shop, b2b]
data: state
horizon: 40d
future_skew: 1h
unknown_events: accept
follow: true
batch_size: 10
secret: mine
max_event_bytes: 5000
sync: true
cache_mb: 64
archive: {rows: 7, interval: 1s}
snapshot: {personal: clear, interval: 5s}
log: json
sources:
  - {name: web, kind: jsonl, path: in/*.jsonl.gz, space: b2b}
  - {name: till, kind: csv, path: /abs/till.csv, mapping: contracts/sources/retail.yaml, changed: reread}
"""
    found = Settings.load(project(tmp_path, text))
    assert found.sources == (
        SourceSettings(name="web", kind="jsonl", path=str(tmp_path / "in/*.jsonl.gz"), space="b2b"),
        SourceSettings(name="till", kind="csv", path="/abs/till.csv", space="shop", mapping="retail", history=True, changed="reread"),
    )
    assert (found.spaces, found.data, found.horizon_us, found.future_skew_us) == (
        ("shop", "b2b"),
        tmp_path / "state",
        40 * DAY_US,
        3_600_000_000,
    )
    assert (found.archive_rows, found.archive_interval_us, found.snapshot_personal, found.snapshot_interval_us) == (
        7,
        10**6,
        "clear",
        5 * 10**6,
    )
    assert (found.unknown_events, found.follow, found.sync, found.secret, found.log) == ("accept", True, True, "mine", "json")


def test_a_source_may_be_topics_of_kafka(tmp_path: Path) -> None:
    """Values of librdkafka as texts; what refers to variables and files is looked up where the cluster is reached."""
    text = """sources:
  - {name: a, kind: kafka, servers: "b1:9092,b2:9092", topics: orders}
  - name: b
    kind: kafka
    servers: b1:9092
    topics: [shop.events, "^crm[.]"]
    start: 2026-01-31T00:00:00Z
    wait: 10s
    config: {sasl.password: "${KAFKA_PASSWORD}", fetch.wait.max.ms: 50, enable.ssl.certificate.verification: false}
"""
    first, second = Settings.load(project(tmp_path, text)).sources
    assert first == SourceSettings(name="a", kind="kafka", path="", space="shop", kafka=KafkaSpec("b1:9092,b2:9092", ("orders",)))
    assert second.kafka == KafkaSpec(
        "b1:9092",
        ("shop.events", "^crm[.]"),
        1_769_817_600_000_000,
        {"sasl.password": "${KAFKA_PASSWORD}", "fetch.wait.max.ms": "50", "enable.ssl.certificate.verification": "false"},
        10_000_000,
    )
    assert "KAFKA_PASSWORD" not in repr(second)


def test_bad_topics_are_all_told_with_their_line(tmp_path: Path) -> None:
    text = """sources:
  - {name: a, kind: kafka, path: x, mapping: m}
  - {name: b, kind: kafka, servers: s, topics: [no/topic, "^*", t, t], start: yesterday}
  - {name: c, kind: kafka, servers: s, topics: t, config: {auto.offset.reset: latest, debug: [a]}}
  - {name: d, kind: jsonl, path: x, servers: s}
"""
    assert said(project(tmp_path, text)) == [
        "skep.yaml:2: sources[0].mapping: expected no `mapping`: only files have one, found mapping",
        "skep.yaml:2: sources[0].path: expected no `path`: only files have one, found path",
        "skep.yaml:2: sources[0].servers: expected the brokers, as host:port,host:port, found nothing",
        "skep.yaml:2: sources[0].topics: expected a topic, or a list of them, found nothing",
        "skep.yaml:3: sources[1].start: expected earliest, latest or a time such as 2026-01-31T00:00:00Z, found 'yesterday'",
        "skep.yaml:3: sources[1].topics[0]: expected the name of a topic, once, or a pattern that begins with ^, found 'no/topic'",
        "skep.yaml:3: sources[1].topics[1]: expected a pattern of topics, found ^* (nothing to repeat at position 1)",
        "skep.yaml:3: sources[1].topics[3]: expected the name of a topic, once, or a pattern that begins with ^, found 't'",
        (
            "skep.yaml:4: sources[2].config.auto.offset.reset: expected a setting of librdkafka that is the source's own, "
            "found auto.offset.reset (`start` says where a partition begins, and nothing is ever passed over in silence)"
        ),
        "skep.yaml:4: sources[2].config.debug: expected a text, a number, true or false, found a list",
        "skep.yaml:5: sources[3].servers: expected no `servers`: only `kind: kafka` has one, found servers",
    ]


def test_variables_win_over_the_file_and_overrides_over_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "follow: false\nbatch_size: 5\nsources: [{name: a, kind: jsonl, path: a}, {name: b, kind: jsonl, path: b}]\n"
    values = {
        "DATA": "/var/skep", "SPACES": "shop, b2b", "HORIZON": "31d", "FUTURE_SKEW": "2m", "UNKNOWN_EVENTS": "accept", "FOLLOW": "1",
        "BATCH_SIZE": "17", "SOURCE_PATH": "/in/x.jsonl", "SECRET": "42", "MAX_EVENT_BYTES": "999", "SYNC": "true", "CACHE_MB": "9",
        "ARCHIVE_ROWS": "3", "ARCHIVE_INTERVAL": "3s", "SNAPSHOT_PERSONAL": "clear", "SNAPSHOT_INTERVAL": "4s", "LOG": "json",
    }  # fmt: skip
    for name, value in values.items():
        monkeypatch.setenv(f"SKEP_{name}", value)
    found = Settings.load(project(tmp_path, text))
    assert (found.data, found.spaces, found.horizon_us, found.future_skew_us) == (
        Path("/var/skep"),
        ("shop", "b2b"),
        31 * DAY_US,
        120_000_000,
    )
    assert (found.unknown_events, found.follow, found.batch_size, found.secret, found.sync) == ("accept", True, 17, "42", True)
    assert (found.max_event_bytes, found.cache_mb, found.archive_rows, found.archive_interval_us) == (999, 9, 3, 3_000_000)
    assert (found.snapshot_personal, found.snapshot_interval_us, found.log) == ("clear", 4_000_000, "json")
    assert [one.path for one in found.sources] == ["/in/x.jsonl", str(tmp_path / "b")]
    over = Settings.load(tmp_path, follow=False, source_path="y", data="d", batch_size=None)
    assert (over.follow, over.sources[0].path, over.data, over.batch_size) == (False, str(tmp_path / "y"), tmp_path / "d", 17)
    with pytest.raises(TypeError, match="no settings: folow"):
        Settings.load(tmp_path, folow=True)


def test_the_project_is_the_argument_or_the_variable_or_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    one, two = project(tmp_path / "one"), project(tmp_path / "two")
    monkeypatch.chdir(one)
    assert Settings.load().root == one
    monkeypatch.setenv("SKEP_PROJECT", str(two))
    assert Settings.load().root == two
    assert Settings.load(one).root == one


def test_a_folder_that_is_no_project(tmp_path: Path) -> None:
    (problem,) = said(tmp_path)
    assert problem.startswith("skep.yaml:1: expected a project folder with a readable skep.yaml, found none in ")
    assert "skep init DIR" in problem


def test_bad_settings_are_all_told_with_their_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = """horizont: 30d
horizon: 3 months
unknown_events: ignore
follow: maybe
spaces: [shop, "Two Words"]
batch_size: 0
archive: {row: 3}
sources:
  - name: a
    kind: json
    path: x
  - {name: b, kind: csv, path: x}
  - {name: c, kind: jsonl, mapping: m, space: other}
"""
    monkeypatch.setenv("SKEP_CACHE_MB", "many")
    assert [problem.split(", found")[0] for problem in said(project(tmp_path, text))] == [
        "environment: SKEP_CACHE_MB: expected a whole number, at least 8",
        (
            "skep.yaml:1: horizont: expected one of the keys spaces, data, horizon, future_skew, unknown_events, formats, apply, "
            "follow, sources, batch_size, registry, secret, max_event_bytes, sync, cache_mb, repair_moments, archive, snapshot or log"
        ),
        "skep.yaml:2: horizon: expected a duration such as 30m, 12h, 30d, 2w, P30D or PT90M; months and years have no fixed length",
        "skep.yaml:3: unknown_events: expected quarantine or accept",
        "skep.yaml:4: follow: expected true or false",
        "skep.yaml:5: spaces[1]: expected a name of small letters, digits, `_` and `-`, once",
        "skep.yaml:6: batch_size: expected a whole number, at least 1",
        "skep.yaml:7: archive.row: expected one of the keys rows or interval",
        "skep.yaml:10: sources[0].kind: expected jsonl, csv, parquet or kafka",
        "skep.yaml:12: sources[1].mapping: expected the name of a file in contracts/sources/",
        "skep.yaml:13: sources[2].mapping: expected no mapping: JSON lines are events already",
        "skep.yaml:13: sources[2].path: expected a file, folder or glob, relative to the project folder",
        "skep.yaml:13: sources[2].space: expected shop",
    ]


def test_contracts_are_checked_against_the_settings(tmp_path: Path) -> None:
    text = "sources:\n  - {name: till, kind: csv, path: x, mapping: retial}\nhorizon: 7d\n"
    root = project(tmp_path, text)
    (root / "contracts/sources").mkdir()
    (root / "contracts/sources/retail.yaml").write_text("columns: {userId: C}\n")
    (root / "contracts/events/paid").mkdir(parents=True)
    (root / "contracts/events/paid/1-0-0.json").write_text('{"type": "object"}')
    (root / "contracts/quality.yaml").write_text("expectations:\n  - {event: paid, source: tell, quarantined: {lte: 0.1}}\n")
    with pytest.raises(ContractErrors) as raised:
        load_definitions(Settings.load(root))
    assert [str(problem) for problem in raised.value.problems] == [
        "contracts/quality.yaml:2: expectations.source: expected the name of a source in skep.yaml, found tell (did you mean till?)",
        "skep.yaml:1: sources.till.mapping: expected the name of a file in contracts/sources/, found retial (did you mean retail?)",
        (
            "skep.yaml:3: horizon: expected at least the backstitch of contracts/identity.yaml, 30d, found 7d "
            "(raise horizon, or lower stitching.backstitch)"
        ),
    ]


def test_unknown_events_that_are_accepted_may_be_named_in_segments(tmp_path: Path) -> None:
    root = project(tmp_path, "unknown_events: accept\n")
    (root / "contracts/segments").mkdir()
    (root / "contracts/segments/a.yaml").write_text("segment: a\nwho: {did: anything}\n")
    assert load_definitions(Settings.load(root)).segments
    (root / "skep.yaml").write_text("")
    with pytest.raises(ContractErrors, match="anything"):
        load_definitions(Settings.load(root))


def test_the_demo_shop_is_a_project() -> None:
    root = Path(__file__).resolve().parents[2]
    settings = Settings.load(root)
    assert [source.name for source in settings.sources] == ["shop"]
    assert load_definitions(settings).segments


def test_a_variable_that_nothing_reads_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A misspelt setting would silently be as it is without it."""
    project(tmp_path)
    monkeypatch.setenv("SKEP_HORIZN", "3d")
    monkeypatch.setenv("SKEP_USER", "ann")
    monkeypatch.setenv("SKEP_PROJECT_DIR", "/srv")
    expected = "environment: SKEP_HORIZN: expected a variable that Skep reads, found one that it does not (did you mean SKEP_HORIZON?)"
    assert said(tmp_path) == [expected]


def test_every_variable_that_the_code_reads_is_known() -> None:
    root = Path(__file__).resolve().parents[2]
    read = {
        name
        for room in ("skep", "flows", "operators", "connectors", "state", "contracts", "schemalogic")
        for path in (root / room).rglob("*.py")
        for name in re.findall(r"""(?:environ|getenv|envvar)[^"'\n]*["']SKEP_([A-Z_]+)["']""", path.read_text())
    }
    assert read >= {"PROJECT", "USER", "LOG", "LOG_LEVEL"}
    assert {name.lower() for name in read} <= {*VARIABLES, *OTHER_VARIABLES}
