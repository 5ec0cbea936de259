"""Which call of a destination a request was made by, if that is all there is: method, address and body tell."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from contracts.model.destinations import Call, Destination
from contracts.text.templates import Hole, parts_of
from operators.activation.saying import path_value
from operators.activation.told import Request


def recognised(destination: Destination, request: Request) -> str:
    """The name of the call; of several that it may be the first whose body looks like it. "" if none does."""
    path = request.url.partition("?")[0]
    known = [(name, one) for name, call in destination.requests.items() for one in variants(call)]
    fitting = [(name, call) for name, call in known if call.method == request.method and _leads(call, path)]
    if len(fitting) > 1:
        body = _body(request)
        fitting = _most_alike([pair for pair in fitting if _fills(pair[1], body)] or fitting, body)
    return fitting[0][0] if fitting else ""


def variants(call: Call | None) -> Iterator[Call]:
    """A request, and what is asked of people without what it requires."""
    while call is not None:
        yield call
        call = call.otherwise


def _leads(call: Call, path: str) -> bool:
    parts = parts_of((call.url or call.path).partition("?")[0])
    pattern = "".join("[^/]+" if isinstance(part, Hole) else re.escape(part) for part in parts)
    return re.search(f"{pattern}$", path) is not None


def _fills(call: Call, body: dict[str, Any]) -> bool:
    """Whether the body has the list that the call puts people into."""
    batch = call.batch
    at = "" if batch is None else batch.at or (batch.rows.rows_at if batch.rows is not None else "")
    return not at or path_value(at)(body) is not None


def _body(request: Request) -> Any:
    try:
        found = orjson.loads(request.body or b"null")
    except orjson.JSONDecodeError:
        found = None
    return found if isinstance(found, dict) else {}


def _most_alike(calls: Iterable[tuple[str, Call]], body: dict[str, Any]) -> list[tuple[str, Call]]:
    """Those whose constants and keys the body has more of come first."""
    return sorted(calls, key=lambda pair: -_alike(pair[1].body, body))


def _alike(spec: Any, body: Any) -> int:
    if isinstance(spec, dict) and "constant" in spec:
        return 3 if spec["constant"] == body else -3
    if isinstance(spec, dict) and isinstance(body, dict):
        return sum((1 + _alike(part, body[key]) if key in body else -1) for key, part in spec.items() if "{" not in key)
    return 0
