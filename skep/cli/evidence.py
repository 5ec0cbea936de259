"""`skep identity explain`, `graph`, `doctor`, `history`, `show`, `split`: what is behind people, read beside the flow."""

# ruff: noqa: PLC0415 - a command starts without the libraries that only others need

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from skep.cli.console import json_line, out, spinner
from skep.cli.context import settings_of
from skep.cli.options import Json, OneSpace, Space, Why, answer, answers, waiting

evidence_app = typer.Typer()


@evidence_app.command("explain")
def explain(
    context: typer.Context,
    a: Annotated[str, typer.Argument(metavar="NS:VALUE")],
    b: Annotated[str, typer.Argument(metavar="NS:VALUE")],
    space: OneSpace = None,
    json: Json = False,
) -> None:
    """Why two identifiers are one person's, or are not.

    Link by link; or which rule keeps them apart, and what would join them.

    Example: skep identity explain user_id:42 anonymous_id:d-7
    """
    from skep.answers.identity.explanation import explain as explained
    from skep.cli.show.explanation import show

    with spinner("looking at the evidence …"):
        told = explained(settings_of(context), a, b, space)
    answer(told, show, json=json)


@evidence_app.command("graph")
def graph(
    context: typer.Context,
    profile: Annotated[str, typer.Argument(metavar="PROFILE|NS:VALUE")],
    target: Annotated[Path, typer.Option("--out", metavar="FILE.svg|FILE.html", help="Where the picture goes.")],
    space: OneSpace = None,
    json: Json = False,
) -> None:
    """Draw a profile: its identifiers and the links between them.

    Those that are refused, too, with the reason.

    Personal values are in the clear in it.

    Example: skep identity graph user_id:42 --out 42.svg
    """
    from skep.answers.identity.graph import write_graph

    with spinner("drawing …"):
        told = write_graph(settings_of(context), profile, target, space)
    if json:
        json_line(told)
    else:
        counts = f"{told.identifiers:,} identifiers, {told.accepted:,} links accepted, {told.refused:,} refused"
        out.print(f"{told.path}: {counts}")


@evidence_app.command("doctor")
def doctor(
    context: typer.Context,
    space: Space = None,
    json: Json = False,
) -> None:
    """What glues people together or keeps them apart.

    Profiles at a limit, hubs, suspicious values, shared devices, and rules that would help, with their estimated effect.

    Example: skep identity doctor
    """
    from skep.answers.identity.doctor import examine
    from skep.cli.show.doctor import show

    with spinner("looking at everybody …"):
        found = examine(settings_of(context), space)
    answers(found, show, json=json)


@evidence_app.command("history")
def history(
    context: typer.Context,
    profile: Annotated[str, typer.Argument(metavar="PROFILE|NS:VALUE")],
    space: OneSpace = None,
    json: Json = False,
) -> None:
    """What happened to a profile: created, grew, merged, split.

    When, by which evidence, under which version of the rules.

    Example: skep identity history user_id:42
    """
    from skep.answers.identity.history import history as past
    from skep.cli.show.history import show_history

    told = past(settings_of(context), profile, space)
    answer(told, show_history, json=json)


@evidence_app.command("show")
def show(
    context: typer.Context,
    profile: Annotated[str, typer.Argument(metavar="PROFILE|NS:VALUE")],
    at: Annotated[str | None, typer.Option("--at", metavar="TIME", help="As it was believed then, ISO 8601; the default is now.")] = None,
    space: OneSpace = None,
    json: Json = False,
) -> None:
    """Which profile it is and which identifiers it holds.

    Now or as it was believed at an earlier time of the space's clock.

    Example: skep identity show user_id:42 --at 2026-07-01T00:00:00Z
    """
    from skep.answers.identity.history import who
    from skep.cli.show.history import show_who

    told = who(settings_of(context), profile, space, at)
    answer(told, show_who, json=json)


@evidence_app.command("split")
def split(
    context: typer.Context,
    *,
    profile: Annotated[str, typer.Argument(metavar="PROFILE|NS:VALUE")],
    keep: Annotated[list[str], typer.Option(metavar="NS:VALUE", help="An identifier that stays; as often as needed.")],
    why: Why,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be cut.")] = False,
    space: OneSpace = None,
    json: Json = False,
) -> None:
    """Take a profile apart: what is kept stays, all else leaves it. `skep identity link` undoes each cut.

    Example: skep identity split user_id:42 --keep user_id:42 --keep email:ann@example.com --why "ticket 17"
    """
    from skep.answers.identity.split import split as cut
    from skep.cli.show.split import show

    settings = settings_of(context)
    with waiting(settings):
        told, submitted = cut(settings, profile, keep, why, space, dry_run=dry_run)
    refused = [one for one in submitted if one.answer and not one.answer.get("ok", True)]
    if json:
        json_line(told)
    else:
        show(told, dry_run=dry_run)
        for words in dict.fromkeys(one.words() for one in submitted):
            out.print(words)
    if refused:
        raise SystemExit(1)
