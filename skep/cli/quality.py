"""`skep quality`: scores of what the sources hand over, and reading a stopped source on."""

# ruff: noqa: PLC0415 - a command starts without the libraries that only others need

from __future__ import annotations

from typing import Annotated

import typer

from skep.cli import offered
from skep.cli.context import settings_of
from skep.cli.options import Json, Space, Why, answer, tell, waiting

quality_app = typer.Typer()


@quality_app.callback(invoke_without_command=True)
def quality(
    context: typer.Context,
    source: Annotated[str | None, typer.Option(help="Only this source of skep.yaml.", autocompletion=offered.sources)] = None,
    since: Annotated[str, typer.Option(help="How many of the last hours before the clock, and the one that is going on.")] = "1d",
    space: Space = None,
    json: Json = False,
) -> None:
    """How good what each source hands over is.

    Refused, complete, unknown, out of range, fresh, as many as usual.

    Example: skep quality --source shop --since 7d
    """
    from skep.answers import quality as scores
    from skep.cli.show.quality import show

    if context.invoked_subcommand is not None:
        return
    found = scores.report(settings_of(context), source, since, space)
    answer(found, show, json=json)


@quality_app.command("resume")
def quality_resume(
    context: typer.Context,
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="The stopped source of skep.yaml.", autocompletion=offered.sources)],
    why: Why,
    json: Json = False,
) -> None:
    """Read a stopped source on, although what stopped it is as it was.

    Example: skep quality resume shop --why "the shop has repaired its coupons"
    """
    from skep.answers import quality as scores

    settings = settings_of(context)
    with waiting(settings):
        one = scores.resume(settings, source, why)
    tell([one], json=json)
