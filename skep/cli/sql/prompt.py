"""The prompt of `skep sql`: statements over several lines, history, completion, and always the newest snapshot."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.application import get_app
from prompt_toolkit.filters import Condition
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.lexers import PygmentsLexer
from prompt_toolkit.output import Output, create_output
from pygments.lexers.sql import SqlLexer

from contracts.text.problems import closest
from skep.cli.console import err, out
from skep.cli.sql import CHARTS
from skep.cli.sql.asked import Wanted, run_text
from skep.cli.sql.completion import Words
from skep.cli.sql.screen import show
from skep.cli.sql.session import Session
from skep.project.errors import CommandError
from skep.project.settings import Settings
from skep.project.spaces import snapshot_path
from skep.project.terminal import behind
from state.snapshot.literals import quote

HISTORY_BYTES = 1_000_000
"""Of a longer history the older half is forgotten when a prompt begins."""
LISTED = 1_000
"""Rows of the lists that the prompt itself gives."""
HELP = """End a statement with ; and Enter. Tab completes, the arrows and ctrl-r find what was asked before.
.tables          tables, views and macros
.schema NAME     columns of a table or view, with what they mean
.plot [bar|line|spark] QUERY   draws it
.out FILE QUERY  writes all rows into FILE.csv, .json, .jsonl or .parquet
.help            this
ctrl-c           stops a query, and clears what is written
ctrl-d, .quit    leaves"""
TABLES = """
SELECT name, kind, coalesce(comment, '') AS meaning FROM (
    SELECT table_name AS name, 'table' AS kind, comment, 1 AS place FROM duckdb_tables() WHERE NOT internal
    UNION ALL SELECT concat(nullif(schema_name, 'main') || '.', view_name), 'view', comment, 2 FROM duckdb_views() WHERE NOT internal
    UNION ALL SELECT concat(function_name, '(', array_to_string(parameters, ', '), ')'), 'macro', comment, 3
        FROM duckdb_functions() WHERE NOT internal AND comment IS NOT NULL
) ORDER BY place, name"""
SCHEMA = """
SELECT column_name AS "column", data_type AS type, coalesce(comment, '') AS meaning FROM duckdb_columns()
WHERE NOT internal AND {name} IN (table_name, schema_name || '.' || table_name) ORDER BY column_index"""


class _Leave(Exception):  # noqa: N818 - no error
    """The prompt is done."""


def prompt(settings: Settings, wanted: Wanted) -> None:
    """Asks and answers until ctrl-d."""
    with Session(snapshot_path(settings)) as session:
        asking = session_of(session, create_output(stdout=behind(sys.stdout)))
        err.print(f"{snapshot_path(settings)}, read only. End statements with ;   .help   ctrl-d leaves", style="dim")
        while True:
            try:
                turn(session, asking.prompt("skep> "), wanted)
            except KeyboardInterrupt:
                continue
            except (EOFError, _Leave):
                return


def turn(session: Session, text: str, wanted: Wanted) -> None:
    """One statement, or several, or a command of the prompt; what is wrong is told."""
    try:
        if text.lstrip().startswith((".", "\\")):
            _command(session, text.strip().rstrip(";"))
        elif text.strip():
            _look(session)
            run_text(session, text, wanted)
    except CommandError as error:
        err.print(str(error), style="red")


def session_of(session: Session, output: Output | None = None) -> PromptSession[str]:
    """What reads the lines: Enter ends a statement behind ``;`` only."""
    return PromptSession(
        history=_history(),
        completer=Words(session),
        complete_while_typing=False,
        enable_history_search=True,
        key_bindings=_keys(),
        lexer=PygmentsLexer(SqlLexer),
        multiline=True,
        prompt_continuation="  ... ",
        output=output,
    )


def history_path() -> Path:
    """Where what was asked is remembered: with this user's state, for the data folder may not be theirs."""
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "skep" / "sql_history"


def _history() -> History:
    path = history_path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
        path.chmod(0o600)
        kept = path.read_bytes()
        if len(kept) > HISTORY_BYTES:
            # Each entry begins with an empty line and its time.
            path.write_bytes(b"\n#" + kept[-HISTORY_BYTES // 2 :].partition(b"\n\n#")[2])
    except OSError:
        return InMemoryHistory()
    return FileHistory(str(path))


def _keys() -> KeyBindings:
    keys = KeyBindings()

    @keys.add("enter", filter=Condition(_is_whole))
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.validate_and_handle()

    return keys


def _is_whole() -> bool:
    text = get_app().current_buffer.text.strip()
    return not text or text.endswith(";") or text.startswith((".", "\\"))


def _look(session: Session) -> None:
    published = session.renewed()
    if published:
        err.print(f"a new snapshot, of {published}; temporary tables and settings of the old one are gone", style="dim")


def _command(session: Session, text: str) -> None:
    name, _, argument = text.partition(" ")
    found = COMMANDS.get(name)
    if found is None:
        raise CommandError(f"expected one of {', '.join(COMMANDS)}, found {name} → .help says what they do")
    found(session, argument.strip())


def _help(_: Session, __: str) -> None:
    out.print(HELP)


def _leave(_: Session, __: str) -> None:
    raise _Leave


def _tables(session: Session, _: str) -> None:
    _look(session)
    _list(session, TABLES)


def _schema(session: Session, name: str) -> None:
    if not name:
        raise CommandError(".schema: expected the name of a table or view, found none → .tables lists them")
    _look(session)
    query = SCHEMA.format(name=quote(name))
    if not session.ask(query).count():
        names = [row[0] for row in session.ask(TABLES).rows("SELECT c0 FROM {answer} WHERE c1 <> 'macro'")]
        raise CommandError(f".schema: expected a table or view, found {name} → {closest(name, names) or '.tables lists them'}")
    _list(session, query)


def _plot(session: Session, text: str) -> None:
    first, _, rest = text.partition(" ")
    kind, query = (first, rest) if first in CHARTS else ("auto", text)
    _look(session)
    run_text(session, query, Wanted(plot=kind))


def _write(session: Session, text: str) -> None:
    name, _, query = text.partition(" ")
    _look(session)
    run_text(session, query, Wanted(to=Path(name)))
    err.print(f"written: {name}", style="dim")


def _list(session: Session, query: str) -> None:
    show(session.ask(query), LISTED)


COMMANDS: dict[str, Callable[[Session, str], None]] = {
    ".help": _help, ".tables": _tables, ".schema": _schema, ".plot": _plot, ".out": _write, ".quit": _leave,
}  # fmt: skip
