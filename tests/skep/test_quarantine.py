"""`skep quarantine`: causes, the selection, underlined faults, dry runs, edits by patch, drops."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import orjson
import pytest

from contracts.text.times import iso
from operators.people.quarantine import Edit, QuarantineRow, decode_row
from operators.records import encode
from operators.view.quarantine import Quarantined
from skep.answers.quarantine import causes
from skep.answers.quarantine.faults import broken_text, faults
from skep.answers.quarantine.patches import Unpatchable, apply_patch, read_patch
from skep.answers.quarantine.selection import Selection, selection
from skep.answers.quarantine.where import read_where
from skep.cli.show.record import differences, record_lines
from skep.cli.show.written import Written, pretty
from skep.project.errors import CommandError
from tests.processes import completed, plain_environment
from tests.promises.project import applied, asked, project, ran, write_contract
from tests.skep.test_cli import refused, skep

Json = dict[str, Any]
MONEY = {"$defs": {"amount": {"type": "number", "minimum": 0}}}
ORDER: Json = {
    "type": "object",
    "properties": {
        "total": {"$ref": "../../types/money.json#/$defs/amount"},
        "currency": {"enum": ["EUR", "GBP"]},
        "items": {"type": "array", "items": {"type": "object", "properties": {"sku": {"type": "string"}}}},
    },
    "required": ["total"],
    "additionalProperties": False,
}
CONTRACTS = {"types/money.json": MONEY, "events/order_completed/1-0-0.json": json.dumps(ORDER, indent=2)}


def order(number: int, **properties: Any) -> Json:
    at = f"2026-03-01T10:{number:02d}:00Z"
    body = {"type": "track", "event": "Order Completed", "messageId": f"m{number}", "userId": f"u{number}", "timestamp": at}
    return {**body, "receivedAt": at, "properties": {"total": 5, **properties}}


LINES = [
    orjson.dumps(order(0)),
    *(orjson.dumps(order(number, total=f"{number},50")) for number in range(1, 5)),
    orjson.dumps(order(5, currency="USD")),
    orjson.dumps(order(6, currency="CHF")),
    orjson.dumps(order(7, total=-1, items=[{"sku": "a"}, {"sku": 7}], promo="x")),
    orjson.dumps({**order(8), "event": "Oder Completed"}),
    orjson.dumps({**order(9), "timestamp": "yesterday"}),
    b'{"type": "track", "event": NaN}',
    b'{"type": "track", "event": "caf\xe9"}',
    orjson.dumps(order(0, total=6)),
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = project(tmp_path_factory.mktemp("quarantine") / "shop", CONTRACTS, LINES)
    ran(folder)
    return folder


@pytest.fixture
def shop(made: Path, tmp_path: Path) -> Path:
    """A copy of the project, to be changed."""
    return Path(shutil.copytree(made, tmp_path / "shop"))


# ── the list ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_records_of_one_cause_are_one_line(made: Path) -> None:
    """Whatever their values: with counts, first and last time, and one of them; the most frequent first."""
    found = {(one["reason"], one["detail"]): one for one in asked(made, "quarantine", "list", "--grouped")}
    text = found["invalid", 'properties.total: … is not of type "number"']
    times = {"first": "2026-03-01T10:01:00.000000Z", "last": "2026-03-01T10:04:00.000000Z"}
    assert text == {
        "cause": text["cause"], "space": "shop", "reason": "invalid", "event": "order_completed", "contract": "order_completed/1-0-0",
        "schema_path": text["schema_path"], "detail": text["detail"], "records": 4, "sample": "q-0", **times,
    }  # fmt: skip
    assert found["invalid", 'properties.currency: … is not one of "EUR" or "GBP"']["records"] == 2
    assert found["unknown_event", "event: 'oder_completed' has no contract; add contracts/events/oder_completed/1-0-0.json"]["records"] == 1
    assert found["envelope", "timestamp: expected a time like 2026-01-31T10:00:00.000Z, found …"]["event"] == "order_completed"
    assert found["conflict", "message … came before with another content; the first one stands"]["records"] == 1
    shown = skep("quarantine", "list", project=made).stdout.splitlines()
    assert shown[1].split()[:3] == ["4", "invalid", "order_completed"]
    assert text["cause"] in shown[1]
    assert f"skep quarantine replay --cause {text['cause']} --dry-run" in shown[-1]


def test_json_is_every_record_with_its_cause(made: Path) -> None:
    rows = asked(made, "quarantine", "list")
    assert [row["id"] for row in rows] == [f"q-{number}" for number in range(12)]
    assert len({row["cause"] for row in rows[:4]}) == 1
    assert rows[0]["raw"].encode() == LINES[1]
    assert {"reason", "detail", "schema_path", "partition", "position", "received_at", "quarantined_at", "space"} <= set(rows[0])
    assert asked(made, "quarantine", "list", "--cause", rows[0]["cause"]) == rows[:4]


@pytest.mark.parametrize(
    ("words", "ids"),
    [
        (["--reason", "undecodable"], [9, 10]),
        (["--event", "Oder Completed"], [7]),
        (["--event", "od*"], [7]),
        (["--since", "2026-03-01T10:06:00Z", "--reason", "invalid"], [5, 6]),
        (["--since", "1d", "--event", "order_completed", "--reason", "invalid"], []),
        (["--source", "web", "--reason", "conflict"], [11]),
        (["--source", "shop"], []),
        (["q-3", "q-4", "--reason", "invalid", "--where", "properties.currency = USD"], [4]),
        (["--where", "properties.total < 0"], [6]),
        (["--where", 'properties.items[].sku = "a"', "--where", "properties.promo exists"], [6]),
        (["--where", "userId ~ u", "--where", "properties.currency missing", "--reason", "envelope"], [8]),
    ],
)
def test_the_selection(made: Path, words: list[str], ids: list[int]) -> None:
    assert [row["id"] for row in asked(made, "quarantine", "list", *words)] == [f"q-{number}" for number in ids]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["list", "--since", "soon"], "--since: expected a duration"),
        (["list", "--where", "total"], "--where total: expected a condition such as"),
        (["list", "--where", "a..b = 1"], "expected a path"),
        (["list", "--where", "a = null"], "`PATH missing` asks for that"),
        (["list", "--where", "a > true"], "expected = or !="),
        (["list", "--event", "!?"], "--event: expected the name"),
        (["list", "q-99"], "found q-99"),
        (["show", "q-99"], "`skep quarantine list --each`"),
        (["list", "--space", "market"], "--space: expected one of shop"),
        (["drop", "--why", "x"], "or say --all"),
        (["drop", "q-1", "--why", " "], "--why: expected a reason"),
        (["edit", "--patch", "/nowhere"], "--patch /nowhere: expected a file"),
    ],
)
def test_what_is_wrong_with_the_words(made: Path, words: list[str], says: str) -> None:
    assert says in refused(skep("quarantine", *words, project=made))


def test_where_means_what_segments_mean() -> None:
    """Numbers are numbers and texts texts; what is no JSON object satisfies nothing."""
    raw = orjson.dumps({"n": 5, "t": "5", "l": [{"x": 1}, {"x": 2}], "d": "2026-01-02T10:00:00Z", "a.b": None, "s": "x = y"})
    for text in ("n = 5.0", 't = "5"', "n >= 5", "l[].x = 2", "l[1].x != 1", "d > 2026-01-01", '["a.b"] missing', "s = 'x = y'", "t ~ 5"):
        assert read_where([text])(raw), text
    for text in ("n = '5'", "t = 5", "n > 5", "l[].x = 3", "d > 2026-01-02", "z != 1", "n ~ 5", "z exists"):
        assert not read_where([text])(raw), text
    large = b'{"n":89014103211118511001}'
    assert [read_where([f"n = {digits}"])(large) for digits in (89014103211118511001, 89014103211118511002)] == [True, False]
    assert not read_where(["n = 5"])(b"[")
    assert not read_where(["n missing"])(b"[1]")
    with pytest.raises(CommandError, match="expected a condition"):
        read_where(["= 5"])


def row(**more: Any) -> Quarantined:
    first = more.pop("reason", "invalid"), more.pop("detail", ""), more.pop("path", "")
    return Quarantined(*first, "web/a", 1, None, more.pop("raw", b"{}"), id="q-1", **more)


@pytest.mark.parametrize(
    ("reason", "path", "one", "other"),
    [
        ("invalid", "/a/type", 'properties.a[0]: "x" is not of type "number"', 'properties.a[7]: {"b":[1]} is not of type "number"'),
        ("invalid", "/oneOf", 'properties: {"a":1} is valid under more than one', 'properties: {"a":[2]} is valid under more than one'),
        ("invalid", "/a/pattern", "properties.a: " + '"' + "x" * 480, "properties.a: " + '"' + "y" * 480),
        ("undecodable", "", "no JSON: line 1 column 5 (char 4)", "no JSON: line 1 column 51 (char 50)"),
        ("too_late", "", "2026-01-02T00:00:00.000000Z is late", "2025-01-02T00:00:00.100000Z is late"),
        ("too_large", "", "expected at most 10 bytes, found 11", "expected at most 10 bytes, found 12"),
        ("conflict", "", "message m1 came before with", "message m\n2 came before with"),
    ],
)
def test_values_make_no_other_cause(reason: str, path: str, one: str, other: str) -> None:
    ids = {causes.cause_id(row(reason=reason, detail=detail, path=path)) for detail in (one, other)}
    assert len(ids) == 1


def test_names_make_another_cause() -> None:
    """Another property, event, contract or line of the contract is another cause."""
    detail, path = 'properties: "a" is a required property', "/required"
    rows = [row(detail=detail, path=path), row(detail=detail.replace('"a"', '"b"'), path=path), row(detail=detail, path="/else/required")]
    rows += [row(detail=detail, path=path, event="e"), row(detail=detail, path=path, contract="e/1-0-0")]
    assert len({causes.cause_id(one) for one in rows}) == 5


def test_an_empty_selection_is_known() -> None:
    assert selection().empty
    assert not selection(ids=["q-1"]).empty
    assert Selection(source="web").has(row())
    assert not Selection(source="we").has(row())
    assert not Selection(since_us=0).has(row())


def test_a_row_of_before_can_be_read() -> None:
    """A row that was stored without event, contract and edits."""
    old = decode_row(encode(("invalid", "d", "/p", "web", 7, None, b"{}")))
    assert old == QuarantineRow("invalid", "d", "/p", "web", 7, None, b"{}")
    assert decode_row(encode(QuarantineRow("a", "b", "", "web", 1, 2, b"", edits=[Edit(1, "ann", "why", "c")]))).edits[0].who == "ann"


def test_a_hundred_thousand_records_are_listed_in_one_pass() -> None:
    """Groups remember a line each, not the records."""
    listed = causes.Causes()
    for number in range(100_000):
        listed.add("shop", row(detail=f'properties.a: "{number}" is not of type "number"', path="/a/type", stored_at_us=number))
    [cause] = listed.sorted()
    assert (cause.records, cause.first, cause.last) == (100_000, iso(0), iso(99_999))


# ── one record ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_show_underlines_everything_that_is_wrong(made: Path) -> None:
    """Every error of the contract, below its value, with file and line, also of a shared type; and what a replay would say."""
    said = skep("quarantine", "show", "q-6", project=made).stdout.splitlines()
    at = {text.strip(): number for number, text in enumerate(said)}
    file = "contracts/events/order_completed/1-0-0.json"
    total = said[at['"total": -1,'] + 1]
    assert total == "             ^^ is less than the minimum of 0  (contracts/types/money.json:1)"
    lines = json.dumps(ORDER, indent=2).splitlines()
    sku = next(number for number, text in enumerate(lines, 1) if '"sku"' in text) + 1
    assert said[at['"sku": 7'] + 1] == f'               ^ is not of type "string"  ({file}:{sku})'
    assert f"^^^ a property that is not allowed  ({file}:" in said[at['"promo": "x"'] + 1]
    assert said[-1].startswith("now: it would be refused: invalid: ")


@pytest.mark.parametrize(
    ("entry", "line", "below"),
    [
        ("q-0", '    "total": "1,50"', '             ^^^^^^ is not of type "number"'),
        ("q-7", '  "event": "Oder Completed",', "           ^^^^^^^^^^^^^^^^ event: 'oder_completed' has no contract"),
        ("q-8", '  "timestamp": "yesterday",', "               ^^^^^^^^^^^ timestamp: expected a time"),
        ("q-9", '{"type": "track", "event": NaN}', "                           ^ "),
        ("q-10", r'{"type": "track", "event": "caf\xe9"}', "                               ^ not UTF-8"),
        ("q-11", '  "messageId": "m0",', "               ^^^^ message m0 came before"),
    ],
)
def test_show_underlines_what_the_refusal_names(made: Path, entry: str, line: str, below: str) -> None:
    said = skep("quarantine", "show", entry, project=made).stdout.splitlines()
    assert said[said.index(line) + 1].startswith(below)


def test_show_finds_a_contract_that_is_gone(shop: Path) -> None:
    """The faults come from the contract that is in force, though its file is not there any more."""
    (shop / "contracts/events/order_completed/1-0-0.json").unlink()
    said = skep("quarantine", "show", "q-0", project=shop).stdout
    assert '^^^^^^ is not of type "number"  (contracts/types/money.json:1)' in said
    assert "now: it would be refused: invalid" in said
    assert "with contracts/ as it is: it would be refused: unknown_event" in said
    (shop / "contracts/identity.yaml").write_text("namespaces: 5\n")
    assert "with contracts/ as it is: it cannot be judged, `skep check` says" in skep("quarantine", "show", "q-0", project=shop).stdout


def test_a_record_is_written_as_it_is() -> None:
    """Numbers keep their digits; columns count what a terminal shows; what is no JSON stays a text."""
    raw = b'{"a": 1.10, "b": [], "c": {"d": [12345678901234567890123, {"e": null}]}, "\xe6\x97\xa5": "\xe6\x97\xa5"}'
    written = Written(raw)
    assert written.lines[1:3] == ['  "a": 1.10,', '  "b": [],']
    assert written.find(("c", "d", 0)) == (5, 6, 23)
    assert written.find(("c", "d", 1, "e", "none")) == (7, 13, 4)
    assert written.find(("日",)) == (11, 8, 4)
    assert written.find(("missing",)) == (0, 0, 1)
    assert pretty(b"\xff[") == "\\xff["
    assert pretty(b"[" * 100_000) == "[" * 100_000
    assert broken_text(b"{}") is None
    assert (broken_text(b"\x1b[2") or ("", 0, ""))[:2] == ("\\x1b[2", 0)


# ── replay ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_dry_run_says_how_many_would_pass_and_touches_nothing(shop: Path) -> None:
    before = (shop / "data/control/shop.jsonl").read_bytes()
    assert asked(shop, "quarantine", "replay", "--dry-run")["pass"] == 0
    loose = {**ORDER, "properties": {**ORDER["properties"], "total": {"type": ["number", "string"]}}}
    write_contract(shop, "events/order_completed/1-1-0.json", loose)
    assert asked(shop, "quarantine", "replay", "--dry-run")["pass"] == 0
    found = asked(shop, "quarantine", "replay", "--apply", "--dry-run")
    assert (found["records"], found["pass"], found["fail"]) == (12, 4, 8)
    assert sum(cause["records"] for cause in found["causes"]) == 8
    said = skep("quarantine", "replay", "--apply", "--dry-run", "--where", "properties.total exists", project=shop).stdout
    assert said.startswith("10 records: 4 would now pass, 6 would be refused again\n")
    assert (shop / "data/control/shop.jsonl").read_bytes() == before
    assert skep("quarantine", "replay", "--reason", "invalid", "--apply", project=shop).stdout.startswith("7 records to replay\n")
    ran(shop)
    assert asked(shop, "status")["quarantine"]["invalid"] == 3


def test_a_dry_run_knows_repeats(shop: Path) -> None:
    """Of what was accepted before, and of what passes before it in the same run."""
    with (shop / "events.jsonl").open("ab") as stream:
        stream.write(orjson.dumps({**order(1, total="1,50"), "receivedAt": "2026-03-01T11:00:00Z"}) + b"\n")
        stream.write(orjson.dumps(order(2, total=2.5)) + b"\n")
    ran(shop)
    write_contract(shop, "events/order_completed/1-1-0.json", {"type": "object"})
    applied(shop)
    found = asked(shop, "quarantine", "replay", "--dry-run", "--where", "properties.total ~ ,")
    assert (found["records"], found["pass"], found["duplicate"]) == (5, 4, 1)
    assert [(cause["reason"], cause["sample"]) for cause in found["causes"]] == [("conflict", "q-1")]
    assert skep("quarantine", "replay", "--where", "properties.total ~ ,", project=shop).returncode == 0
    ran(shop)
    status = asked(shop, "status")
    assert (status["duplicate"], status["conflict"]) == (1, 2)


# ── edit and drop ───────────────────────────────────────────────────────────────────────────────────────────────────


def write_patch(shop: Path, *operations: Json) -> str:
    path = shop / "fix.json"
    path.write_text(json.dumps(operations))
    return str(path)


def test_an_edit_is_tried_recorded_and_replayed(shop: Path) -> None:
    """Two steps: the edit waits in quarantine with who and why and what was received; a replay takes it in."""
    patch = write_patch(
        shop, {"op": "test", "path": "/properties/currency", "value": "USD"}, {"op": "remove", "path": "/properties/currency"}
    )
    words = ["quarantine", "edit", "--reason", "invalid", "--patch", patch]
    tried = skep(*words, "--dry-run", project=shop).stdout
    assert "1 records would be edited" in tried
    assert '-    "currency": "USD"' in tried
    assert "1 records: 1 would now pass, 0 would be refused again" in tried
    done = asked(shop, *words, "--why", "dollars were a test")
    assert (done["edited"], done["pass"], sum(one["records"] for one in done["left"])) == (1, 1, 6)
    assert [entry["answer"] for entry in done["entries"]] == [None]
    ran(shop)
    status = asked(shop, "status")
    assert (status["quarantine"]["edited"], status["quarantine"]["invalid"]) == (1, 6)
    [row] = asked(shop, "quarantine", "list", "--reason", "edited")
    assert (row["id"], row["original"].encode(), "USD" in row["raw"]) == ("q-4", LINES[5], False)
    assert [(edit["why"], bool(edit["who"])) for edit in row["edits"]] == [("dollars were a test", True)]
    said = skep("quarantine", "show", "q-4", project=shop).stdout
    assert "dollars were a test" in said
    assert '-    "currency": "USD"' in said
    assert "now: it would pass as order_completed/1-0-0" in said
    entries = [orjson.loads(line) for line in (shop / "data/control/shop.jsonl").read_bytes().splitlines()]
    assert [entry["patch"] for entry in entries if entry["type"] == "edit"] == [json.loads(Path(patch).read_text())]
    assert skep("quarantine", "replay", "--reason", "edited", project=shop).returncode == 0
    ran(shop)
    assert (asked(shop, "status")["applied"], "edited" in asked(shop, "status")["quarantine"]) == (2, False)


def test_an_edit_can_replay_at_once(shop: Path) -> None:
    """The snapshot then shows what was edited, and of a conflict under a new id the first one is untouched."""
    patch = write_patch(shop, {"op": "replace", "path": "/messageId", "value": "m0b"})
    done = skep("quarantine", "edit", "q-11", "--patch", patch, "--replay", project=shop)
    assert "1 records: 1 would now pass" in done.stdout, done.stderr
    ran(shop)
    status = asked(shop, "status")
    assert (status["applied"], status["conflict"]) == (2, 0)
    assert skep("snapshot", project=shop).returncode == 0
    rows = asked(shop, "sql", "select message_id, properties ->> 'total' as total from events order by 1")
    assert rows == [{"message_id": "m0", "total": "5"}, {"message_id": "m0b", "total": "6"}]


def test_dropped_records_are_counted(shop: Path) -> None:
    """They leave list and snapshot; status says so, and control who and why."""
    done = skep("quarantine", "drop", "--reason", "undecodable", "--why", "a scanner", project=shop)
    assert done.stdout.startswith("2 records to drop\n")
    assert skep("quarantine", "drop", "q-11", "--why", "sent twice", project=shop).returncode == 0
    ran(shop)
    status = asked(shop, "status")
    assert (status["dropped"], "undecodable" in status["quarantine"], status["conflict"]) == (3, False, 0)
    assert status["received"] == sum(status[key] for key in ("applied", "duplicate", "conflict", "quarantined", "dropped"))
    assert "+ 3 dropped;" in skep("status", project=shop).stdout
    entries = [orjson.loads(line) for line in (shop / "data/control/shop.jsonl").read_bytes().splitlines()]
    assert [(entry["ids"], entry["why"], bool(entry["who"])) for entry in entries if entry["type"] == "drop"] == [
        (["q-9", "q-10"], "a scanner", True), (["q-11"], "sent twice", True),
    ]  # fmt: skip
    assert "found q-9" in refused(skep("quarantine", "show", "q-9", project=shop))
    assert skep("snapshot", project=shop).returncode == 0
    assert asked(shop, "sql", "select count(*) as n from events") == [{"n": 1}]
    assert asked(shop, "sql", "select count(*) as n from quarantine") == [{"n": 9}]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", ":1: expected JSON, found Expecting value"),
        ('{"op": "remove"}', ":1: expected a list of operations"),
        ("[]", ":1: expected a list of operations"),
        ('[\n{"op": "remove", "path": "/a"},\n{"op": "move", "path": "/a"}]', ":3: [1]: expected from in move"),
        ('[{"op": "change", "path": "/a"}]', ":1: [0]: expected op to be one of add, remove, replace, move, copy, test"),
        ('[{"op": "add", "path": "/a"}]', "expected value in add, found only op, path"),
        ('[{"op": "remove", "path": "a"}]', "expected JSON pointers such as /properties/total"),
        ('[{"op": "remove", "path": 5}]', "expected path to be a JSON pointer"),
        ("[7]", "expected an operation such as"),
    ],
)
def test_a_wrong_patch_names_file_and_line(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "fix.json"
    path.write_text(text)
    with pytest.raises(CommandError) as refusal:
        read_patch(path)
    assert str(refusal.value).startswith(str(path))
    assert says in str(refusal.value)


def test_a_patch_is_rfc_6902() -> None:
    """All six operations; the rest of a record stays, with its digits and its frame."""
    raw = b'{"a": 1.5, "b": [1, 2], "big": 12345678901234567890, "t": "\xc3\xa9"}'
    patch = [
        {"op": "add", "path": "/b/-", "value": {"x~1": 1}},
        {"op": "move", "from": "/a", "path": "/c"},
        {"op": "copy", "from": "/b/2", "path": "/d"},
        {"op": "replace", "path": "/b/0", "value": None},
        {"op": "remove", "path": "/b/1"},
        {"op": "test", "path": "/c", "value": 1.5},
        {"op": "add", "path": "/e~1f", "value": True},
    ]
    wanted = '{"b":[null,{"x~1":1}],"big":12345678901234567890,"t":"é","c":1.5,"d":{"x~1":1},"e/f":true}'.encode()
    assert apply_patch(patch, raw) == wanted
    assert apply_patch(patch, b"\0\0\0\0\7" + raw) == b"\0\0\0\0\7" + wanted


@pytest.mark.parametrize(
    ("patch", "raw", "says"),
    [
        ([{"op": "test", "path": "/a", "value": 1}], b'{"a": true}', "is not equal"),
        ([{"op": "replace", "path": "/b", "value": 1}], b'{"a": 1}', "b"),
        ([{"op": "remove", "path": "/a/0"}], b'{"a": "x"}', "0"),
        ([{"op": "replace", "path": "", "value": [1]}], b"{}", "no JSON object"),
        ([{"op": "replace", "path": "/a", "value": 1}], b'{"a": 1}', "changes nothing"),
        ([{"op": "add", "path": "/b", "value": 1}], b'{"a": NaN}', "no JSON in UTF-8"),
        ([{"op": "add", "path": "/b", "value": 1}], b"{", "not JSON"),
    ],
)
def test_a_patch_that_does_not_apply_leaves_the_record(patch: list[Json], raw: bytes, says: str) -> None:
    with pytest.raises(Unpatchable, match=says):
        apply_patch(patch, raw)


def test_why_a_patch_does_not_apply_is_short() -> None:
    with pytest.raises(Unpatchable) as raised:
        apply_patch([{"op": "replace", "path": "/b/c", "value": 1}], b'{"a": "%s"}' % (b"x" * 100_000))
    assert len(str(raised.value)) < 1000


def test_a_patch_can_mend_what_was_no_json() -> None:
    patch = [{"op": "replace", "path": "/a", "value": 0}]
    assert apply_patch(patch, b'{"a": NaN}') == b'{"a":0}'


def test_every_space_has_its_own_numbers(tmp_path: Path) -> None:
    """A repair by id needs the space; by options it is of every space."""
    folder = project(tmp_path / "shop", CONTRACTS, LINES[1:2])
    sources = "".join(f"  - {{name: {name}, kind: jsonl, path: events.jsonl, space: {name}}}\n" for name in ("a", "b"))
    (folder / "skep.yaml").write_text(f"spaces: [a, b]\nsources:\n{sources}")
    ran(folder)
    assert "say which: --space a" in refused(skep("quarantine", "drop", "q-0", "--why", "x", project=folder))
    assert [cause["space"] for cause in asked(folder, "quarantine", "list", "--grouped")] == ["a", "b"]
    assert skep("quarantine", "list", project=folder).stdout.splitlines()[1].startswith("a ")
    assert [row["space"] for row in asked(folder, "quarantine", "show", "q-0")] == ["a", "b"]
    assert skep("quarantine", "drop", "q-0", "--why", "x", "--space", "b", project=folder).returncode == 0
    ran(folder)
    assert [row["space"] for row in asked(folder, "quarantine", "list")] == ["a"]


# ── long records ────────────────────────────────────────────────────────────────────────────────────────────────────


def shown(record: Quarantined) -> list[str]:
    return [line.plain for line in record_lines(record, faults(record, [], formats=False))]


@pytest.mark.parametrize(
    ("body", "detail", "has"),
    [
        (
            {"l": [*range(130_000)], "total": "x"},
            "properties.total: wrong",
            ['    "total": "x"', "             ^^^ properties.total: wrong"],
        ),
        ({"l": [[0] * 500] * 400}, "properties.l[390]: wrong", ["      … 377 more", "      ^ properties.l[390]: wrong"]),
        ({"l": "y" * 900_000}, "properties.l: wrong", [f'    "l": "{"y" * 499}… (900,000 characters)']),
        ({"k" * 900_000: {"a": 1}}, "wrong", ["^ wrong"]),
        ({str(number): {str(number): [number]} for number in range(30_000)}, "wrong", ["^ wrong", "    … 29,980 more"]),
    ],
)
def test_of_a_long_record_the_part_is_shown_that_is_wrong(body: Json, detail: str, has: list[str]) -> None:
    said = shown(row(reason="upcast", detail=detail, raw=json.dumps({"properties": body}).encode()))
    assert all(line in said for line in has), said[:40]
    assert "--raw > FILE` writes them all" in said[-1]
    assert len(said) < 400
    assert sum(map(len, said)) < 20_000


@pytest.mark.parametrize("raw", [b'{"a":"' + b"z" * 5_000_000 + b'"}', b'{"a":"' + b"z" * 5_000_000, b"[" * 900_000, b"\xff" * 900_000])
def test_what_cannot_be_looked_into_is_shown_from_its_beginning(raw: bytes) -> None:
    for reason in ("too_large", "undecodable", "edited"):
        said = shown(row(reason=reason, detail="too long", raw=raw))
        assert len(said) <= 3
        assert sum(map(len, said)) < 10_000
        assert said[-1].startswith(f"{len(raw):,} bytes")


def test_of_a_long_edit_the_difference_is_shown() -> None:
    body = {"a": [*range(20_000)], "b": 1, "c": [*range(20_000)]}
    raw = json.dumps(body).encode()
    assert [line.plain for line in differences(raw, json.dumps({**body, "b": "x"}).encode())][1:3] == ['-  "b": 1,', '+  "b": "x",']
    gone = [line.plain for line in differences(raw, json.dumps({**body, "a": body["a"][1:]}).encode())]
    assert [line for line in gone if line[0] in "+-"] == ["-    0,"]
    all_of_it = [line.plain for line in differences(raw, json.dumps({**body, "a": [{}] * 30_000}).encode())]
    assert (len(all_of_it), all_of_it[-1]) == (301, "… and more")
    assert [line.plain for line in differences(raw, b"[" * 5_000_000)] == [
        f"{len(raw):,} bytes before, 5,000,000 after: too many to compare"
    ]


def test_raw_is_the_bytes(made: Path) -> None:
    words = ("--project", str(made), "quarantine", "show", "q-10", "--raw")
    done = completed("skep.cli", *words, env=plain_environment(), text=False)
    assert done.stdout == b'{"type": "track", "event": "caf\xe9"}'
