"""`skep quarantine …`: what was refused, why, and what people do about it."""

# ruff: noqa: PLC0415 - a command starts without the libraries that only others need

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from skep.cli import offered
from skep.cli.console import json_bytes, json_line, out
from skep.cli.context import settings_of
from skep.cli.options import Json, Space, Why, answer, fail_if_refused, tell, waiting
from skep.project.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from skep.answers.quarantine.records import QuarantinedRecord
    from skep.answers.quarantine.selection import Selection
    from skep.project.settings import Settings

quarantine_app = typer.Typer()

Ids = Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Only these records.")]
Reason = Annotated[str | None, typer.Option(help="Only those refused for this reason.")]
Event = Annotated[str | None, typer.Option(help="Only events of this name, or of a prefix such as order_*.", autocompletion=offered.events)]
Since = Annotated[str | None, typer.Option(help="Only those received since: a duration back from now (1d) or a time.")]
Source = Annotated[
    str | None,
    typer.Option(help="Only those of this source, or of one of its partitions (shop/orders.jsonl).", autocompletion=offered.sources),
]
CauseId = Annotated[str | None, typer.Option("--cause", help="Only those of this cause, by its id in the list (c-…).")]
Where = Annotated[
    list[str] | None, typer.Option(help="Only those whose content is so: 'PATH = != < <= > >= ~ VALUE', 'PATH exists', 'PATH missing'.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would come of it.")]
All = Annotated[bool, typer.Option("--all", help="Really every record, when nothing else says which.")]


