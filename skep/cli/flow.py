"""`skep run`, `backfill`, `status`, `health` and `snapshot`: the flow, whether it runs, what it has done, and what is published of it."""

# ruff: noqa: PLC0415 - a command starts without the libraries that only others need

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Annotated

import typer

from skep.cli import console, offered
from skep.cli.console import fail, json_line, out
from skep.cli.context import settings_of
from skep.cli.options import Json, answer
from skep.project.exits import Exit

flow_app = typer.Typer()


@flow_app.command()
def run(  # noqa: PLR0917 - typer fills them by name
    context: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="End at the end of the input, with a report.")] = False,
    source_path: Annotated[Path | None, typer.Option(help="Read the first source from here instead.")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget all state of this project first.")] = False,
    wait: Annotated[str | None, typer.Option(help="With --once: how long to wait for what is tried again later (2m).")] = None,
    in_force: Annotated[bool, typer.Option("--in-force", help="With --once: go on with what is in force if files are broken.")] = False,
) -> None:
    """Run the flow, with activation and the publisher beside it.

    Until SIGTERM or Ctrl-C; the publisher makes the snapshot again and again.

    It starts with the definitions in force, as `skep apply` left them; the first start puts contracts/ in force. With --once, broken
    files are an error before anything is read.

    Exit codes: 0 done, 1 error, 2 usage, 3 a source or file is stopped, 4 deliveries are pending, 5 interrupted before the end (--once).

    Example: skep run --once
    """
    from contracts import ContractErrors
    from skep.cli.show.run import show
    from skep.runtime import activation
    from skep.runtime import supervisor as running

    _log_what_is_said()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if in_force and (fresh or not once):
        raise typer.BadParameter("expected it with --once, and without --fresh: there must be something in force", param_hint="--in-force")
    settings = settings_of(context, source_path=str(source_path.absolute()) if source_path else None)
    _log_what_is_said()
    try:
        running.prepare(settings, strict=once and not in_force, fresh=fresh)
    except KeyboardInterrupt:
        raise SystemExit(Exit.INTERRUPTED if once else Exit.DONE) from None
    except ContractErrors as error:
        for note in getattr(error, "__notes__", ()):
            console.err.print(note, style="yellow")
        raise
    if wait is not None and not once:
        raise typer.BadParameter("expected it with --once: a flow that goes on waits for everything", param_hint="--wait")
    patience = {} if wait is None else {activation.WAIT: f"{_duration(wait) / 1e6:g}"}
    environment = running.source_environment(settings, source_path) | patience | ({"SKEP_APPLY": "by_command"} if in_force else {})
    if not once:
        raise SystemExit(running.follow(settings, environment))
    ran = running.once(settings, environment)
    show(ran, settings)
    raise SystemExit(ran.code)


@flow_app.command()
def backfill(
    context: typer.Context,
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="A source of skep.yaml that is history.", autocompletion=offered.sources)],
    parts: Annotated[
        int | None, typer.Option("--parts", min=1, max=8, help="Processes that share the work (default: all processors).")
    ] = None,
    json: Json = False,
) -> None:
    """Take in a source of history in bulk; the flow stands still.

    It comes to what the flow makes of the same records, by all processors. Killed or interrupted, it is run again and goes on.

    Exit codes: 0 done, 1 error, 2 usage, 3 a file is stopped, 5 interrupted: what was taken in stays.

    Example: skep backfill crm
    """
    from skep.cli.show.backfill import show
    from skep.project import log
    from skep.runtime import backfill as bulk

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    settings = settings_of(context)
    log.configure(settings.log)
    which = bulk.source_of(settings, source)
    runtime = bulk.opened(settings)
    try:
        with console.counting() as said:
            found = bulk.backfill(runtime, which, lambda: bulk.processes(settings, parts), said)
    except KeyboardInterrupt:
        console.err.print("INTERRUPTED: what was taken in stays; the same command goes on from there", style="bold yellow")
        raise
    answer(found, show, json=json)
    if found.stopped:
        raise SystemExit(Exit.STOPPED)


@flow_app.command()
def status(context: typer.Context, json: Json = False) -> None:
    """What was received, and what became of it.

    Segments, partitions, quarantine, the last snapshot.

    Example: skep status --json
    """
    from skep.answers.status import status as status_of
    from skep.cli.show.status import show

    settings = settings_of(context)
    found = status_of(settings)
    answer(found, lambda one: show(one, settings), json=json)


@flow_app.command()
def health(context: typer.Context) -> None:
    """Whether a flow runs here now: exit code 0 if one does, else 1.

    It holds this project's data folder then. For the health checks of containers.

    Example: skep health
    """
    from skep.project.process import flow_is_running

    settings = settings_of(context)
    if not flow_is_running(settings):
        fail(f"no flow is running on {settings.data} → skep run")
    out.print(f"a flow is running on {settings.data}")


@flow_app.command()
def snapshot(
    context: typer.Context,
    every: Annotated[float | None, typer.Option(min=0.1, help="Publish again every so many seconds until SIGTERM.")] = None,
    json: Json = False,
) -> None:
    """Publish the DuckDB snapshot, unless nothing is new.

    It is made from what is committed now; safe while a flow runs.

    Example: skep snapshot
    """
    from skep.answers.snapshot import Published
    from skep.project.spaces import snapshot_path
    from skep.runtime.snapshots import publish_every, publish_if_new

    if every is not None:
        _log_what_is_said()
    settings = settings_of(context)
    if every is not None:
        _log_what_is_said()
        stop: list[int] = []
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, lambda signum, _: stop.append(signum))
        publish_every(settings, every, lambda: bool(stop))
        return
    with console.spinner("publishing …"):
        report = publish_if_new(settings)
    from skep.cli.show.snapshot import show, tell_missing

    if report is None:
        target = snapshot_path(settings)
        if json:
            json_line([Published(path=str(target), new=False, bytes=target.stat().st_size)])
        else:
            out.print(f"nothing is new since the last one: {target} stays as it is")
        return
    tell_missing(report.problems)
    if json:
        json_line([Published.of(report)])
    else:
        show(report)


def _duration(text: str) -> int:
    from contracts.text.problems import Unexpected
    from contracts.text.rates import short_us

    try:
        return short_us(text)
    except Unexpected as wrong:
        raise typer.BadParameter(f"expected {wrong}, found {text}", param_hint="--wait") from None


def _log_what_is_said() -> None:
    """Of a command that goes on beside others, what it says to people is a line of its log, if that is JSON."""
    from skep.project import log

    if os.environ.get("SKEP_LOG") == "json":
        log.configure()
        console.err.file = log.Said()
