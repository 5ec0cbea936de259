"""`skep segments`: why somebody is, or is not, a member."""

# ruff: noqa: PLC0415 - a command starts without the libraries that only others need

from __future__ import annotations

from typing import Annotated

import typer

from skep.cli import console, offered
from skep.cli.context import settings_of
from skep.cli.options import Json, Space, answers

segments_app = typer.Typer(help="Segments, and who is a member of them.", no_args_is_help=True)


@segments_app.callback()
def segments() -> None:
    """Segments, and who is a member of them."""


@segments_app.command("explain")
def segments_explain(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="A segment in force.", autocompletion=offered.segments)],
    person: Annotated[str, typer.Argument(metavar="NS:VALUE|PROFILE")],
    space: Space = None,
    json: Json = False,
) -> None:
    """Why somebody is, or is not, in a segment.

    Each condition with what the person has, consent, since when and until when.

    Example: skep segments explain lapsing_vips user_id:42
    """
    from skep.answers.membership import explained
    from skep.cli.show.membership import show

    settings = settings_of(context)
    with console.spinner("looking at the evidence …"):
        found = explained(settings, name, person, space)
    answers(found, show, json=json)
