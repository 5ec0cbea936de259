"""`skep sources`: how far each file has been read, what to do with one that has other content than before, and mappings from a file."""

# ruff: noqa: PLC0415 - a command starts without the libraries that only others need

from __future__ import annotations

import json as jsons
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from skep.cli import console, offered
from skep.cli.console import fail, out
from skep.cli.context import settings_of
from skep.cli.options import Json, Why, answer, tell, waiting

if TYPE_CHECKING:
    from skep.project.settings import Settings

sources_app = typer.Typer()

Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME",
        help="A partition that `skep sources` lists, or the source that it is the stopped one of.",
        autocompletion=offered.sources,
    ),
]


def _reading(context: typer.Context) -> Settings:
    """The settings, for a command that reads files of sources: what reads them may log."""
    from skep.project import log

    settings = settings_of(context)
    log.configure(settings.log)
    return settings


@sources_app.callback(invoke_without_command=True)
def sources(
    context: typer.Context,
    source: Annotated[str | None, typer.Option(help="Only this source of skep.yaml.", autocompletion=offered.sources)] = None,
    json: Json = False,
) -> None:
    """Every file of the sources, and how far it is read.

    How many of its records were read, and whether it is read on.

    Example: skep sources --source shop
    """
    from skep.answers import sources as files
    from skep.cli.show.sources import show

    if context.invoked_subcommand is not None:
        return
    rows = files.report(settings_of(context), source)
    answer(rows, show, json=json)


@sources_app.command("reread")
def sources_reread(context: typer.Context, name: Name, why: Why = "", json: Json = False) -> None:
    """Read all of a file anew; what came before is a duplicate.

    It is another generation of its partition then.

    Example: skep sources reread shop/orders.csv --why "the export is written over the old one every day"
    """
    from skep.answers import sources as files

    settings = _reading(context)
    with waiting(settings):
        one = files.reread(settings, name, why)
    tell([one], json=json)


@sources_app.command("skip")
def sources_skip(context: typer.Context, name: Name, why: Why = "", json: Json = False) -> None:
    """Take what is in a file now as read; read only what is appended.

    Example: skep sources skip shop/orders.csv --why "only the order of the rows is another"
    """
    from skep.answers import sources as files

    settings = _reading(context)
    with waiting(settings):
        one = files.skip(settings, name, why)
    tell([one], json=json)


@sources_app.command("skip-to")
def sources_skip_to(
    context: typer.Context,
    name: Name,
    to: Annotated[str, typer.Argument(metavar="OFFSET", help="An offset, earliest, latest or a time.")],
    why: Why = "",
    json: Json = False,
) -> None:
    """Read a topic's partition on from another offset.

    What was read before is a duplicate, what lies between is not read.

    Example: skep sources skip-to shop/orders/3 latest --why "the gap is known"
    """
    from skep.answers import sources as files

    settings = _reading(context)
    with waiting(settings):
        one = files.skip_to(settings, name, to, why)
    tell([one], json=json)


@sources_app.command("infer")
def sources_infer(
    context: typer.Context,
    *,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A CSV or Parquet file of the source; .gz too.")],
    name: Annotated[str | None, typer.Option(help="The name of the mapping (default: that of the file).")] = None,
    target: Annotated[
        Path | None, typer.Option("--out", metavar="YAML", help="Write it there (default: contracts/sources/NAME.yaml).")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Also over a mapping that is there.")] = False,
    json: Json = False,
) -> None:
    """Draft a mapping from a CSV or Parquet file.

    How it is written, which column is which field; and show its first ten rows as events.

    Example: skep sources infer exports/orders.csv
    """
    from skep.cli.show.sources import show_tried
    from skep.tools.mapping_guess import table_name
    from skep.tools.mapping_inference import Mapped, TriedRow, infer, tried

    settings = _reading(context)
    name = name or table_name(file)
    path = target or settings.root / "contracts" / "sources" / f"{name}.yaml"
    if path.exists() and not force:
        fail(f"{path}: expected a file that is not there yet → choose another with --name or --out, or say --force")
    found = infer(file)
    if found.mapping:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(found.mapping, encoding="utf-8")
    rows = tried(found.records, settings)
    if json:
        events = [TriedRow(row.text, row.refused or None) for row in rows]
        console.json_line(Mapped(found.kind, str(path) if found.mapping else None, events))
        return
    if found.mapping:
        out.print(f"{path}:\n\n{found.mapping}")
    else:
        out.print("JSON lines are events already: they need no mapping.\n")
    show_tried(rows)
    where = file.absolute()
    read = where.relative_to(settings.root) if where.is_relative_to(settings.root) else where
    mapping = f", mapping: {name}" if found.mapping else ""
    out.print("\nNext: in skep.yaml, below `sources:`, and then `skep check` and `skep run --once`")
    out.print(f"  - {{name: {name}, kind: {found.kind}, path: {jsons.dumps(str(read), ensure_ascii=False)}{mapping}}}")
