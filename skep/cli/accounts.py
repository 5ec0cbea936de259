"""`skep account`: companies, teams, households, and who belongs to them."""

# ruff: noqa: PLC0415 - a command starts without the libraries that only others need

from __future__ import annotations

from typing import Annotated

import typer

from skep.cli.console import fail
from skep.cli.context import settings_of
from skep.cli.options import Json, Space, answer, answers

accounts_app = typer.Typer(help="Accounts that people belong to, such as companies.", no_args_is_help=True)


@accounts_app.command("show")
def account_show(
    context: typer.Context,
    account: Annotated[str, typer.Argument(metavar="ID", help="The groupId of its calls.")],
    limit: Annotated[int, typer.Option(min=1, help="So many of the stays that began last.")] = 20,
    json: Json = False,
    space: Space = None,
) -> None:
    """What an account is, and who belongs to it, since when.

    Example: skep account show acme
    """
    from skep.answers.accounts import account as found_account
    from skep.cli.show.account import show

    found = found_account(settings_of(context), account, space, limit)
    if not found and not json:
        fail(f"no account {account}: expected the groupId of an accepted group call → `skep account list` shows those that there are")
    answers(found, show, json=json)


@accounts_app.command("list")
def account_list(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, help="So many of those with the most members.")] = 20,
    json: Json = False,
    space: Space = None,
) -> None:
    """All accounts, those with the most members first.

    Example: skep account list --limit 100
    """
    from skep.answers.accounts import accounts
    from skep.cli.show.account import show_all

    answer(accounts(settings_of(context), space, limit), show_all, json=json)
