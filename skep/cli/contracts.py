"""`skep contracts …`: what one can do with contracts beside loading them."""

# ruff: noqa: PLC0415 - a command starts without the libraries that only others need

from __future__ import annotations

import json as jsons
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from skep.cli import offered
from skep.cli.context import folder_of, settings_of
from skep.cli.options import Json, answer

if TYPE_CHECKING:
    from contracts.model.definitions import Definitions

contracts_app = typer.Typer()


class Mode(StrEnum):
    """Which way schemas are compared."""

    backward = "backward"
    forward = "forward"
    full = "full"


@contracts_app.command()
def compat(
    context: typer.Context,
    old: Annotated[Path, typer.Argument(metavar="OLD.json", help="The schema of before.")],
    new: Annotated[Path, typer.Argument(metavar="NEW.json", help="The schema of now.")],
    mode: Annotated[
        Mode, typer.Option(help="backward: what is valid under OLD is valid under NEW; forward: the other way round; full: both.")
    ] = Mode.backward,
    json: Json = False,
) -> None:
    """Say whether one JSON Schema can replace another.

    With an example for each reason why not.

    Exit code 0: compatible; 1: not, or undecided; 2: a file is unusable or the call is wrong; 3: any other failure.

    Example: skep contracts compat contracts/events/order_completed/1-0-0.json order_completed.json
    """
    from skep.cli.console import fail
    from skep.cli.show.compat import show
    from skep.tools.compat import FAILED, Comparison, compare

    try:
        outcome = compare(Comparison(old, new, mode.value, _asserts_formats(context)))
    except Exception as error:  # noqa: BLE001 - 1 is an answer of this command, so no failure may end with it
        fail(f"{type(error).__name__}: {error}", FAILED)
    if outcome.report is None:
        fail("\n".join(outcome.errors), outcome.code)
    answer(outcome.report, show, json=json)
    raise SystemExit(outcome.code)


@contracts_app.command()
def bump(
    context: typer.Context,
    old: Annotated[Path, typer.Argument(metavar="OLD.json", help="The schema of before.")],
    new: Annotated[Path, typer.Argument(metavar="NEW.json", help="The schema of now.")],
    json: Json = False,
) -> None:
    """Say which version number a change deserves.

    Addition (nothing breaks), revision (some old documents do), model (all do).

    Exit code 0: the name of NEW.json claims that much, or the names are no numbers; 1: it claims less; 2: a file is unusable; 3: any
    other failure.

    Example: skep contracts bump contracts/events/order_completed/1-0-0.json contracts/events/order_completed/1-0-1.json
    """
    from skep.cli.console import fail
    from skep.cli.show.bump import show
    from skep.tools.bump import bump as bumped
    from skep.tools.compat import FAILED

    try:
        outcome = bumped(old, new, formats=_asserts_formats(context))
    except Exception as error:  # noqa: BLE001 - 1 is an answer of this command, so no failure may end with it
        fail(f"{type(error).__name__}: {error}", FAILED)
    if outcome.report is None:
        fail("\n".join(outcome.errors), outcome.code)
    answer(outcome.report, show, json=json)
    raise SystemExit(outcome.code)


def _asserts_formats(context: typer.Context) -> bool:
    """Whether the project of the command, if there is one, asserts formats."""
    project = folder_of(context) or Path()
    if not (project / "skep.yaml").exists():
        return False
    from skep.project.settings import Settings

    return Settings.load(project).formats == "assert"


def _known(context: typer.Context) -> Definitions | None:
    """The project's contracts, if there is a project and they can be read."""
    from contracts import ContractErrors
    from skep.project.settings import load_definitions

    try:
        return load_definitions(settings_of(context))
    except ContractErrors:
        return None


class Whence(StrEnum):
    """Where events for a draft are, that are in no file."""

    quarantine = "quarantine"


