"""What partitions are called: ``<source>/<file>``, and ``<source>/<file>/@2`` for what is read of the file when it is read anew."""

from __future__ import annotations

import re

_GENERATION = re.compile(r"/@[1-9]\d*\Z")


def generation(file: str, number: int) -> str:
    """The partition of a file's generation, counted from 1. No file is called so: a file holds no others."""
    return file if number == 1 else f"{file}/@{number}"


def file_of(partition: str) -> str:
    """The partition without its generation."""
    return _GENERATION.sub("", partition)
