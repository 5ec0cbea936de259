"""What contracts say of a property or a trait, as the snapshot has it."""

from __future__ import annotations

from dataclasses import dataclass

from state.snapshot.personal import dump_json


@dataclass(frozen=True, slots=True)
class Field:
    """A property of an event (``kind`` event, ``name`` its name) or a trait (``trait``); ``type`` is DuckDB's.

    A DECIMAL without width and scale gets those that its values need (`state.snapshot.decimals`).
    ``keys``: the steps of its path, None for the items of a list; ``used_by``: such as ``segment big_spenders``.
    """

    kind: str
    name: str
    path: str
    keys: tuple[str | int | None, ...]
    type: str
    description: str = ""
    unit: str = ""
    personal: str = "none"
    purposes: tuple[str, ...] | None = None
    retention: str = ""
    identifier: str = ""
    examples: tuple[object, ...] = ()
    contract: str = ""
    used_by: tuple[str, ...] = ()

    @property
    def comment(self) -> str:
        """Everything that is said of it, in sentences."""
        parts = [self.description.rstrip(".")]
        parts.append(f"Unit: {self.unit}" if self.unit else "")
        parts.append(f"Personal: {self.personal}" if self.personal != "none" else "")
        parts.append(f"Only for: {', '.join(self.purposes)}" if self.purposes is not None else "")
        parts.append(f"Kept: {self.retention}" if self.retention else "")
        parts.append(f"Identifier: {self.identifier}" if self.identifier else "")
        parts.append(f"Such as: {', '.join(map(dump_json, self.examples[:3]))}" if self.examples else "")
        parts.append(f"Used by: {', '.join(self.used_by)}" if self.used_by else "")
        return ". ".join(part for part in parts if part)
