"""`skep identity explain`, `graph`, `doctor`, `split`: the evidence behind people, read beside the flow."""

# ruff: noqa: PLC0415 - a command starts without the libraries that only others need

from __future__ import annotations

from typing import Annotated

import typer

from skep import log
from skep.console import json_line, spinner
from skep.settings import Settings

evidence_app = typer.Typer()

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Space = Annotated[str | None, typer.Option("--space", help="The space; needed if there are several.")]


def _settings(context: typer.Context) -> Settings:
    settings = Settings.load(context.find_root().params.get("project"))
    log.configure(settings.log)
    return settings


@evidence_app.command("explain")
def explain(
    context: typer.Context,
    a: Annotated[str, typer.Argument(metavar="NS:VALUE")],
    b: Annotated[str, typer.Argument(metavar="NS:VALUE")],
    space: Space = None,
    json: Json = False,
) -> None:
    """Why two identifiers are one person's, link by link; or which rule keeps them apart, and what would join them.

    Example: skep identity explain user_id:42 anonymous_id:d-7
    """
    from skep.identity import explaining

    with spinner("looking at the evidence …"):
        told = explaining.explain(_settings(context), a, b, space)
    if json:
        json_line(told)
    else:
        explaining.show(told)
