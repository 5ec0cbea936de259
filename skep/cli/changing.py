"""`skep plan`, `rollback` and `audit`: what a change would do, taking it back, and who has changed what."""

# ruff: noqa: PLC0415 - a command starts without the libraries that only others need

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from skep.cli import console
from skep.cli.console import json_line, out
from skep.cli.context import settings_of
from skep.cli.options import Json, Space, Why

changing_app = typer.Typer()


@changing_app.command("plan")
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
    from skep.answers.planning.shown import show
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
    if found[0]["plan"]:
        of = "" if space is None else f" --space {space}"
        out.print(f"\nNext: skep apply{of} --plan {found[0]['plan']}")


@changing_app.command("rollback")
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
    from skep.project.apply import row
    from skep.project.rollback import rollback, words
    from skep.project.spaces import chosen

    settings = settings_of(context)
    done = rollback(settings, chosen(settings, space), to, why=why, force=force)
    if json:
        files = [{"file": f"contracts/{path}", "change": how} for path, how in done.files]
        json_line({"definitions": done.digest, "files": files, "spaces": [row(one) for one in done.spaces]})
    else:
        out.print(words(done))


@changing_app.command("audit")
def show_audit(context: typer.Context, space: Space = None, json: Json = False) -> None:
    """What people have decided: when, who, why, what came of it.

    Definitions, rollbacks, links, unlinks, repairs, resumed sources.

    Example: skep audit
    """
    from skep.answers.audit import audit, show
    from skep.project.spaces import chosen

    settings = settings_of(context)
    rows = [row for name in chosen(settings, space) for row in audit(settings, name)]
    if json:
        json_line(rows)
    else:
        show(rows)
