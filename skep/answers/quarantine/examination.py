"""One record looked into: what is wrong with it, and what a replay would make of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import msgspec

from contracts import ContractErrors
from contracts.model.batches import Event
from contracts.model.definitions import Definitions
from operators.epochs import spans
from operators.view.quarantine import Quarantined
from operators.view.space import View
from skep.answers.quarantine.faults import Fault, contract_of, faults
from skep.answers.quarantine.records import QuarantinedRecord, record
from skep.answers.quarantine.trial import Trial
from skep.project.in_force import in_force, standing
from skep.project.settings import Settings, load_definitions
from skep.project.spaces import bundles
from state.errors import StateError


class Verdict(msgspec.Struct, frozen=True):
    """What a replay would make of a record: it passes, as a contract's if it has one, or it is refused, for a reason."""

    passes: bool
    contract: str = ""
    reason: str = ""
    detail: str = ""


class Examination(msgspec.Struct, frozen=True):
    """``file``: the contract that refused the record, None if it is not known any more. ``now``: judged by what is in force.

    ``files``: judged by contracts/ as it is; None if that is in force, or is ``broken``.
    """

    record: QuarantinedRecord
    row: Quarantined
    file: str | None
    faults: list[Fault]
    now: Verdict
    files: Verdict | None
    broken: bool


def examine(settings: Settings, space: str, view: View, row: Quarantined) -> Examination:
    """Everything that is known of one record of a space."""
    now, found = in_force(settings, space), standing(settings)
    readings = [now, *_earlier(settings, view, row)]
    contract = next((known for one in readings if (known := contract_of(one, row.contract)) is not None), None)
    differs = not found.problems and space in found.differs
    return Examination(
        record(settings, space, row),
        row,
        None if contract is None else f"contracts/{contract.file}",
        faults(row, readings, formats=settings.formats == "assert"),
        _verdict(settings, space, view, row, now),
        _verdict(settings, space, view, row, load_definitions(settings)) if differs else None,
        bool(found.problems),
    )


def _verdict(settings: Settings, space: str, view: View, row: Quarantined, definitions: Definitions) -> Verdict:
    found = Trial(settings, definitions).add(space, view, row)
    if isinstance(found, Event):
        return Verdict(True, found.contract)
    return Verdict(False, reason=found.reason, detail=found.detail)


def _earlier(settings: Settings, view: View, row: Quarantined) -> Iterator[Definitions]:
    """Definitions that were in force: the newest, and those that judged the record first."""
    meta, load = view.meta, bundles(settings)
    digests = [meta.digest, *(digest for digest, _, _ in spans(meta.epochs, row.partition, row.position, row.position))]
    for digest in dict.fromkeys(digests):
        with suppress(StateError, ContractErrors):
            yield load(digest)
