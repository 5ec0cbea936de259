"""One record for people: why it was refused, what is wrong with it underlined, and what a replay would say now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from difflib import unified_diff

from rich.text import Text

from contracts import ContractErrors
from contracts.definitions import Definitions
from contracts.events import Event
from contracts.times import iso
from operators.epochs import spans
from operators.view import Quarantined, View
from skep.console import out, table
from skep.quarantine.causes import cause_id
from skep.quarantine.faults import Fault, broken_text, contract_of, faults
from skep.quarantine.trial import Trial
from skep.quarantine.written import Written, pretty
from skep.settings import Settings, load_definitions
from skep.spaces import bundles
from state.errors import StateError

_WRONG, _WHERE = "red", "dim"


def show(settings: Settings, space: str, view: View, row: Quarantined) -> None:
    """Print everything that is known of one record."""
    now: Definitions | None = None
    with suppress(ContractErrors):
        now = load_definitions(settings)
    readings = [one for one in (now, *_earlier(settings, view, row)) if one is not None]
    table(("", ""), _facts(space, row, readings))
    out.print()
    for line in _lines(row, readings, formats=settings.formats == "assert"):
        out.print(line)
    for line in _edited(row):
        out.print(line)
    out.print()
    if now is None:
        out.print("now: it cannot be judged, `skep check` says what is wrong with contracts/")
        return
    outcome = Trial(settings, now).add(space, view, row)
    if isinstance(outcome, Event):
        as_what = f" as {outcome.contract}" if outcome.contract else ""
        out.print(f"now: it would pass{as_what}: `skep quarantine replay {row.id}`")
    else:
        out.print(f"now: it would be refused: {outcome.reason}: {outcome.detail}")


def _earlier(settings: Settings, view: View, row: Quarantined) -> Iterator[Definitions]:
    """Definitions that were in force: the newest, and those that judged the record first."""
    meta, load = view.meta, bundles(settings)
    digests = [meta.digest, *(digest for digest, _, _ in spans(meta.epochs, row.partition, row.position, row.position))]
    for digest in dict.fromkeys(digests):
        with suppress(StateError, ContractErrors):
            yield load(digest)


def _facts(space: str, row: Quarantined, readings: Iterable[Definitions]) -> list[tuple[str, object]]:
    contract = next((found for one in readings if (found := contract_of(one, row.contract)) is not None), None)
    facts: list[tuple[str, object]] = [("id", row.id), ("space", space), ("reason", row.reason), ("detail", row.detail)]
    if row.event:
        facts.append(("event", row.event))
    if contract is not None:
        facts.append(("contract", f"contracts/{contract.file}"))
    if row.schema_path:
        facts.append(("schema_path", row.schema_path))
    facts += [("partition", row.partition), ("position", row.position), ("received_at", _iso(row.received_at_us))]
    facts += [("quarantined_at", _iso(row.stored_at_us)), ("cause", cause_id(row))]
    return facts


def _lines(row: Quarantined, readings: list[Definitions], *, formats: bool) -> Iterator[Text]:
    """The record, and below each line what is wrong in it."""
    try:
        written = Written(row.raw)
    except ValueError:
        written = None
    broken = broken_text(row.raw) if row.reason == "undecodable" or written is None else None
    if broken is not None:
        around, column, why = broken
        yield Text(around)
        yield Text(f"{' ' * column}^ {why}", _WRONG)
        return
    if written is None:
        yield Text(pretty(row.raw))
        return
    below: dict[int, list[tuple[int, int, Fault]]] = {}
    for fault in faults(row, readings, formats=formats) if row.reason != "edited" else ():
        line, column, width = written.find(fault.path)
        below.setdefault(line, []).append((column, width, fault))
    for number, line_text in enumerate(written.lines):
        yield Text(line_text)
        for column, width, fault in below.get(number, ()):
            marked = Text(f"{' ' * column}{'^' * width} {fault.message}", _WRONG)
            yield marked.append(f"  ({fault.where})", _WHERE) if fault.where else marked


def _edited(row: Quarantined) -> Iterator[Text]:
    """Who has edited the record, and the difference to what was received."""
    if row.original is None:
        return
    yield Text("")
    for edit in row.edits:
        why = f": {edit.why}" if edit.why else ""
        yield Text(f"edited at {iso(edit.time_us)} by {edit.who or 'somebody'}{why} (entry {edit.entry} of the control partition)")
    yield from differences(row.original, row.raw)


def differences(before: bytes, after: bytes) -> Iterator[Text]:
    """What an edit changes, line by line."""
    lines = unified_diff(pretty(before).splitlines(), pretty(after).splitlines(), lineterm="", n=1)
    for line in list(lines)[2:]:
        yield Text(line, "red" if line.startswith("-") else "green" if line.startswith("+") else "")


def _iso(time_us: int | None) -> str | None:
    return None if time_us is None else iso(time_us)
