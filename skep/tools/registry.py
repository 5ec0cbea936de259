"""`skep contracts pull`: what a Confluent-compatible schema registry has and the project has not, as contracts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import msgspec
from pydantic import BaseModel, Field, ValidationError

from contracts.model.definitions import Contract, Definitions, Version
from contracts.model.registered import contract_of, event_of_subject, with_types
from contracts.model.versions import version_text
from contracts.text.names import event_name
from contracts.text.problems import ContractErrors
from contracts.versions.bump import deserved, following
from skep.project.errors import CommandError
from skep.project.log import logger
from skep.project.settings import Settings, load_definitions

TIMEOUT_SECONDS = 10.0
ATTEMPTS = 3


class Reference(BaseModel):
    """That a schema refers to another subject's version by ``name``."""

    name: str
    subject: str
    version: int


class Registered(BaseModel):
    """One version of a subject as the registry tells it. Nothing is said of the kind of an Avro schema."""

    subject: str
    version: int
    id: int
    kind: str = Field("AVRO", alias="schemaType")
    text: str = Field(alias="schema")
    references: tuple[Reference, ...] = ()


class Registry:
    """The API of a schema registry, of which only JSON Schema matters here. Raises `CommandError`."""

    def __init__(self, url: str, transport: httpx.BaseTransport | None = None) -> None:
        self._url = url.rstrip("/")
        self._client = httpx.Client(timeout=TIMEOUT_SECONDS, transport=transport or httpx.HTTPTransport(retries=ATTEMPTS - 1))

    def subjects(self) -> list[str]:
        """The names of all subjects."""
        return sorted(map(str, self._get("subjects")))

    def versions(self, subject: str) -> list[int]:
        """The versions of a subject, oldest first."""
        return sorted(map(int, self._get(f"subjects/{quote(subject, safe='')}/versions")))

    def version(self, subject: str, version: int) -> Registered:
        """One version of a subject."""
        found = self._get(f"subjects/{quote(subject, safe='')}/versions/{version}")
        try:
            said = found if isinstance(found, dict) else {}
            return Registered.model_validate({**said, "references": said.get("references") or (), "subject": subject, "version": version})
        except ValidationError as error:
            wrong = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
            raise CommandError(f"{self._url}: expected a version of {subject}, found {str(found)[:100]} ({wrong})") from None

    def close(self) -> None:
        self._client.close()

    def _get(self, path: str) -> Any:
        where = f"{self._url}/{path}"
        try:
            answer = self._client.get(where, headers={"Accept": "application/vnd.schemaregistry.v1+json, application/json"})
            answer.raise_for_status()
            return answer.json()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise CommandError(f"registry: expected an answer of {where}, found {error!s} → is `registry:` in skep.yaml right?") from None


class Pulled(msgspec.Struct):
    """``written``: path below contracts/ → why; ``left``: what was not taken, and why."""

    written: dict[str, str] = {}
    left: list[str] = []


def pull(settings: Settings, registry: Registry) -> Pulled:
    """Write a contract for every JSON schema of the registry that has none; contracts that are there are never changed."""
    definitions = load_definitions(settings)
    pulled = _Pull(settings.root / "contracts", definitions, registry)
    for subject in registry.subjects():
        event = event_of_subject(subject)
        if event:
            pulled.subject(subject, event)
    return pulled.report


class _Pull:
    def __init__(self, folder: Path, definitions: Definitions, registry: Registry) -> None:
        self._folder, self._registry = folder, registry
        self._types: dict[str, Any] = dict(definitions.types)
        self._known = {event: {one.version: one for one in versions} for event, versions in definitions.contracts.items()}
        self.report = Pulled()

    def subject(self, subject: str, event: str) -> None:
        """Every version of a subject that no contract is made of yet, oldest first."""
        known = self._known.setdefault(event, {})
        there = {one.registered.version for one in known.values() if one.registered is not None and one.registered.subject == subject}
        for number in self._registry.versions(subject):
            if number in there:
                continue
            found = self._registry.version(subject, number)
            if found.kind != "JSON":
                self.report.left.append(f"{subject} {number}: {found.kind}; only JSON Schema is read")
                return
            schema = self._schema(found)
            if schema is not None:
                self._write(event, contract_of(schema, subject, number, found.id), known)

    def _schema(self, found: Registered) -> dict[str, Any] | None:
        """The schema with its references led to contracts/types/, which are written too."""
        try:
            schema = json.loads(found.text)
        except ValueError as error:
            self.report.left.append(f"{found.subject} {found.version}: no JSON: {error}")
            return None
        if not isinstance(schema, dict):
            self.report.left.append(f"{found.subject} {found.version}: not an object")
            return None
        return dict(with_types(schema, {one.name: self._type(one.subject, one.version) for one in found.references}))

    def _type(self, subject: str, version: int) -> str:
        name = f"{event_name(subject.removesuffix('-value'))}_{version}"
        if name not in self._types:
            found = self._registry.version(subject, version)
            self._types[name] = self._schema(found) or {}
            self._save(f"types/{name}.json", self._types[name], f"{subject} {version}, which others refer to")
        return name

    def _write(self, event: str, contract: dict[str, Any], known: dict[Version, Contract]) -> None:
        place = contract["x-registry"]
        why = f"{place['subject']} {place['version']}, id {place['id']}"
        version: Version = (1, 0, 0)
        if known:
            last = known[max(known)]
            version = following(last.version, deserved(last.schema, contract, self._types).step)
            if version[0] > last.version[0]:
                contract = {"status": "draft", **contract}
                why += f"; a draft until an upcast leads to it ({version_text(last.version)}-to-{version_text(version)}.yaml)"
        path = f"events/{event}/{version_text(version)}.json"
        self._save(path, contract, why)
        known[version] = Contract(event, version, contract, path)

    def _save(self, path: str, content: Any, why: str) -> None:
        target = self._folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        self.report.written[path] = why


def lines(pulled: Pulled) -> Iterator[str]:
    """What happened, for people."""
    for path, why in pulled.written.items():
        yield f"contracts/{path}: {why}"
    for text in pulled.left:
        yield f"left: {text}"
    if not pulled.written:
        yield "nothing new in the registry"


def pull_if_there(settings: Settings) -> None:
    """Write what the registry has when a flow starts; that puts nothing in force. One that cannot be reached, and files beside which
    nothing can be written, are told."""
    if not settings.registry:
        return
    log = logger()
    registry = Registry(settings.registry)
    try:
        for line in lines(pull(settings, registry)):
            log.info("registry", pulled=line)
    except (CommandError, ContractErrors) as error:
        log.warning("registry not read", because=str(error))
    finally:
        registry.close()
