"""Paths into an event or a profile: ``address.city``, ``items[0].sku``, ``items[].sku``, ``context["a.b"]``."""

from __future__ import annotations

import re
from functools import lru_cache

Step = str | int | None
"""A key, an index, or None: some item of a list."""

_STEP = re.compile(
    r"""(?P<dot>\.)?(?P<name>[^.\[\]"]+)"""
    r"""|\[(?P<index>\d*)\]"""
    r"""|(?P<quotedot>\.)?\["(?P<quoted>(?:[^"\\]|\\.)*)"\]"""
)


@lru_cache(maxsize=65_536)
def parse_path(text: str) -> tuple[Step, ...]:
    """The steps of a path; ValueError says what is wrong with it."""
    steps: list[Step] = []
    at = 0
    while at < len(text):
        found = _STEP.match(text, at)
        if found is None or (found["name"] is not None and bool(found["dot"]) != bool(steps)):
            raise ValueError(f"{text!r} cannot be read from character {at + 1} on")
        if found["name"] is not None:
            steps.append(found["name"])
        elif found["quoted"] is not None:
            steps.append(re.sub(r"\\(.)", r"\1", found["quoted"]))
        else:
            steps.append(int(found["index"]) if found["index"] else None)
        at = found.end()
    if not steps:
        raise ValueError("the path is empty")
    return tuple(steps)


_NAME = re.compile(r'[^.\[\]"]+')


def path_text(steps: tuple[Step, ...]) -> str:
    """The path of these steps, as `parse_path` reads it."""
    text = ""
    for step in steps:
        if isinstance(step, str):
            quoted = step.replace("\\", "\\\\").replace('"', '\\"')
            text += ("." if text else "") + step if _NAME.fullmatch(step) else f'["{quoted}"]'
        else:
            text += f"[{'' if step is None else step}]"
    return text
