"""`skep destinations status`, `test`, `reconcile`, `erase`, `pause`, `resume`: what destinations hold, and what people decide of them."""

# ruff: noqa: PLC0415 - a command starts without the libraries that only others need

from __future__ import annotations

from typing import Annotated

import typer

from skep.cli.context import settings_of
from skep.cli.destinations import destinations_app
from skep.cli.options import Json, answer

Name = Annotated[str, typer.Argument(metavar="NAME", help="The destination's name, as its file is called.")]


@destinations_app.command("status")
def destinations_status(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Only this one.")] = None,
    json: Json = False,
) -> None:
    """Say whether destinations hold what their segments say.

    Of each audience: members, who is acknowledged, what is pending, failing, dead or not sent, and why. It reads the ledger, beside
    whoever writes it.

    Example: skep destinations status crm
    """
    from skep.answers.deliveries import destination_status
    from skep.cli.show.told import show_statuses

    answer(destination_status(settings_of(context), name), show_statuses, json=json)


@destinations_app.command("test")
def destinations_test(
    context: typer.Context,
    name: Name,
    segment: Annotated[str | None, typer.Option("--segment", help="Into the audience of this segment (default: the first).")] = None,
    json: Json = False,
) -> None:
    """Send a sample person, look at the reply, and take it away.

    The person is marked as a sample, skep-test@example.invalid; nobody else is told of. It really sends.

    Example: skep destinations test crm
    """
    from skep.cli.show.told import show_tried
    from skep.runtime.delivery.trying import try_out

    found = try_out(settings_of(context), name, segment)
    answer(found, show_tried, json=json)
    if any(one.class_ != "delivered" for one in found.calls):
        raise SystemExit(1)


@destinations_app.command("reconcile")
def destinations_reconcile(
    context: typer.Context,
    name: Name,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what is wrong, and leave it.")] = False,
    json: Json = False,
) -> None:
    """Hold a destination against its segments, and put it right.

    The ledger is compared with the segments and, where the destination can be asked (`list`), its list with both. What is missing there
    is sent, what is too many is taken out; whom nobody here knows is only counted. It waits for the answers.

    Example: skep destinations reconcile crm --dry-run
    """
    from skep.cli import console
    from skep.cli.show.told import show_reconciled
    from skep.runtime.delivery.reconciling import reconcile

    settings = settings_of(context)
    with console.spinner("waiting for answers …"):
        found = reconcile(settings, name, dry_run=dry_run)
    answer(found, show_reconciled, json=json)


@destinations_app.command("erase")
def destinations_erase(
    context: typer.Context,
    name: Name,
    profile: Annotated[str, typer.Argument(metavar="PROFILE", help="The profile's id, p_ and 32 digits.")],
    json: Json = False,
) -> None:
    """Have a destination forget somebody, and keep the receipt.

    It is told by the call `erase` of its file, as it knows the person; then the ledger forgets the person, too, but for the receipt.

    Example: skep destinations erase crm p_0beb2a60f894b4af6d058433f2ad8534
    """
    from skep.cli.show.told import show_erasure
    from skep.project.errors import CommandError
    from skep.runtime.delivery.trying import erase

    digits = profile.removeprefix("p_")
    if len(digits) != 32 or any(one not in "0123456789abcdef" for one in digits):
        raise CommandError(f"expected a profile's id, p_ and 32 hexadecimal digits, found {profile} → skep profile show tells it")
    answer(erase(settings_of(context), name, f"p_{digits}"), show_erasure, json=json)


@destinations_app.command("pause")
def destinations_pause(context: typer.Context, name: Name, json: Json = False) -> None:
    """Tell a destination nothing until it is resumed.

    What is wanted goes on being written down, a row a person. `skep audit` says who paused it.

    Example: skep destinations pause crm
    """
    _decide(context, name, "pause", "is told nothing until `skep destinations resume`", json=json)


@destinations_app.command("resume")
def destinations_resume(context: typer.Context, name: Name, json: Json = False) -> None:
    """Go on with a destination that was paused or has stopped.

    Also with one that did not let us in, or whose breaker is open: it is tried at once.

    Example: skep destinations resume crm
    """
    _decide(context, name, "resume", "is told again", json=json)


def _decide(context: typer.Context, name: str, kind: str, words: str, *, json: bool) -> None:
    from skep.cli import console
    from skep.project.orders import order
    from skep.runtime.delivery.reconciling import named_destination
    from skep.runtime.delivery.standing_in import working

    settings = settings_of(context)
    for space, _ in named_destination(settings, name):
        with working(settings, space) as work:
            order(settings, space, {"type": kind, "destination": name}, work)
    if json:
        console.json_line({"destination": name, "done": kind})
    else:
        console.out.print(f"{name} {words}")
