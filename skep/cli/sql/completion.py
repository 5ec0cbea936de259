"""What Tab offers: SQL's words, and the tables, columns, macros and functions of the snapshot."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from skep.cli.sql.session import Session
from skep.project.terminal import visible_line
from state.snapshot.literals import quoted

_WORD = re.compile(r"[\w.\"]+$")
_PLAIN = re.compile(r"[a-z_][a-z0-9_]*", re.ASCII)
_NAMES = """
SELECT DISTINCT schema_name, table_name, column_name FROM duckdb_columns() WHERE NOT internal"""
_OTHERS = """
SELECT DISTINCT function_name || '(', 'macro' FROM duckdb_functions() WHERE NOT internal
UNION ALL SELECT DISTINCT keyword_name, 'keyword' FROM duckdb_keywords()
UNION ALL SELECT DISTINCT function_name || '(', 'function' FROM duckdb_functions()
    WHERE internal AND regexp_full_match(function_name, '[a-z][a-z0-9_]*') AND NOT starts_with(function_name, 'duckdb_')"""


class Words(Completer):
    """Completions by what stands before the cursor; behind ``table.`` its columns, behind ``schema.`` its views."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get_completions(self, document: Document, _: CompleteEvent) -> Iterator[Completion]:
        found = _WORD.search(document.text_before_cursor)
        word = found[0] if found else ""
        before, dot, begun = word.rpartition(".")
        offered = self._inside(before) if dot else self._all(begun)
        seen = set()
        for name, kind in offered:
            if name not in seen and name.lower().startswith(begun.lower().lstrip('"')):
                seen.add(name)
                yield Completion(_written(name), start_position=-len(begun), display=name, display_meta=kind)

    def _columns(self) -> list[tuple[str, str, str]]:
        rows = self._session.ask(_NAMES).rows("SELECT c0, c1, c2 FROM {answer} ORDER BY ALL")
        # A name that a terminal would obey is offered to nobody.
        return [(schema, table, column) for schema, table, column in rows if visible_line(table + column) == table + column]

    def _inside(self, before: str) -> Iterable[tuple[str, str]]:
        """What is in a schema or a table; of another name, which may stand for any table, the columns of all."""
        columns, last = self._columns(), before.rpartition(".")[2].strip('"').lower()
        views = [(table, "view") for schema, table, _ in columns if schema.lower() == last]
        own = [(column, "column") for _, table, column in columns if table.lower() == last]
        return views or own or [(column, "column") for _, _, column in columns]

    def _all(self, begun: str) -> Iterable[tuple[str, str]]:
        columns = self._columns()
        yield from sorted({(table, "table") for schema, table, _ in columns if schema == "main"})
        yield from sorted({(schema, "schema") for schema, _, _ in columns if schema != "main"})
        yield from sorted({(column, "column") for _, _, column in columns})
        if begun:
            yield from self._session.ask(_OTHERS).rows("SELECT c0, c1 FROM {answer}")


def _written(name: str) -> str:
    plain = name.rstrip("(")
    return name if _PLAIN.fullmatch(plain) else quoted(name)
