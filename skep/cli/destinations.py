"""`skep destinations`: who is told of what, where."""

# ruff: noqa: PLC0415 - a command starts without the libraries that only others need

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from skep.cli.context import folder_of, settings_of
from skep.cli.options import Json, answer

if TYPE_CHECKING:
    from contracts.model.definitions import Definitions

destinations_app = typer.Typer()
OfFile = Annotated[Path, typer.Option("--destination", metavar="FILE", help="The destination's file; it need be in no project.")]


@destinations_app.command("check")
def destinations_check(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file of a destination, or of a kind of destination.")],
    json: Json = False,
) -> None:
    """Say what is wrong with a destination's file, and where.

    File, line, key, and what to do; exit code 1 if something is. Within a project also whether what it names is there. A file below
    kinds/ is read as a kind of destination.

    Example: skep destinations check contracts/destinations/crm_file.yaml
    """
    from contracts import ContractErrors
    from skep.answers.check import problem_row
    from skep.answers.destinations import checked, raise_own
    from skep.cli.console import json_line
    from skep.cli.show.destinations import show_checked

    try:
        try:
            definitions = _definitions(context)
        except ContractErrors as error:
            # What is wrong elsewhere is said by `skep check`.
            raise_own(error, (folder_of(context) or Path()) / "contracts", file)
            definitions = None
        found = checked(file, definitions)
    except ContractErrors as error:
        if not json:
            raise
        json_line([problem_row(problem) for problem in error.problems])
        raise SystemExit(1) from None
    answer(found, show_checked, json=json)


@destinations_app.command("render")
def destinations_render(
    context: typer.Context,
    destination: OfFile,
    event: Annotated[
        Path, typer.Option("--event", metavar="INPUT", help="An event, or a change with its person, or JSON lines of them; - is stdin.")
    ],
    json: Json = False,
) -> None:
    """Show the requests that a destination would be sent.

    Nothing is sent, and no secret is read: each is ***. Lines are taken in order; of whom nothing may be told stands among the refused.

    Example: skep destinations render --destination contracts/destinations/crm.yaml --event event.json
    """
    from skep.answers.destinations import render
    from skep.cli.show.destinations import show_rendered

    answer(render(destination, _text(event), _definitions(context)), show_rendered, json=json)


@destinations_app.command("classify")
def destinations_classify(
    destination: OfFile,
    request: Annotated[Path, typer.Option("--request", metavar="R.json", help="A request as `skep destinations render` shows it.")],
    reply: Annotated[Path, typer.Option("--reply", metavar="P.json", help='What came back: {"status", "headers", "body"}.')],
    json: Json = False,
) -> None:
    """Say what a reply to a request is, and what follows.

    Delivered, partial, throttle, retry, auth, split or refused; which items failed, and which of them are tried again.

    Example: skep destinations classify --destination crm.yaml --request request.json --reply reply.json
    """
    from skep.answers.destinations import judge
    from skep.cli.show.destinations import show_verdict

    answer(judge(destination, _text(request), _text(reply)), show_verdict, json=json)


def _text(file: Path) -> str:
    from skep.project.readable import readable

    return sys.stdin.read() if str(file) == "-" else readable(file)


def _definitions(context: typer.Context) -> Definitions | None:
    """The definitions of the project that the command is in, if there is one."""
    from skep.project.settings import load_definitions

    if not ((folder_of(context) or Path()) / "skep.yaml").exists():
        return None
    return load_definitions(settings_of(context))
