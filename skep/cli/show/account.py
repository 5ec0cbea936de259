"""Accounts for people."""

from __future__ import annotations

from skep.answers.accounts import AccountList, AccountShown
from skep.answers.catalog.words import plural
from skep.answers.trait import Turning
from skep.cli.console import headline, out, table
from skep.cli.layout import ident, moment, number, prose
from skep.cli.show.profile import trait_text


def show(told: AccountShown) -> None:
    """An account, its traits, and who belongs to it."""
    headline(told.id, f"  space {told.space}  {plural(told.members, 'member')}, {told.members_ever:,} ever")
    if told.traits:
        out.print()
        if told.turns:
            rows = [(name, trait_text(value), *_turns(told.turns.get(name))) for name, value in told.traits.items()]
            table(("trait", prose(""), moment("changes"), prose("to")), rows)
        else:
            table(("trait", prose("")), [(name, trait_text(value)) for name, value in told.traits.items()])
    if told.stays:
        out.print()
        table((ident("member"), moment("since"), moment("until")), [(one.profile, one.since, one.until) for one in told.stays])


def _turns(turning: Turning | None) -> tuple[str, str]:
    """When a trait changes by itself, and to what."""
    return ("", "") if turning is None else (turning.at, trait_text(turning.to))


def show_all(told: AccountList) -> None:
    """A line for each account."""
    if not told.accounts:
        out.print("no accounts: no accepted group call names any")
        return
    rows = [(one.id, one.space, one.members, one.members_ever) for one in told.accounts]
    table((prose("account"), "space", number("members"), number("ever")), rows)
    if told.others:
        out.print(f"\n{told.others:,} others are left out: --limit {told.others + len(told.accounts)}")
