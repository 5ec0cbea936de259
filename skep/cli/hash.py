"""`skep hash`: one's own list, ready to be joined to the snapshot."""

# ruff: noqa: PLC0415 - a command starts without the libraries that only others need

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from skep.cli.console import csv_row, err, json_line, out
from skep.cli.context import settings_of
from skep.cli.options import Json
from skep.project.errors import CommandError

hash_app = typer.Typer()


@hash_app.command("hash")
def hash_identifiers(  # noqa: PLR0917 - typer fills them by name
    context: typer.Context,
    identifiers: Annotated[list[str] | None, typer.Argument(metavar="[NAMESPACE:VALUE]...", help="Such as email:a@b.c.")] = None,
    csv: Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="A list of your own, with names in the first line.")] = None,
    column: Annotated[str, typer.Option("--column", help="The column of the file that holds the identifiers.")] = "",
    namespace: Annotated[str, typer.Option("--namespace", help="What they are: a namespace of contracts/identity.yaml.")] = "",
    space: Annotated[str | None, typer.Option("--space", help="The space whose hashes they are, if there are several.")] = None,
    json: Json = False,
) -> None:
    """What the snapshot has in the place of an identifier.

    Normalised as the flow does it, hashed if it is personal.

    A file is printed as CSV with that column hashed; a field that is no identifier becomes empty.

    Example: skep hash --namespace email --csv list.csv --column mail > hashed.csv
    """
    from skep.answers.hashing import HashedColumn, Hashing
    from skep.project.in_force import in_force
    from skep.project.spaces import one_space

    if bool(identifiers) == bool(csv) or bool(csv) != bool(column and namespace):
        raise CommandError("skep hash: expected identifiers such as email:a@b.c, or --namespace, --csv and --column → see skep hash --help")
    settings = settings_of(context)
    where = one_space(settings, space)
    hashing = Hashing(settings, in_force(settings, where), where)
    found = [(one, hashing.named(one)) for one in identifiers or ()]
    for one, shown in found:
        if json:
            json_line({"identifier": one, "hash": shown})
        else:
            out.print(shown)
    if csv is not None:
        hashed = HashedColumn(hashing, namespace, column)
        for row in hashed.of(csv):
            csv_row(row)
        words = f"{hashed.rows - hashed.dropped:,} of {hashed.rows:,} are identifiers of {namespace}"
        err.print(words + ("; the others are empty" if hashed.dropped else ""), style="yellow" if hashed.dropped else "")
