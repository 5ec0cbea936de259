"""One call of a destination's file, compiled: its address, headers, items and body."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlencode

import orjson

from contracts.model.destinations import NONE, Call, Columns
from operators.activation.applied import text_of
from operators.activation.connected import Connected
from operators.activation.saying import AS_IT_IS, STANDING_IN, NotSayable, Scope, Value, compiled, segments, template

TYPES = {"json": "application/json", "form": "application/x-www-form-urlencoded", "ndjson": "application/x-ndjson"}
REMOTE = "person.remote_id"


class Calling:
    """How the requests of one call are made. `item` is asked for each person, `address` and `body` once a request."""

    def __init__(self, name: str, call: Call, connected: Connected, names: tuple[str, ...]) -> None:
        """``names``: those of `match`, which are the columns of rows."""
        self.name, self.call = name, call
        self._otherwise = None if call.otherwise is None else Calling(name, call.otherwise, connected, names)
        self._requires = [name.split("|") for name in call.requires]
        self.needs_remote = REMOTE in repr(replace(call, otherwise=None))
        self.most = 1 if call.batch is None else call.batch.max
        self._address = segments(call.url or call.path)
        self._base = "" if call.url else connected.url
        self._query = [(template(key), compiled(spec)) for key, spec in call.query.items()]
        self._fixed = connected.query
        self._headers = [(key, compiled(spec)) for key, spec in call.headers.items()]
        self._body = compiled(call.body) if call.body is not None else None
        rows = None if call.batch is None else call.batch.rows
        self._item: Value | None = None
        self._rows: Columns | None = rows
        if rows is not None:
            self._item = _row(rows, names)
            self._columns = [rows.names.get(name, name) for name in names]
        elif call.batch is not None:
            self._item = compiled(call.batch.item)

    def variants(self) -> Iterator[Calling]:
        """This request, and what is asked of people without what it requires."""
        found: Calling | None = self
        while found is not None:
            yield found
            found = found._otherwise

    def knowing(self, match: Mapping[str, str]) -> Calling:
        """The first of its variants for which what is known of a person is enough; `NotSayable` if it is for none."""
        for one in self.variants():
            if all(any(name in match for name in names) for names in one._requires):
                return one
        raise NotSayable("no_identifier")

    @property
    def is_batch(self) -> bool:
        """Whether a request may hold several people."""
        return self._item is not None

    def item(self, scope: Scope) -> Any:
        """What is said of a person in a batch."""
        if self._item is None:
            return None
        found = self._item(scope)
        if found is None:
            raise NotSayable("invalid")
        return found

    def address(self, scope: Scope, more: Mapping[str, str] = NONE) -> str:
        """The address with its query, and ``more`` of it."""
        url = self._base + self._address(scope)
        pairs = [
            *self._fixed.items(),
            *more.items(),
            *((key(scope), found) for key, read in self._query if (found := read(scope)) is not None),
        ]
        if not pairs:
            return url
        asked = _joined((key, _asked(value)) for key, value in pairs)
        return f"{url}{'&' if '?' in url else '?'}{asked}"

    def headers(self, scope: Scope) -> dict[str, str]:
        """The headers that are the call's own, with the type of its body."""
        found = {key: text_of(value) for key, read in self._headers if (value := read(scope)) is not None}
        if self._body is None and self._item is None:
            return found
        return {"Content-Type": TYPES[self.call.encoding], **found}

    def content(self, scope: Scope, items: list[Any]) -> Any:
        """What the body says, before it is encoded; None of a request without one."""
        body = self._body(scope) if self._body is not None else None
        batch = self.call.batch
        if batch is None:
            return {} if body is None and self._body is not None else body
        if self._rows is not None:
            return _put(_put(body, self._rows.columns_at, self._columns), self._rows.rows_at, items)
        return items if not batch.at else _put(body, batch.at, items)

    def encoded(self, content: Any) -> bytes | None:
        """The bytes of a body."""
        if content is None:
            return None
        if self.call.encoding == "form":
            return urlencode([(key, _asked(value)) for key, value in content.items()], doseq=True).encode()
        if self.call.encoding == "ndjson":
            lines = content if isinstance(content, list) else [content]
            return b"".join(orjson.dumps(line) + b"\n" for line in lines)
        return orjson.dumps(content)


def _row(rows: Columns, names: Iterable[str]) -> Value:
    cell = compiled(rows.cell)
    cells = [(name, compiled(rows.cells[name]) if name in rows.cells else cell) for name in names]

    def make(scope: Scope) -> Any:
        match = scope["person"]["match"]
        return [rows.missing if name not in match else how({**scope, "value": match[name]}) for name, how in cells]

    return make


def _put(body: Any, path: str, value: Any) -> dict[str, Any]:
    """The body with a value at a path of keys; what is on the way there is copied, so that nothing shared is changed."""
    found = dict(body) if isinstance(body, Mapping) else {}
    at = found
    keys = path.split(".")
    for key in keys[:-1]:
        inside = at.get(key)
        at[key] = dict(inside) if isinstance(inside, Mapping) else {}
        at = at[key]
    at[keys[-1]] = value
    return found


def _asked(value: Any) -> Any:
    """A value of a query or a form: its JSON text, or of a list those of its items."""
    return [text_of(item) for item in value] if isinstance(value, list) else text_of(value)


def _joined(pairs: Iterable[tuple[str, Any]]) -> str:
    """A query, of which what stands in for something else is shown as it is."""
    found = [(key, one) for key, value in pairs for one in (value if isinstance(value, list) else [value])]
    return "&".join(f"{quote(key, safe='')}={quote(one, safe=AS_IT_IS if one in STANDING_IN else '')}" for key, one in found)
