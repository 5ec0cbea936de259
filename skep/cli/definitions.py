"""`skep check`, `plan`, `apply`, `rollback`, `audit`, `catalog` and `schemas`: what is below contracts/, and what is in force of it."""

# ruff: noqa: PLC0415 - a command starts without the libraries that only others need

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from skep.cli import console, offered
from skep.cli.console import json_line, out, table
from skep.cli.context import settings_of
from skep.cli.layout import prose
from skep.cli.options import Json, Space, Why, answer, waiting

definitions_app = typer.Typer()


@definitions_app.command()
def check(context: typer.Context, json: Json = False) -> None:
    """Read all of contracts/ and say what is wrong, and where.

    File, line, key, and what to do. Exit code 1 if something is.

    Tags that cannot be followed are an error in a new or changed file, and a warning in one that is in force.

    Example: skep check
    """
    from contracts import ContractErrors
    from skep.answers.check import checked, problem_row, summary, waiting_for_drafts
    from skep.project.in_force import standing
    from skep.project.views import missing, view_problems
    from skep.tools.editor import schemas as editor

    settings = settings_of(context)
    try:
        definitions, warnings = checked(settings)
    except ContractErrors as error:
        if not json:
            raise
        json_line([problem_row(problem) for problem in error.problems])
        raise SystemExit(1) from None
    editor.refresh(settings, definitions)
    absent = view_problems(settings, definitions)
    if json:
        json_line([*(problem_row(problem, warning=True) for problem in warnings), *missing(absent)])
    else:
        for problem in warnings:
            console.err.print(f"warning: {problem}", style="yellow")
        for one in absent:
            console.err.print(str(one), style="red")
        out.print(summary(definitions))
        for line in standing(settings).lines():
            out.print(line)
        for event, records in waiting_for_drafts(settings, definitions).items():
            words = f"{records:,} records of {event} wait in quarantine: it has drafts only, and no contract that is live"
            console.err.print(f'{words} → set "status": "live", `skep apply`, `skep quarantine replay --event {event}`', style="yellow")
    if absent:
        raise SystemExit(1)


@definitions_app.command("schemas")
def write_schemas(
    context: typer.Context,
    folder: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Where they go (default: .skep/schemas).")] = None,
    json: Json = False,
) -> None:
    """Write JSON Schemas of the YAML files, for your editor.

    Completion and red underlines in the files that people edit.

    Example: skep schemas --out schemas
    """
    from skep.tools.editor import schemas as editor

    settings = settings_of(context)
    rows = editor.write_all(settings, folder)
    if json:
        json_line(rows)
        return
    table(("schema", "of", prose("first line of such a file")), [(row["schema"], row["files"], row["line"]) for row in rows])


@definitions_app.command()
def apply(  # noqa: PLR0917 - typer fills them by name
    context: typer.Context,
    plan: Annotated[
        str | None,
        typer.Option(metavar="PLAN|FILE", help="Only what `skep plan` has named so, or has printed into a file with --json."),
    ] = None,
    tolerance: Annotated[
        str, typer.Option(metavar="SHARE", help="How far each figure of a plan in a FILE may have moved since, such as 5%.")
    ] = "0%",
    why: Why = "",
    space: Space = None,
    json: Json = False,
) -> None:
    """Put contracts/ as it is now in force.

    At once if a flow runs, from where each source stands; else when the next one starts.

    Example: skep apply
    """
    from skep.project.apply import apply as put_in_force
    from skep.project.apply import row, words
    from skep.project.spaces import chosen

    settings = settings_of(context)
    if plan is not None and Path(plan).is_file():
        from skep.answers.planning.kept import still

        with console.counting() as progress:
            plan = still(settings, chosen(settings, space), Path(plan), tolerance, progress)
    with waiting(settings):
        applied = put_in_force(settings, chosen(settings, space), {"why": why} if why else None, plan=plan)
    if json:
        json_line([row(one) for one in applied])
    for one in [] if json else applied:
        out.print(words(one))


@definitions_app.command("catalog")
def show_catalog(
    context: typer.Context,
    words: Annotated[
        list[str] | None, typer.Argument(metavar="[WORD]...", help="Only what has all of these words.", autocompletion=offered.entries)
    ] = None,
    folder: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Where the pages go (default: data/catalog).")] = None,
    json: Json = False,
) -> None:
    """Every event, trait, segment, destination, and who uses it.

    Whose it is, what, how much, how good. Without words, as pages too.

    Example: skep catalog email
    """
    from skep.answers.catalog.collect import collect
    from skep.answers.catalog.figures import figures
    from skep.answers.catalog.pages import write_pages
    from skep.cli.show.catalog import show
    from skep.project.settings import load_definitions

    settings = settings_of(context)
    catalog = collect(load_definitions(settings), figures(settings))
    entries = catalog.find(words or [])
    if json:
        json_line([entry.row() for entry in entries])
    else:
        show(catalog, entries)
    if folder or not words:
        written = write_pages(catalog, folder or settings.data / "catalog")
        console.err.print(f"pages: {written[0]}")


@definitions_app.command("plan")
def show_plan(
    context: typer.Context,
    space: Space = None,
    dump: Annotated[Path | None, typer.Option("--dump", metavar="FILE", help="Write the dump that `skep apply` would lead to.")] = None,
    json: Json = False,
) -> None:
    """What contracts/ as it is now would do to everybody.

    Compared with what is in force; nothing is touched.

    Personal values are printed in the clear.

    Example: skep plan
    """
    from skep.answers.planning.plan import plans
    from skep.cli.show.plan import show
    from skep.project.definitions import proved
    from skep.project.spaces import chosen

    settings = settings_of(context)
    with console.counting() as progress:
        found = plans(settings, chosen(settings, space), proved(settings), progress, dump)
    if json:
        json_line(found)
        return
    for one in found:
        show(one)
    if found[0].plan:
        of = "" if space is None else f" --space {space}"
        out.print(f"\nNext: skep apply{of} --plan {found[0].plan}")


@definitions_app.command("rollback")
def roll_back(  # noqa: PLR0917 - typer fills them by name
    context: typer.Context,
    to: Annotated[
        str | None, typer.Option(metavar="DIGEST", help="Back to these definitions; the default is those before the last change.")
    ] = None,
    why: Why = "",
    force: Annotated[bool, typer.Option("--force", help="Also if contracts/ has changes that were never in force; they are lost.")] = False,
    space: Space = None,
    json: Json = False,
) -> None:
    """Put the definitions before the last change back in force.

    And their files back into contracts/.

    Example: skep rollback --why "too many merges"
    """
    from skep.project.rollback import rollback, row, words
    from skep.project.spaces import chosen

    settings = settings_of(context)
    with waiting(settings):
        done = rollback(settings, chosen(settings, space), to, why=why, force=force)
    if json:
        json_line(row(done))
    else:
        out.print(words(done))


@definitions_app.command("audit")
def show_audit(context: typer.Context, space: Space = None, json: Json = False) -> None:
    """What people have decided: when, who, why, what came of it.

    Definitions, rollbacks, links, unlinks, repairs, resumed sources.

    Example: skep audit
    """
    from skep.answers.audit import audit
    from skep.cli.show.audit import show
    from skep.project.spaces import chosen

    settings = settings_of(context)
    rows = [row for name in chosen(settings, space) for row in audit(settings, name)]
    answer(rows, show, json=json)
