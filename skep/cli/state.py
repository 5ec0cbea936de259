"""`skep state …`: what is stored, kept small, copied whole, held against itself, brought to this version."""

# ruff: noqa: PLC0415 - a command starts without the libraries that only others need

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from skep.cli.console import json_line, out, spinner
from skep.cli.context import settings_of
from skep.cli.options import Json, Space, answer, answers, waiting

state_app = typer.Typer()


@state_app.command("info")
def info(context: typer.Context, space: Space = None, json: Json = False) -> None:
    """How each space is stored, what it takes, what it needs first.

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


@state_app.command("checkpoint")
def checkpoint(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder to make; not in the data folder, and not there yet or empty.")],
    json: Json = False,
) -> None:
    """Keep a copy of all that is stored; also while a flow runs.

    Shards, archive, control entries, definitions and cursors of all spaces. `skep state restore DIR` puts them back.

    Example: skep state checkpoint ../backups/monday
    """
    from skep.answers.state_checkpoint import checkpoint as keep
    from skep.cli.show.state_checkpoint import show_kept

    settings = settings_of(context)
    with waiting(settings):
        found = keep(settings, folder)
    answer(found, show_kept, json=json)


@state_app.command("restore")
def restore(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that `skep state checkpoint` has made.")],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the state that is there, which is gone then.")] = False,
    json: Json = False,
) -> None:
    """Put a checkpoint in place of what is stored; without a flow.

    Every file is held against the checkpoint's list before anything is touched. Killed in the middle, it is run again.

    Example: skep state restore ../backups/monday --overwrite
    """
    from skep.answers.state_restore import restore as put_back
    from skep.cli.show.state_checkpoint import show_restored

    answer(put_back(settings_of(context), folder, overwrite=overwrite), show_restored, json=json)


@state_app.command("verify")
def verify(
    context: typer.Context,
    sample: Annotated[int, typer.Option("--sample", min=0, help="How many profiles are computed anew from their events.")] = 100,
    seed: Annotated[int, typer.Option("--seed", help="By which they are drawn; another seed draws others.")] = 1,
    space: Space = None,
    json: Json = False,
) -> None:
    """Hold what is stored against itself; exit code 1 if it differs.

    Identifiers and who holds them, events and their owners, the change log and what it comes to, timers, counters, the archive, and
    some people computed anew. Nothing is written; a flow may run.

    Example: skep state verify --sample 1000
    """
    from skep.answers.state_verify import verify as verified
    from skep.cli.show.state_verify import show
    from skep.project.spaces import chosen

    settings = settings_of(context)
    with spinner("looking …"):
        found = verified(settings, chosen(settings, space), sample, seed)
    answer(found, show, json=json)
    if not found.sound:
        raise SystemExit(1)


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
