"""What a reply is: delivered, to be tried again, refused … ("Classes of a reply" in docs/destinations.md). Pure, also of the clock."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any

import orjson

from contracts.model.destinations import Call, Class, Destination, Errors, Question, Replies
from contracts.text.templates import holes_of
from operators.activation.applied import text_of
from operators.activation.recognised import variants
from operators.activation.saying import path_value
from operators.activation.told import Reply, Request, Verdict

AGAIN = frozenset({408, 425})
PROVE = frozenset({401, 403})
GONE = frozenset({404, 410})
OF_SOME = frozenset({400, 413, 422})
"""What one person's poison may do to a whole batch."""
REASON_MAX = 200
FAILURES = {
    "timeout": "no answer in time", "connection": "no connection", "half": "half an answer", "tls": "no secure connection",
    "too_large": "an answer of more than 1 MB",
}  # fmt: skip
_ADDRESS = re.compile(r"[^\s@\"'<>,;:()]+@[^\s@\"'<>,;:()]+")
_NUMBER = re.compile(r"\+?\d[\d ()-]{6,}\d")


class _Answer:
    """A reply, and its body as JSON if it is some."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply
        self.headers = {name.lower(): value for name, value in reply.headers.items()}

    @cached_property
    def body(self) -> Any:
        try:
            return orjson.loads(self.reply.body)
        except orjson.JSONDecodeError:
            return None

    @property
    def is_html(self) -> bool:
        return "html" in self.headers.get("content-type", "") or self.reply.body.lstrip()[:1] == b"<"

    @property
    def is_torn(self) -> bool:
        """Whether it says that it is JSON, or how long it is, and is not."""
        said = self.headers.get("content-length", "")
        if said.isdecimal() and "content-encoding" not in self.headers and int(said) > len(self.reply.body) > 0:
            return True
        return bool(self.reply.body) and "json" in self.headers.get("content-type", "") and self.body is None and self.reply.body != b"null"


def classify(destination: Destination, request: Request, reply: Reply, now: datetime | None = None) -> Verdict:
    """What a reply to a request is. ``now``: when it came, by which a date in Retry-After is read if the reply has none of its own."""
    answer = _Answer(reply)
    says = destination.replies
    wait = _wait(answer, says, now)
    reason = _reason(answer, says, request)
    if reply.failure:
        return Verdict("retry", reason=FAILURES[reply.failure])
    for rule in says.rules:
        if (not rule.status or reply.status in rule.status) and all(_holds(question, answer.body) for question in rule.questions):
            if rule.says in {"delivered", "partial"}:
                return _good(destination, request, answer, reason)
            alone = rule.says == "split" and _size(request) == 1
            return Verdict("refused" if alone else rule.says, wait=wait, reason=reason)
    if 200 <= reply.status < 300:
        return _good(destination, request, answer, reason)
    return Verdict(_by_status(destination, request, reply.status), wait=wait, reason=reason)


def _by_status(destination: Destination, request: Request, status: int) -> Class:
    if status == 429:
        return "throttle"
    if status in AGAIN or status >= 500:
        return "retry"
    if status in PROVE:
        return "auth"
    if status in GONE and request.call in {"exit", "erase"} and names_the_person(destination.requests.get(request.call)):
        return "delivered"
    if status in OF_SOME and _size(request) > 1:
        return "split"
    return "refused" if status else "retry"


def names_the_person(call: Call | None) -> bool:
    """Whether the path of a call names the person."""
    return any(path.startswith("person.") for one in variants(call) for path in holes_of(one.path or one.url))


def _size(request: Request) -> int:
    return max(1, len(request.told))


def _good(destination: Destination, request: Request, answer: _Answer, reason: str) -> Verdict:
    """A 2xx: all of it is delivered, or what is not listed as failed."""
    says, size = destination.replies, _size(request)
    if answer.is_torn:
        return Verdict("retry", reason=FAILURES["half"])
    if answer.is_html and destination.kind not in {"webhook", "slack"} and answer.body is None:
        return Verdict("retry", reason=f"HTTP {answer.reply.status} with a page in place of an answer")
    failed: dict[int, bool] = {}
    items = _read(says.items, answer.body) if says.items else None
    if isinstance(items, list) and not request.learns:
        failed = _of_items(items, says, size)
    if says.errors is not None:
        found = _of_errors(says.errors, answer.body, request)
        if found is None:
            return Verdict("split" if size > 1 else "refused", reason=reason)
        failed = {**failed, **found}
    ids = _remote_ids(says, items, answer.body, size) if request.learns or not _looks_up(destination) or isinstance(items, list) else ()
    if not failed:
        return Verdict("delivered", remote_ids=ids)
    retry = tuple(sorted(at for at, again in failed.items() if again))
    return Verdict("partial", tuple(sorted(failed)), retry, reason=reason, remote_ids=ids)


def _looks_up(destination: Destination) -> bool:
    """Whether a call of its own finds ids out: what the answers to others call an id may be that of a job or of a tag."""
    return not {"lookup", "create"}.isdisjoint(destination.requests)


def _read(path: str, value: Any) -> Any:
    """What stands at a path of an answer, which may be a list itself."""
    if isinstance(value, list) is not path.startswith("["):
        return None
    return path_value(path)(value) if isinstance(value, dict | list) else None


def _of_items(items: Sequence[Any], says: Replies, size: int) -> dict[int, bool]:
    """The positions of the items that failed, and whether each may be tried again. Of whom nothing is said, nothing is known."""
    found = dict.fromkeys(range(len(items), size), True)
    for at, item in enumerate(items[:size]):
        if says.failed is not None and _holds(says.failed, item):
            found[at] = says.retry_item is not None and _holds(says.retry_item, item)
    return found


def _of_errors(errors: Errors, body: Any, request: Request) -> dict[int, bool] | None:
    """The same of a list of those that failed; None if it lists one of which it cannot be told who it is."""
    found: dict[int, bool] = {}
    size = _size(request)
    for one in (each for path in errors.at for each in _listed(_read(path, body))):
        places = _places(errors, one, request) if size > 1 else range(1)
        if not places:
            return None
        again = errors.retry is not None and _holds(errors.retry, one)
        for at in places:
            found[at] = again
    return found


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value in (None, "", {}) else [value]


def _places(errors: Errors, one: Any, request: Request) -> Sequence[int]:
    """The positions of the items that are meant by what is listed."""
    if errors.index:
        at = _read(errors.index, one) if isinstance(one, Mapping) else one
        at = int(at) if isinstance(at, str) and at.isdecimal() else at
        return range(at, at + 1) if type(at) is int and 0 <= at < _size(request) else ()
    paths = [errors.value] if errors.value else errors.item
    values = (
        {text_of(each).casefold() for path in paths for each in _listed(_read(path, one))}
        if isinstance(one, Mapping)
        else {text_of(one).casefold()}
    )
    found = ((at, said) for at, item in enumerate(items_of(request)) for path in errors.item for said in [_named(item, path)])
    return sorted({at for at, said in found if said is not None and text_of(said).casefold() in values})


def _named(item: Any, path: str) -> Any:
    """The value by which an item is named; one that is no object is named by itself."""
    return _read(path, item) if isinstance(item, Mapping) else item


def items_of(request: Request) -> list[Any]:
    """The items of a request's body: the longest list in it that has as many as there are people in it, else the body alone."""
    try:
        body = orjson.loads(request.body or b"null") if request.encoding == "json" else None
    except orjson.JSONDecodeError:
        body = None
    if request.encoding == "ndjson":
        return [orjson.loads(line) for line in (request.body or b"").splitlines()]
    return _find(body, _size(request)) or [body]


