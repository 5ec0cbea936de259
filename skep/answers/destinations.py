"""What a file of a destination means, without a shard, a ledger or a network: the requests that it makes, and what replies to them are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import orjson

from contracts.envelope import NotAccepted, head, named
from contracts.meaning.withheld import withholding
from contracts.model.definitions import Definitions, IdentityRules
from contracts.model.destinations import Destination
from contracts.reading.destinations import read_destination
from contracts.reading.identity import DEFAULT_RULES
from contracts.reading.kinds import read_kind
from contracts.reading.lineage import inheritance_of, properties_of
from contracts.reading.said_values import Nameable
from contracts.reading.serving import check_serving
from contracts.text.problems import ContractErrors, Problem
from contracts.text.yaml_tree import Reader, Tree, shown
from operators.activation.classify import FAILURES, classify
from operators.activation.coalesce import Line, coalesced
from operators.activation.last_moment import why_not
from operators.activation.of_event import OfEvent
from operators.activation.recognised import recognised
from operators.activation.renderer import Renderer
from operators.activation.told import Failure, Reply, Request, Told
from skep.project.errors import CommandError
from skep.project.readable import readable

KINDS = "kinds"


class RequestRow(msgspec.Struct, frozen=True):
    """A request as it would be sent, its secrets hidden; ``body`` is JSON where it is sent as that, else a text. ``lines``: those of the
    input that it tells of, in the order of its items."""

    method: str
    url: str
    headers: dict[str, str]
    body: Any
    lines: list[int]


class Untold(msgspec.Struct, frozen=True):
    """A line of which nobody may, or can, be told, and why."""

    line: int
    reason: str


class RenderedRows(msgspec.Struct, frozen=True):
    """What comes of an input."""

    requests: list[RequestRow]
    refused: list[Untold]


class VerdictRow(msgspec.Struct, frozen=True):
    """What a reply is; positions are those of the items that were sent."""

    says: str = msgspec.field(name="class")
    failed: list[int]
    retry: list[int]
    wait: float | int | None
    reason: str


class DestinationRow(msgspec.Struct, frozen=True):
    """What a file says that is as it should be."""

    destination: str
    kind: str
    audiences: dict[str, str]
    events: list[str]
    calls: list[str]
    purpose: str | None
    channel: str
    sources: list[dict[str, Any]]
    unverified: list[str]


def destination_of(file: Path, definitions: Definitions | None = None, *, check: bool = False) -> Destination:
    """The destination that a file describes. ``check``: also whether what it names is in the definitions. Raises `ContractErrors`."""
    problems: list[Problem] = []
    reader = Reader(problems)
    own = {path.stem: path for path in _kinds(file)}
    kinds = {name: None if (tree := _tree(reader, path)) is None else read_kind(reader, tree, name) for name, path in own.items()}
    tree = _tree(reader, file)
    names = Nameable() if definitions is None or not check else nameable(definitions)
    found = None if tree is None else read_destination(reader, tree, file.stem, names, kinds)
    inherited = None if definitions is None else inheritance_of(definitions)
    if definitions is not None and inherited is not None and tree is not None and found is not None:
        if check:
            check_serving(reader, tree, found, definitions.segments, inherited)
        found = withholding(found, definitions.segments, inherited)
    if problems or found is None:
        raise ContractErrors(problems)
    return found


def nameable(definitions: Definitions) -> Nameable:
    """What the values of a destination may name by these definitions."""
    properties = properties_of(definitions)
    return Nameable(
        namespaces=tuple(one.name for one in definitions.identity.namespaces),
        traits=(*(one.name for one in definitions.traits), *properties.names("identify")),
        properties=properties,
        purposes=tuple(one.name for one in definitions.purposes),
        segments=tuple(one.name for one in definitions.segments),
    )


def _kinds(file: Path) -> list[Path]:
    return sorted((file.parent / KINDS).glob("*.yaml"))


def _tree(reader: Reader, file: Path) -> Tree | None:
    return reader.parse(_named(file), readable(file))


def _named(file: Path) -> str:
    """The file as problems name it."""
    text = file.as_posix()
    return text.removeprefix("contracts/") if text.startswith("contracts/") else text if text.startswith(("/", ".")) else f"./{text}"


def render(file: Path, text: str, definitions: Definitions | None = None) -> RenderedRows:
    """The requests for the lines of an input: events, or changes with their people. Nothing is sent, no secret is resolved."""
    destination = destination_of(file, definitions)
    rules = DEFAULT_RULES if definitions is None else definitions.identity
    defaults = {} if definitions is None else {one.name: one.default for one in definitions.purposes}
    told = coalesced(destination, _lines(text, rules, defaults))
    barred = [(line, one, why_not(destination, one)) for line, one in told]
    free: list[tuple[int, Told]] = [(line, one) for line, one, why in barred if why is None]
    rendered = Renderer(destination).render([one for _, one in free])
    refused = [(line, why) for line, _, why in barred if why is not None] + [(free[at][0], why) for at, why in rendered.refused]
    return RenderedRows(
        [_row(one.shown(), [free[at][0] for at in one.told]) for one in rendered.requests],
        [Untold(line, why) for line, why in sorted(set(refused))],
    )


def _row(request: Request, lines: list[int]) -> RequestRow:
    body: Any = None
    if request.body is not None:
        body = orjson.loads(request.body) if request.encoding == "json" else request.body.decode("utf-8", "replace")
    return RequestRow(request.method, request.url, request.headers, body, lines)


def _lines(text: str, rules: IdentityRules, defaults: dict[str, bool]) -> Iterator[Line]:
    """The lines of an input with their numbers, each an event with its person, or a change with its."""
    people = OfEvent(rules)
    for number, said in _objects(text):
        if isinstance(said.get("change"), dict):
            person = said.get("person")
            if not isinstance(person, dict):
                raise CommandError(f"line {number}: expected `person` beside `change`, found {shown(person)}")
            yield number, {"change": said["change"], "person": person}
            continue
        given = said.get("person")
        body = said["event"] if isinstance(said.get("event"), dict) else said
        try:
            call, _ = head(body)
            named(body, call)
        except NotAccepted as error:
            words = f'line {number}: expected an event of the envelope, or {{"change": …, "person": …}}: {error}'
            raise CommandError(words) from None
        person = people.person(body, given if isinstance(given, dict) else None)
        yield number, {"event": body, "person": {**person, "consents": {**defaults, **person["consents"]}}}


def _objects(text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of an input: one, or one a line."""
    try:
        whole = orjson.loads(text)
    except orjson.JSONDecodeError:
        whole = None
    if isinstance(whole, dict):
        yield 1, whole
        return
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            yield number, _object(line, f"line {number}", "one JSON object, or JSON lines")


