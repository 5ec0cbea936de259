"""Contracts: the YAML and JSON that people edit, and the code that loads, checks and types it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from contracts.reading.loading import digest, load, read_files, readable_files
    from contracts.text.problems import ContractErrors, Problem

__all__ = ["ContractErrors", "Problem", "digest", "load", "read_files", "readable_files"]


def __getattr__(name: str) -> Any:
    """The names above when they are first asked for: reading contracts takes libraries that a start does not need."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("contracts.text.problems" if name in {"ContractErrors", "Problem"} else "contracts.reading.loading"), name)
