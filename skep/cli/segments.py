"""`skep segments`: why somebody is, or is not, a member, and segments tried out."""

# ruff: noqa: PLC0415 - a command starts without the libraries that only others need

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from skep.cli import console, offered
from skep.cli.context import folder_of, settings_of
from skep.cli.options import Json, OneSpace, Space, answer, answers

segments_app = typer.Typer(help="Segments, and who is a member of them.", no_args_is_help=True)


@segments_app.callback()
def segments() -> None:
    """Segments, and who is a member of them."""


@segments_app.command("audit")
def segments_audit(
    context: typer.Context,
    *,
    segment: Annotated[str | None, typer.Option(metavar="NAME", help="Only this one.", autocompletion=offered.segments)] = None,
    sample: Annotated[int | None, typer.Option(metavar="N", help="Only so many people, of whom nothing is known but their ids.")] = None,
    space: Space = None,
    json: Json = False,
) -> None:
    """Hold memberships against the archive; exit code 1 if one differs.

    By the SQL that `skep segments sql` prints, at the clock. While a flow runs, too.

    Example: skep segments audit --segment lapsing_vips
    """
    from skep.answers.segments.audit import audit_segments
    from skep.cli.show.segments_audit import show

    with console.spinner("reading the archive …"):
        found = audit_segments(settings_of(context), segment, sample, space)
    answers(found, show, json=json)
    if any(one.differ for each in found for one in each.segments):
        raise SystemExit(1)


@segments_app.command("cost")
def segments_cost(context: typer.Context, space: Space = None, json: Json = False) -> None:
    """What each segment costs, by owner, and against the budget.

    Measured: bytes of a profile, members, events, time, calls. Exit code 1 if a limit is passed.

    Example: skep segments cost
    """
    from skep.answers.segments.cost import costs
    from skep.cli.show.segments_cost import show

    with console.spinner("measuring …"):
        found = costs(settings_of(context), space)
    answers(found, show, json=json)
    if any(one.over for each in found for one in each.limits):
        raise SystemExit(1)


@segments_app.command("diff")
def segments_diff(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="A segment.", autocompletion=offered.segments)],
    *,
    since: Annotated[
        str | None, typer.Option("--from", metavar="DIGEST", help="Definitions that were in force (default: that are).")
    ] = None,
    to: Annotated[str | None, typer.Option(metavar="DIGEST", help="Definitions that were in force (default: contracts/ as it is).")] = None,
    space: OneSpace = None,
    json: Json = False,
) -> None:
    """What is between two definitions of a segment.

    In words, with the traits and segments on which it rests, and by line.

    Example: skep segments diff lapsing_vips
    """
    from skep.answers.segments.diff import difference
    from skep.cli.show.segments_log import show_diff

    answer(difference(settings_of(context), name, since, to, space), show_diff, json=json)


@segments_app.command("doctor")
def segments_doctor(
    context: typer.Context,
    *,
    days: Annotated[int, typer.Option(metavar="N", help="Nobody new, or no event, for so many days is too long.")] = 30,
    space: Space = None,
    json: Json = False,
) -> None:
    """Segments that say nothing, have died, jump, or repeat another.

    By the newest snapshot and the definitions in force.

    Example: skep segments doctor
    """
    from skep.answers.segments.doctor import diagnosed
    from skep.cli.show.segments_doctor import show

    with console.spinner("asking the snapshot …"):
        found = diagnosed(settings_of(context), space, days)
    answers(found, show, json=json)


@segments_app.command("explain")
def segments_explain(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="A segment in force.", autocompletion=offered.segments)],
    person: Annotated[str, typer.Argument(metavar="NS:VALUE|PROFILE")],
    *,
    at: Annotated[str | None, typer.Option(metavar="TIME", help="At another time than now, one that has gone by or is to come.")] = None,
    space: Space = None,
    json: Json = False,
) -> None:
    """Why somebody is, or is not, in a segment.

    Each condition with what the person has, and the events behind it; since when, until when, what would turn it.

    Example: skep segments explain lapsing_vips user_id:42
    """
    from skep.answers.membership import explained
    from skep.cli.show.membership import show

    settings = settings_of(context)
    with console.spinner("looking at the evidence …"):
        found = explained(settings, name, person, space, at)
    answers(found, show, json=json)


class Platform(StrEnum):
    """Where segments come from."""

    posthog = "posthog"
    segment = "segment"
    unomi = "unomi"
    dittofeed = "dittofeed"