def judge(file: Path, request: str, reply: str) -> VerdictRow:
    """What a reply is: the request as `render` shows it, the reply as ``{"status", "headers", "body"}``."""
    destination = destination_of(file)
    asked, answered = _asked(request), _answered(reply)
    if not asked.call:
        call = recognised(destination, asked)
        asked = msgspec.structs.replace(asked, call=call, learns=call in {"lookup", "create"})
    found = classify(destination, asked, answered, datetime.now(UTC))
    wait = int(found.wait) if found.wait is not None and float(found.wait).is_integer() else found.wait
    return VerdictRow(found.says, list(found.failed), list(found.retry), wait, found.reason)


def _object(text: str, what: str, expected: str = "a JSON object") -> dict[str, Any]:
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise CommandError(f"{what}: expected {expected}: {error}") from None
    if not isinstance(found, dict):
        raise CommandError(f"{what}: expected a JSON object, found {text.strip()[:40]}")
    return found


def _asked(text: str) -> Request:
    said = _object(text, "the request")
    several = said.get("requests")
    if isinstance(several, list):
        if len(several) != 1 or not isinstance(several[0], dict):
            raise CommandError(f"the request: expected one, found {len(several)} → choose that of the reply")
        said = several[0]
    body, lines = said.get("body"), said.get("lines") or [1]
    headers = {str(name): str(value) for name, value in (said.get("headers") or {}).items()}
    kind = next((value for name, value in headers.items() if name.lower() == "content-type"), "")
    encoding: Any = "ndjson" if "ndjson" in kind else "form" if "form-urlencoded" in kind else "json"
    raw = None if body is None else body.encode() if isinstance(body, str) and encoding != "json" else orjson.dumps(body)
    return Request(
        str(said.get("call") or ""), str(said.get("method") or "POST"), str(said.get("url") or ""), headers, raw,
        tuple(range(len(lines))), encoding=encoding,
    )  # fmt: skip


def _answered(text: str) -> Reply:
    said = _object(text, "the reply")
    body = said.get("body")
    headers = {str(name): str(value) for name, value in (said.get("headers") or {}).items()}
    raw = b"" if body is None else body.encode() if isinstance(body, str) else orjson.dumps(body)
    status = said.get("status") or 0
    if type(status) is not int or not 0 <= status <= 999:
        raise CommandError(f"the reply: expected a status code such as 200, or null of no answer, found {status!r}")
    failure: Failure = said.get("failure") or ("" if status else "connection")
    if failure and failure not in FAILURES:
        raise CommandError(f"the reply: expected `failure` as one of {', '.join(FAILURES)}, found {failure!r}")
    return Reply(status, headers, raw, failure)


def checked(file: Path, definitions: Definitions | None) -> DestinationRow:
    """What a file says, a destination's or a kind's. Raises `ContractErrors` with everything that is wrong with it."""
    if file.parent.name in {KINDS, "vendors"}:
        return _checked_kind(file)
    found = destination_of(file, definitions, check=True)
    return DestinationRow(
        destination=found.name,
        kind=found.kind,
        audiences=dict(found.audiences),
        events=list(found.events),
        calls=list(found.requests),
        purpose=found.purpose,
        channel=found.vendor.channel,
        sources=[dict(one) for one in found.vendor.sources],
        unverified=list(found.vendor.unverified),
    )


def _checked_kind(file: Path) -> DestinationRow:
    problems: list[Problem] = []
    tree = _tree(Reader(problems), file)
    found = None if tree is None else read_kind(Reader(problems), tree, file.stem)
    if problems or found is None:
        raise ContractErrors(problems)
    sources, unverified = [dict(one) for one in found.sources], list(found.unverified)
    return DestinationRow(found.name, "a kind", {}, [], list(found.requests), None, found.channel, sources, unverified)


def raise_own(error: ContractErrors, contracts: Path, file: Path) -> None:
    """The problems of a project that are this file's; nothing if they are all of others."""
    own = [problem for problem in error.problems if (contracts / problem.file).resolve() == file.resolve()]
    if own:
        raise ContractErrors(own) from None
