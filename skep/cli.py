"""The `skep` command. Thin: every command reads its options, calls one module of this package, and prints."""

# ruff: noqa: PLC0415 - a command starts without the libraries that only others need

from __future__ import annotations

import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from skep import console, ends, log, terminal
from skep.cli_changing import changing_app
from skep.cli_contracts import contracts_app
from skep.cli_evidence import evidence_app
from skep.cli_matching import matching_app
from skep.cli_quality import quality_app
from skep.cli_quarantine import quarantine_app
from skep.cli_sources import sources_app
from skep.console import CommandError, fail, json_line, out, table
from skep.settings import Settings

app = typer.Typer(
    name="skep",
    help="Skep, a real-time customer data platform: events in, people, segments and changes out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
profile_app = typer.Typer(help="The living profiles of people.", no_args_is_help=True)
identity_app = typer.Typer(help="Who is who: links by hand, what is behind a profile, rules tried out and measured.", no_args_is_help=True)
app.add_typer(changing_app)
app.add_typer(profile_app, name="profile")
app.add_typer(quarantine_app, name="quarantine")
app.add_typer(identity_app, name="identity")
identity_app.add_typer(evidence_app)
identity_app.add_typer(matching_app)
app.add_typer(contracts_app, name="contracts")
app.add_typer(quality_app, name="quality")
app.add_typer(sources_app, name="sources")

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Space = Annotated[str | None, typer.Option("--space", help="Only this space; the default is all of them.")]


@dataclass
class Chosen:
    """The options before the command."""

    project: Path | None = None


_chosen = Chosen()


def _settings(**overrides: Any) -> Settings:
    settings = Settings.load(_chosen.project, **overrides)
    log.configure(settings.log)
    return settings


@app.callback()
def _global(
    project: Annotated[
        Path | None, typer.Option("--project", envvar="SKEP_PROJECT", help="The project folder (default: this one).")
    ] = None,
) -> None:
    _chosen.project = project


@app.command()
def init(folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder to make; it must not hold a project.")]) -> None:
    """Make a new project folder with the demo shop's contracts.

    Example: skep init myshop
    """
    from skep.starter import create

    written = create(folder)
    out.print(f"{folder}: {len(written)} files written. Next: `skep --project {folder} check`, and read {folder / 'README.md'}")


class _NoiseAlone(TyperCommand):
    """``--noise`` may stand without its share."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        behind = args.index("--noise") + 1 if "--noise" in args else 0
        if behind and (behind == len(args) or args[behind].startswith("-")):
            args = [*args[:behind], "0.2", *args[behind:]]
        return super().parse_args(ctx, args)


@app.command(cls=_NoiseAlone)
def demo(
    *,
    people: Annotated[int, typer.Option(min=1, help="How many people shop.")] = 2_000,
    events: Annotated[int, typer.Option(min=1, help="How many lines to write.")] = 200_000,
    folder: Annotated[Path, typer.Option("--out", help="Where events.jsonl and truth.jsonl go.")] = Path("data/demo"),
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 1,
    conflicts: Annotated[float, typer.Option(min=0.0, max=1.0, help="The share of people who share a device or an address.")] = 0.0,
    noise: Annotated[
        float, typer.Option(min=0.0, max=1.0, metavar="[SHARE]", help="The share of people with errors of each kind (alone: 0.2).")
    ] = 0.0,
) -> None:
    """Write events of a demo shop, and the truth about who its people are.

    With --noise: typos, shared devices, recycled addresses, people who come back as guests. Also writes identity.yaml, rules that
    compare people, trains their model beside it, and prints how many of the people it finds.

    Example: skep demo --people 2000 --events 200000 --seed 7 --out data/demo
    """
    from skep.demo import write_demo

    with console.spinner("the demo shop is busy …"):
        written, truth = write_demo(folder, people, events, seed, conflicts, noise)
    out.print(f"{events:,} events of {people:,} people: {written}; who they are: {truth}")
    if noise:
        from skep.demo_figures import show_figures

        show_figures(folder / "identity.yaml", written, truth)


@app.command()
def check(json: Json = False) -> None:
    """Read all of contracts/ and say what is wrong: file, line, key, and what to do. Exit code 1 if something is.

    Tags that cannot be followed are an error in a new or changed file, and a warning in one that is in force.

    Example: skep check
    """
    from contracts import ContractErrors
    from skep import editor
    from skep.checking import checked, problem_row, summary

    settings = _settings()
    try:
        definitions, warnings = checked(settings)
    except ContractErrors as error:
        if not json:
            raise
        json_line([problem_row(problem) for problem in error.problems])
        raise SystemExit(1) from None
    editor.refresh(settings, definitions)
    if json:
        json_line([{**problem_row(problem), "warning": True} for problem in warnings])
    else:
        for problem in warnings:
            console.err.print(f"warning: {problem}", style="yellow")
        out.print(summary(definitions))


@app.command("schemas")
def write_schemas(
    folder: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Where they go (default: .skep/schemas).")] = None,
    json: Json = False,
) -> None:
    """Write JSON Schemas of the YAML files that people edit: completion and red underlines in an editor.

    Example: skep schemas --out schemas
    """
    from skep import editor

    settings = _settings()
    rows = editor.write_all(settings, folder)
    if json:
        json_line(rows)
        return
    table(("schema", "of", "first line of such a file"), [(row["schema"], row["files"], row["line"]) for row in rows])


@app.command()
def apply(space: Space = None, json: Json = False) -> None:
    """Put contracts/ as it is now in force, also while a flow runs: from where each source stands.

    Example: skep apply
    """
    from skep.applying import apply as put_in_force
    from skep.applying import row, words
    from skep.spaces import chosen

    settings = _settings()
    applied = [put_in_force(settings, name) for name in chosen(settings, space)]
    if json:
        json_line([row(one) for one in applied])
    for one in [] if json else applied:
        out.print(words(one))


@app.command("catalog")
def show_catalog(
    words: Annotated[list[str] | None, typer.Argument(metavar="[WORD]...", help="Only what has all of these words.")] = None,
    folder: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Where the pages go (default: data/catalog).")] = None,
    json: Json = False,
) -> None:
    """Every event, trait, segment and destination: whose, what, how much, how good, who uses it. Without words, as pages too.

    Example: skep catalog email
    """
    from skep.catalog.collect import collect
    from skep.catalog.figures import figures
    from skep.catalog.pages import write_pages
    from skep.catalog.shown import show
    from skep.settings import load_definitions

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
) -> None:
    """Run the flow, with activation and the snapshot publisher beside it, until SIGTERM or Ctrl-C.

    Example: skep run --once
    """
    from skep import running
    from skep.definitions import proved

    settings = _settings(source_path=str(source_path.absolute()) if source_path else None)
    proved(settings)
    if fresh:
        running.forget(settings)
    environment = running.source_environment(settings, source_path)
    raise SystemExit(running.once(settings, environment) if once else running.follow(settings, environment))


@app.command()
def status(json: Json = False) -> None:
    """What was received and what became of it, segments, partitions, quarantine, the last snapshot.

    Example: skep status --json
    """
    from skep import status as statuses

    settings = _settings()
    found = statuses.status(settings)
    if json:
        json_line(found)
    else:
        statuses.show(found, settings)


@profile_app.command("show")
def profile_show(
    identifier: Annotated[str, typer.Argument(metavar="NS:VALUE|PROFILE")],
    at: Annotated[str | None, typer.Option("--at", metavar="TIME", help="Only who it was, as it was believed then; ISO 8601.")] = None,
    json: Json = False,
    space: Space = None,
) -> None:
    """Who an identifier belongs to, or whom a profile id names: identifiers, traits, segments, consents, now.

    With --at only the profile and its identifiers, as `skep identity show` tells them.

    Example: skep profile show user_id:42
    """
    from skep import profiles

    if at is not None:
        from skep.identity import history as past

        told = past.who(_settings(), identifier, space, at)
        if json:
            json_line([told])
        else:
            past.show_who(told)
        return
    if identifier.startswith("p_") and ":" not in identifier:
        found = profiles.find_id(_settings(), identifier, space)
    else:
        found = profiles.find(_settings(), *profiles.parse(identifier), space)
    if json:
        json_line(found)
    elif not found:
        fail(f"nobody has {identifier}: expected an identifier of an accepted event → `skep status` shows how many people there are")
    for one in [] if json else found:
        profiles.show(one)


@app.command()
def changes(
    since: Annotated[str | None, typer.Option(help="Begin behind this change: an id such as shop-0-17, or its number.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Wait for new ones until Ctrl-C.")] = False,
    space: Space = None,
    json: Annotated[bool, typer.Option("--json", help="JSON lines; this is what it prints anyway.")] = False,  # noqa: ARG001 - one form only
) -> None:
    """The change log as JSON lines.

    Example: skep changes --since shop-0-17 --follow
    """
    from skep.changes import print_changes

    print_changes(_settings(), since, space, follow=follow)


@identity_app.command("link")
def identity_link(
    a: Annotated[str, typer.Argument(metavar="NS:VALUE")],
    b: Annotated[str, typer.Argument(metavar="NS:VALUE")],
    why: Annotated[str, typer.Option(help="The reason, for those who read it later.")],
    space: Space = None,
    json: Json = False,
) -> None:
    """Say that two identifiers are one person's.

    Example: skep identity link user_id:42 email:ann@example.com --why "ticket 17"
    """
    _rule("link", a, b, why, space, json=json)


@identity_app.command("unlink")
def identity_unlink(
    a: Annotated[str, typer.Argument(metavar="NS:VALUE")],
    b: Annotated[str, typer.Argument(metavar="NS:VALUE")],
    why: Annotated[str, typer.Option(help="The reason, for those who read it later.")],
    space: Space = None,
    json: Json = False,
) -> None:
    """Take every link between two identifiers away, earlier and later ones.

    Example: skep identity unlink user_id:42 anonymous_id:d-7 --why "a tablet in the shop"
    """
    _rule("unlink", a, b, why, space, json=json)


@identity_app.command("simulate")
def identity_simulate(
    rules: Annotated[Path, typer.Option(metavar="RULES.yaml", help="The rules: a file like contracts/identity.yaml.")],
    events: Annotated[Path, typer.Option(metavar="EVENTS.jsonl", help="Events, manual links and unlinks among them, in any order.")],
    json: Json = False,
) -> None:
    """What rules make of a file of events: who is who, whose each event is, which links stand and why not. Needs no project.

    Personal values are printed in the clear.

    Example: skep identity simulate --rules contracts/identity.yaml --events events.jsonl
    """
    from skep.simulation.run import simulate
    from skep.simulation.shown import show, warn

    with console.counting() as progress:
        told = simulate(rules, events, progress)
    warn(told)
    if json:
        json_line(told.answer)
    else:
        show(told)


def _rule(kind: str, a: str, b: str, why: str, space: str | None, *, json: bool) -> None:
    from skep.control import submit
    from skep.profiles import known_pair
    from skep.settings import load_definitions
    from skep.spaces import one_space

    settings = _settings()
    pair = known_pair(load_definitions(settings), a, b)
    ends = {key: {"namespace": namespace, "value": value} for key, (namespace, value) in zip("ab", pair, strict=True)}
    _tell([submit(settings, one_space(settings, space), {"type": kind, **ends, "why": why})], json=json)


def _tell(submitted: list[Any], *, json: bool) -> None:
    refused = [one for one in submitted if one.answer and not one.answer.get("ok", True)]
    if json:
        json_line([{"id": one.message_id, "position": one.position, "running": one.running, "answer": one.answer} for one in submitted])
    for one in [] if json else submitted:
        out.print(one.words())
    if refused:
        raise SystemExit(1)


@app.command()
def snapshot(
    every: Annotated[float | None, typer.Option(min=0.1, help="Publish again every so many seconds until SIGTERM.")] = None,
    json: Json = False,
) -> None:
    """Publish the DuckDB snapshot from what is committed now; safe while a flow runs.

    Example: skep snapshot
    """
    from skep.snapshots import publish_every, publish_snapshot

    settings = _settings()
    if every is not None:
        stop: list[int] = []
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda number, _: stop.append(number))
        publish_every(settings, every, lambda: bool(stop))
        return
    with console.spinner("publishing …"):
        report = publish_snapshot(settings)
    if json:
        rows = {"path": str(report.target), "rows": report.rows, "bytes": report.bytes, "seconds": round(report.seconds, 3)}
        json_line([rows])
        return
    table(("table", "rows"), report.rows.items(), right=("rows",))
    out.print(f"\n{report.target} ({report.bytes / 1e6:,.1f} MB in {report.seconds:.1f} s)")


@app.command()
def sql(query: Annotated[str, typer.Argument(metavar="QUERY")], json: Json = False) -> None:
    """Ask the snapshot, in DuckDB's SQL.

    Example: skep sql "select segment, count(*) from memberships where exited_at is null group by 1"
    """
    from skep.asking import ask

    columns, rows = ask(_settings(), query)
    if json:
        json_line([dict(zip(columns, row, strict=True)) for row in rows])
    else:
        table(columns, rows)


@app.command()
def dump(
    at: Annotated[str | None, typer.Option(help="The time of the state, ISO 8601, not before the clock; the default is the clock.")] = None,
    space: Space = None,
    json: Annotated[bool, typer.Option("--json", help="JSON lines; this is what it prints anyway.")] = False,  # noqa: ARG001 - one form only
) -> None:
    """All state that the promises cover, as canonical JSON lines: equal state, equal bytes.

    Example: skep dump --at 2026-07-01T00:00:00Z
    """
    from skep.asking import dump_lines

    for line in dump_lines(_settings(), at, space):
        console.print_bytes(line)


def main() -> None:
    """The entry point: what is wrong is a line on stderr and exit code 1, never a traceback."""
    from contracts import ContractErrors
    from state.errors import StateError

    terminal.guard()
    log.configure()
    try:
        app()
    except (CommandError, ContractErrors, StateError) as error:
        ends.tell_behind(error)
        fail(str(error))
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except BrokenPipeError:
        # The reader (`head`) has enough; Python must not complain when it flushes at exit.
        sys.stderr.close()
        raise SystemExit(0) from None
    except OSError as error:
        words = ends.words_of(error)
        if not words:
            raise
        fail(words)


if __name__ == "__main__":
    main()
