"""A project's own views in the snapshot: what is wrong with one costs that view, never the snapshot."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import duckdb

from state.snapshot.literals import quote, quoted

SCHEMA = "views"
_NAME = re.compile("[a-z_][a-z0-9_]*")
_COMMENT = re.compile(r"--([^\n]*)|/\*(.*?)\*/", re.DOTALL)
_LINE = re.compile(r"\n\nLINE (\d+): .*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class OwnView:
    """One file of the project: the view's name, where the file is, and its one SELECT; None if the file cannot be read."""

    name: str
    file: str
    text: str | None


@dataclass(frozen=True, slots=True, order=True)
class ViewProblem:
    """Why a view is missing; ``line`` of the file counts from 1."""

    file: str
    line: int
    words: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.words}"


def load_views(con: duckdb.DuckDBPyConnection, views: Iterable[OwnView]) -> list[ViewProblem]:
    """Makes the views in schema ``views``, in whatever order they need each other; gives what is wrong with those that are missing.

    From here on the connection reads no other file: what a view shows is in the snapshot, wherever that is opened.
    """
    con.execute(f"CREATE SCHEMA {SCHEMA}")
    con.execute("SET python_enable_replacements = false")
    con.execute("SET enable_external_access = false")
    left = list(views)
    while left:
        problems = [(view, _made(con, view)) for view in left]
        failed = [view for view, problem in problems if problem is not None]
        if len(failed) == len(left):
            return sorted(problem for _, problem in problems if problem is not None)
        left = failed
    return []


def _made(con: duckdb.DuckDBPyConnection, view: OwnView) -> ViewProblem | None:
    if not _NAME.fullmatch(view.name):
        words = f"expected a name of small letters, digits and _, found {view.name}.sql → rename it, to revenue_by_day.sql"
        return ViewProblem(view.file, 1, words)
    if view.text is None:
        return ViewProblem(view.file, 1, "expected a file that can be read → see who may read it")
    try:
        statements = con.extract_statements(view.text)
    except duckdb.Error as error:
        return _problem(view, error, 0)
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        return ViewProblem(view.file, 1, f"expected one SELECT, found {_kinds(statements)} → one file is one view, without CREATE VIEW")
    query = statements[0].query
    before = view.text.find(query)
    try:
        con.execute(f"CREATE VIEW {SCHEMA}.{quoted(view.name)} AS {query.rstrip().removesuffix(';')}")
    except duckdb.Error as error:
        return _problem(view, error, view.text.count("\n", 0, max(before, 0)))
    con.execute(f"COMMENT ON VIEW {SCHEMA}.{quoted(view.name)} IS {quote(_comment(view.text[: max(before, 0)]) or f'From {view.file}')}")
    return None


def _kinds(statements: Sequence[duckdb.Statement]) -> str:
    return " and ".join(one.type.name for one in statements) or "nothing"


def _problem(view: OwnView, error: duckdb.Error, lines_before: int) -> ViewProblem:
    words = str(error)
    found = _LINE.search(words)
    line = int(found[1]) if found else 1
    return ViewProblem(view.file, lines_before + line, _LINE.sub("", words).replace("\n", " "))


def _comment(text: str) -> str:
    """What the comments before the SELECT say."""
    said = " ".join(dashes or block for dashes, block in _COMMENT.findall(text))
    return " ".join(said.split())
