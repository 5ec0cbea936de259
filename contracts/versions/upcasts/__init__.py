"""Upcasts: how documents of an old model are read at a newer one (``events/<event>/<OLD>-to-<NEW>.yaml``)."""

from __future__ import annotations

from contracts.versions.upcasts.files import read_upcast, read_upcasts
from contracts.versions.upcasts.kinds import EDITS
from contracts.versions.upcasts.running import UpcastError, compile_steps, compile_upcasts

KINDS = tuple(EDITS)
"""The kinds of steps."""

__all__ = ["KINDS", "UpcastError", "compile_steps", "compile_upcasts", "read_upcast", "read_upcasts"]