def _find(value: Any, size: int) -> list[Any] | None:
    if isinstance(value, list):
        return value if len(value) == size else None
    if isinstance(value, Mapping):
        return next((found for inside in value.values() if (found := _find(inside, size)) is not None), None)
    return None


def _holds(question: Question, value: Any) -> bool:
    """Whether a value of a reply is what is asked for."""
    found = _read(question.path, value)
    if question.op == "exists":
        return (found is not None) is question.operand
    if question.op == "eq":
        return bool(found == question.operand)
    if question.op == "contains":
        return found is not None and str(question.operand).casefold() in text_of(found).casefold()
    inside = found in question.operand or (found is not None and text_of(found) in question.operand)
    return inside if question.op == "in" else found is not None and not inside


def _remote_ids(says: Replies, items: Any, body: Any, size: int) -> tuple[str | None, ...]:
    """The vendor's own ids: of each item, or of the answer to a call for one person."""
    if not says.remote_id:
        return ()
    if isinstance(items, list):
        found = [_id(says, item) for item in items[:size]] + [None] * (size - len(items))
    else:
        one = _id(says, body)
        found = one if isinstance(one, list) else [one]
        found = (found + [None] * size)[:size]
    ids = tuple(None if one is None or isinstance(one, list | dict) else text_of(one) for one in found)
    return ids if any(one is not None for one in ids) else ()


def _id(says: Replies, value: Any) -> Any:
    return next((found for path in says.remote_id if (found := _read(path, value)) not in (None, "", [])), None)


def _wait(answer: _Answer, says: Replies, now: datetime | None) -> float | None:
    """Seconds that the reply asks to wait, by ``Retry-After`` or by a header of the vendor's own."""
    told = answer.headers.get("retry-after", "").strip()
    moment = _date(answer.headers.get("date", "")) or now
    if told:
        seconds = _seconds(told)
        if seconds is not None:
            return seconds
        until = _date(told)
        if until is not None:
            return max(0.0, (until - moment).total_seconds()) if moment is not None else None
    own = _seconds(answer.headers.get(says.wait.lower(), "").strip()) if says.wait else None
    if own is None or says.wait_is == "seconds":
        return own
    return max(0.0, own - moment.timestamp()) if moment is not None else None


def _seconds(text: str) -> float | None:
    try:
        found = float(text)
    except ValueError:
        return None
    return found if 0 <= found < float("inf") else None


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _reason(answer: _Answer, says: Replies, request: Request) -> str:
    """The status and what the vendor says of it, without anything that was sent of a person."""
    code = f"HTTP {answer.reply.status}"
    told = next((found for path in says.reason if (found := _read(path, answer.body)) not in (None, "", [], {})), None)
    if told is None:
        return code
    text = text_of(told[0] if isinstance(told, list) else told)
    for name in {value for sent in request.sent for value in sent.values() if len(value) > 2}:
        text = text.replace(name, "…")
    return f"{code}: {_NUMBER.sub('…', _ADDRESS.sub('…', text))[:REASON_MAX]}"
