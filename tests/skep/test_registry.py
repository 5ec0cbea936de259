"""A schema registry as source of contracts, against a small HTTP server that speaks its API."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import orjson
import pytest

from contracts import load, read_files
from contracts.model.batches import Event, Refused
from operators.judge import Judge
from skep.project.in_force import standing
from skep.project.settings import Settings
from tests.promises.project import applied, asked, environment, flow, project, ran, write_contract
from tests.skep.test_cli import refused, skep

NOW = 1_790_000_000_000_000
Json = dict[str, Any]
ORDER = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "title": "OrderPlaced",
    "type": "object",
    "properties": {
        "order_id": {"type": "string"},
        "user_id": {"type": "string"},
        "occurred_at": {"type": "string"},
        "total": {"$ref": "money.json"},
    },
    "required": ["order_id"],
    "additionalProperties": False,
}
WIDER = {**ORDER, "properties": {**ORDER["properties"], "coupon": {"type": "string"}}}  # type: ignore[dict-item]
OTHER = {**ORDER, "properties": {**ORDER["properties"], "order_id": {"type": "integer"}}}  # type: ignore[dict-item]
MONEY = {"type": "object", "properties": {"cents": {"$ref": "#/definitions/whole"}}, "definitions": {"whole": {"type": "integer"}}}
REFERENCES: list[Json] = [{"name": "money.json", "subject": "money", "version": 1}]
SEEN = {
    "type": "object",
    "properties": {
        "type": {"const": "track"},
        "event": {"type": "string"},
        "properties": {"type": "object", "properties": {"sku": {"$ref": "#/$defs/sku"}}, "required": ["sku"]},
    },
    "$defs": {"sku": {"type": "string", "minLength": 2}},
}


class Server:
    """Subjects with their versions: ``(id, kind, schema, references)``."""

    def __init__(self) -> None:
        self.subjects: dict[str, list[tuple[int, str, Any, list[Json]]]] = {}
        self.url = ""

    def answer(self, path: str) -> Any:
        match path.strip("/").split("/"):
            case ["subjects"]:
                return list(self.subjects)
            case ["subjects", subject, "versions"]:
                return list(range(1, len(self.subjects[unquote(subject)]) + 1))
            case ["subjects", subject, "versions", number]:
                name = unquote(subject)
                schema_id, kind, schema, references = self.subjects[name][int(number) - 1]
                found: Json = {"subject": name, "version": int(number), "id": schema_id, "schema": json.dumps(schema)}
                return found | ({"schemaType": kind} if kind != "AVRO" else {}) | ({"references": references} if references else {})
        return None


@contextmanager
def serving() -> Iterator[Server]:
    """The server on a free port."""
    registry = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            try:
                found = registry.answer(self.path)
            except (KeyError, IndexError):
                found = None
            self.send_response(404 if found is None else 200)
            self.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
            self.end_headers()
            self.wfile.write(json.dumps({"error_code": 40401} if found is None else found).encode())

        def log_message(self, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        registry.url = f"http://127.0.0.1:{server.server_address[1]}"
        yield registry
        server.shutdown()


@pytest.fixture
def registry() -> Iterator[Server]:
    with serving() as server:
        server.subjects = {
            "shop.OrderPlaced-value": [(1, "JSON", ORDER, REFERENCES), (2, "JSON", WIDER, REFERENCES)],
            "shop.OrderPlaced-key": [(3, "JSON", {"type": "string"}, [])],
            "money": [(4, "JSON", MONEY, [])],
            "ProductSeen": [(5, "JSON", SEEN, [])],
            "old": [(6, "AVRO", "string", [])],
        }
        yield server


def frame(schema_id: int, document: Any) -> bytes:
    return b"\0" + schema_id.to_bytes(4, "big") + (document if isinstance(document, bytes) else orjson.dumps(document))


def judge(folder: Path, raw: bytes) -> Event | Refused:
    definitions = load(read_files(folder / "contracts"))
    return Judge(definitions, unknown_ok=False, future_skew_us=1 << 60, max_event_bytes=10_000).judge(raw, 1, NOW)


def pulled(tmp_path: Path, registry: Server) -> Path:
    folder = project(tmp_path / "shop", {"consent.yaml": "purposes: []\n"}, [], f"registry: {registry.url}\n")
    found = asked(folder, "contracts", "pull")
    assert sorted(found["written"]) == [
        "events/money/1-0-0.json",
        "events/order_placed/1-0-0.json",
        "events/order_placed/1-0-1.json",
        "events/product_seen/1-0-0.json",
        "types/money_1.json",
    ]
    assert found["left"] == ["old 1: AVRO; only JSON Schema is read"]
    assert skep("check", project=folder).returncode == 0
    return folder


def test_schemas_become_contracts_once(tmp_path: Path, registry: Server) -> None:
    """Version numbers by what a change deserves; what is there is never written again; a break waits as a draft."""
    folder = pulled(tmp_path, registry)
    assert asked(folder, "contracts", "pull")["written"] == {}
    registry.subjects["shop.OrderPlaced-value"].append((7, "JSON", OTHER, REFERENCES))
    (path,) = asked(folder, "contracts", "pull")["written"]
    assert path == "events/order_placed/2-0-0.json"
    assert json.loads((folder / "contracts" / path).read_text())["status"] == "draft"


def test_a_bare_document_in_a_frame_becomes_an_event(tmp_path: Path, registry: Server) -> None:
    folder = pulled(tmp_path, registry)
    document = {"order_id": "o1", "user_id": "u1", "occurred_at": "2026-01-31T10:00:00Z", "total": {"cents": 5}, "coupon": "X"}
    found = judge(folder, frame(2, document))
    assert isinstance(found, Event), found
    assert (found.contract, found.name, found.properties) == ("order_placed/1-0-1", "order_placed", document)
    assert found.identifiers[0][1] == "u1"
    assert orjson.loads(found.raw) == {
        "type": "track", "event": "order_placed", "userId": "u1", "timestamp": "2026-01-31T10:00:00Z", "properties": document,
    }  # fmt: skip
    strict = judge(folder, frame(1, document))
    assert isinstance(strict, Refused)
    assert "'coupon' was unexpected" in strict.detail
    assert strict.raw == frame(1, document)


def test_an_event_in_a_frame_is_judged_by_the_contract_of_its_properties(tmp_path: Path, registry: Server) -> None:
    folder = pulled(tmp_path, registry)
    event = {"type": "track", "event": "Product Seen", "timestamp": "2026-01-31", "userId": "u", "properties": {"sku": "ab"}}
    found = judge(folder, frame(5, event))
    assert isinstance(found, Event), found
    assert (found.contract, found.raw) == ("product_seen/1-0-0", orjson.dumps(event))
    refusal = judge(folder, frame(5, {**event, "properties": {"sku": "a"}}))
    assert isinstance(refusal, Refused)
    assert refusal.reason == "invalid"


@pytest.mark.parametrize(
    ("raw", "reason", "says"),
    [
        (b"\0", "undecodable", "found 0 bytes"),
        (b"\0\0\0\0\1", "undecodable", "found 4 bytes"),
        (frame(99, {}), "unsupported_version", "schema id 99: no contract has it"),
        (frame(1, b"{"), "undecodable", "JSON object"),
        (frame(1, b"[]"), "undecodable", "found a list"),
        (frame(5, {"sku": "ab"}), "envelope", "expected an event of product_seen/1-0-0, found a document"),
        (frame(1, {"order_id": "o"}), "envelope", "timestamp"),
    ],
)
def test_broken_frames_are_refused(tmp_path: Path, registry: Server, raw: bytes, reason: str, says: str) -> None:
    found = judge(pulled(tmp_path, registry), raw)
    assert isinstance(found, Refused)
    assert found.reason == reason
    assert says in found.detail


def test_a_flow_pulls_when_it_starts_and_starts_without_the_registry(tmp_path: Path, registry: Server) -> None:
    event = {
        "type": "track",
        "event": "product_seen",
        "messageId": "m",
        "timestamp": "2026-01-31",
        "userId": "u",
        "properties": {"sku": "ab"},
    }
    folder = project(tmp_path / "shop", {"consent.yaml": "purposes: []\n"}, [orjson.dumps(event)], f"registry: {registry.url}\n")
    ran(folder)
    assert asked(folder, "status")["applied"] == 1
    # What is written at a later start waits to be applied.
    (folder / "contracts" / "events" / "product_seen" / "1-0-0.json").unlink()
    applied(folder)
    done = flow(folder)
    assert "added contracts/events/product_seen/1-0-0.json" in done.stderr
    assert not standing(Settings.load(folder)).same
    (folder / "skep.yaml").write_text((folder / "skep.yaml").read_text().replace(registry.url, "http://127.0.0.1:9"))
    done = flow(folder)
    assert done.returncode == 0
    assert "registry not read" in done.stderr + done.stdout
    assert "registry: expected an answer of http://127.0.0.1:9/subjects" in refused(skep("contracts", "pull", project=folder))


def test_x_registry_is_checked(tmp_path: Path) -> None:
    folder = project(tmp_path / "shop", {"consent.yaml": "purposes: []\n"}, [])
    write_contract(folder, "events/a/1-0-0.json", {"x-registry": {"subject": "", "version": 0, "id": 1, "record": "x", "field": {}}})
    said = refused(skep("check", project=folder))
    for key in ("subject", "version", "record", "field"):
        assert f"contracts/events/a/1-0-0.json:1: x-registry.{key}: expected" in said
    assert environment(folder)["SKEP_PROJECT"] == str(folder)
