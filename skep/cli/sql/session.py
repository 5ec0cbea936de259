"""A session with the published snapshot: it is only read, and a newer one takes its place between two statements."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from skep.cli.sql.forms import Column
from skep.project.errors import CommandError
from state.errors import NoSnapshot

R = TypeVar("R")
ROWS_AT_ONCE = 2_048
"""Rows that are in memory at a time, on their way into a pipe or a file: DuckDB's own vector."""
_LINE = re.compile(r"^LINE (\d+): (.*)\n( *\^+)", re.MULTILINE)
_CHANGES = duckdb.ExpectedResultType.CHANGED_ROWS
_GIVES = duckdb.ExpectedResultType.QUERY_RESULT


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a text, and how many lines of the text are before it."""

    text: str
    lines_before: int
    kind: Any
    gives_rows: bool


class Session:
    """A snapshot that is open. Use as a context manager."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._mark = self._seen()
        self._con = self._open()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self._con.close()

    def renewed(self) -> str:
        """Opens the snapshot that has been published since, and gives its time (local); nothing if there is none."""
        try:
            mark = self._seen()
        except NoSnapshot:
            return ""
        if mark == self._mark:
            return ""
        # One process cannot have two files open under one name.
        self._con.close()
        self._mark, self._con = mark, self._open()
        return time.strftime("%H:%M:%S", time.localtime(mark[1] / 1e9))

    def statements(self, text: str) -> list[Statement]:
        """All statements of a text; raises `CommandError` where it is no SQL."""
        try:
            found = self._con.extract_statements(text)
        except duckdb.Error as error:
            raise CommandError(words(error)) from error
        statements, lines = [], 0
        for one in found:
            expected = one.expected_result_type
            gives = _GIVES in expected and (_CHANGES not in expected or one.type == duckdb.StatementType.EXECUTE)
            blank = one.query[: len(one.query) - len(one.query.lstrip())]
            statements.append(Statement(one.query.strip(), lines + blank.count("\n"), one.type, gives))
            lines += one.query.count("\n")
        return statements

    def run(self, statement: Statement) -> None:
        """Executes a statement that gives no rows: a setting, a temporary table."""
        try:
            patient(self._con, lambda: self._con.execute(statement.text))
        except duckdb.Error as error:
            raise CommandError(words(error, statement.lines_before)) from error

    def answer(self, statement: Statement) -> Answer:
        """What a statement gives; a query begins to run when its rows are asked for."""
        try:
            return Answer(self._con, patient(self._con, lambda: self._relation(statement.text)))
        except duckdb.Error as error:
            raise CommandError(words(error, statement.lines_before)) from error

    def ask(self, query: str) -> Answer:
        """What one query of ours gives."""
        [statement] = self.statements(query)
        return self.answer(statement)

    def _relation(self, query: str) -> duckdb.DuckDBPyRelation:
        try:
            return self._con.sql(query)
        except (duckdb.BinderException, duckdb.CatalogException):
            # The same error, and with it the line and the place.
            self._con.execute(query)
            raise

    def _seen(self) -> tuple[int, int]:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            raise NoSnapshot.at(self._path) from None
        return found.st_ino, found.st_mtime_ns

    def _open(self) -> duckdb.DuckDBPyConnection:
        try:
            con = duckdb.connect(str(self._path), read_only=True)
            # What is shown of a moment does not depend on where the question is asked.
            con.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false")
        except duckdb.Error as error:
            raise CommandError(words(error)) from error
        return con


class Answer:
    """What a statement gives: its columns, and its rows in whatever form SQL writes them."""

    def __init__(self, con: duckdb.DuckDBPyConnection, relation: duckdb.DuckDBPyRelation) -> None:
        self._con, self._relation = con, relation
        self.columns = [Column(f"c{at}", name, kind) for at, (name, kind) in enumerate(zip(relation.columns, relation.types, strict=True))]

    def count(self) -> int:
        """How many rows there are."""
        [[(count,)]] = self.chunks("SELECT count(*) FROM {answer}")
        return int(count)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """All rows of a query over the answer, which is ``{answer}`` there."""
        return [row for chunk in self.chunks(query) for row in chunk]

    def chunks(self, query: str) -> Iterator[list[tuple[Any, ...]]]:
        """Such rows in chunks, while the query goes on; its columns are ``c0``, ``c1`` and so on."""
        named = f"skep_answer AS t({', '.join(column.key for column in self.columns)})"

        def begun() -> duckdb.DuckDBPyConnection:
            # DuckDB finds the variable by this name, which no table has.
            skep_answer = self._relation  # noqa: F841
            return self._con.execute(query.replace("{answer}", named))

        try:
            result = patient(self._con, begun)
            while rows := patient(self._con, lambda: result.fetchmany(ROWS_AT_ONCE)):
                yield rows
        except duckdb.Error as error:
            # The line that DuckDB shows would be of the query around it.
            raise CommandError(words(error).split("\n\nLINE ")[0]) from error

    def write_parquet(self, path: Path) -> None:
        """All rows as a Parquet file, each column in its own type."""
        try:
            patient(self._con, lambda: self._relation.write_parquet(str(path), compression="zstd"))
        except duckdb.Error as error:
            raise CommandError(words(error)) from error


def patient(con: duckdb.DuckDBPyConnection, call: Callable[[], R]) -> R:
    """A call into DuckDB that Ctrl-C stops: DuckDB looks at no signals, so another thread waits for it."""
    with ThreadPoolExecutor(1) as pool:
        called = pool.submit(call)
        try:
            return called.result()
        except KeyboardInterrupt:
            con.interrupt()
            raise


def words(error: duckdb.Error, lines_before: int = 0) -> str:
    """What DuckDB says, in its own lines; ``lines_before``: lines of the text that are before the statement."""
    text = _LINE.sub(lambda found: _numbered(found, lines_before), str(error).strip())
    if "read-only mode" in text:
        text += " → the snapshot is only read; `create temp table` keeps rows for the statements behind it, `--out` writes a file"
    return f"skep sql: {text}"


def _numbered(found: re.Match[str], lines_before: int) -> str:
    """The line of an error by its number in the whole text, and the caret still below its place."""
    number = str(int(found[1]) + lines_before)
    return f"LINE {number}: {found[2]}\n{' ' * (len(number) - len(found[1]))}{found[3]}"
