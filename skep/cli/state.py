"""`skep state …`: what is stored, kept small, copied whole, held against itself, brought to this version."""

# ruff: noqa: PLC0415 - a command starts without the libraries that only others need

from __future__ import annotations

import typer

from skep.cli.console import json_line, out, spinner
from skep.cli.context import settings_of
from skep.cli.options import Json, Space, answer, answers, waiting

state_app = typer.Typer()


@state_app.command("info")
def info(context: typer.Context, space: Space = None, json: Json = False) -> None:
    """How each space is stored, what it takes, and what it needs first.

    Before this version of Skep works on it. Nothing is touched.

    Example: skep state info
    """
    from skep.answers.state_info import state_info
    from skep.cli.show.state import show
    from skep.project.spaces import chosen

    settings = settings_of(context)
    answer(state_info(settings, chosen(settings, space)), show, json=json)


@state_app.command("compact")
def compact(context: typer.Context, space: Space = None, json: Json = False) -> None:
    """Make what is stored small again, also while a flow runs.

    RocksDB writes its files again without what is deleted, which the flow does itself if one runs, and the archive's small files of
    a day and partition become one. Nothing that anybody reads is another afterwards. It costs disk and processor while it lasts.

    Example: skep state compact
    """
    from skep.answers.state_compact import compact as compacted
    from skep.cli.show.state_compact import show
    from skep.project.spaces import chosen

    settings = settings_of(context)
    with waiting(settings):
        found = list(compacted(settings, chosen(settings, space)))
    answers(found, show, json=json)


@state_app.command("migrate")
def migrate(context: typer.Context, space: Space = None, json: Json = False) -> None:
    """Do what each space needs; the flow must not run. Killed in the middle, it is run again, to the same end.

    Example: skep state migrate
    """
    from skep.project.migration import migrate as bring
    from skep.project.spaces import chosen

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
