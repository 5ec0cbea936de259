"""Names that a shell offers when it completes a command: what stands in the project's files, read without judging it."""

# ruff: noqa: PLC0415 - a command starts without the libraries that only others need

from __future__ import annotations

from pathlib import Path

import typer

from skep.cli.context import folder_of


def spaces(context: typer.Context, incomplete: str) -> list[str]:
    """The spaces of skep.yaml."""
    return _settings(context, incomplete)[0]


def sources(context: typer.Context, incomplete: str) -> list[str]:
    """The sources of skep.yaml."""
    return _settings(context, incomplete)[1]


def events(context: typer.Context, incomplete: str) -> list[str]:
    """The events that have contracts."""
    return _files(context, "events", incomplete)


def segments(context: typer.Context, incomplete: str) -> list[str]:
    """The segments of contracts/."""
    return _files(context, "segments", incomplete)


def destinations(context: typer.Context, incomplete: str) -> list[str]:
    """The destinations of contracts/."""
    return _files(context, "destinations", incomplete)


def lookups(context: typer.Context, incomplete: str) -> list[str]:
    """The lookups of contracts/."""
    return _files(context, "lookups", incomplete)


def entries(context: typer.Context, incomplete: str) -> list[str]:
    """What `skep catalog` has pages of, as far as a file has its name."""
    return [name for kind in (events, segments, destinations) for name in kind(context, incomplete)]


def _files(context: typer.Context, folder: str, incomplete: str) -> list[str]:
    found = ((folder_of(context) or Path()) / "contracts" / folder).glob("[!.]*")
    return sorted(path.name.removesuffix(".yaml") for path in found if path.name.startswith(incomplete))


def _settings(context: typer.Context, incomplete: str) -> tuple[list[str], list[str]]:
    """The names of spaces and of sources; none if the settings cannot be read, which is no moment to say so."""
    from contracts import ContractErrors
    from skep.project.settings import Settings

    try:
        settings = Settings.load(folder_of(context))
    except ContractErrors:
        return [], []
    names = (settings.spaces, [source.name for source in settings.sources])
    spaces, sources = ([name for name in kind if name.startswith(incomplete)] for kind in names)
    return spaces, sources
