"""`requests` and `replies`: how a destination is asked, and how its answers are read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contracts.model.destinations import (
    BUILT_IN_LIMITS_BATCH,
    CALLS,
    CLASSES,
    NONE,
    OPERATORS,
    Batch,
    Call,
    Columns,
    Errors,
    Question,
    Replies,
    ReplyRule,
)  # fmt: skip
from contracts.reading.said_values import VALUE, VALUES, Nameable, check_template, check_value
from contracts.text.keys import Choice, Fields, Integer, Key, Own, Text, text_schema, texts_schema
from contracts.text.yaml_tree import Reader, Tree
from schemalogic.paths import parse_path

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
ENCODINGS = ("json", "form", "ndjson")
_PATHS = texts_schema("a path into the answer, or several")

ROWS = Fields((
    Key("columns_at", Text(), "the path of the list of columns in the body", required="the path of the list of columns"),
    Key("rows_at", Text(), "the path of the list of rows in the body", required="the path of the list of rows"),
    Key("names", Own({"type": "object"}), "what each of `match` is called there"),
    Key("cell", Own(VALUE), "what is written of each value, over `value` and `audience`"),
    Key("cells", Own(VALUES), "the same of single names of `match`"),
    Key("missing", Own({}), "what stands for a value that is not there"),
))  # fmt: skip
BATCH = Fields((
    Key("max", Integer(), "how many people a request may hold", default=BUILT_IN_LIMITS_BATCH),
    Key("at", Text("the path of the list in the body"), "the path of the list in the body; without it the body is the list"),
    Key("item", Own(VALUE), "what is said of each person"),
    Key("rows", Own(ROWS.schema), "rows under named columns in place of `item`"),
))  # fmt: skip
CALL = Fields((
    Key("method", Choice(METHODS), "how it is asked", default="POST"),
    Key("path", Own(text_schema()), "added to the url; what is in braces is percent-encoded as one segment"),
    Key("url", Own(text_schema()), "in place of the url of the connection"),
    Key("query", Own(VALUES), "what follows the `?`, by name"),
    Key("headers", Own(VALUES), "headers, by name"),
    Key("encoding", Choice(ENCODINGS), "how the body is written", default="json"),
    Key("batch", Own(BATCH.schema), "several people in one request"),
    Key("body", Own(VALUE), "what is sent, beside the batch if there is one"),
    Key("people", Text(), "of `list`: the path of the people's ids in the answer"),
    Key("next", Text(), "of `list`: the path of what the next page is asked by"),
    Key("cursor_query", Text(), "of `list`: the name in the query under which it is asked"),
    Key("requires", Own(texts_schema()), "names of `match`, all of which a person must have; of a|b one"),
    Key("otherwise", Own({"type": "object"}), "the request for people without what is required"),
))  # fmt: skip
REQUESTS = Fields(tuple(Key(name, Own(CALL.schema)) for name in CALLS))
QUESTION = Fields(
    (
        Key("path", Text(), "a path into the item, or into the answer", required="a path into the answer"),
        *(Key(name, Own({})) for name in OPERATORS),
    ),
    {"oneOf": [{"required": [name]} for name in OPERATORS]},
)
RULE = Fields((
    Key("status", Own({}), "a status code, or a list of them; any without it"),
    Key("path", Text(), "a path into the answer"),
    *(Key(name, Own({})) for name in OPERATORS),
    Key("class", Choice(CLASSES), "what the answer is then", required="what the answer is then"),
))  # fmt: skip
ERRORS = Fields((
    Key("at", Own(_PATHS), "the paths of lists of items that failed", required="the path of a list of items that failed"),
    Key("index", Text(), "the path of the item's position in what is listed"),
    Key("item", Own(_PATHS), "the fields of an item by whose value it is named"),
    Key("value", Text(), "the path of that value in what is listed; what is listed is the value itself without it"),
    Key("retry", Own(QUESTION.schema), "of what is listed: it may be tried again"),
))  # fmt: skip
REPLIES = Fields((
    Key("items", Text(), "the path of a list with a result for each item, in the order sent"),
    Key("errors", Own(ERRORS.schema), "where only the bad items are listed"),
    Key("failed", Own(QUESTION.schema), "of an item's result: it failed"),
    Key("retry_item", Own(QUESTION.schema), "of an item's result that failed: it may be tried again"),
    Key("rules", RULE.listed(), "what an answer is; the first that fits, before all that holds of status codes"),
    Key("remote_id", Own(_PATHS), "the paths of the vendor's own id of a person, in an item or in the answer; the first that is there"),
    Key("reason", Own(_PATHS), "the paths of what it says of a failure; the first that is there"),
    Key("wait", Text(), "the header that says how long to wait, beside Retry-After"),
    Key("wait_is", Choice(("seconds", "epoch")), "what stands in it", default="seconds"),
))  # fmt: skip


def read_requests(reader: Reader, at: Tree | None, names: Nameable, base: Mapping[str, Call] = NONE) -> dict[str, Call]:
    """The calls of ``requests``; what one does not say is the vendor's (``base``)."""
    found = dict(base)
    if at is None:
        return found
    for name, part in REQUESTS.parts(reader, at).items():
        found[name] = read_call(reader, part, names, found.get(name), name)
    return found