@contracts_app.command()
def infer(
    context: typer.Context,
    *,
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="Events as JSON lines; .gz too.")] = None,
    event: Annotated[str, typer.Option(help="The name of the event.", autocompletion=offered.events)],
    whence: Annotated[Whence | None, typer.Option("--from", help="quarantine: those that the project has refused.")] = None,
    target: Annotated[Path | None, typer.Option("--out", metavar="JSON", help="Write the draft there; it must not be there yet.")] = None,
) -> None:
    """Draft a contract from events.

    Types, required, enums, formats, personal data; comments say how sure each is.

    Values that the project's own contract of the event tags as personal are not shown.

    Example: skep contracts infer --event order_completed data/demo/events.jsonl

    Example: skep contracts infer --event order_completed --from quarantine
    """
    from skep.cli.console import err, fail, print_bytes
    from skep.tools.inference import infer as infer_contract
    from skep.tools.inference import of_file, of_quarantine

    if (file is None) is (whence is None):
        raise typer.BadParameter("expected a file of events, or --from quarantine, and not both")
    if target is not None and target.exists():
        fail(f"{target}: expected a file that is not there yet → choose another, or remove it")
    records = of_quarantine(settings_of(context), event) if file is None else of_file(file)
    draft, count, unreadable = infer_contract(event, records, str(file or "the quarantine"), _known(context))
    text = jsons.dumps(draft, indent=2, ensure_ascii=False)
    if target is None:
        print_bytes(text.encode())
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text + "\n", encoding="utf-8")
    torn = f"; {unreadable:,} of the records are no JSON objects" if unreadable else ""
    err.print(f"drafted from {count:,} events{torn}")


@contracts_app.command()
def impact(
    context: typer.Context,
    old: Annotated[Path, typer.Argument(metavar="OLD.json", help="The version of before.")],
    new: Annotated[Path, typer.Argument(metavar="NEW.json", help="The version of now.")],
    event: Annotated[
        str | None, typer.Option(help="The event, if neither file is below contracts/events/<event>/.", autocompletion=offered.events)
    ] = None,
    json: Json = False,
) -> None:
    """List what a change of a contract touches.

    Traits, segments, destinations, and how many profiles, from the snapshot.

    Example: skep contracts impact contracts/events/order_completed/1-0-0.json order_completed.json --event order_completed
    """
    from skep.answers.impact import impact as impact_of
    from skep.cli.show.impact import show

    found = impact_of(settings_of(context), old, new, event)
    answer(found, show, json=json)


@contracts_app.command()
def pull(context: typer.Context, json: Json = False) -> None:
    """Write contracts for the JSON schemas of the registry.

    For every schema of the registry (`registry:` in skep.yaml) that the project has no contract for.

    Contracts that are there are never changed. A flow does the same when it starts.

    Example: skep contracts pull
    """
    from skep.cli.console import fail, out
    from skep.tools.registry import Registry, lines
    from skep.tools.registry import pull as pull_contracts

    settings = settings_of(context)
    if not settings.registry:
        fail("skep.yaml: expected `registry:`, the address of a schema registry, found none → add it")
    pulled = pull_contracts(settings, Registry(settings.registry))
    answer(pulled, lambda done: out.print("\n".join(lines(done))), json=json)


class Standard(StrEnum):
    """How contracts are written elsewhere."""

    odcs = "odcs"


Format = Annotated[Standard, typer.Option("--format", help="odcs: the Open Data Contract Standard 3.")]


@contracts_app.command("export")
def export_contracts(
    context: typer.Context,
    form: Format = Standard.odcs,  # noqa: ARG001 - one form only
    event: Annotated[str | None, typer.Option(help="Only the versions of this event.", autocompletion=offered.events)] = None,
    folder: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Write one file for each version there.")] = None,
) -> None:
    """Write contracts as Open Data Contract Standard documents.

    YAML on stdout: one for each version of each event.

    Example: skep contracts export --format odcs --event order_completed
    """
    from skep.cli.console import out, print_bytes
    from skep.project.settings import load_definitions
    from skep.tools.odcs import export

    made = export(load_definitions(settings_of(context)), event)
    if folder is None:
        print_bytes("".join(f"---\n{text}" for _, text in made).removesuffix("\n").encode())
        return
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in made:
        (folder / name).write_text(text, encoding="utf-8")
    out.print(f"{folder}: {len(made)} documents written")


@contracts_app.command("import")
def import_contracts(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="One or several ODCS documents in YAML.")],
    form: Format = Standard.odcs,  # noqa: ARG001 - one form only
    folder: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="The contracts folder (default: the project's).")] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite contracts that are there.")] = False,
) -> None:
    """Make contracts of Open Data Contract Standard documents.

    Skep's own come back as they were, others as drafts.

    Example: skep contracts import orders.odcs.yaml --format odcs
    """
    from skep.cli.console import fail, out
    from skep.tools.odcs_read import read, write

    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{file}: expected a readable file in UTF-8, found: {error}")
    found = read(str(file), text)
    for path, one in zip(write(found, folder or (folder_of(context) or Path()) / "contracts", force=force), found, strict=True):
        out.print(f"{path}: {one.schema['status'] if isinstance(one.schema.get('status'), str) else 'live'}")
        for line in one.left:
            out.print(f"  not carried over: {line}")
    out.print("Next: `skep check`")
