"""What was asked: a text of statements, and in which way its answers are wanted."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import duckdb

from skep.cli.console import out
from skep.cli.sql.output import ending, write_file, write_stdout
from skep.cli.sql.screen import show, write_lines
from skep.cli.sql.session import Answer, Session, Statement
from skep.project.errors import CommandError
from skep.project.settings import Settings
from skep.project.spaces import snapshot_path

EXAMPLE = 'such as "from profiles limit 5"'


@dataclass(frozen=True, slots=True)
class Wanted:
    """How answers are shown: a ``form`` for programs, a file, a drawing; nothing of it is a table of ``rows``."""

    form: str = ""
    to: Path | None = None
    rows: int | None = None
    plot: str = ""
    png: Path | None = None

    @property
    def one_answer(self) -> str:
        """The option that takes one answer only, if it is there."""
        options = (("--out", self.to), ("--plot", self.plot), ("--png", self.png))
        return next((name for name, said in options if said), "")


def text_of(query: str | None, file: Path | None) -> str:
    """The statements: an argument, a file, or stdin for ``-`` and where nothing is said."""
    if query is not None and file is not None:
        raise CommandError("expected a query or `-f FILE`, found both → leave one of them out")
    if file is not None:
        return _decoded(file.read_bytes(), str(file))
    if query is None or query == "-":
        return _decoded(sys.stdin.buffer.read(), "stdin")
    return query


def _decoded(raw: bytes, name: str) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CommandError(f"{name}: expected SQL in UTF-8, found another encoding ({error.reason}) → save it as UTF-8") from error


def ask(settings: Settings, text: str, wanted: Wanted) -> None:
    """Runs all statements of a text on the newest snapshot and shows what each of them gives."""
    with Session(snapshot_path(settings)) as session:
        run_text(session, text, wanted)


def run_text(session: Session, text: str, wanted: Wanted) -> None:
    """Runs all statements of a text in order; nothing is run if the text, or what is wanted of it, cannot be."""
    if wanted.to:
        ending(wanted.to)
    statements = session.statements(text)
    if not statements:
        raise CommandError(f"skep sql: expected a statement {EXAMPLE}, found none")
    giving = sum(one.gives_rows for one in statements)
    if wanted.one_answer and giving != 1:
        raise CommandError(f"{wanted.one_answer}: expected one statement that gives rows, found {giving} → keep one")
    _run_all(session, statements, wanted)


def _run_all(session: Session, statements: list[Statement], wanted: Wanted) -> None:
    """Runs statements; answers for people have an empty line between them."""
    first = True
    for statement in statements:
        if not statement.gives_rows:
            session.run(statement)
            continue
        if not first and not wanted.form:
            out.print()
        first = False
        _show(session.answer(statement), statement, wanted)


def _show(answer: Answer, statement: Statement, wanted: Wanted) -> None:
    if wanted.plot or wanted.png:
        from skep.cli.sql.plot import draw  # noqa: PLC0415 - few answers are drawn

        draw(answer, wanted.plot, wanted.png)
    elif wanted.to:
        write_file(answer, wanted.to)
    elif wanted.form:
        write_stdout(answer, wanted.form)
    elif statement.kind == duckdb.StatementType.EXPLAIN:
        for _, plan in answer.rows("SELECT c0, c1 FROM {answer}"):
            out.print(plan)
    elif sys.stdout.isatty():
        show(answer, wanted.rows)
    else:
        write_lines(answer)
