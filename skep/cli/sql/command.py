"""`skep sql`: questions to the snapshot, from the command line, a file, a pipe or a prompt."""

# ruff: noqa: PLC0415 - a command starts without the libraries that only others need

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from skep.cli.context import settings_of
from skep.cli.sql import CHARTS

sql_app = typer.Typer()

_Query = typer.Argument(metavar="QUERY", help="One or several statements; `-` reads them from stdin. Without any: a prompt.")
_Rows = typer.Option("--rows", min=1, help="How many rows a terminal shows (default 40; of rows that are too wide for a table, 10).")
_Plot = typer.Option("--plot", metavar="[bar|line|spark]", help="Draw it: the first column is x, every number beside it a series.")
_Png = typer.Option("--png", metavar="FILE", help="Draw it into a PNG file (with matplotlib: pip install 'skep[plot]').")


class _Asking(TyperCommand):
    """``--plot`` may stand without a kind; a query may begin with a comment."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        # No option has a blank before its `=`.
        args = [f" {arg}" if arg.startswith("--") and len(arg.partition("=")[0].split(maxsplit=1)) > 1 else arg for arg in args]
        behind = args.index("--plot") + 1 if "--plot" in args else 0
        if behind and args[behind : behind + 1] not in ([kind] for kind in CHARTS):
            args = [*args[:behind], "auto", *args[behind:]]
        return super().parse_args(ctx, args)


@sql_app.command("sql", cls=_Asking)
def ask(
    context: typer.Context,
    query: Annotated[str | None, _Query] = None,
    *,
    file: Annotated[Path | None, typer.Option("--file", "-f", metavar="FILE", help="Read the statements from a file.")] = None,
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON for programs: one list a statement.")] = False,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="Print JSON lines: one object a row.")] = False,
    to: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write FILE.csv, .json, .jsonl or .parquet.")] = None,
    rows: Annotated[int | None, _Rows] = None,
    plot: Annotated[str | None, _Plot] = None,
    png: Annotated[Path | None, _Png] = None,
) -> None:
    """Ask the snapshot, in DuckDB's SQL.

    A table on a terminal, all rows into a pipe or a file. Alone on a terminal it is a prompt.

    Example: skep sql "select segment, count(*) from memberships where exited_at is null group by 1"
    """
    from skep.cli.sql.asked import Wanted, ask, text_of

    chosen = [form for form, wanted in (("csv", csv), ("json", json), ("jsonl", jsonl)) if wanted]
    ways = [*(f"--{form}" for form in chosen), *(name for name, wanted in (("--out", to), ("--plot", plot), ("--png", png)) if wanted)]
    if len(ways) > 1 and ways != ["--plot", "--png"]:
        raise typer.BadParameter(f"expected one way to show the answer, found {' and '.join(ways)} → choose one")
    if plot and plot not in CHARTS:
        raise typer.BadParameter(f"--plot: expected bar, line or spark, found {plot} → name one, or none")
    settings = settings_of(context)
    wanted = Wanted(form=chosen[0] if chosen else "", to=to, rows=rows, plot=plot or "", png=png)
    if query is None and file is None and sys.stdin.isatty():
        if ways or not sys.stdout.isatty():
            raise typer.BadParameter('expected a query such as "from profiles", found none → write it, or `-f FILE`')
        from skep.cli.sql.prompt import prompt

        prompt(settings, wanted)
        return
    ask(settings, text_of(query, file), wanted)
