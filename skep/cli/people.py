"""`skep profile`, `changes` and `dump`: the living profiles, and what is told of them."""

# ruff: noqa: PLC0415 - a command starts without the libraries that only others need

from __future__ import annotations

from contextlib import suppress
from typing import Annotated

import typer

from skep.cli import console
from skep.cli.console import fail
from skep.cli.context import settings_of
from skep.cli.options import Json, Lines, Space, answers

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
    from skep.answers.changes import changes as lines
    from skep.answers.changes import wait_for_state

    settings = settings_of(context)
    if follow:
        with console.spinner("waiting for the first run …"):
            wait_for_state(settings, since, space)
    with suppress(KeyboardInterrupt):
        for line in lines(settings, since, space, follow=follow):
            if line is None:
                console.flush()
            else:
                console.print_bytes(line)


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
    at: Annotated[str | None, typer.Option(metavar="TIME", help="As of then, by all that is known today; ISO 8601.")] = None,
    json: Json = False,
    space: Space = None,
) -> None:
    """Who somebody is: identifiers, traits, segments, consents, now.

    By an identifier, or by a profile's id.

    With --at by the events and entries with a time up to then, whenever they came, and the definitions in force. What was believed then
    is what `skep identity show --at` tells.

    Example: skep profile show user_id:42
    """
    from skep.answers.profiles import find, nobody
    from skep.cli.show.profile import show

    settings = settings_of(context)
    if at is None:
        found = find(settings, identifier, space)
    else:
        from skep.answers.past import was

        with console.spinner("going through what had happened …"):
            found = was(settings, identifier, space, at)
    if not found and not json:
        fail(
            nobody(identifier)
            if at is None
            else f"nobody had {identifier} by {at}, by all that is known today → `skep profile timeline {identifier}` tells since when"
        )
    answers(found, show, json=json)


@profile_app.command("explain")
def profile_explain(
    context: typer.Context,
    *,
    identifier: Annotated[str, typer.Argument(metavar="NS:VALUE|PROFILE")],
    trait: Annotated[str, typer.Argument(metavar="TRAIT")],
    limit: Annotated[int, typer.Option(min=1, help="So many of the newest events.")] = 20,
    json: Json = False,
    space: Space = None,
) -> None:
    """Where a trait's value comes from, and what becomes of it.

    The events that count for it, and when and to what it changes if nothing else happens.

    Example: skep profile explain user_id:42 lifetime_value
    """
    from skep.answers.trait import explained
    from skep.cli.show.trait import show

    settings = settings_of(context)
    with console.spinner("looking at the events …"):
        found = explained(settings, identifier, trait, space, limit)
    answers(found, show, json=json)


@profile_app.command("timeline")
def profile_timeline(
    context: typer.Context,
    *,
    identifier: Annotated[str, typer.Argument(metavar="NS:VALUE|PROFILE")],
    since: Annotated[str | None, typer.Option(metavar="TIME", help="Nothing before; ISO 8601.")] = None,
    event: Annotated[str | None, typer.Option(metavar="NAME", help="Only these events: a name, or a prefix such as order_*.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="So many of the newest.")] = 50,
    json: Json = False,
    space: Space = None,
) -> None:
    """What happened to somebody and what was told of it, in one list.

    Events, and changes of identity, traits, segments and consents, oldest first; also of profiles that were merged into this one.

    Example: skep profile timeline user_id:42 --since 2026-06-30T00:00:00Z
    """
    from skep.answers.timeline import timelines
    from skep.cli.show.timeline import show

    settings = settings_of(context)
    with console.spinner("looking through events and changes …"):
        found = timelines(settings, identifier, space, since=since, event=event, limit=limit)
    answers(found, show, json=json)