@quarantine_app.command("list")
def list_(
    context: typer.Context,
    *,
    ids: Ids = None,
    reason: Reason = None,
    event: Event = None,
    since: Since = None,
    source: Source = None,
    cause: CauseId = None,
    where: Where = None,
    each: Annotated[bool, typer.Option("--each", help="Every record on a line of its own, oldest first.")] = False,
    grouped: Annotated[bool, typer.Option("--grouped", help="With --json: causes instead of records.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="How many lines to show; --json shows all.")] = 50,
    space: Space = None,
    json: Json = False,
) -> None:
    """What was refused, by cause.

    How many records, since when, until when, and one of them.

    Example: skep quarantine list --event order_completed --since 1d
    """
    from skep.answers.quarantine.causes import listed
    from skep.answers.quarantine.records import record
    from skep.answers.quarantine.selection import records, selection
    from skep.cli.show import quarantine as shown

    settings = settings_of(context)
    chosen = selection(ids=ids, reason=reason, event=event, since=since, source=source, cause=cause, where=where)
    rows = records(settings, space, chosen)
    if json and grouped:
        json_line(listed(rows))
    elif json:
        _json_rows(record(settings, name, row) for name, row in rows)
    elif each:
        shown.show_each((record(settings, name, row) for name, row in rows), limit, settings.spaces)
    else:
        shown.show_causes(listed(rows), limit, settings.spaces)


def _json_rows(rows: Iterable[QuarantinedRecord]) -> None:
    """A list of rows as one line of JSON, written as the rows come."""
    import sys

    write = sys.stdout.buffer.write
    write(b"[")
    for at, row in enumerate(rows):
        write((b"," if at else b"") + json_bytes(row))
    write(b"]\n")


@quarantine_app.command("show")
def show(
    context: typer.Context,
    entry: Annotated[str, typer.Argument(metavar="ID")],
    *,
    raw: Annotated[bool, typer.Option("--raw", help="Write the record's bytes, exactly, into a file or a pipe.")] = False,
    space: Space = None,
    json: Json = False,
) -> None:
    """One refused record, with what is wrong in it underlined.

    And what a replay would say now.

    Of a long one the part around what is wrong; --raw and --json have all of it.

    Example: skep quarantine show q-1
    """
    from skep.answers.quarantine.records import record
    from skep.answers.quarantine.selection import found, selection
    from skep.project.spaces import open_views

    settings = settings_of(context)
    with open_views(settings, space) as views:
        rows = list(found(views, selection(ids=[entry])))
        if raw:
            _write_raw(entry, [row.raw for _, row in rows])
            return
        if json:
            json_line([record(settings, name, row) for name, row in rows])
            return
        from skep.answers.quarantine.examination import examine
        from skep.cli.show.record import show as show_one

        for name, row in rows:
            show_one(examine(settings, name, views[name], row))


def _write_raw(entry: str, records: list[bytes]) -> None:
    """What a record holds could be anything, so a terminal does not get to see it."""
    import sys

    if sys.stdout.isatty():
        raise CommandError(f"--raw: expected a file or a pipe, found a terminal → skep quarantine show {entry} --raw > FILE")
    if len(records) > 1:
        raise CommandError(f"--raw: expected one record, found {entry} in {len(records)} spaces → say which with --space")
    sys.stdout.buffer.write(b"".join(records))


@quarantine_app.command("replay")
def replay(
    context: typer.Context,
    *,
    ids: Ids = None,
    reason: Reason = None,
    event: Event = None,
    since: Since = None,
    source: Source = None,
    cause: CauseId = None,
    where: Where = None,
    apply: Annotated[bool, typer.Option("--apply", help="Put contracts/ as it is now in force first, as `skep apply` does.")] = False,
    dry_run: DryRun = False,
    space: Space = None,
    json: Json = False,
) -> None:
    """Feed refused records again after a repair.

    They are judged by what is in force; lateness no longer counts. The default is all.

    Example: skep quarantine replay --reason invalid --apply --dry-run
    """
    from skep.answers.quarantine import repairs
    from skep.answers.quarantine.selection import selection
    from skep.cli.show.quarantine import show_tried
    from skep.project.definitions import proved

    settings = settings_of(context)
    chosen = selection(ids=ids, reason=reason, event=event, since=since, source=source, cause=cause, where=where)
    where_ = _of(settings, space, chosen)
    if dry_run:
        tried = repairs.trial(settings, where_, chosen, proved(settings) if apply else None)
        answer(tried, lambda one: show_tried(one, settings.spaces), json=json)
        return
    if apply:
        _apply(settings, where_)
    with waiting(settings):
        count, submitted = repairs.replay(settings, where_, chosen)
    if not json:
        out.print(f"{count:,} records to replay" if count else "nothing to replay")
    tell(submitted, json=json)


@quarantine_app.command("edit")
def edit(
    context: typer.Context,
    *,
    patch: Annotated[Path, typer.Option(metavar="FILE", help="A JSON Patch (RFC 6902), applied to each record.")],
    ids: Ids = None,
    reason: Reason = None,
    event: Event = None,
    since: Since = None,
    source: Source = None,
    cause: CauseId = None,
    where: Where = None,
    everything: All = False,
    why: Why = "",
    feed: Annotated[bool, typer.Option("--replay", help="Replay them at once.")] = False,
    dry_run: DryRun = False,
    space: Space = None,
    json: Json = False,
) -> None:
    """Change refused records by a patch.

    What was received is kept beside it, with who, when and why.

    Example: skep quarantine edit --event order_completed --patch cents.json --dry-run
    """
    from skep.answers.quarantine import repairs
    from skep.answers.quarantine.patches import read_patch
    from skep.answers.quarantine.selection import selection
    from skep.cli.show.quarantine import show_patched

    settings = settings_of(context)
    operations = read_patch(patch)
    chosen = selection(ids=ids, reason=reason, event=event, since=since, source=source, cause=cause, where=where)
    _some(chosen, everything)
    with waiting(settings):
        done, sample = repairs.edit(settings, _of(settings, space, chosen), chosen, operations, why, feed=feed, dry_run=dry_run)
    if json:
        json_line(done)
        fail_if_refused(done.entries)
        return
    show_patched(done, sample if dry_run else None, settings.spaces, dry_run=dry_run)
    tell(done.entries, json=False)
    if done.entries and done.passing and not feed:
        out.print("Next: skep quarantine replay --reason edited")


@quarantine_app.command("drop")
def drop(
    context: typer.Context,
    *,
    why: Why,
    ids: Ids = None,
    reason: Reason = None,
    event: Event = None,
    since: Since = None,
    source: Source = None,
    cause: CauseId = None,
    where: Where = None,
    everything: All = False,
    space: Space = None,
    json: Json = False,
) -> None:
    """Give refused records up.

    They leave the list, `skep status` counts them, and the control partition says who and why.

    Example: skep quarantine drop --reason undecodable --why "a scanner of ports"
    """
    from skep.answers.quarantine import repairs
    from skep.answers.quarantine.selection import selection

    settings = settings_of(context)
    chosen = selection(ids=ids, reason=reason, event=event, since=since, source=source, cause=cause, where=where)
    _some(chosen, everything)
    if not why.strip():
        raise CommandError("--why: expected a reason, found nothing → the control partition keeps it")
    with waiting(settings):
        count, submitted = repairs.drop(settings, _of(settings, space, chosen), chosen, why)
    if not json:
        out.print(f"{count:,} records to drop" if count else "nothing to drop")
    tell(submitted, json=json)


def _of(settings: Settings, space: str | None, chosen: Selection) -> str | None:
    """The space of a repair. Numbers are given in each space anew, so that an id alone does not say which record is meant."""
    from skep.project.spaces import one_space

    return one_space(settings, space) if chosen.ids else space


def _apply(settings: Settings, space: str | None) -> None:
    """The files in force, before records are judged by them."""
    from skep.cli.console import err
    from skep.project.apply import apply, words
    from skep.project.spaces import chosen

    with waiting(settings):
        applied = apply(settings, chosen(settings, space))
    for one in applied:
        err.print(words(one))


def _some(chosen: Selection, everything: bool) -> None:
    if chosen.empty and not everything:
        raise CommandError("expected ids or options that say which records, found none → name some, or say --all")
