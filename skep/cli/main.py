"""The `skep` command. Thin: every command reads its options, calls one module of this package, and prints."""

# ruff: noqa: PLC0415 - a command starts without the libraries that only others need

from __future__ import annotations

import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from skep.cli import console, offered
from skep.cli.changing import changing_app
from skep.cli.console import fail, json_line, out, table
from skep.cli.context import settings_at
from skep.cli.demo import demo_app
from skep.cli.hash import hash_app
from skep.cli.late_group import late
from skep.cli.layout import number, prose
from skep.cli.options import Json, Lines, Space
from skep.cli.quality import quality_app
from skep.cli.sections import Sections
from skep.cli.sources import sources_app
from skep.cli.sql.command import sql_app
from skep.project import terminal
from skep.project.exits import Exit

if TYPE_CHECKING:
    from skep.project.settings import Settings

app = typer.Typer(
    name="skep",
    cls=Sections,
    help="Skep, a real-time customer data platform: events in, people, segments and changes out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
profile_app = typer.Typer(help="The living profiles of people.", no_args_is_help=True)
app.add_typer(changing_app)
app.add_typer(demo_app)
app.add_typer(sql_app)
app.add_typer(hash_app)
app.add_typer(profile_app, name="profile")
app.add_typer(
    late("skep.cli.quarantine", "quarantine_app", "What was refused, why, and feeding it again, edited or not."), name="quarantine"
)
app.add_typer(
    late("skep.cli.identity", "identity_app", "Who is who: links by hand, evidence, rules tried out."),
    name="identity",
)
app.add_typer(
    late("skep.cli.contracts", "contracts_app", "Versions of contracts: compared, made, and what hangs on them."), name="contracts"
)
app.add_typer(late("skep.cli.state", "state_app", "The data folder after another version of Skep."), name="state")
app.add_typer(quality_app, name="quality")
app.add_typer(late("skep.cli.segments", "segments_app", "Segments, and why somebody is in one or not."), name="segments")
app.add_typer(sources_app, name="sources")


@dataclass
class Chosen:
    """The options before the command."""

    project: Path | None = None


_chosen = Chosen()


def _settings(**overrides: Any) -> Settings:
    return settings_at(_chosen.project, **overrides)


def _log_what_is_said() -> None:
    """Of a command that goes on beside others, what it says to people is a line of its log, if that is JSON."""
    from skep.project import log

    if os.environ.get("SKEP_LOG") == "json":
        log.configure()
        console.err.file = log.Said()


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
    version: Annotated[  # noqa: ARG001 - it ends where it is read
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Say which version of Skep this is.")
    ] = False,
) -> None:
    _chosen.project = project


