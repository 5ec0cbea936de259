"""The `skep` command. Thin: every command reads its options, asks for one answer, and shows it."""

# ruff: noqa: PLC0415 - a command starts without the libraries that only others need

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from skep.cli.accounts import accounts_app
from skep.cli.console import fail, out
from skep.cli.definitions import definitions_app
from skep.cli.demo import demo_app
from skep.cli.flow import flow_app
from skep.cli.hash import hash_app
from skep.cli.late_group import late
from skep.cli.people import people_app
from skep.cli.quality import quality_app
from skep.cli.reports.command import reports_app
from skep.cli.sections import Sections
from skep.cli.sources import sources_app
from skep.cli.sql.command import sql_app
from skep.project import terminal
from skep.project.exits import Exit

app = typer.Typer(
    name="skep",
    cls=Sections,
    help="Skep, a real-time customer data platform: events in, people, segments and changes out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for alone in (flow_app, definitions_app, people_app, demo_app, sql_app, hash_app):
    app.add_typer(alone)
app.add_typer(accounts_app, name="account")
app.add_typer(quality_app, name="quality")
app.add_typer(sources_app, name="sources")
app.add_typer(reports_app, name="report")
for name, words in (
    ("quarantine", "What was refused, why, and feeding it again, edited or not."),
    ("identity", "Who is who: links by hand, evidence, rules tried out."),
    ("contracts", "Versions of contracts: compared, made, and what hangs on them."),
    ("state", "What is stored: its size, copies of it, whether it is sound."),
    ("segments", "Segments, and why somebody is in one or not."),
    ("destinations", "Who is told of what: files, requests, what replies are."),
    ("deliveries", "What destinations have not taken yet, and what becomes of it."),
    ("lookups", "Reference data that events are enriched by: in force, newer."),
):
    module = "told" if name == "destinations" else name
    app.add_typer(late(f"skep.cli.{module}", f"{name}_app", words), name=name)


def _say_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        out.print(f"skep {version('skep')}")
        raise typer.Exit


@app.callback()
def _global(
    project: Annotated[
        Path | None, typer.Option("--project", envvar="SKEP_PROJECT", help="The project folder (default: this one).")
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Say which version of Skep this is.")
    ] = False,
) -> None:
    """Options that stand before the command."""


@app.command()
def init(folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder to make; it must not hold a project.")]) -> None:
    """Make a new project folder with the demo shop's contracts.

    Example: skep init myshop
    """
    from skep.tools.starter import create

    written = create(folder)
    out.print(f"{folder}: {len(written)} files written. Next: `skep --project {folder} check`, and read {folder / 'README.md'}")


def main() -> None:
    """The entry point: what is wrong is a line on stderr and exit code 1, never a traceback."""
    terminal.guard()
    try:
        app()
    except KeyboardInterrupt:
        raise SystemExit(Exit.INTERRUPTED) from None
    except SystemExit as end:
        # What typer makes of Ctrl-C.
        if end.code == 128 + signal.SIGINT:
            raise SystemExit(Exit.INTERRUPTED) from None
        raise
    except BrokenPipeError:
        # The reader (`head`) has enough; Python must not complain when it flushes at exit.
        sys.stderr.close()
        raise SystemExit(0) from None
    except Exception as error:  # noqa: BLE001 - which of them people can repair is known where errors have their words
        _fail_plainly(error)


def _fail_plainly(error: Exception) -> NoReturn:
    from skep.project import log
    from skep.runtime import ends

    words = ends.words_of(error)
    if not words:
        raise error
    ends.tell_behind(error)
    if log.for_machines():
        log.last_words(words)
        raise SystemExit(Exit.ERROR)
    fail(words)
