"""`skep state …`: a data folder that another version wrote."""

# ruff: noqa: PLC0415 - a command starts without the libraries that only others need

from __future__ import annotations

import typer

from skep.cli.console import json_line, out, spinner
from skep.cli.context import settings_of
from skep.cli.options import Json, Space

state_app = typer.Typer()


@state_app.command("info")
def info(context: typer.Context, space: Space = None, json: Json = False) -> None:
    """How each space is stored, and what it needs first.

    Before this version of Skep works on it. Nothing is touched.

    Example: skep state info
    """
    from skep.cli.show.state import show
    from skep.project.spaces import chosen
    from skep.tools.migration import standings

    settings = settings_of(context)
    found = standings(settings, chosen(settings, space))
    if json:
        json_line([one.row() for one in found])
    else:
        show(found)


@state_app.command("migrate")
def migrate(context: typer.Context, space: Space = None, json: Json = False) -> None:
    """Do what each space needs; the flow must not run. Killed in the middle, it is run again, to the same end.

    Example: skep state migrate
    """
    from skep.project.spaces import chosen
    from skep.tools.migration import migrate as bring

    settings, done = settings_of(context), []
    with spinner("migrating …"):
        for name, step in bring(settings, chosen(settings, space)):
            done.append({"space": name, "step": step.name})
            if not json:
                out.print(f"space {name}: {step.what}")
    if json:
        json_line(done)
    else:
        out.print("done: this version of Skep works on it" if done else "nothing to do")
