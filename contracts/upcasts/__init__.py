"""Upcasts: how documents of an old model are read at a newer one (``events/<event>/<OLD>-to-<NEW>.yaml``)."""

from __future__ import annotations

from contracts.upcasts.files import read_upcast, read_upcasts
from contracts.upcasts.running import KINDS, UpcastError, compile_steps, compile_upcasts

__all__ = ["KINDS", "UpcastError", "compile_steps", "compile_upcasts", "read_upcast", "read_upcasts"]
