"""The prompt of `skep sql`: several lines, history, completion, its own commands, and a terminal that opens it bare."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import stat
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from skep.cli.sql import prompt
from skep.cli.sql.asked import Wanted
from skep.cli.sql.completion import Words
from skep.cli.sql.session import Session
from tests import patience
from tests.processes import plain_environment, started

NASTY = "bad\x1b[2J"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prompt") / "shop"
    (folder / "data").mkdir(parents=True)
    (folder / "skep.yaml").write_text("spaces: [shop]\n")
    with duckdb.connect(str(folder / "data" / "skep.duckdb")) as con:
        con.execute(f'create table events (message_id varchar, event_time timestamp, "{NASTY}" int)')
        con.execute('create table profiles (profile_id varchar); create schema typed; create view typed.paid as select 1 as "Net total"')
        con.execute("create macro members(segment_name) as table select segment_name as s")
        con.execute("comment on macro table members is 'Who is in'; comment on column profiles.profile_id is 'Who'")
    return folder


@pytest.fixture
def session(shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with Session(shop / "data" / "skep.duckdb") as opened:
        yield opened


def offered(session: Session, text: str) -> list[str]:
    return [one.text for one in Words(session).get_completions(Document(text), CompleteEvent())]


def test_completion(session: Session) -> None:
    """Tables, columns, macros and words; behind a point what is inside; names are quoted where SQL needs it."""
    assert offered(session, "select * from prof") == ["profiles", "profile_id"]
    assert offered(session, "from mem") == ["members("]
    assert offered(session, "SEL")[:1] == ["select"]
    assert offered(session, "select events.")[:2] == ["event_time", "message_id"]
    assert offered(session, "from typed.p") == ["paid"]
    assert offered(session, "select typed.paid.n") == ['"Net total"']
    assert offered(session, "select e.mess") == ["message_id"]
    assert not any("\x1b" in name for name in offered(session, ""))


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ("select 1;\r", "select 1;"), ("select 1\r, 2;\r", "select 1\n, 2;"), (".tables\r", ".tables"), ("\r", ""),
        ("select 1 \x1b\r", "select 1 "),
    ],
)  # fmt: skip
def test_enter_ends_a_statement_behind_its_semicolon(session: Session, keys: str, text: str) -> None:
    with create_pipe_input() as keyboard, create_app_session(keyboard, DummyOutput()):
        keyboard.send_text(keys)
        assert prompt.session_of(session).prompt().startswith(text)


def test_history_is_this_user_s_and_finite(session: Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with create_pipe_input() as keyboard, create_app_session(keyboard, DummyOutput()):
        keyboard.send_text("select 1;\r")
        prompt.session_of(session).prompt()
    path = prompt.history_path()
    assert path == tmp_path / "state" / "skep" / "sql_history"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    monkeypatch.setattr(prompt, "HISTORY_BYTES", 200)
    path.write_text("".join(f"\n# time\n+select {at};\n" for at in range(100)))
    with create_pipe_input() as keyboard, create_app_session(keyboard, DummyOutput()):
        keyboard.send_text("\x1b[A\r")
        assert prompt.session_of(session).prompt() == "select 99;"
    assert path.stat().st_size < 200
    monkeypatch.setenv("XDG_STATE_HOME", "/proc/nowhere")
    prompt.session_of(session)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("select 41 + 1 as n;", "n\n42"), (".help", "ctrl-d"), (".tables", "typed.paid"), (".tables", "members(segment_name)"),
        (".schema profiles", "Who"), (".schema typed.paid;", "Net total"), (".schema profile", "did you mean profiles?"),
        (".schema", "found none"),
        (".plot select 'a' as x, 3 as n;", "█ 3"), (".plot spark select 3 as n", "3 to 3"), (".plot", "found none"),
        (".out x.txt select 1", "expected a file that ends with"),
        (".what", "expected one of .help, .tables"), ("\\d", "expected one of .help"), ("selec;", "LINE 1: selec"), ("  ", ""),
    ],
)  # fmt: skip
def test_a_turn(session: Session, capfd: pytest.CaptureFixture[str], text: str, says: str) -> None:
    prompt.turn(session, text, Wanted())
    sys.stdout.flush()
    said = capfd.readouterr()
    assert says in said.out + said.err


def test_a_new_snapshot_is_told(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for value in (1, 2):
        with duckdb.connect(str(tmp_path / f"new{value}")) as con:
            con.execute(f"create table t as select {value} as v")
    (tmp_path / "new1").replace(tmp_path / "snapshot")
    with Session(tmp_path / "snapshot") as session:
        (tmp_path / "new2").replace(tmp_path / "snapshot")
        for _ in range(2):
            prompt.turn(session, "from t;", Wanted())
    sys.stdout.flush()
    said = capfd.readouterr()
    assert (said.out, said.err.count("a new snapshot, of ")) == ("v\n2\nv\n2\n", 1)


def test_a_terminal_opens_it_bare(shop: Path, tmp_path: Path) -> None:
    """Ctrl-C stops a query that would run for hours, and the prompt goes on; ctrl-d leaves."""
    process, keyboard = on_terminal(["--project", str(shop), "sql"], XDG_STATE_HOME=str(tmp_path))
    try:
        until(keyboard, lambda said: "skep>" in said)
        os.write(keyboard, b"select count(*) from range(1000000) a, range(1000000) b;\r")
        until(keyboard, lambda said: said.endswith("\x1b[?2004l"))
        until(keyboard, lambda said: "skep>" in said, lambda: process.send_signal(signal.SIGINT))
        os.write(keyboard, b"select 6 * 7 as answer;\r")
        until(keyboard, lambda said: "42" in said and "skep>" in said.rpartition("42")[2])
        os.write(keyboard, b"\x04")
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()
        os.close(keyboard)


def on_terminal(words: list[str], **environment: str) -> tuple[subprocess.Popen[bytes], int]:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    settings = {"TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1", **environment}
    on = {"stdin": theirs, "stdout": theirs, "stderr": theirs, "start_new_session": True}
    process = started("skep.cli", *words, env=plain_environment(**settings), **on)
    os.close(theirs)
    return process, ours


def until(terminal: int, seen: Callable[[str], bool], meanwhile: Callable[[], None] = lambda: None) -> None:
    """Reads what a terminal shows until it is what is waited for; ``meanwhile`` is done whenever nothing comes."""

    said: list[str] = []

    def shown() -> str:
        if select.select([terminal], [], [], 0.5)[0]:
            said.append(os.read(terminal, 65536).decode(errors="replace"))
        else:
            meanwhile()
        return "".join(said)

    patience.until(shown, seen)