def read_call(reader: Reader, at: Tree, names: Nameable, base: Call | None, name: str) -> Call:
    """One request."""
    parts = CALL.parts(reader, at)
    said = CALL.values(reader, at, parts)
    was = base or Call(method="GET" if name == "list" else "POST")
    for key in ("path", "url"):
        if key in parts and reader.text(parts[key]):
            check_template(reader, parts[key], names)
    if "url" in parts and "path" in parts:
        reader.refuse(parts["url"], "url or path, not both", "both")
    for key in ("query", "headers"):
        for part in reader.mapping(parts[key]).values() if key in parts else ():
            check_value(reader, part, names)
    if "body" in parts:
        check_value(reader, parts["body"], names)
    batch = was.batch if "batch" not in parts else _batch(reader, parts["batch"], names)
    if base is not None and "body" in parts and "batch" not in parts:
        # Who says the whole body says how it is filled.
        batch = None
    return Call(
        method=said["method"] if "method" in parts else was.method,
        path=_plain(parts, "path", was.path),
        url=_plain(parts, "url", was.url if "path" not in parts else ""),
        query=_plain(parts, "query", was.query),
        headers=_plain(parts, "headers", was.headers),
        encoding=said["encoding"] if "encoding" in parts else was.encoding,
        batch=batch,
        body=_plain(parts, "body", was.body),
        people=said["people"] or was.people,
        next=said["next"] or was.next,
        cursor_query=said["cursor_query"] or was.cursor_query,
        otherwise=read_call(reader, parts["otherwise"], names, None, name) if "otherwise" in parts else was.otherwise,
        requires=tuple(part.value for part in reader.texts(parts["requires"])) if "requires" in parts else was.requires,
    )


def _plain(parts: Mapping[str, Tree], key: str, otherwise: Any) -> Any:
    return parts[key].plain() if key in parts else otherwise


def _batch(reader: Reader, at: Tree, names: Nameable) -> Batch | None:
    parts = BATCH.parts(reader, at)
    said = BATCH.values(reader, at, parts)
    if ("item" in parts) is ("rows" in parts):
        reader.refuse(at, "item or rows", "both" if "item" in parts else "neither")
        return None
    if "item" in parts:
        return Batch(said["max"], said["at"], check_value(reader, parts["item"], names))
    inside = ROWS.parts(reader, parts["rows"])
    rows = ROWS.values(reader, parts["rows"], inside)
    if "cell" in inside:
        check_value(reader, inside["cell"], names.beside("value"))
    for part in reader.mapping(inside["cells"]).values() if "cells" in inside else ():
        check_value(reader, part, names.beside("value"))
    columns = {name: reader.text(part) for name, part in reader.mapping(inside["names"]).items()} if "names" in inside else {}
    cell, missing = _plain(inside, "cell", "value"), _plain(inside, "missing", None)
    cells = _plain(inside, "cells", NONE)
    return Batch(said["max"], said["at"], rows=Columns(rows["columns_at"], rows["rows_at"], columns, cell, missing, cells))


