"""One report: asked, and shown as a table with a drawing, as JSON, as a picture or as a page."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from math import erfc, sqrt
from pathlib import Path
from typing import Any

from skep.cli.console import out
from skep.cli.reports.asked import query_of
from skep.cli.reports.drawings import DRAWINGS
from skep.cli.reports.flows import arrows, flow_of, paint_flow
from skep.cli.reports.squares import heat_of, paint_heat, squares
from skep.cli.sql.charts import HEIGHT, bars, chart_of, lines
from skep.cli.sql.forms import texts_sql
from skep.cli.sql.output import whole, write_stdout
from skep.cli.sql.plot import WIDEST
from skep.cli.sql.png import painter, svg_of, write_png
from skep.cli.sql.screen import show, write_lines
from skep.cli.sql.session import Answer, Session
from skep.project.errors import CommandError
from skep.project.settings import Settings
from skep.project.spaces import snapshot_path
from skep.project.terminal import visible_line
from state.snapshot.literals import quoted
from state.snapshot.questions import Macro

ROWS = 1_000
"""Rows of a page."""


@dataclass(frozen=True, slots=True)
class Shown:
    """How a report is wanted; nothing of it is a table and a drawing."""

    json: bool = False
    png: Path | None = None
    html: Path | None = None


@dataclass(frozen=True, slots=True)
class Sketched:
    """A drawing: ``text`` gives its lines for a terminal of a width, ``paint`` draws it on matplotlib's axes."""

    text: Callable[[int], list[str]]
    paint: Callable[[Any], None]


def report(settings: Settings, macro: Macro, given: Mapping[str, str], wanted: Shown) -> None:
    """Asks the macro of the newest snapshot and shows what it says."""
    query = query_of(macro, given)
    with _plainly(macro.name), Session(snapshot_path(settings)) as session:
        _run(session, f"CREATE TEMP TABLE asked AS {query}")
        if macro.name == "compare_segments":
            _add_p_values(session)
        answer = session.ask("FROM asked")
        if wanted.json:
            write_stdout(answer, "json")
            return
        drawn = _drawn(session, macro.name, answer.count())
        title = visible_line(query.removeprefix("FROM ").removeprefix("SELECT "))
        if wanted.png:
            if drawn is None:
                raise CommandError(
                    f"--png: expected rows to draw, found {'one value' if macro.is_scalar else 'none'} → ask for more, or leave it out"
                )
            write_png(drawn.paint, wanted.png, title)
        if wanted.html:
            _write_page(session, answer, wanted.html, (macro, query, drawn))
        if not (wanted.png or wanted.html):
            _print(_rounded(session, answer), drawn)


def _rounded(session: Session, answer: Answer) -> Answer:
    """The answer for people: fractions to four places, and without columns in which nothing is."""
    names = [quoted(column.name) for column in answer.columns]
    [filled] = session.ask(f"SELECT {', '.join(f'count({name})' for name in names)} FROM asked").rows("FROM {answer}")
    shown = [
        f"round({name}, 4) AS {name}" if column.kind.id == "double" else name
        for name, column, there in zip(names, answer.columns, filled, strict=True)
        if there or not any(filled)
    ]
    return session.ask(f"SELECT {', '.join(shown)} FROM asked")


def _print(answer: Answer, drawn: Sketched | None) -> None:
    if sys.stdout.isatty():
        show(answer, None)
    else:
        write_lines(answer)
    if drawn is not None:
        out.print()
        width = out.width if sys.stdout.isatty() else min(WIDEST, shutil.get_terminal_size((WIDEST, HEIGHT)).columns)
        for line in drawn.text(width):
            out.print(line)


def _drawn(session: Session, name: str, rows: int) -> Sketched | None:
    drawing = DRAWINGS.get(name)
    if drawing is None or not rows:
        return None
    answer = session.ask(drawing.query)
    if drawing.kind == "heat":
        heat = heat_of(answer)
        return Sketched(partial(squares, heat), partial(paint_heat, heat=heat))
    if drawing.kind == "flow":
        flow = flow_of(answer)
        return Sketched(partial(arrows, flow), partial(paint_flow, flow=flow))
    chart = chart_of(answer, drawing.kind)
    return Sketched(partial(bars if drawing.kind == "bar" else lines, chart), painter(chart))


def _write_page(session: Session, answer: Answer, path: Path, asked: tuple[Macro, str, Sketched | None]) -> None:
    from jinja2 import Environment  # noqa: PLC0415 - few reports are pages
    from markupsafe import Markup  # noqa: PLC0415

    macro, query, drawn = asked
    rounded = _rounded(session, answer)
    rows = rounded.rows(f"{texts_sql(rounded.columns)} LIMIT {ROWS + 1}")
    [(clock,)] = session.ask("SELECT coalesce(CAST(min(clock) AS VARCHAR), 'the beginning') FROM spaces").rows("FROM {answer}")
    template = Environment(autoescape=True).from_string(files("skep.cli.reports").joinpath("page.html").read_text(encoding="utf-8"))
    page = template.render(
        title=macro.name.replace("_", " ").capitalize(), comment=macro.comment, query=query, clock=clock, more=len(rows) > ROWS,
        svg=Markup(svg_of(drawn.paint, "")) if drawn else "", columns=[(column.name, column.is_number) for column in answer.columns],
        rows=[row[:-1] for row in rows[:ROWS]],
    )  # fmt: skip
    with whole(path, "--html") as part:
        part.write_text(page, encoding="utf-8")


def _add_p_values(session: Session) -> None:
    """The two-sided probability of a difference as large by chance, which DuckDB has no function for."""
    _run(session, "ALTER TABLE asked ADD COLUMN p_value DOUBLE")
    for metric, z in session.ask("SELECT metric, z FROM asked WHERE z IS NOT NULL").rows("FROM {answer}"):
        _run(session, f"UPDATE asked SET p_value = {erfc(abs(z) / sqrt(2))!r} WHERE metric = '{metric}'")


def _run(session: Session, text: str) -> None:
    for statement in session.statements(text):
        session.run(statement)


@contextmanager
def _plainly(name: str) -> Iterator[None]:
    """What a macro says of an argument, without DuckDB's words around it."""
    try:
        yield
    except CommandError as error:
        words = str(error).removeprefix("skep sql: ").removeprefix("Invalid Input Error: ").removeprefix("Conversion Error: ")
        raise CommandError(words if words.startswith("--") else f"skep report {name}: {words}") from error
