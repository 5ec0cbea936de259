"""`skep profile`, `changes` and `dump`: the living profiles, and what is told of them."""

# ruff: noqa: PLC0415 - a command starts without the libraries that only others need

from __future__ import annotations

from typing import Annotated

import typer

from skep.cli import console
from skep.cli.console import fail, json_line
from skep.cli.context import settings_of
from skep.cli.options import Json, Lines, Space

people_app = typer.Typer()
profile_app = typer.Typer(help="The living profiles of people.", no_args_is_help=True)
people_app.add_typer(profile_app, name="profile")


@people_app.command()
def changes(
    context: typer.Context,
    since: Annotated[str | None, typer.Option(help="Begin behind this change: an id such as shop-0-17, or its number.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Wait for new ones until Ctrl-C.")] = False,
    space: Space = None,
    json: Lines = False,  # noqa: ARG001 - one form only
) -> None:
    """The change log as JSON lines.

    Example: skep changes --since shop-0-17 --follow
    """
    from skep.answers.changes import print_changes

    print_changes(settings_of(context), since, space, follow=follow)


@people_app.command()
def dump(
    context: typer.Context,
    at: Annotated[str | None, typer.Option(help="The time of the state, ISO 8601, not before the clock; the default is the clock.")] = None,
    space: Space = None,
    json: Lines = False,  # noqa: ARG001 - one form only
) -> None:
    """All state as canonical JSON lines: equal state, equal bytes.

    It is the state that the promises cover.

    Example: skep dump --at 2026-07-01T00:00:00Z
    """
    from skep.answers.dump import dump_lines

    for line in dump_lines(settings_of(context), at, space):
        console.print_bytes(line)


@profile_app.command("show")
def profile_show(
    context: typer.Context,
    identifier: Annotated[str, typer.Argument(metavar="NS:VALUE|PROFILE")],
    at: Annotated[str | None, typer.Option("--at", metavar="TIME", help="Only who it was, as it was believed then; ISO 8601.")] = None,
    json: Json = False,
    space: Space = None,
) -> None:
    """Who somebody is: identifiers, traits, segments, consents, now.

    By an identifier, or by a profile's id.

    With --at only the profile and its identifiers, as `skep identity show` tells them.

    Example: skep profile show user_id:42
    """
    from skep.answers import profiles

    if at is not None:
        from skep.answers.identity import history as past

        told = past.who(settings_of(context), identifier, space, at)
        if json:
            json_line([told])
        else:
            past.show_who(told)
        return
    found = profiles.find(settings_of(context), identifier, space)
    if json:
        json_line(found)
    elif not found:
        fail(profiles.nobody(identifier))
    for one in [] if json else found:
        profiles.show(one)
