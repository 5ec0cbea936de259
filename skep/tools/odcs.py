"""Contracts as documents of the Open Data Contract Standard 3.1, one for each version of each event.

What ODCS has a word for is said in it; the rest goes into custom properties, so that reading the document again (`skep.tools.odcs_read`)
gives the very same contract.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.representer import SafeRepresenter

from contracts.meaning.tags import tags_at
from contracts.model.definitions import Contract, Definitions
from contracts.text.problems import closest
from schemalogic.document import Document
from schemalogic.paths import Step
from schemalogic.typed import kind_of
from skep.project.errors import CommandError
from skep.tools.odcs_read import MARK, document_words
from skep.tools.odcs_words import EVENT, EXTRA, OPTIONS, TYPES, WITHOUT, Left, Part, root_schema, schema_of

Steps = tuple[Step, ...]
API = "v3.1.0"
_STATUS = {"draft": "draft", "live": "active", "deprecated": "deprecated"}
_UNITS = {"s": "s", "m": "min", "h": "h", "d": "d", "w": "w"}
_FRESHNESS = re.compile(r"(\d+(?:\.\d+)?)([smhdw])")
_FORMATS = {said["format"]: word for word, said in TYPES.items() if "format" in said}
_LOGICAL = {"text": "string", "number": "number", "boolean": "boolean", "list": "array", "object": "object"}
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_]*(?:[ ./-][A-Za-z0-9_]+)*")
_OF_OBJECTS = ("businessName", "description", "properties")
_WORDS = frozenset(["y", "n", "yes", "no", "on", "off", "true", "false", "null", "none", "inf", "nan"])


def export(definitions: Definitions, event: str | None = None) -> list[tuple[str, str]]:
    """File name and YAML text of the document of each version, of one event or of all."""
    if event is not None and event not in definitions.contracts:
        hint = closest(event, definitions.contracts) or "`skep catalog` lists the events"
        raise CommandError(f"--event: expected an event with a contract in contracts/events/, found {event} → {hint}")
    chosen = [event] if event is not None else list(definitions.contracts)
    found = []
    for contract in (one for name in chosen for one in definitions.contracts[name]):
        made = document(contract, json.loads(definitions.files[contract.file]), definitions.types)
        found.append((f"{contract.event}-{made['version']}.odcs.yaml", yaml_text(made)))
    return found


def document(contract: Contract, schema: dict[str, Any], types: Mapping[str, Any] | None = None) -> Part:
    """The ODCS document of a contract; ``schema`` is the content of its file, ``types`` what it may refer to."""
    known = Document(contract.file, schema, types or {})
    body = {word: value for word, value in _body({**schema, "type": "object"}, known, ()).items() if word in _OF_OBJECTS}
    part: Part = {"name": contract.event, "logicalType": "object", "physicalType": EVENT, **body}
    made: Part = {
        "apiVersion": API,
        "kind": "DataContract",
        "id": contract.event,
        "name": contract.event,
        "version": ".".join(map(str, contract.version)),
        "status": _STATUS[contract.status],
        "schema": [part],
    }
    if contract.owner:
        made["team"] = {"name": contract.owner}
    promises = _promises(schema)
    if promises:
        made["slaProperties"] = promises
    made["customProperties"] = [{"property": MARK, "value": contract.name}]
    part |= _custom(schema, root_schema(part, document_words(made, Left()), Left()))
    return made


def _promises(schema: dict[str, Any]) -> list[Part]:
    sla, status = schema.get("sla", {}), schema.get("status")
    found: list[Part] = []
    freshness = _FRESHNESS.fullmatch(str(sla.get("freshness", "")))
    if freshness:
        number = float(freshness[1]) if "." in freshness[1] else int(freshness[1])
        found.append({"property": "freshness", "value": number, "unit": _UNITS[freshness[2]]})
    if "completeness" in sla:
        found.append({"property": "completeness", "value": sla["completeness"]})
    if isinstance(status, dict):
        found.append({"property": "endOfSupport", "value": status["deprecated"]})
    return found


def _property(schema: Any, known: Document, steps: Steps, *, required: bool) -> Part:
    return {"name": steps[-1], **({"required": True} if required else {}), **_part(schema, known, steps)}


def _part(schema: Any, known: Document, steps: Steps) -> Part:
    """A property or items, with what ODCS has no word for; ``steps``: its path in the ``known`` contract."""
    if not isinstance(schema, dict):
        return {"customProperties": [{"property": EXTRA, "value": schema}]}
    part = _body(schema, known, steps)
    return part | _custom(schema, schema_of(part, "", Left()))


def _body(schema: dict[str, Any], known: Document, steps: Steps) -> Part:
    """What of a schema ODCS has words for."""
    part: Part = {}
    for mine, theirs in (("title", "businessName"), ("description", "description")):
        if isinstance(schema.get(mine), str) and schema[mine]:
            part[theirs] = schema[mine]
    logical = _logical(schema)
    if logical:
        part["logicalType"] = logical
    options = {word: schema[word] for word in OPTIONS.get(logical, ()) if word in schema}
    if options:
        part["logicalTypeOptions"] = options
    if logical == "object" and isinstance(schema.get("properties"), dict):
        required = schema.get("required", [])
        part["properties"] = [
            _property(inner, known, (*steps, name), required=name in required) for name, inner in schema["properties"].items()
        ]
    if logical == "array" and isinstance(schema.get("items"), dict):
        part["items"] = _part(schema["items"], known, (*steps, None))
    if isinstance(schema.get("examples"), list) and schema["examples"]:
        part["examples"] = schema["examples"]
    personal = tags_at(known, steps).personal
    if personal != "none" or "x-personal" in schema:
        part["classification"] = personal
    if isinstance(schema.get("enum"), list) and schema["enum"]:
        rule = {"type": "library", "metric": "invalidValues", "arguments": {"validValues": schema["enum"]}, "mustBe": 0}
        part["quality"] = [rule]
    return part


def _logical(schema: dict[str, Any]) -> str:
    """The logical type that fits best; "" if none does."""
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else [kind for kind in kinds if kind != "null"]
    if kinds == ["string"]:
        return _FORMATS.get(schema.get("format", ""), "string")
    if len(kinds) == 1 and kinds[0] in TYPES:
        return str(kinds[0])
    if kinds or "type" in schema:
        return ""
    values = schema["enum"] if isinstance(schema.get("enum"), list) else [schema["const"]] if "const" in schema else []
    found = {_LOGICAL.get(kind_of(value), "") for value in values}
    if len(found) == 1:
        return found.pop()
    return "object" if "properties" in schema else "array" if isinstance(schema.get("items"), dict) else ""


def _custom(schema: dict[str, Any], said: Any) -> Part:
    """The custom properties that make what the document says of a part the schema that it is made of."""
    rest = {word: value for word, value in schema.items() if word not in said or not _same(said[word], value)}
    found = [{"property": word, "value": value} for word, value in rest.items() if word.startswith("x-")]
    extra = {word: value for word, value in rest.items() if not word.startswith("x-")}
    without = [word for word in said if word not in schema]
    found += [{"property": EXTRA, "value": extra}] if extra else []
    found += [{"property": WITHOUT, "value": without}] if without else []
    return {"customProperties": found} if found else {}


def _same(one: Any, other: Any) -> bool:
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


class _Representer(SafeRepresenter):
    """Quotes whatever YAML 1.1, which many tools still read, could take for something else than a text."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True

    def text(self, data: str) -> Any:
        plain = _PLAIN.fullmatch(data) and data.lower() not in _WORDS
        return self.represent_scalar("tag:yaml.org,2002:str", data, style=None if plain else '"')


_Representer.add_representer(str, _Representer.text)


def yaml_text(made: Part) -> str:
    """The document as YAML that is the same in 1.1 and 1.2."""
    yaml = YAML(typ="safe", pure=True)
    yaml.Representer = _Representer
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.width = 10_000
    stream = StringIO()
    yaml.dump(made, stream)
    return stream.getvalue()
