"""Nothing of a user's data controls a terminal: values that try to, through every command that shows some."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest

from skep.cli import console
from skep.cli.show.profile import trait_text
from skep.project.log import configure
from skep.project.terminal import Stream, visible, visible_json, visible_line
from tests.skep.test_cli import skep

NASTY = "\x1b]8;;http://x\x07[/b][red]:smile:\x9b2J\u202e\x08<script>alert(1)</script>'\"\n"
"""Opens a link, ends a style, clears the screen, turns the text around, breaks out of HTML, and ends the line."""
SAFE = r"\x1b]8;;http://x\x07[/b][red]:smile:\x9b2J\u202e\x08"
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
AT = "2026-05-01T10:00:00Z"


def project_files() -> dict[str, str]:
    kinds: list[Any] = [NASTY, 1.5, True, [1, NASTY], {NASTY: 1}, None]
    said = {"type": "string", "title": NASTY, "description": NASTY, "x-unit": NASTY, "examples": kinds}
    paid = {
        "type": "object",
        "title": NASTY,
        "description": NASTY,
        "x-owner": NASTY,
        "properties": {NASTY: said, "total": {"type": "number"}},
    }
    traits = {NASTY: NASTY, "sizes": [38, 39.5, {"a": NASTY}], "vip": True, "none": [], "deep": {NASTY: [NASTY]}}
    person = {"userId": NASTY, "anonymousId": "d" + NASTY, "timestamp": AT}
    events = [
        {"type": "identify", "messageId": NASTY, **person, "traits": traits},
        {"type": "identify", "messageId": "i2", **person, "userId": "other", "traits": {}},
        {"type": "track", "event": "paid", "messageId": "m1", **person, "properties": {NASTY: NASTY, "total": 5}},
        {"type": "track", "event": "paid", "messageId": "m2", **person, "properties": {NASTY: 7, "total": NASTY}},
        {"type": "track", "event": NASTY, "messageId": "m3", **person, "properties": {NASTY: [NASTY]}},
        {"type": NASTY, "messageId": "m4", **person},
    ]
    lines = [json.dumps(one, ensure_ascii=False) for one in events]
    name = NASTY.replace("/", "|").replace("\n", "")
    return {
        "skep.yaml": "spaces: [shop]\nhorizon: 400d\nsources: [{name: s, kind: jsonl, path: in}]\n",
        f"in/{name}.jsonl": "\n".join([*lines, '{"a' + NASTY]) + "\n",
        "contracts/events/paid/1-0-0.json": json.dumps(paid),
        "contracts/events/identify/1-0-0.json": json.dumps({"type": "object", "properties": {NASTY: {"type": "string"}, "vip": {}}}),
        "contracts/traits.yaml": "traits: [{name: spent, sum: total, did: paid, emit: true}]\n",
        "contracts/segments/payers.yaml": f"segment: payers\ntitle: {json.dumps(NASTY)}\nowner: {json.dumps(NASTY)}\nwho: {{did: paid}}\n",
    }


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in whose folder, files, contracts and events stands what a terminal would obey, run once."""
    folder = tmp_path_factory.mktemp("terminal") / "sh\x1b[1mop"
    for path, text in project_files().items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    done = skep("run", "--once", project=folder)
    assert done.returncode == 0, done.stderr
    assert_plain("run", done.stdout + done.stderr)
    return folder


def assert_plain(what: str, said: str) -> None:
    assert OBEYED.findall(said) == [], what
    assert "Traceback" not in said, (what, said)
    assert "orjson.Fragment" not in said, what


COMMANDS = """
import contextlib, io, json, sys
from skep.cli import main as cli
told = []
for words in json.load(sys.stdin):
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8") for _ in range(2))
    sys.argv = ["skep", *words]
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            cli.main()
            code = 0
        except SystemExit as end:
            code = end.code
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    told.append([code, out.buffer.getvalue().decode(), err.buffer.getvalue().decode()])
json.dump(told, sys.stdout)
"""


