"""JSON Patch (RFC 6902) on records: the file that people write, and what it makes of a record's bytes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jsonpatch import InvalidJsonPatch, JsonPatch, JsonPatchException
from jsonpointer import JsonPointerException

from operators.judge import DETAIL_MAX
from schemalogic.lines import line_at
from skep.answers.quarantine.framed import parts
from skep.project.errors import CommandError
from skep.project.terminal import cut

OPERATIONS = {
    "add": ("value",), "remove": (), "replace": ("value",), "move": ("from",), "copy": ("from",), "test": ("value",),
}  # fmt: skip
"""Each with the members that it needs beside ``path``."""

Patch = list[dict[str, Any]]


class Unpatchable(Exception):  # noqa: N818 (an answer, not an error)
    """Why a patch cannot be applied to a record."""


def read_patch(path: Path) -> Patch:
    """The operations of a patch file; CommandError names file and line of what is wrong."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        patch = json.loads(text)
    except OSError as error:
        raise CommandError(f"--patch {path}: expected a file with a JSON Patch (RFC 6902), found {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise CommandError(f"{path}: expected UTF-8, found {error}") from None
    except json.JSONDecodeError as error:
        raise CommandError(f"{path}:{error.lineno}: expected JSON, found {error.msg} in column {error.colno}") from None
    if not isinstance(patch, list) or not patch:
        raise CommandError(f"{path}:1: expected a list of operations such as {json.dumps(_EXAMPLE)}, found {json.dumps(patch)[:60]}")
    for at, operation in enumerate(patch):
        wrong = _wrong(operation)
        if wrong:
            expected, found = wrong
            raise CommandError(f"{path}:{line_at(text, [at])}: [{at}]: expected {expected}, found {found}")
    return patch


_EXAMPLE = [{"op": "replace", "path": "/properties/currency", "value": "EUR"}]


def _wrong(operation: Any) -> tuple[str, str] | None:
    """What was expected of an operation, and what was found instead."""
    if not isinstance(operation, dict):
        return f"an operation such as {json.dumps(_EXAMPLE[0])}", json.dumps(operation)[:60]
    word = operation.get("op")
    if not isinstance(word, str) or word not in OPERATIONS:
        return f"op to be one of {', '.join(OPERATIONS)}", json.dumps(word)[:60]
    for member in ("path", *OPERATIONS[word]):
        if member not in operation:
            return f"{member} in {word}", f"only {', '.join(operation)}"
    for member in ("path", "from"):
        if member in operation and not isinstance(operation[member], str):
            return f"{member} to be a JSON pointer such as /properties/total", json.dumps(operation[member])[:60]
    try:
        JsonPatch([operation])
    except (InvalidJsonPatch, JsonPointerException) as error:
        return "JSON pointers such as /properties/total", str(error)
    return None


def apply_patch(patch: Patch, raw: bytes) -> bytes:
    """The record as the patch leaves it, compact JSON; `Unpatchable` if it does not apply, changes nothing, or leaves no object."""
    frame, inner = parts(raw)
    try:
        body = json.loads(inner)
    except (ValueError, RecursionError):
        raise Unpatchable("the record is not JSON") from None
    try:
        patched = JsonPatch(patch).apply(body)
    except (JsonPatchException, JsonPointerException) as error:
        # The library shows the whole record.
        raise Unpatchable(cut(str(error), DETAIL_MAX)) from None
    except RecursionError:
        raise Unpatchable("the record is nested too deeply") from None
    if not isinstance(patched, dict):
        raise Unpatchable("the patch leaves no JSON object")
    try:
        made = _text(patched)
    except ValueError as error:
        raise Unpatchable(f"the patch leaves what is no JSON in UTF-8: {error}") from None
    if made == json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass"):
        raise Unpatchable("the patch changes nothing")
    return frame + made


def _text(body: Any) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
