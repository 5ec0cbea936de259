"""``events/<event>/<MODEL-REVISION-ADDITION>.json``: what the properties of an event must be."""

from __future__ import annotations

import json
import re
from typing import Any

import jsonschema_rs
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, SequenceNode

from contracts.definitions import Contract
from contracts.names import event_name
from contracts.problems import Problem, closest

VERSION = re.compile(r"(\d+)-(\d+)-(\d+)")
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def read_contracts(files: dict[str, str], problems: list[Problem]) -> dict[str, tuple[Contract, ...]]:
    """The contracts of the files below ``events/``, by event, oldest version first."""
    found: dict[str, dict[tuple[int, ...], Contract]] = {}
    for file, text in sorted(files.items()):
        folder, name = file.split("/")[1:]
        version = VERSION.fullmatch(name.removesuffix(".json"))
        if folder != event_name(folder):
            expected = event_name(folder) or "a name of letters and digits"
            problems.append(Problem(file, 1, "", f"the folder to be named {expected}", folder, "rename the folder"))
        if version is None:
            expected = "a file named MODEL-REVISION-ADDITION.json such as 1-0-0.json"
            problems.append(Problem(file, 1, "", expected, name, "rename the file"))
        schema = read_schema(file, text, problems)
        if schema is None or version is None:
            continue
        numbers = (int(version[1]), int(version[2]), int(version[3]))
        versions = found.setdefault(folder, {})
        if numbers in versions:
            first = versions[numbers].file
            expected = f"one file for version {'-'.join(map(str, numbers))}"
            problems.append(Problem(file, 1, "", expected, f"{first} as well", "delete one of them"))
        else:
            versions[numbers] = Contract(folder, numbers, schema, file)
    return {event: tuple(contract for _, contract in sorted(versions.items())) for event, versions in sorted(found.items())}


def read_schema(file: str, text: str, problems: list[Problem]) -> dict[str, Any] | None:
    """The JSON Schema of a file, checked; None if it is none."""
    before = len(problems)
    try:
        schema = json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        problems.append(Problem(file, error.lineno, "", "JSON", f"{error.msg} in column {error.colno}"))
        return None
    except (ValueError, RecursionError) as error:
        word = getattr(error, "word", None)
        problems.append(Problem(file, _line_of_word(text, word), str(word or ""), "JSON", str(error)))
        return None
    if not isinstance(schema, dict):
        problems.append(Problem(file, 1, "", "a JSON Schema, that is an object", json.dumps(schema)[:60]))
        return None
    if str(schema.get("$schema", DIALECT)).rstrip("#") != DIALECT:
        problems.append(Problem(file, line_of(text, ["$schema"]), "$schema", DIALECT, str(schema["$schema"])))
        return None
    for wrong in Draft202012Validator(Draft202012Validator.META_SCHEMA).iter_errors(schema):
        path = list(wrong.absolute_path)
        expected, hint = _expected(wrong)
        found = json.dumps(wrong.instance)[:60]
        problems.append(Problem(file, line_of(text, path), key_of(path), f"JSON Schema 2020-12: {expected}", found, hint))
    if len(problems) == before:
        _compile(file, text, schema, problems)
    return schema if len(problems) == before else None


def _compile(file: str, text: str, schema: dict[str, Any], problems: list[Problem]) -> None:
    """The meta-schema does not see a pattern that cannot be compiled or a ``$ref`` to nowhere."""
    try:
        jsonschema_rs.Draft202012Validator(schema, retriever=_no_retrieval)
    except Exception as error:  # noqa: BLE001 - the library raises several types, all of them about the schema
        path = list(getattr(error, "instance_path", None) or getattr(error, "schema_path", None) or [])
        problems.append(Problem(file, line_of(text, path), key_of(path), "a JSON Schema that can be used", str(error).splitlines()[0]))


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


def _no_retrieval(uri: str) -> Any:
    raise ValueError(f"{uri} is not fetched: a schema stands on its own")


def _line_of_word(text: str, word: str | None) -> int:
    at = text.rfind(word) if word else -1
    return text.count("\n", 0, at) + 1 if at >= 0 else 1


def key_of(path: list[Any]) -> str:
    """``properties.price.type`` of ``["properties", "price", "type"]``."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")


def line_of(text: str, path: list[Any]) -> int:
    """The line in which the value at a path of a JSON text begins; the nearest that can be told."""
    try:
        node = YAML(typ="rt", pure=True).compose(text.replace("\t", " "))
    except (YAMLError, RecursionError):
        return 1
    line = 1
    for part in path:
        if isinstance(node, MappingNode):
            found = next(((name, value) for name, value in node.value if name.value == part), None)
            if found is None:
                return line
            line, node = found[0].start_mark.line + 1, found[1]
        elif isinstance(node, SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            return line
    return line
