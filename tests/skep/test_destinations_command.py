"""`skep destinations`: outside of a project and in one, with its JSON and its words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from skep.cli.main import app

FILE = """\
kind: http
connection: {url: https://api.example.com, auth: {bearer: "${TOKEN}"}}
audiences: {vips: list-7}
events: [order_completed]
purpose: marketing
requests:
  enter: {path: "/lists/{audience}", batch: {max: 5, at: people, item: {mail: person.identifiers.email}}}
  exit: {method: DELETE, path: "/lists/{audience}/{person.profile}"}
  event: {path: /events, body: {mail: person.identifiers.email, name: event.event, at: event.timestamp}}
"""
GRANTED = {"consent": {"categoryPreferences": {"marketing": True}}}
LINES: list[dict[str, Any]] = [
    {"type": "track", "event": "Order Completed", "receivedAt": "2026-01-01T00:00:00Z",
     "context": {**GRANTED, "traits": {"email": "A@b.org"}}},
    {"type": "track", "event": "Order Completed", "timestamp": "2026-01-01T00:00:00Z", "properties": {"email": "c@b.org"}},
    {"type": "page", "timestamp": "2026-01-01T00:00:00Z"},
    {"change": {"type": "segment.entered", "segment": "vips", "profile": "p"},
     "person": {"profile": "p", "identifiers": {"email": "p@b.org"}, "consents": {"marketing": True}}},
    {"change": {"type": "segment.entered", "segment": "vips", "profile": "q"}, "person": {"profile": "q", "consents": {"marketing": True}}},
]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SKEP_PROJECT", raising=False)
    (tmp_path / "crm.yaml").write_text(FILE)
    (tmp_path / "in.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in LINES))
    return tmp_path


def said(*words: str, code: int = 0, stdin: str = "") -> str:
    done = CliRunner().invoke(app, ["destinations", *words], input=stdin)
    assert done.exit_code == code, (done.output, done.exception)
    return done.output


def test_render_says_what_would_be_sent_and_who_is_not_told(folder: Path) -> None:
    found = json.loads(said("render", "--destination", "crm.yaml", "--event", "in.jsonl", "--json"))
    assert found == {
        "requests": [
            {"method": "POST", "url": "https://api.example.com/events",
             "headers": {"Authorization": "Bearer ***", "Content-Type": "application/json"},
             "body": {"mail": "a@b.org", "name": "Order Completed", "at": "2026-01-01T00:00:00.000Z"}, "lines": [1]},
            {"method": "POST", "url": "https://api.example.com/lists/list-7",
             "headers": {"Authorization": "Bearer ***", "Content-Type": "application/json"}, "body": {"people": [{"mail": "p@b.org"}]},
             "lines": [4]},
        ],
        "refused": [{"line": 2, "reason": "consent"}, {"line": 5, "reason": "invalid"}],
    }  # fmt: skip


def test_one_object_is_an_input_too(folder: Path) -> None:
    found = said("render", "--destination", "crm.yaml", "--event", "-", stdin=json.dumps(LINES[0], indent=2))
    assert found.splitlines()[0] == "POST https://api.example.com/events  (line 1)"
    assert "nobody is told: consent" in said("render", "--destination", "crm.yaml", "--event", "-", stdin=json.dumps(LINES[1]))


BAD = [
    ("{", "line 1: expected one JSON object, or JSON lines"),
    ('{"change": {}}', "line 1: expected `person` beside `change`, found nothing"),
    ('{"type": "tracked"}', "line 1: expected an event of the envelope"),
    ('{"type": "page"}\n[1]', "line 2: expected a JSON object, found [1]"),
]


@pytest.mark.parametrize(("text", "words"), BAD)
def test_an_input_that_cannot_be_read_is_told_with_its_line(folder: Path, text: str, words: str) -> None:
    done = CliRunner().invoke(app, ["destinations", "render", "--destination", "crm.yaml", "--event", "-"], input=text)
    assert words in str(done.exception)


def test_classify_takes_what_render_shows(folder: Path) -> None:
    requests = json.loads(said("render", "--destination", "crm.yaml", "--event", "in.jsonl", "--json"))["requests"]
    (folder / "r.json").write_text(json.dumps(requests[1]))
    (folder / "p.json").write_text(json.dumps({"status": 429, "headers": {"Retry-After": "7"}, "body": "<html>"}))
    options = ("classify", "--destination", "crm.yaml", "--request", "r.json", "--reply", "p.json")
    assert json.loads(said(*options, "--json")) == {"class": "throttle", "failed": [], "retry": [], "wait": 7, "reason": "HTTP 429"}
    (folder / "r.json").write_text(json.dumps({"requests": requests[1:], "refused": []}))
    assert said(*options).splitlines()[0] == "throttle: the destination waits; that is no attempt"
    gone = {"method": "DELETE", "url": "https://api.example.com/lists/list-7/p", "headers": {}, "body": None, "lines": [1]}
    (folder / "r.json").write_text(json.dumps(gone))
    for status, says in ((404, "delivered"), (None, "retry")):
        (folder / "p.json").write_text(json.dumps({"status": status, "headers": {}, "body": None}))
        assert json.loads(said(*options, "--json"))["class"] == says


def test_check_names_file_line_and_key(folder: Path) -> None:
    assert said("check", "crm.yaml").startswith("crm is good: http; audiences: vips as list-7; events: order_completed")
    (folder / "crm.yaml").write_text(FILE.replace("person.identifiers.email}}", "persn.identifiers.email}}"))
    (problem,) = json.loads(said("check", "crm.yaml", "--json", code=1))
    assert (problem["file"], problem["line"], problem["key"]) == ("./crm.yaml", 7, "requests.enter.batch.item.mail")
    assert problem["hint"] == "did you mean person?"


def test_a_kind_is_checked_like_a_destination(folder: Path) -> None:
    (folder / "kinds").mkdir()
    (folder / "kinds" / "ours.yaml").write_text(
        "sources: [{title: Ours, read: '2026-11-29'}]\nunverified: [limits]\nrequests: {event: {url: x}}\n"
    )
    assert said("check", "kinds/ours.yaml").splitlines() == [
        "ours is good: a kind; calls: event", "made from Ours, read 2026-11-29", "not verified: limits",
    ]  # fmt: skip


def test_kinds_beside_the_file_are_its_own(folder: Path) -> None:
    (folder / "kinds").mkdir()
    (folder / "kinds" / "ours.yaml").write_text(
        "sources: [{title: Ours, read: '2026-11-29'}]\nurl: https://ours.example\nconnection: {key: {secret: true}}\n"
        "auth: {header: {X-Key: connection.key}}\nidentify: {any: [email]}\nmatch: [email]\n"
        "requests: {event: {path: /e, body: {mail: person.match.email}}}\n"
    )
    (folder / "ours.yaml").write_text('kind: ours\nconnection: {key: "${K}"}\nevents: ["*"]\npurpose: none\n')
    found = json.loads(said("render", "--destination", "ours.yaml", "--event", "in.jsonl", "--json"))
    assert [(one["url"], one["headers"]["X-Key"], one["lines"]) for one in found["requests"]] == [
        ("https://ours.example/e", "***", [1]), ("https://ours.example/e", "***", [2]),
    ]  # fmt: skip
    assert found["refused"] == [{"line": 3, "reason": "no_identifier"}]


def test_within_a_project_names_are_held_against_it_and_only_this_file_is_judged(folder: Path) -> None:
    contracts = folder / "contracts"
    for name in ("destinations", "segments", "events/order_completed"):
        (contracts / name).mkdir(parents=True)
    (folder / "skep.yaml").write_text("spaces: [shop]\n")
    (contracts / "events/order_completed/1-0-0.json").write_text('{"type": "object", "properties": {"total": {"type": "number"}}}')
    (contracts / "consent.yaml").write_text("purposes: [{name: marketing, default: denied}]\n")
    (contracts / "segments/vips.yaml").write_text("segment: vips\nwho: {did: order_completed}\nactivate: [crm]\n")
    file = contracts / "destinations/crm.yaml"
    file.write_text(FILE)
    assert said("check", str(file)).startswith("crm is good")
    (contracts / "segments/vips.yaml").write_text("segment: vips\nwho: {did: order_complete}\nactivate: [crm]\n")
    assert said("check", str(file)).startswith("crm is good")
    file.write_text(FILE.replace("vips: list-7", "vipps: list-7"))
    (problem,) = json.loads(said("check", str(file), "--json", code=1))
    assert (problem["key"], problem["hint"]) == ("audiences.vipps", "did you mean vips?")


def test_a_kind_that_is_told_nothing_is_warned_of(folder: Path) -> None:
    (folder / "contracts/destinations").mkdir(parents=True)
    (folder / "skep.yaml").write_text("spaces: [shop]\n")
    (folder / "contracts/destinations/crm.yaml").write_text('connection: {url: "https://x.example"}\nkind: webhook\n')
    (folder / "contracts/destinations/queue.yaml").write_text("connection: {servers: s, topic: t}\nkind: kafka\n")
    done = CliRunner().invoke(app, ["check", "--json"])
    (warned,) = json.loads(done.output)
    assert (warned["file"], warned["line"], warned["key"], warned["found"]) == ("contracts/destinations/queue.yaml", 2, "kind", "kafka")
    assert (warned["warning"], done.exit_code) == (True, 0)