def all_of(project: Path, commands: list[list[str]]) -> list[tuple[int, str, str]]:
    """Exit code, stdout and stderr of each command, all run by one process."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", COMMANDS],
        input=json.dumps([["--project", str(project), *words] for words in commands]),
        env={key: value for key, value in os.environ.items() if not key.startswith("SKEP_")},
        cwd="/", capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [(code, out, err) for code, out, err in json.loads(done.stdout)]


WHO = "user_id:" + NASTY.strip()
SHOWING = [
    ["profile", "show", WHO], ["quarantine", "show", "q-0"], ["quarantine", "show", "q-1"], ["quarantine", "show", "q-2"],
    ["quarantine", "list", "--each"], ["status"], ["identity", "show", WHO], ["identity", "history", WHO], ["quality"], ["catalog"],
    ["identity", "explain", WHO, "user_id:other"], ["sql", "select * from events order by message_id"], ["sql", "from typed.paid"],
    ["sql", "from typed.traits"], ["sql", f'select 1 as "{SAFE}{NASTY[:20]}"'], ["audit"],
]  # fmt: skip
"""Commands that show some of it."""
OTHER = [
    ["identity", "link", WHO, "user_id:other", "--why", NASTY], ["identity", "graph", WHO, "--out", "GRAPH.svg"], ["check"],
    ["quarantine", "list"], ["sql", NASTY], ["profile", "show", NASTY], ["quarantine", "show", NASTY], ["status", NASTY], [NASTY],
    ["contracts", "infer", "--event", "paid", NASTY],
]  # fmt: skip
QUERY = "select chr(27) as esc, 18446744073709551617::HUGEINT as big, map {1: 'a'} as m, encode('é') as raw"
EXACT = [["sql", "--json", QUERY], ["profile", "show", "--json", WHO], ["quarantine", "show", "q-0", "--raw"]]
"""Commands whose output is for programs."""


@pytest.fixture(scope="module")
def told(project: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, str, str]]:
    """By the command what it said."""
    folder = tmp_path_factory.mktemp("picture")
    commands = [[word.replace("GRAPH", str(folder / "graph")) for word in words] for words in [*OTHER, *SHOWING, *EXACT]]
    said = dict(zip(map(str, [*OTHER, *SHOWING, *EXACT]), all_of(project, commands), strict=True))
    said["picture"] = (0, (folder / "graph.svg").read_text(), "")
    return said


def test_no_command_prints_what_a_terminal_obeys(told: dict[str, tuple[int, str, str]]) -> None:
    for words in map(str, SHOWING + OTHER):
        assert_plain(words, "".join(told[words][1:]))
    for words in map(str, SHOWING):
        assert told[words][0] == 0, told[words]
        assert "[red]:smile:" in told[words][1], words


def test_no_page_or_picture_holds_it(project: Path, told: dict[str, tuple[int, str, str]]) -> None:
    for text in [told["picture"][1], *(path.read_text() for path in (project / "data" / "catalog").glob("*.html"))]:
        assert OBEYED.findall(text) == []
        assert "<script>alert" not in text


def test_json_is_exact(told: dict[str, tuple[int, str, str]]) -> None:
    """For programs every value stands as it is, also what orjson cannot write."""
    rows, profile, raw = (told[str(words)][1] for words in EXACT)
    assert json.loads(rows) == [{"esc": "\x1b", "big": 2**64 + 1, "m": {"1": "a"}, "raw": "é"}]
    assert json.loads(profile)[0]["traits"]["sizes"] == [38, 39.5, {"a": NASTY}]
    assert json.loads(raw)["messageId"] == "m2"


def test_what_is_obeyed_is_made_visible() -> None:
    assert (
        visible("a\x1b[0m\x00\x7f\x9b\r\u202e\u2066\ud800é日 \u200d\n\tb")
        == r"a\x1b[0m\x00\x7f\x9b\r\u202e\u2066\ud800é日 " + "\u200d\n\tb"
    )
    assert visible_line("a\n\tb\\n") == r"a\n\tb\n"
    text = json.dumps("\x9b\u202e\x1b\u2028é", ensure_ascii=False)
    assert json.loads(visible_json(text)) == "\x9b\u202e\x1b\u2028é"
    assert OBEYED.findall(visible_json(text)) == []


def test_json_on_a_terminal_says_the_same(capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    for shown in (False, True):
        monkeypatch.setattr(sys.stdout, "isatty", lambda shown=shown: shown)
        console.json_line(["\x9b", "é"])
    console.flush()
    exact, escaped = capfdbinary.readouterr().out.splitlines()
    assert (exact, escaped) == (orjson.dumps(["\x9b", "é"]), b'["\\u009b","' + "é".encode() + b'"]')


def test_what_is_written_past_the_console_is_visible(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages of libraries and the log; a stream that goes through rich already is left to it."""
    monkeypatch.setattr(sys, "stderr", Stream(sys.stderr))
    print("\x1b[31m", file=sys.stderr)
    configure("console")
    import structlog  # noqa: PLC0415 - after it was configured

    structlog.get_logger().warning("said \x1b[31m", of=["\x1b"], because="\x9b")
    said = capsys.readouterr().err
    assert said.startswith("\\x1b[31m\n")
    assert re.search(r"said \\x1b\[31m +of=\['\\x1b'\] because=\\x9b", said), said


def test_what_turns_is_drawn_and_not_written_out(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Stream(sys.stderr))
    monkeypatch.setattr(console, "err", console.Printer(stderr=True, force_terminal=True, _environ={"TERM": "xterm"}))
    with console.counting() as tell:
        tell("\x1b[31m", 1, 2)
        console.err.print("above it")
    said = capsys.readouterr().err
    assert "\\x1b[31m: 1 of 2" in said
    assert "\x1b[2K" in said
    assert "\\x1b[32m" not in said


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ([38, 39.5], "38, 39.5"), (True, "true"), (None, "null"), ("a", "a"), ([], "[]"), ({"a": [orjson.Fragment("1.5")]}, '{"a":[1.5]}'),
        ([orjson.Fragment("38"), "x", None, {"a": True}], '38, x, null, {"a":true}'), (orjson.Fragment("0.1"), "0.1"), (2**70, str(2**70)),
    ],
)  # fmt: skip
def test_a_trait_is_shown_as_what_it_is(value: object, text: str) -> None:
    assert trait_text(value) == text