@app.command()
def init(folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder to make; it must not hold a project.")]) -> None:
    """Make a new project folder with the demo shop's contracts.

    Example: skep init myshop
    """
    from skep.tools.starter import create

    written = create(folder)
    out.print(f"{folder}: {len(written)} files written. Next: `skep --project {folder} check`, and read {folder / 'README.md'}")


@app.command()
def check(json: Json = False) -> None:
    """Read all of contracts/ and say what is wrong, and where.

    File, line, key, and what to do. Exit code 1 if something is.

    Tags that cannot be followed are an error in a new or changed file, and a warning in one that is in force.

    Example: skep check
    """
    from contracts import ContractErrors
    from skep.answers.check import checked, problem_row, summary, waiting_for_drafts
    from skep.project.in_force import standing
    from skep.project.views import view_problems, view_row
    from skep.tools.editor import schemas as editor

    settings = _settings()
    try:
        definitions, warnings = checked(settings)
    except ContractErrors as error:
        if not json:
            raise
        json_line([problem_row(problem) for problem in error.problems])
        raise SystemExit(1) from None
    editor.refresh(settings, definitions)
    missing = view_problems(settings, definitions)
    if json:
        json_line([*({**problem_row(problem), "warning": True} for problem in warnings), *map(view_row, missing)])
    else:
        for problem in warnings:
            console.err.print(f"warning: {problem}", style="yellow")
        for one in missing:
            console.err.print(str(one), style="red")
        out.print(summary(definitions))
        for line in standing(settings).lines():
            out.print(line)
        for event, records in waiting_for_drafts(settings, definitions).items():
            words = f"{records:,} records of {event} wait in quarantine: it has drafts only, and no contract that is live"
            console.err.print(f'{words} → set "status": "live", `skep apply`, `skep quarantine replay --event {event}`', style="yellow")
    if missing:
        raise SystemExit(1)


@app.command("schemas")
def write_schemas(
    folder: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Where they go (default: .skep/schemas).")] = None,
    json: Json = False,
) -> None:
    """Write JSON Schemas of the YAML files, for your editor.

    Completion and red underlines in the files that people edit.

    Example: skep schemas --out schemas
    """
    from skep.tools.editor import schemas as editor

    settings = _settings()
    rows = editor.write_all(settings, folder)
    if json:
        json_line(rows)
        return
    table(("schema", "of", prose("first line of such a file")), [(row["schema"], row["files"], row["line"]) for row in rows])


@app.command()
def apply(
    plan: Annotated[
        str | None,
        typer.Option(metavar="PLAN", help="Only if files and what is in force are still those that `skep plan` has named so."),
    ] = None,
    space: Space = None,
    json: Json = False,
) -> None:
    """Put contracts/ as it is now in force.

    At once if a flow runs, from where each source stands; else when the next one starts.

    Example: skep apply
    """
    from skep.project.apply import apply as put_in_force
    from skep.project.apply import row, words
    from skep.project.spaces import chosen

    settings = _settings()
    applied = put_in_force(settings, chosen(settings, space), plan=plan)
    if json:
        json_line([row(one) for one in applied])
    for one in [] if json else applied:
        out.print(words(one))


@app.command("catalog")
def show_catalog(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="[WORD]...", help="Only what has all of these words.", autocompletion=offered.entries)
    ] = None,
    folder: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Where the pages go (default: data/catalog).")] = None,
    json: Json = False,
) -> None:
    """Every event, trait, segment, destination, and who uses it.

    Whose it is, what, how much, how good. Without words, as pages too.

    Example: skep catalog email
    """
    from skep.answers.catalog.collect import collect
    from skep.answers.catalog.figures import figures
    from skep.answers.catalog.pages import write_pages
    from skep.answers.catalog.shown import show
    from skep.project.settings import load_definitions

    settings = _settings()
    catalog = collect(load_definitions(settings), figures(settings))
    entries = catalog.find(words or [])
    if json:
        json_line([entry.row() for entry in entries])
    else:
        show(catalog, entries)
    if folder or not words:
        written = write_pages(catalog, folder or settings.data / "catalog")
        console.err.print(f"pages: {written[0]}")


