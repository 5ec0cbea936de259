"""JSON Schema files: read, and checked against their draft's meta-schema."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from contracts.text.problems import Problem, closest
from schemalogic.keywords import DRAFT_7, DRAFT_2020
from schemalogic.lines import line_at

BYTES_MAX = 1_000_000
"""A larger schema is refused: nobody could review it, and every worker holds it."""
_DIALECTS = {
    DRAFT_2020: ("JSON Schema 2020-12", "Draft202012Validator"),
    DRAFT_7: ("JSON Schema draft-07", "Draft7Validator"),
    "https://json-schema.org/draft-07/schema": ("JSON Schema draft-07", "Draft7Validator"),
}
"""What a dialect is called, and the class of jsonschema that knows its meta-schema."""


def read_json(file: str, text: str, problems: list[Problem]) -> Any:
    """The JSON value of a file, None (and a problem) if it is none."""
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > BYTES_MAX:
        problems.append(Problem(file, 1, "", f"at most {BYTES_MAX:,} bytes", f"{size:,}", "move what repeats into contracts/types/"))
        return None
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        problems.append(Problem(file, error.lineno, "", "JSON", f"{error.msg} in column {error.colno}"))
    except (ValueError, RecursionError) as error:
        word = getattr(error, "word", None)
        problems.append(Problem(file, _line_of_word(text, word), str(word or ""), "JSON", str(error)))
    return None


@cache
def _judge(name: str) -> Any:
    """What holds schemas against the meta-schema of a dialect."""
    import jsonschema  # type: ignore[import-untyped]  # noqa: PLC0415 - only reading contracts needs it

    validator = getattr(jsonschema, name)
    return validator(validator.META_SCHEMA)


def read_schema(file: str, text: str, problems: list[Problem]) -> dict[str, Any] | None:
    """The JSON Schema of a file, right by its meta-schema; None (and problems) if it is none."""
    before = len(problems)
    schema = read_json(file, text, problems)
    if len(problems) > before:
        return None
    if not isinstance(schema, dict):
        problems.append(Problem(file, 1, "", "a JSON Schema, that is an object", json.dumps(schema)[:60]))
        return None
    said = schema.get("$schema", DRAFT_2020)
    found = _DIALECTS.get(said.removesuffix("#")) if isinstance(said, str) else None
    if found is None:
        hint = "draft-07 is read as well" if isinstance(said, str) else ""
        problems.append(Problem(file, line_at(text, ["$schema"]), "$schema", DRAFT_2020, str(said), hint))
        return None
    title, name = found
    for wrong in _judge(name).iter_errors(schema):
        path = list(wrong.absolute_path)
        expected, hint = _expected(wrong)
        problems.append(Problem(file, line_at(text, path), key_of(path), f"{title}: {expected}", json.dumps(wrong.instance)[:60], hint))
    return schema if len(problems) == before else None


def _expected(error: Any) -> tuple[str, str]:
    if error.validator in {"enum", "anyOf"} and isinstance(error.instance, str):
        options = ["array", "boolean", "integer", "null", "number", "object", "string"]
        return f"one of {', '.join(options)}", closest(error.instance, options)
    if error.validator == "type":
        kind = error.validator_value
        return f"{kind if isinstance(kind, str) else ' or '.join(kind)}", ""
    return str(error.message)[:120], ""


class _RefusedError(ValueError):
    def __init__(self, message: str, word: str) -> None:
        super().__init__(message)
        self.word = word


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _RefusedError(f"the key {key} twice in one object", key)
        found[key] = value
    return found


def _no_constant(word: str) -> Any:
    raise _RefusedError(f"{word}, which is no JSON", word)


def _line_of_word(text: str, word: str | None) -> int:
    at = text.rfind(word) if word else -1
    return text.count("\n", 0, at) + 1 if at >= 0 else 1


def key_of(path: list[Any]) -> str:
    """``properties.price.type`` of ``["properties", "price", "type"]``."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")
