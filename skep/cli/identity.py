"""`skep identity …`: links by hand and rules tried out, beside the evidence and the training of rules that compare."""

# ruff: noqa: PLC0415 - a command starts without the libraries that only others need

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from skep.cli.console import counting, json_line
from skep.cli.context import settings_of
from skep.cli.evidence import evidence_app
from skep.cli.matching import matching_app
from skep.cli.options import Json, Space, Why, tell, waiting

identity_app = typer.Typer()
identity_app.add_typer(evidence_app)
identity_app.add_typer(matching_app)


@identity_app.command("link")
def link(
    context: typer.Context,
    *,
    a: Annotated[str, typer.Argument(metavar="NS:VALUE")],
    b: Annotated[str, typer.Argument(metavar="NS:VALUE")],
    why: Why,
    space: Space = None,
    json: Json = False,
) -> None:
    """Say that two identifiers are one person's.

    Example: skep identity link user_id:42 email:ann@example.com --why "ticket 17"
    """
    _rule(context, "link", (a, b), why, space, json=json)


@identity_app.command("unlink")
def unlink(
    context: typer.Context,
    *,
    a: Annotated[str, typer.Argument(metavar="NS:VALUE")],
    b: Annotated[str, typer.Argument(metavar="NS:VALUE")],
    why: Why,
    space: Space = None,
    json: Json = False,
) -> None:
    """Take every link between two identifiers away, also later ones.

    Example: skep identity unlink user_id:42 anonymous_id:d-7 --why "a tablet in the shop"
    """
    _rule(context, "unlink", (a, b), why, space, json=json)


@identity_app.command("simulate")
def simulate(
    rules: Annotated[Path, typer.Option(metavar="RULES.yaml", help="The rules: a file like contracts/identity.yaml.")],
    events: Annotated[
        Path, typer.Option(metavar="EVENTS.jsonl", help="Events, manual links and unlinks among them, in any order; - for stdin.")
    ],
    json: Json = False,
) -> None:
    """What rules make of a file of events.

    Who is who, whose each event is, which links stand and why not. Needs no project.

    Personal values are printed in the clear.

    Example: skep identity simulate --rules contracts/identity.yaml --events events.jsonl
    """
    from skep.answers.simulation.run import simulate
    from skep.cli.show.simulation import show, warn

    with counting() as progress:
        told = simulate(rules, events, progress)
    warn(told.unread)
    if json:
        json_line(told.answer)
    else:
        show(told)


def _rule(context: typer.Context, kind: str, pair: tuple[str, str], why: str, space: str | None, *, json: bool) -> None:
    from skep.answers.profiles import known_pair
    from skep.project.entries import submit
    from skep.project.in_force import in_force
    from skep.project.spaces import one_space

    settings = settings_of(context)
    where = one_space(settings, space)
    known = known_pair(in_force(settings, where), *pair)
    ends = {key: {"namespace": namespace, "value": value} for key, (namespace, value) in zip("ab", known, strict=True)}
    with waiting(settings):
        one = submit(settings, where, {"type": kind, **ends, "why": why})
    tell([one], json=json)