@app.command()
def run(
    once: Annotated[bool, typer.Option("--once", help="End at the end of the input, with a report.")] = False,
    source_path: Annotated[Path | None, typer.Option(help="Read the first source from here instead.")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget all state of this project first.")] = False,
    in_force: Annotated[bool, typer.Option("--in-force", help="With --once: go on with what is in force if files are broken.")] = False,
) -> None:
    """Run the flow, with activation and the publisher beside it.

    Until SIGTERM or Ctrl-C; the publisher makes the snapshot again and again.

    It starts with the definitions in force, as `skep apply` left them; the first start puts contracts/ in force. With --once, broken
    files are an error before anything is read.

    Exit codes: 0 done, 1 error, 2 usage, 3 a source or file is stopped, 4 deliveries are pending, 5 interrupted before the end (--once).

    Example: skep run --once
    """
    from skep.runtime import supervisor as running

    _log_what_is_said()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if in_force and (fresh or not once):
        raise typer.BadParameter("expected it with --once, and without --fresh: there must be something in force", param_hint="--in-force")
    settings = _settings(source_path=str(source_path.absolute()) if source_path else None)
    _log_what_is_said()
    try:
        running.prepare(settings, strict=once and not in_force, fresh=fresh)
    except KeyboardInterrupt:
        raise SystemExit(Exit.INTERRUPTED if once else Exit.DONE) from None
    environment = running.source_environment(settings, source_path) | ({"SKEP_APPLY": "by_command"} if in_force else {})
    raise SystemExit(running.once(settings, environment) if once else running.follow(settings, environment))


@app.command()
def status(json: Json = False) -> None:
    """What was received, and what became of it.

    Segments, partitions, quarantine, the last snapshot.

    Example: skep status --json
    """
    from skep.answers import status as statuses

    settings = _settings()
    found = statuses.status(settings)
    if json:
        json_line(found)
    else:
        statuses.show(found, settings)


@app.command()
def health() -> None:
    """Whether a flow runs here now: exit code 0 if one does, else 1.

    It holds this project's data folder then. For the health checks of containers.

    Example: skep health
    """
    from skep.project.process import flow_is_running

    settings = _settings()
    if not flow_is_running(settings):
        fail(f"no flow is running on {settings.data} → skep run")
    out.print(f"a flow is running on {settings.data}")


@profile_app.command("show")
def profile_show(
    identifier: Annotated[str, typer.Argument(metavar="NS:VALUE|PROFILE")],
    at: Annotated[str | None, typer.Option("--at", metavar="TIME", help="Only who it was, as it was believed then; ISO 8601.")] = None,
    json: Json = False,
    space: Space = None,
) -> None:
    """Who somebody is: identifiers, traits, segments, consents, now.

    By an identifier, or by a profile's id.

    With --at only the profile and its identifiers, as `skep identity show` tells them.

    Example: skep profile show user_id:42
    """
    from skep.answers import profiles

    if at is not None:
        from skep.answers.identity import history as past

        told = past.who(_settings(), identifier, space, at)
        if json:
            json_line([told])
        else:
            past.show_who(told)
        return
    found = profiles.find(_settings(), identifier, space)
    if json:
        json_line(found)
    elif not found:
        fail(profiles.nobody(identifier))
    for one in [] if json else found:
        profiles.show(one)


@app.command()
def changes(
    since: Annotated[str | None, typer.Option(help="Begin behind this change: an id such as shop-0-17, or its number.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Wait for new ones until Ctrl-C.")] = False,
    space: Space = None,
    json: Lines = False,  # noqa: ARG001 - one form only
) -> None:
    """The change log as JSON lines.

    Example: skep changes --since shop-0-17 --follow
    """
    from skep.answers.changes import print_changes

    print_changes(_settings(), since, space, follow=follow)


@app.command()
def snapshot(
    every: Annotated[float | None, typer.Option(min=0.1, help="Publish again every so many seconds until SIGTERM.")] = None,
    json: Json = False,
) -> None:
    """Publish the DuckDB snapshot, unless nothing is new.

    It is made from what is committed now; safe while a flow runs.

    Example: skep snapshot
    """
    from skep.project.spaces import snapshot_path
    from skep.project.views import tell_missing, view_row
    from skep.runtime.snapshots import publish_every, publish_if_new

    if every is not None:
        _log_what_is_said()
    settings = _settings()
    if every is not None:
        _log_what_is_said()
        stop: list[int] = []
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, lambda signum, _: stop.append(signum))
        publish_every(settings, every, lambda: bool(stop))
        return
    with console.spinner("publishing …"):
        report = publish_if_new(settings)
    if report is None:
        target = snapshot_path(settings)
        if json:
            json_line([{"path": str(target), "new": False, "bytes": target.stat().st_size}])
        else:
            out.print(f"nothing is new since the last one: {target} stays as it is")
        return
    tell_missing(report.problems)
    if json:
        rows = {"path": str(report.target), "new": True, "rows": report.rows, "bytes": report.bytes, "seconds": round(report.seconds, 3)}
        json_line([{**rows, "problems": [view_row(one) for one in report.problems]}])
        return
    table(("table", number("rows")), report.rows.items())
    out.print(f"\n{report.target} ({report.bytes / 1e6:,.1f} MB in {report.seconds:.1f} s)")


@app.command()
def dump(
    at: Annotated[str | None, typer.Option(help="The time of the state, ISO 8601, not before the clock; the default is the clock.")] = None,
    space: Space = None,
    json: Lines = False,  # noqa: ARG001 - one form only
) -> None:
    """All state as canonical JSON lines: equal state, equal bytes.

    It is the state that the promises cover.

    Example: skep dump --at 2026-07-01T00:00:00Z
    """
    from skep.answers.dump import dump_lines

    for line in dump_lines(_settings(), at, space):
        console.print_bytes(line)


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