def read_replies(reader: Reader, at: Tree | None, base: Replies) -> Replies:
    """How replies are read; what is not said is the vendor's (``base``), and rules come before the vendor's."""
    if at is None:
        return base
    parts = REPLIES.parts(reader, at)
    said = REPLIES.values(reader, at, parts)
    _path(reader, parts.get("items"))
    ids = reader.texts(parts.get("remote_id"))
    rules = tuple(_rule(reader, part) for part in reader.items(parts.get("rules"), "a list of rules"))
    reasons = reader.texts(parts.get("reason"))
    for part in (*reasons, *ids):
        _path(reader, part)
    return Replies(
        items=said["items"] or base.items,
        errors=_errors(reader, parts["errors"]) if "errors" in parts else base.errors,
        failed=_question(reader, parts["failed"]) if "failed" in parts else base.failed,
        retry_item=_question(reader, parts["retry_item"]) if "retry_item" in parts else base.retry_item,
        rules=(*rules, *base.rules),
        remote_id=tuple(part.value for part in ids) or base.remote_id,
        reason=tuple(part.value for part in reasons) or base.reason,
        wait=said["wait"].lower() or base.wait,
        wait_is=said["wait_is"] if "wait_is" in parts else base.wait_is,
    )


def _path(reader: Reader, at: Tree | None) -> None:
    if at is None or not isinstance(at.value, str):
        return
    try:
        parse_path(at.value)
    except ValueError as error:
        reader.refuse(at, "a path into the answer, such as results[].id", str(error))


def _errors(reader: Reader, at: Tree) -> Errors:
    parts = ERRORS.parts(reader, at)
    said = ERRORS.values(reader, at, parts)
    for key in ("at", "item"):
        for part in reader.texts(parts.get(key)):
            _path(reader, part)
    if ("index" in parts) is ("item" in parts):
        reader.refuse(at, "index or item, by which an item is found", "both" if "index" in parts else "neither")
    return Errors(
        at=tuple(part.value for part in reader.texts(parts.get("at"))),
        index=said["index"],
        item=tuple(part.value for part in reader.texts(parts.get("item"))),
        value=said["value"],
        retry=_question(reader, parts["retry"]) if "retry" in parts else None,
    )


def _question(reader: Reader, at: Tree) -> Question | None:
    parts = QUESTION.parts(reader, at)
    QUESTION.values(reader, at, parts)
    _path(reader, parts.get("path"))
    asked = [name for name in OPERATORS if name in parts]
    if len(asked) != 1:
        reader.refuse(at, f"one of {', '.join(OPERATORS)}", " and ".join(asked) or "none")
    if len(asked) != 1 or "path" not in parts:
        return None
    return _asked(reader, str(parts["path"].value), asked[0], parts[asked[0]])


def _asked(reader: Reader, path: str, op: str, at: Tree) -> Question:
    if op in {"in", "not_in"}:
        reader.items(at, "a list of values")
    elif op == "exists":
        reader.boolean(at)
    return Question(path, op, at.plain())


def _rule(reader: Reader, at: Tree) -> ReplyRule:
    parts = RULE.parts(reader, at)
    said = RULE.values(reader, at, parts)
    asked = [name for name in OPERATORS if name in parts]
    if asked and "path" not in parts:
        reader.refuse(at, "a `path` into the answer", "none", "it is what is compared")
    _path(reader, parts.get("path"))
    questions = tuple(_asked(reader, str(parts["path"].value), name, parts[name]) for name in asked if "path" in parts)
    if "path" in parts and not asked:
        reader.refuse(at, f"one of {', '.join(OPERATORS)}", "none")
    return ReplyRule(said["class"] or "refused", _status(reader, parts.get("status")), questions)


def _status(reader: Reader, at: Tree | None) -> tuple[int, ...]:
    if at is None:
        return ()
    found = at.value if isinstance(at.value, list) else [at]
    for part in found:
        if type(part.value) is not int or not 100 <= part.value <= 599:
            reader.refuse(part, "a status code such as 200, or a list of them")
    return tuple(part.value for part in found if type(part.value) is int)
