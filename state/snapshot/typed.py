"""The typed views: one row an event or a profile with one column a property or trait, and one row an item of their lists of objects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from contracts.envelope import judged_part
from state.snapshot.fields import Field
from state.snapshot.literals import pointer, quote, quoted

SCHEMA = "typed"
TRAITS = "traits"
_WHOLE = r"^-?\d+(\.0+)?$"
Keys = tuple[str | int | None, ...]
_IDS = (
    ("message_id", "e.message_id", "The event's message id, unique in its space"),
    ("event_time", "e.event_time", "When it happened (UTC)"),
    ("profile_id", "a.profile_id", "The profile that it belongs to; NULL if it is unidentified"),
    ("space", "e.space", "The space that the row belongs to"),
)
_PROFILE = (("profile_id", "e.profile_id", "The profile, as in table profiles"), ("space", "e.space", "The space that the row belongs to"))


@dataclass(frozen=True, slots=True)
class TypedView:
    """A view: its name, comment and source, the JSON in which its values stand, and its columns.

    ``fixed``: ``(name, SQL, comment)`` of the columns before those of ``fields``, of which what stands in an object has no column
    of its own; ``prefix``: what a name that is taken begins with.
    """

    name: str
    comment: str
    source: str
    json: str
    prefix: str
    fixed: tuple[tuple[str, str, str], ...]
    fields: tuple[Field, ...]

    def statements(self, *, clear: bool) -> Iterator[str]:
        """What makes it, and the comments of its columns. ``clear``: personal values are no hashes, and have their own type."""
        view = f"{SCHEMA}.{quoted(self.name)}"
        columns = [*self.fixed, *self._columns(clear=clear)]
        yield f"CREATE VIEW {view} AS SELECT {', '.join(f'{sql} AS {quoted(one)}' for one, sql, _ in columns)} FROM {self.source}"
        yield f"COMMENT ON VIEW {view} IS {quote(self.comment)}"
        for one, _, comment in columns:
            if comment:
                yield f"COMMENT ON COLUMN {view}.{quoted(one)} IS {quote(comment)}"

    def written(self, one: Field) -> str:
        """The SQL of a value as JSON writes it: a text keeps its quotation marks, so that nothing reads a number in it."""
        return f"CAST({self.json} -> {pointer(_within(one))} AS VARCHAR)"

    def _columns(self, *, clear: bool) -> Iterator[tuple[str, str, str]]:
        names = Names(self.prefix, {one.lower() for one, _, _ in self.fixed})
        for one in self.fields:
            if len(_within(one)) > 1:
                continue
            kind = "VARCHAR" if one.personal != "none" and not clear else one.type
            yield names.free(str(one.keys[-1]) or "_"), self._value(one, kind), one.comment

    def _value(self, one: Field, kind: str) -> str:
        if kind == "JSON":
            return f"{self.json} -> {pointer(_within(one))}"
        if kind == "VARCHAR":
            return f"{self.json} ->> {pointer(_within(one))}"
        written = self.written(one)
        if kind == "BOOLEAN":
            return f"CASE {written} WHEN 'true' THEN true WHEN 'false' THEN false END"
        # A cast alone would round what is not whole.
        number = f"regexp_extract({written}, '{_WHOLE}')" if kind == "BIGINT" else written
        return f"TRY_CAST({number} AS {kind})"


@dataclass(slots=True)
class Names:
    """Names of one relation; SQL does not tell small and capital letters apart."""

    prefix: str
    taken: set[str] = field(default_factory=set)

    def free(self, name: str) -> str:
        """The name, with the prefix before it as long as another one has it."""
        while name.lower() in self.taken:
            name = f"{self.prefix}_{name}"
        self.taken.add(name.lower())
        return name


def typed_views(fields: Iterable[Field], *, owned: bool = True) -> Iterator[TypedView]:
    """The views of all events and of the traits, in the order of the fields; without ``owned`` nobody is looked up for their rows."""
    lists = Names("items")
    for (kind, name), group in groupby(fields, key=lambda one: (one.kind, one.name if one.kind == "event" else TRAITS)):
        found = list(group)
        direct = tuple(one for one in found if None not in one.keys)
        if kind == "trait":
            yield TypedView(TRAITS, "Profiles, one column a trait", "profiles e", "e.traits", TRAITS, _PROFILE, direct)
            continue
        yield _event_view(name, direct, _source(name, owned=owned))
        for keys, members in _item_lists(found).items():
            yield _items_view(lists, name, keys, members, _source(name, owned=owned))


def _event_view(name: str, fields: tuple[Field, ...], source: str) -> TypedView:
    column = json_column("event", name)
    # No event's name ends in `_`.
    view = f"{TRAITS}_" if name == TRAITS else name
    return TypedView(view, f"Event {name} by its contract, one column a property", source, f"e.{column}", column, _IDS, fields)


def json_column(kind: str, name: str) -> str:
    """The JSON column in which the values stand."""
    return "traits" if kind == "trait" else judged_part(name)


def _source(event: str, *, owned: bool) -> str:
    """The events of a name; calls that have no name go by their type."""
    owners = "LEFT JOIN attributions" if owned else "LEFT JOIN (FROM attributions LIMIT 0)"
    of = f"coalesce(e.event, e.type) = {quote(event)}"
    return f"events e {owners} a ON a.message_id = e.message_id AND a.space = e.space WHERE {of}"


def _item_lists(fields: Sequence[Field]) -> dict[Keys, list[Field]]:
    """The lists of objects by their path, which ends in None, each with the properties of its items."""
    found: dict[Keys, list[Field]] = {}
    for one in fields:
        within = _within(one)
        if within and len(within) < len(one.keys):
            found.setdefault(one.keys[: -len(within)], []).append(one)
    return found


def _within(one: Field) -> Keys:
    """The steps of a path behind the last list."""
    behind = next((at for at in range(len(one.keys), 0, -1) if one.keys[at - 1] is None), 0)
    return one.keys[behind:]


def _items_view(lists: Names, event: str, keys: Keys, fields: Sequence[Field], source: str) -> TypedView:
    """One row an item; the items of a list within a list have the positions of those in which they stand, too."""
    column = json_column("event", event)
    ids = ", ".join(f"{sql} AS {name}" for name, sql, _ in _IDS)
    json = f"e.{column}"
    outer: list[tuple[str, str]] = []
    # No event's name holds `__`, and no two lists of one event have one path.
    name = lists.free("__".join([event, *(str(key) for key in keys if key is not None)]))
    for steps in _up_to_each_list(keys):
        said = f"json_extract({json} -> {pointer(steps)}, '$[*]')"
        at = f"at_{len(outer) + 1}"
        carried = ", ".join([ids if not outer else ", ".join(one for one, _, _ in _IDS), *(f"at_{n + 1}" for n in range(len(outer)))])
        source = f"(SELECT {carried}, unnest({said}) AS item, generate_subscripts({said}, 1) AS {at} FROM {source})"
        json, outer = "item", [*outer, (at, str(steps[-1]))]
    fixed = tuple((one, one, comment) for one, _, comment in _IDS) + tuple(_positions(column, outer))
    what = f"Event {event}: one row an item of {'.'.join(f'{name}[]' for _, name in outer)}, one column a property of it"
    return TypedView(name, what, source, json, column, fixed, tuple(fields))


def _up_to_each_list(keys: Keys) -> Iterator[tuple[str, ...]]:
    """The names that lead from one list to the next: ``a.b[].c[]`` gives ``(a, b)`` and ``(c,)``."""
    steps: list[str] = []
    for key in keys:
        if key is None:
            yield tuple(steps)
            steps = []
        else:
            steps.append(str(key))


def _positions(prefix: str, lists: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str, str]]:
    names = Names(prefix, {one for one, _, _ in _IDS} | {"position"})
    for at, name in lists[:-1]:
        yield names.free(f"{name}_position"), f"CAST({at} AS INTEGER)", f"Place of the item of {name} in which it stands, from 1"
    yield "position", f"CAST({lists[-1][0]} AS INTEGER)", "Its place in the list, from 1"
