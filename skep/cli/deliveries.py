"""`skep deliveries`: what is not acknowledged yet, why, and what becomes of it."""

# ruff: noqa: PLC0415 - a command starts without the libraries that only others need

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from skep.cli import console
from skep.cli.context import settings_of
from skep.cli.options import Json, answer

if TYPE_CHECKING:
    from skep.answers.deliveries import FoundDelivery
    from skep.project.settings import Settings

deliveries_app = typer.Typer()
Identity = Annotated[str, typer.Argument(metavar="ID", help="The id of a delivery, as the list has it.")]


@deliveries_app.command("list")
def deliveries_list(  # noqa: PLR0917 - typer fills them by name
    context: typer.Context,
    destination: Annotated[str | None, typer.Option("--destination", help="Only of this destination.")] = None,
    dead: Annotated[bool, typer.Option("--dead", help="Only those that are not tried again.")] = False,
    profile: Annotated[str | None, typer.Option("--profile", help="Only of this profile.")] = None,
    reason: Annotated[str | None, typer.Option("--reason", help="Only those whose reason begins so.")] = None,
    json: Json = False,
) -> None:
    """List what destinations have not acknowledged.

    Pending, failing, dead, or not sent, with the reason. What is acknowledged is not listed.

    Example: skep deliveries list --dead
    """
    from skep.answers.deliveries import deliveries
    from skep.cli.show.told import show_deliveries

    found = deliveries(settings_of(context), destination=destination, dead=dead, profile=profile, reason=reason)
    answer([one.row for one in found], show_deliveries, json=json)


@deliveries_app.command("show")
def deliveries_show(
    context: typer.Context,
    identity: Identity,
    clear: Annotated[bool, typer.Option("--clear", help="With what is personal in it.")] = False,
    json: Json = False,
) -> None:
    """Show the request of a delivery, and what came back.

    The last request that was not taken, and the first 1,000 characters of the reply. What is personal is ***, secrets always are.

    Example: skep deliveries show d_0a1b2c3d4e5f6071
    """
    from skep.answers.deliveries import shown_delivery
    from skep.cli.show.told import show_delivery

    answer(shown_delivery(settings_of(context), identity, clear=clear), show_delivery, json=json)


@deliveries_app.command("retry")
def deliveries_retry(
    context: typer.Context,
    identity: Annotated[str | None, typer.Argument(metavar="[ID]", help="The id of a delivery, as the list has it.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that are dead.")] = False,
    json: Json = False,
) -> None:
    """Try a delivery again that is dead, or waits.

    Or all that are dead. What is wanted by now is what is sent.

    Example: skep deliveries retry --all
    """
    from skep.answers.deliveries import deliveries, one_delivery
    from skep.project.errors import CommandError

    if (identity is None) is not everything:
        raise CommandError("expected an id or --all, found both or neither → skep deliveries list --dead")
    settings = settings_of(context)
    found = deliveries(settings, dead=True) if identity is None else [one_delivery(settings, identity)]
    _ordered(settings, found, {"type": "retry"}, json=json)


@deliveries_app.command("drop")
def deliveries_drop(
    context: typer.Context,
    identity: Identity,
    why: Annotated[str, typer.Option("--why", help="The reason, for those who read it later.")],
    json: Json = False,
) -> None:
    """Give up a delivery for good, with a reason.

    The destination stays as it is for that person until something new is wanted. `skep audit` says who dropped it and why.

    Example: skep deliveries drop d_0a1b2c3d4e5f6071 --why "asked to leave by telephone"
    """
    from skep.answers.deliveries import one_delivery

    settings = settings_of(context)
    _ordered(settings, [one_delivery(settings, identity)], {"type": "drop", "why": why}, json=json)


def _ordered(settings: Settings, found: list[FoundDelivery], entry: dict[str, Any], *, json: bool) -> None:
    from skep.project.orders import order
    from skep.runtime.delivery.standing_in import working

    done = {"retry": "retried", "drop": "dropped"}[entry["type"]]
    count = 0
    for space in sorted({one.space for one in found}):
        rows = [[one.place.destination, one.place.audience, one.place.profile_id] for one in found if one.space == space]
        with working(settings, space) as work:
            count += order(settings, space, {**entry, "rows": rows}, work)[done]
    if json:
        console.json_line({done: count})
    else:
        console.out.print(f"{count:,} {done}")