@segments_app.command("import")
def segments_import(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Exported definitions: JSON; of segment also the text of one query.")],
    *,
    platform: Annotated[Platform, typer.Option("--from", help="Whose they are.")],
    folder: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Where they go (default: contracts/segments).")] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite segments that are there.")] = False,
) -> None:
    """Make segments of the definitions of another platform.

    With a note wherever the meaning differs. What cannot be said is marked, and `skep check` refuses it.

    Example: skep segments import --from posthog cohorts.json
    """
    from skep.tools.importing.imported import drafted, write

    found = drafted(platform.value, file)
    paths = write(found, folder or (folder_of(context) or Path()) / "contracts" / "segments", force=force)
    for path, one in zip(paths, found, strict=True):
        left = f", {one.missing:,} conditions of it cannot be said" if one.missing else ""
        console.out.print(f"{path}{left}")
        for line in one.told:
            console.out.print(f"  {line}")
    console.out.print("Next: `skep check`, then `skep segments preview NAME`")


@segments_app.command("log")
def segments_log(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="A segment that is, or was, in force.", autocompletion=offered.segments)],
    space: Space = None,
    json: Json = False,
) -> None:
    """Who changed a segment, when, why, and what that changed.

    What it rests on, too: traits, other segments, consent. Oldest first.

    Example: skep segments log lapsing_vips
    """
    from skep.answers.segments.log import logged
    from skep.cli.show.segments_log import show

    answer(logged(settings_of(context), name, space), show, json=json)


@segments_app.command("preview")
def segments_preview(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="A segment of contracts/segments.", autocompletion=offered.segments)],
    *,
    days: Annotated[int, typer.Option(metavar="N", help="So many days before that of the clock.")] = 30,
    png: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw it into a PNG file.")] = None,
    space: OneSpace = None,
    json: Json = False,
) -> None:
    """What a segment would be, before it is live.

    Size now and by day, members, overlap, consent. By the newest snapshot; nothing is touched.

    Example: skep segments preview lapsing_vips
    """
    from skep.answers.segments.preview import preview
    from skep.cli.show.preview import show, write_picture

    with console.spinner("asking the snapshot …"):
        found = preview(settings_of(context), name, space, days)
    if png is not None:
        write_picture(found, png)
    if json or png is None:
        answer(found, show, json=json)


@segments_app.command("simulate")
def segments_simulate(
    *,
    definitions: Annotated[
        Path, typer.Option(metavar="DIR", help="Segment files, or a folder like contracts/: traits.yaml, lists/ and the like beside them.")
    ],
    events: Annotated[
        Path, typer.Option(metavar="FILE", help="Events as JSON lines, manual links and unlinks among them, in any order; - for stdin.")
    ],
    at: Annotated[list[str], typer.Option(metavar="TIME", help="A time in ISO 8601; several, in any order.")],
    identity: Annotated[
        Path | None, typer.Option(metavar="RULES.yaml", help="A file like contracts/identity.yaml (default: userId and anonymousId).")
    ] = None,
) -> None:
    """Who is in which segment at which time, of a file of events.

    The operators of the flow under a simulated clock. JSON lines, one for each profile and time. Needs no project.

    Personal values are printed in the clear.

    Example: skep segments simulate --definitions contracts/segments --events events.jsonl --at 2026-02-01
    """
    from skep.answers.simulation.members import simulate_segments
    from skep.cli.show.simulation import warn

    with console.counting() as progress:
        found = simulate_segments(definitions, events, at, identity, progress)
    warn(found.unread)
    for one in found.enrolled:
        console.json_line(one)


@segments_app.command("sql")
def segments_sql(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="A segment.", autocompletion=offered.segments)],
    *,
    at: Annotated[str | None, typer.Option(metavar="TIME", help="From the clock on (default: the clock of the snapshot).")] = None,
    space: OneSpace = None,
    json: Json = False,
) -> None:
    """The query over the snapshot that means the same as a segment.

    Runs as it is in any DuckDB that has opened data/skep.duckdb, or has attached it and says USE.

    Example: skep segments sql lapsing_vips | skep sql -
    """
    from skep.answers.segment_query import query_of

    answer(query_of(settings_of(context), name, at, space), lambda found: console.lines_as_they_are(found.sql), json=json)


@segments_app.command("say")
def segments_say(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="A segment.", autocompletion=offered.segments)],
    space: OneSpace = None,
    json: Json = False,
) -> None:
    """A segment as a plain sentence.

    Example: skep segments say lapsing_vips
    """
    from skep.answers.segment_query import sentence_of

    answer(sentence_of(settings_of(context), name, space), lambda found: console.out.print(found.says), json=json)


@segments_app.command("test")
def segments_test(
    context: typer.Context,
    *,
    junit: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the results as JUnit XML, too.")] = None,
    json: Json = False,
) -> None:
    """Run the cases in contracts/segments/tests.

    Each by the operators of the flow under a simulated clock, by the files as they are. Exit code 1 if one fails.

    Example: skep segments test --junit results.xml
    """
    from skep.answers.segment_tests import tested
    from skep.cli.show.segment_tests import show, write_junit

    found = tested(settings_of(context))
    if junit is not None:
        write_junit(junit, found)
    answer(found, show, json=json)
    if any(one.differs for one in found):
        raise SystemExit(1)
