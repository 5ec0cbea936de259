"""``lists/<name>.csv``: identifiers, one a line, under the header ``namespace,value``."""

from __future__ import annotations

import csv
from collections.abc import Collection, Mapping
from io import StringIO

from contracts.model.of_identifiers import IdentifierList
from contracts.text.problems import Problem, choices

FOLDER = "lists"
HEADER = ["namespace", "value"]
ENTRIES_MAX = 1_000_000
"""Longer lists are refused."""
_TOLD_MAX = 10
"""So many wrong lines of one list are told."""


def read_lists(files: Mapping[str, str], namespaces: Collection[str] | None, problems: list[Problem]) -> dict[str, IdentifierList]:
    """The lists of files, by path, each by its name. ``namespaces``: those that there are, None for any."""
    found = [_list(path, text, namespaces, problems) for path, text in files.items()]
    return {one.name: one for one in found}


def _list(path: str, text: str, namespaces: Collection[str] | None, problems: list[Problem]) -> IdentifierList:
    name = path.rpartition("/")[2]
    rows = csv.reader(StringIO(text, newline=""), strict=True)
    entries: list[tuple[str, str]] = []
    found: list[Problem] = []
    try:
        header = [cell.strip() for cell in next(rows, [])]
        if header != HEADER:
            between = "put a comma between the two" if any(sign in ",".join(header) for sign in ";\t|") else "write it as the first line"
            problems.append(Problem(path, 1, "", f"the header {','.join(HEADER)}", ",".join(header) or "nothing", between))
            return IdentifierList(name, ())
        for row in rows:
            if not row or (len(row) == 1 and not row[0].strip()):
                continue
            problem = _problem(path, rows.line_num, row, namespaces)
            if problem is not None:
                found.append(problem)
            else:
                entries.append((row[0].strip(), row[1]))
    except csv.Error as error:
        found.append(Problem(path, rows.line_num, "", "CSV with commas, quotes in pairs", str(error)))
    if len(entries) > ENTRIES_MAX:
        found.append(Problem(path, rows.line_num, "", f"at most {ENTRIES_MAX:,} identifiers", f"{len(entries):,}"))
    problems += found[:_TOLD_MAX]
    if len(found) > _TOLD_MAX:
        rest = f"{len(found) - _TOLD_MAX:,} more lines that are none"
        problems.append(Problem(path, found[_TOLD_MAX].line, "", "a namespace and a value on each line", rest, "repair those above first"))
    return IdentifierList(name, tuple(entries))


def _problem(path: str, line: int, row: list[str], namespaces: Collection[str] | None) -> Problem | None:
    if len(row) != len(HEADER) or not row[1].strip():
        hint = "put quotes around a value with a comma in it" if len(row) > len(HEADER) else ""
        return Problem(path, line, "", "a namespace and a value", ",".join(row), hint)
    name = row[0].strip()
    if namespaces is not None and name not in namespaces:
        return Problem(path, line, "namespace", "a namespace of identity.yaml", name or "nothing", choices(name, namespaces))
    return None
