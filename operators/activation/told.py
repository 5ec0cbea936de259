"""What goes to a destination and what comes back: what is to be told, requests, replies, and what a reply is."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from contracts.model.destinations import Class
from operators.activation.saying import SECRET

Person = dict[str, Any]
"""``profile``, ``version``, ``identifiers``, ``all_identifiers``, ``traits``, ``segments``, ``consents``, ``remote_id``, ``sent_as``;
in the clear, so it goes into requests and nowhere else."""
Asked = Literal["enter", "exit", "update", "event", "alias", "erase", "group"]
"""What somebody is told of."""


class Told(msgspec.Struct, frozen=True):
    """One thing that a destination is to be told of one person. ``audience``: the segment, None of what is of none; ``key``: the same
    whenever the same is told again, so that a vendor who takes such a key does it once."""

    call: Asked
    person: Person
    key: str
    audience: str | None = None
    change: dict[str, Any] | None = None
    event: dict[str, Any] | None = None


class Request(msgspec.Struct, frozen=True):
    """A request, ready to be sent. ``told``: which of those that were rendered are in it, in the order of its items.

    ``sent``: for each of them the names of `match` as they are sent, which is what the other side knows of the person from then on.
    ``hidden``: the secrets in it. ``learns``: the answer says the vendor's own id of those in it; ``waits``: `{remote_id}` stands in it for
    such an id. ``signed``: the webhook's signature is put in when it is sent.
    """

    call: str
    method: str
    url: str
    headers: dict[str, str]
    body: bytes | None
    told: tuple[int, ...]
    encoding: Literal["json", "form", "ndjson"] = "json"
    sent: tuple[dict[str, str], ...] = ()
    hidden: tuple[str, ...] = ()
    learns: bool = False
    waits: bool = False
    signed: bool = False

    def shown(self) -> Request:
        """The same with its secrets hidden; what is personal in it is not."""
        if not self.hidden:
            return self
        body = self.body
        for secret in self.hidden:
            body = body and body.replace(secret.encode(), SECRET.encode())
        headers = {name: self._without(value) for name, value in self.headers.items()}
        return msgspec.structs.replace(self, url=self._without(self.url), headers=headers, body=body)

    def _without(self, text: str) -> str:
        for secret in self.hidden:
            text = text.replace(secret, SECRET)
        return text


class Rendered(msgspec.Struct, frozen=True):
    """The requests in the order in which they are sent, and of whom nothing can be told: their positions, and why."""

    requests: tuple[Request, ...]
    refused: tuple[tuple[int, str], ...]


Failure = Literal["", "timeout", "connection", "half", "tls", "too_large"]


class Reply(msgspec.Struct, frozen=True):
    """What came back. ``failure``: why nothing, or not all of it, did; the status is 0 then if there was none."""

    status: int
    headers: dict[str, str] = {}
    body: bytes = b""
    failure: Failure = ""


class Verdict(msgspec.Struct, frozen=True):
    """What a reply is: its class, the positions of the items that it says failed, and those of them that may be tried again.

    ``wait``: seconds that it asks for, None if it does not. ``reason``: in words that name nobody. ``remote_ids``: for each item the
    vendor's own id, None where it says none; empty if it says none at all.
    """

    says: Class = msgspec.field(name="class")
    failed: tuple[int, ...] = ()
    retry: tuple[int, ...] = ()
    wait: float | None = None
    reason: str = ""
    remote_ids: tuple[str | None, ...] = ()
