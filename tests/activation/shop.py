"""A small shop whose segments are told to a receiver: its files, its events, and what the receiver must hold in the end."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from random import Random
from typing import Any

import orjson

from operators.called import called
from skep.project.settings import Settings
from skep.project.spaces import open_view
from tests.fakes.receiver import HOOK_SECRET, Receiver
from tests.promises.project import Json, project

IDENTITY: Json = {
    "version": 1,
    "namespaces": [
        {"name": "user_id", "from": "userId", "unique": True},
        {"name": "email", "from": "traits.email", "normalize": "email", "personal": True},
        {"name": "device", "from": "anonymousId", "scope": "device"},
    ],
}
LIMITS: Json = {"timeout": "500ms", "wait": "20ms", "backoff": {"from": "5ms", "to": "40ms"}, "attempts": 1000, "batch": 50}
SEGMENTS = {"buyers": "l1", "big": "l2"}
DESTINATIONS = ("batches", "singles", "mails", "rows", "hooks")
TOKEN = "a-token-that-stands-in-no-file-of-ours"
SECRETS = {"token": TOKEN, "hook": HOOK_SECRET}
"""By the files that hold them."""


def files(url: str) -> Json:
    """Two segments, and five destinations that are told of them: in batches, one by one, by addresses, in rows, and by a webhook."""

    def seen(name: str) -> Json:
        connection = {"url": url, "headers": {"X-To": name}, "auth": {"bearer": {"file": "token"}}}
        return {
            "kind": "http",
            "audiences": SEGMENTS,
            "connection": connection,
            "allow_private": True,
            "limits": LIMITS,
            "purpose": "marketing",
        }

    item = {"id": "person.profile", "email": "person.identifiers.email", "key": "key"}
    path = "/lists/{audience}/members/{person.profile}"
    by_mail = "/lists/mail-{audience}/members/{person.identifiers.email}"
    batch = {"max": 50, "at": "people", "item": item}
    keyed = {"headers": {"X-Key": "key"}}
    rows = {"columns_at": "schema", "rows_at": "data"}
    return {
        "identity.yaml": IDENTITY,
        "consent.yaml": {"purposes": [{"name": "marketing", "default": "granted"}]},
        "traits.yaml": {"traits": [{"name": "spent", "sum": "amount", "did": "order_completed", "emit": True}]},
        "events/order_completed/1-0-0.json": {"properties": {"amount": {"type": "number"}}},
        "segments/buyers.yaml": {"segment": "buyers", "who": {"did": "order_completed"}, "activate": [*DESTINATIONS]},
        "segments/big.yaml": {"segment": "big", "who": {"trait": "spent", "gte": 100}, "activate": [*DESTINATIONS]},
        "destinations/batches.yaml": {
            **seen("batches"), "match": ["email"],
            "requests": {
                "enter": {"path": "/lists/{audience}/members", "batch": batch},
                "exit": {"path": "/lists/{audience}/remove", "batch": batch},
                "list": {"method": "GET", "path": "/lists/{audience}/members", "people": "members[].id",
                         "next": "cursor", "cursor_query": "after"},
            },
            "replies": {"items": "results", "failed": {"path": "status", "not_in": [200]}, "retry_item": {"path": "status", "in": [503]}},
        },
        "destinations/singles.yaml": {
            **seen("singles"), "audiences": {name: f"s-{there}" for name, there in SEGMENTS.items()}, "traits": {"spent": "spent"},
            "requests": {
                "enter": {"method": "PUT", "path": path, "body": {"key": "key"}},
                "exit": {"method": "DELETE", "path": path, **keyed},
                "update": {"method": "PUT", "path": "/people/{person.profile}", "body": "person.traits"},
                "erase": {"method": "DELETE", "path": "/people/{person.profile}"},
            },
        },
        "destinations/mails.yaml": {
            **seen("mails"), "match": ["email"],
            "requests": {
                "enter": {"method": "PUT", "path": by_mail, "body": {"key": {"constant": ""}}},
                "exit": {"method": "DELETE", "path": by_mail},
            },
        },
        "destinations/rows.yaml": {
            **seen("rows"), "match": ["email"],
            "requests": {
                "enter": {"path": "/lists/rows-{audience}/rows", "batch": {"max": 50, "rows": rows}},
                "exit": {"path": "/lists/rows-{audience}/rows/remove", "batch": {"max": 50, "rows": rows}},
            },
            "replies": {"items": "results", "failed": {"path": "status", "not_in": [200]}, "retry_item": {"path": "status", "in": [503]}},
        },
        "destinations/hooks.yaml": {
            "kind": "webhook", "connection": {"url": f"{url}/hook", "headers": {"X-To": "hooks"}, "secret": {"file": "hook"}},
            "allow_private": True, "limits": LIMITS, "purpose": "marketing",
        },
    }  # fmt: skip


def events(seed: int, people: int, orders: int, start: int = 0) -> list[bytes]:
    """Who they are, what they buy, other addresses, withdrawals, and devices that log in, in order of time."""
    rng = Random(seed)
    found = []
    for number in range(start, start + orders):
        user = f"u{rng.randrange(people)}"
        body: Json = {"messageId": f"m{number}", "timestamp": f"2026-01-01T{number // 3600:02d}:{number // 60 % 60:02d}:{number % 60:02d}Z"}
        what = rng.random()
        if what < 0.6:
            body |= {"type": "track", "event": "Order Completed", "userId": user, "properties": {"amount": rng.randrange(80)}}
            if rng.random() < 0.2:
                body = {**body, "userId": None, "anonymousId": f"d{rng.randrange(people)}"}
        elif what < 0.8:
            body |= {"type": "identify", "userId": user, "traits": {"email": f"{user}.{rng.randrange(3)}@example.com"}}
        elif what < 0.9:
            body |= {"type": "identify", "userId": user, "anonymousId": f"d{user[1:]}", "traits": {}}
        else:
            preferences = {"marketing": rng.random() < 0.5}
            body |= {"type": "identify", "userId": user, "traits": {}, "context": {"consent": {"categoryPreferences": preferences}}}
        found.append(orjson.dumps(body))
    return found


def shop(folder: Path, receiver: Receiver, lines: Iterable[bytes]) -> Path:
    """The project in a folder, which nothing has run in."""
    made = project(folder, files(receiver.url), list(lines))
    for name, secret in SECRETS.items():
        (made / name).write_text(secret)
    return made


def wanted(folder: Path) -> dict[str, set[str]]:
    """By list of the receiver who must be in it, by what is committed: members who have not withdrawn."""
    view = open_view(Settings.load(folder), "shop")
    found: dict[str, set[str]] = {f"{kind}{name}": set() for kind in ("", "s-", "mail-", "rows-") for name in SEGMENTS.values()}
    found |= {f"hook-{segment}": set() for segment in SEGMENTS}
    names = [segment.name for segment in view.program.segments]
    try:
        for person in view.people():
            held = int.from_bytes(person.bits, "little")
            mail = called(person.identifiers, view.namespaces).get("email")
            for at, name in enumerate(names):
                if held >> at & 1 and person.granted.get("marketing", True):
                    profile = "p_" + person.key.hex()
                    found[f"s-{SEGMENTS[name]}"].add(profile)
                    found[f"hook-{name}"].add(profile)
                    if mail is not None:
                        found[SEGMENTS[name]].add(profile)
                        found[f"mail-{SEGMENTS[name]}"].add(mail)
                        found[f"rows-{SEGMENTS[name]}"].add(mail)
    finally:
        view.close()
    return found


FORBIDDEN = ("out_of_order", "twice", "over", "early", "unknown", "unsigned", "without_consent")


def denied(folder: Path) -> set[str]:
    """Who may not be told of, by profile id and by address."""
    view = open_view(Settings.load(folder), "shop")
    try:
        people = [person for person in view.people() if not person.granted.get("marketing", True)]
        return {"p_" + one.key.hex() for one in people} | {each.value for one in people for each in one.identifiers}
    finally:
        view.close()


def differences(folder: Path, receiver: Receiver) -> dict[str, Any]:
    """What the receiver has too many or too few, and what it was told that nobody may be told."""
    lists = {name: sorted(members ^ receiver.members(name)) for name, members in wanted(folder).items()}
    counts = {name: receiver.counts[name] for name in FORBIDDEN}
    return {name: found for name, found in {**lists, **counts}.items() if found}
