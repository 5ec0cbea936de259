"""The versions of the contracts, compiled: which one accepts an event, and how its documents are read at the newest model."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from contracts.envelope import NotAccepted
from contracts.model.definitions import Contract, Definitions, Version
from contracts.model.versions import VERSION, newest, trial_order, way
from contracts.text.times import iso
from contracts.versions.upcasts import UpcastError, compile_upcasts
from schemalogic.validation import Validator, compile_schema

Reading = Callable[[dict[str, Any]], dict[str, Any]]
"""A document that an old version accepted → the document at the newest model."""


@dataclass(frozen=True, slots=True)
class Accepts:
    """One version, compiled. ``until_us``: it judges no event of this time or later."""

    name: str
    validator: Validator
    is_valid: Callable[[Any], bool]
    until_us: int | None
    upcast: Reading | None


class Readings:
    """How documents of old versions are read at the newest model of their event."""

    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions
        self._found: dict[str, Reading | None] = {}

    def of(self, contract: str) -> Reading | None:
        """By the name of a version, ``order_completed/1-0-0``; None if its documents are read as they are."""
        if contract not in self._found:
            self._found[contract] = self._compile(contract)
        return self._found[contract]

    def all(self, contracts: Iterable[str]) -> dict[str, Reading]:
        """The readings of those contracts that have one; what cannot be converted is read as it is."""
        return {contract: _or_as_it_is(reading) for contract in contracts if (reading := self.of(contract)) is not None}

    def _compile(self, contract: str) -> Reading | None:
        event, _, text = contract.partition("/")
        versions, found = self._definitions.contracts.get(event), VERSION.fullmatch(text)
        if versions is None or found is None:
            return None
        version: Version = (int(found[1]), int(found[2]), int(found[3]))
        steps = way(version, self._definitions.upcasts.get(event, ()), newest(versions).version)
        return compile_upcasts(steps) if steps else None


class Versions:
    """The compiled versions of all events. ``trial``: by event, those that judge an event that names none, in the
    order in which they are tried."""

    def __init__(self, definitions: Definitions, *, formats: bool) -> None:
        self._definitions = definitions
        self._readings = Readings(definitions)
        self._named: dict[str, Accepts] = {}
        self.trial: dict[str, tuple[Accepts, ...]] = {}
        for event, versions in definitions.contracts.items():
            for one in versions:
                self._named[one.name] = self._compile(one, formats)
            self.trial[event] = tuple(self._named[one.name] for one in trial_order(versions))

    def _compile(self, contract: Contract, formats: bool) -> Accepts:
        validator = compile_schema(contract.schema, self._definitions.types, formats=formats)
        return Accepts(contract.name, validator, validator.is_valid, contract.deprecated_us, self.upcast(contract.name))

    def upcast(self, contract: str) -> Reading | None:
        """What reads the documents of a version at the newest model of its event; None if they are read as they are."""
        return self._readings.of(contract)

    def slowly(self, event: str, asked: object, judged: dict[str, Any], time_us: int, place: str) -> Accepts:
        """The version that an event names; `NotAccepted` if there is none, or none that accepts it, in words."""
        versions = self._definitions.contracts.get(event, ())
        if asked is None:
            standing = [one for one in self.trial[event] if one.until_us is None or time_us < one.until_us]
            if not standing:
                live = "is a draft, which an event must name" if versions[-1].status == "draft" else "is deprecated by then"
                raise NotAccepted("unsupported_version", f"event: every version of {event} {live}; the event is of {iso(time_us)}")
            raise _invalid(standing[-1], judged, place, told=len(versions) > 1)
        version = self._named.get(asked) if type(asked) is str and asked.partition("/")[0] == event else None
        if version is None:
            known = ", ".join(one.name for one in versions) or f"a file below contracts/events/{event}/"
            raise NotAccepted("unsupported_version", f"context.contract: expected one of {known}; found {asked!r}")
        if version.until_us is not None and time_us >= version.until_us:
            raise NotAccepted("unsupported_version", f"context.contract: {asked} is deprecated since {iso(version.until_us)}")
        if not version.is_valid(judged):
            raise _invalid(version, judged, place, told=True)
        return version

    def find(self, contract: str) -> Accepts | None:
        """A version by its name."""
        return self._named.get(contract)


def _or_as_it_is(reading: Reading) -> Reading:
    def read(document: dict[str, Any]) -> dict[str, Any]:
        try:
            return reading(document)
        except UpcastError:
            return document

    return read


def _invalid(version: Accepts, judged: dict[str, Any], place: str, *, told: bool) -> NotAccepted:
    error = next(iter(version.validator.errors(judged)))
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.instance_path)
    by = f" ({version.name})" if told else ""
    return NotAccepted("invalid", f"{place}{path}: {error.message}{by}", "/" + "/".join(map(str, error.schema_path)), contract=version.name)
