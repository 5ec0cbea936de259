"""The patterns of user agents that come with ua-parser, as JSON that can be kept."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version

import orjson
from ua_parser.loaders import load_lazy_builtins

_PROGRAM = ("regex", "family", "major", "minor", "patch", "patch_minor")
_DEVICE = ("regex", "regex_flag", "family", "brand", "model")


def agent_patterns() -> tuple[bytes, int, str]:
    """The patterns of browsers, systems and devices, how many these are, and where they come from."""
    browsers, systems, devices = load_lazy_builtins()
    said = [_said(browsers, _PROGRAM), _said(systems, _PROGRAM), _said(devices, _DEVICE)]
    return orjson.dumps(said), sum(map(len, said)), f"ua-parser-builtins {version('ua-parser-builtins')}"


def _said(matchers: Sequence[object], names: tuple[str, ...]) -> list[list[str | None]]:
    return [[getattr(one, name) for name in names] for one in matchers]
