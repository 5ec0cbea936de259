"""A profile taken apart, for people."""

from __future__ import annotations

from skep.answers.identity.evidence import text_of
from skep.answers.identity.split import Split
from skep.cli.console import out, table
from skep.cli.layout import ident, prose


def show(told: Split, *, dry_run: bool) -> None:
    """The cut, and who results."""
    rows = [(kind, *map(text_of, ends)) for kind, pairs in (("unlink", told.unlink), ("link", told.link)) for ends in pairs]
    table(("", prose("a"), prose("b")), rows)
    out.print("\nwould be then:" if dry_run else "\nbecome:")
    table((ident("profile"), prose("identifiers")), [(one.profile, ", ".join(map(text_of, one.identifiers))) for one in told.people])
