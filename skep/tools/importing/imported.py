"""`skep segments import`: a file of another platform, as files of ours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from skep.project.errors import CommandError
from skep.project.readable import readable
from skep.tools.importing import audience_queries, dittofeed, posthog, unomi
from skep.tools.importing.draft import DraftedSegment

PLATFORMS: dict[str, Callable[[Any], list[DraftedSegment]]] = {
    "posthog": posthog.read, "segment": audience_queries.read, "unomi": unomi.read, "dittofeed": dittofeed.read,
}  # fmt: skip


def drafted(platform: str, path: Path) -> list[DraftedSegment]:
    """The segments of a file. Raises CommandError where it cannot be read as one of the platform's."""
    text = readable(path)
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        if platform != "segment":
            raise CommandError(f"{path}: expected JSON as {platform} exports it, found: {error}") from None
        document = text
    try:
        found = PLATFORMS[platform](document)
    except CommandError as error:
        raise CommandError(f"{path}: {error}") from None
    except (AttributeError, KeyError, IndexError, TypeError, ValueError) as error:
        raise CommandError(f"{path}: expected segments as {platform} exports them, found something else ({error!r})") from None
    if not found:
        raise CommandError(f"{path}: expected segments as {platform} exports them, found none")
    return found


def write(found: list[DraftedSegment], folder: Path, *, force: bool) -> list[Path]:
    """A file for each. Raises CommandError, and writes nothing, if one is there already, unless ``force``."""
    paths = [folder / f"{one.name}.yaml" for one in found]
    there = [str(path) for path in paths if path.exists()]
    if there and not force:
        raise CommandError(f"expected names that are free, found {', '.join(there)} → --out another folder, or --force to overwrite")
    folder.mkdir(parents=True, exist_ok=True)
    for path, one in zip(paths, found, strict=True):
        path.write_text(one.text(), encoding="utf-8")
    return paths
