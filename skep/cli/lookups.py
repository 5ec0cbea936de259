"""`skep lookups`: reference data that events are enriched by."""

# ruff: noqa: PLC0415 - a command starts without the libraries that only others need

from __future__ import annotations

from typing import Annotated

import typer

from skep.cli import console, offered
from skep.cli.context import settings_of
from skep.cli.options import Json, OneSpace, Space, answer, answers, waiting

lookups_app = typer.Typer()


@lookups_app.command("list")
def lookups_list(context: typer.Context, space: Space = None, json: Json = False) -> None:
    """Every lookup in force: its version, and what it has found.

    How many rows it has, since when, and for how many events it found something, nothing, or had no data.

    Example: skep lookups list
    """
    from skep.answers.lookups import report
    from skep.cli.show.lookups import show
    from skep.project.spaces import chosen

    settings = settings_of(context)
    answer(report(settings, chosen(settings, space)), show, json=json)


@lookups_app.command("show")
def lookups_show(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The lookup.", autocompletion=offered.lookups)],
    key: Annotated[str, typer.Argument(metavar="KEY", help="The key, as an event has it; of a channel the address of a page.")],
    space: OneSpace = None,
) -> None:
    """What an event with a key would find now, as JSON.

    Example: skep lookups show region 10115
    """
    from skep.answers.lookups import look
    from skep.project.spaces import one_space

    settings = settings_of(context)
    console.json_line(look(settings, one_space(settings, space), name, key))


@lookups_app.command("refresh")
def lookups_refresh(
    context: typer.Context,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME", help="Only these; the default is all.", autocompletion=offered.lookups)
    ] = None,
    space: Space = None,
    json: Json = False,
) -> None:
    """Take in the data as it is now, while the flow goes on.

    Events from then on find what the new version says. Data that is broken is not taken: what is in force stays. Exit code 1 then.

    Example: skep lookups refresh region
    """
    from skep.answers.lookups import refresh
    from skep.cli.show.lookups import show_refreshed
    from skep.project.spaces import chosen

    settings = settings_of(context)
    with waiting(settings):
        rows = refresh(settings, chosen(settings, space), names or [])
    answers(rows, show_refreshed, json=json)
    if any(row.problem is not None for row in rows):
        raise SystemExit(1)
