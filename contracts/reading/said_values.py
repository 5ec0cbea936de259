"""Values of requests: paths into events, people and changes, and the forms that make something of them ([docs](docs/destinations.md))."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from contracts.meaning.properties import Properties
from contracts.reading.events_wanted import events_meant
from contracts.text.keys import Schema
from contracts.text.problems import Unexpected, choices, closest, listed
from contracts.text.templates import holes_of
from contracts.text.yaml_tree import Reader, Tree
from schemalogic.paths import Step, parse_path, path_text

WORDS = ("trim", "lower", "upper", "digits", "e164", "slug", "strip_spaces", "strip_punctuation", "zip5", "sha256", "sha512", "md5",
         "base64", "iso", "epoch", "epoch_ms", "json", "gmail", "text", "plain")  # fmt: skip
"""What `apply` may name."""
CUT = "cut"
"""Of `apply`, with how many characters are left: ``{cut: 40}``."""
FORMS: Mapping[str, tuple[str, ...]] = {
    "constant": ("constant",),
    "from": ("from", "apply", "default", "type", "required", "without", "keys", "values"),
    "first": ("first", "apply", "default", "type", "required"),
    "text": ("text", "apply", "type", "required"),
    "when": ("when", "then", "otherwise"),
    "cases": ("cases",),
    "merge": ("merge",),
    "each": ("each", "item"),
}
"""The keys that make a mapping a form, and what may stand beside each."""
TYPES = ("text", "number", "integer", "boolean")
PERSON = (
    "profile",
    "version",
    "identifiers",
    "all_identifiers",
    "traits",
    "segments",
    "consents",
    "remote_id",
    "sent_as",
    "old",
    "match",
    "derived",
)
CHANGE = ("id", "type", "space", "profile", "version", "confidence", "clock", "segment", "purpose", "cause", "evidence", "trait", "value",
          "merged", "split", "messages", "from", "granted", "account", "source", "event", "expectation", "expected", "severity",
          "namespaces")  # fmt: skip
EVENT = ("type", "event", "name", "userId", "anonymousId", "previousId", "groupId", "messageId", "timestamp", "originalTimestamp", "sentAt",
         "receivedAt", "channel", "properties", "traits", "context", "integrations")  # fmt: skip
ROOTS = ("event", "person", "change", "audience", "segment", "connection", "key")
ALONE = frozenset({"audience", "segment", "key", "value"})
"""Roots below which there is nothing."""
VALUE: Schema = {"$ref": "#/definitions/value"}
"""A value, as an editor knows it; a schema that has it needs `DEFINITIONS`."""
VALUES: Schema = {"type": "object", "additionalProperties": VALUE}
_ANY = "a path such as person.identifiers.email, or one of " + ", ".join(f"{{{word}: …}}" for word in FORMS)


@dataclass(frozen=True, slots=True)
class Nameable:
    """What a path may name; None is anything. ``events``: patterns of the events that are asked for. ``secrets``: keys of the connection
    that may be named where a request proves who asks, and nowhere else (``is_auth``)."""

    namespaces: Collection[str] | None = None
    traits: tuple[str, ...] | None = None
    properties: Properties | None = None
    events: tuple[str, ...] = ()
    purposes: tuple[str, ...] | None = None
    segments: tuple[str, ...] | None = None
    connection: tuple[str, ...] | None = None
    secrets: frozenset[str] = frozenset()
    is_auth: bool = False
    more: tuple[str, ...] = ()
    match: tuple[str, ...] = ()
    derived: tuple[str, ...] = ()

    def beside(self, *roots: str) -> Nameable:
        """With more roots."""
        return replace(self, more=(*self.more, *roots))


def check_path(reader: Reader, at: Tree, text: str, names: Nameable) -> None:
    """A problem if a path names nothing."""
    try:
        steps = parse_path(text)
    except ValueError as error:
        reader.refuse(at, "a path such as person.identifiers.email", str(error))
        return
    roots = (*ROOTS, *names.more)
    root = str(steps[0])
    if root not in roots:
        hint = closest(root, roots) or "write {constant: …} for a text that is the same for everybody"
        reader.refuse(at, f"a path that begins with {listed(roots)}", text, hint)
    elif root in ALONE and len(steps) > 1:
        reader.refuse(at, f"{root} alone", text)
    elif root in _BELOW and (len(steps) > 1 or root == "connection"):
        _BELOW[root](reader, at, steps, names)


def _known(  # noqa: PLR0917 - all of it is one question
    reader: Reader, at: Tree, steps: tuple[Step, ...], what: str, known: Iterable[str] | None, depth: int = 1
) -> bool:
    if known is None or len(steps) <= depth:
        return True
    known = tuple(known)
    if str(steps[depth]) in known:
        return True
    reader.refuse(at, what, path_text(steps), choices(str(steps[depth]), known))
    return False


def _person(reader: Reader, at: Tree, steps: tuple[Step, ...], names: Nameable) -> None:
    if not _known(reader, at, steps, f"what is known of a person: {listed(PERSON)}", PERSON):
        return
    if steps[1] in {"identifiers", "all_identifiers", "old"}:
        known = None if names.namespaces is None else (*names.namespaces, *(("id",) if steps[1] == "old" else ()))
        _known(reader, at, steps, "a namespace of identity.yaml", known, 2)
    elif steps[1] == "traits" and len(steps) > 2:
        check_trait(reader, at, str(steps[2]), names, text=path_text(steps))
    elif steps[1] == "consents":
        _known(reader, at, steps, "a purpose of consent.yaml", names.purposes, 2)
    elif steps[1] == "segments" and len(steps) > 2 and isinstance(steps[2], str):
        _known(reader, at, steps, "the name of a segment", names.segments, 2)
    elif steps[1] == "match" and names.match:
        _known(reader, at, steps, "what `match` may name", names.match, 2)
    elif steps[1] == "derived":
        _known(reader, at, steps, "what the kind has under `derived`", names.derived, 2)


def check_trait(reader: Reader, at: Tree, name: str, names: Nameable, text: str = "") -> None:
    """A problem if nobody can have a trait, or if it is declared nowhere and like one that is: then it is misspelt."""
    if names.traits is None or name in names.traits:
        return
    excluded = names.properties is not None and names.properties.typed("identify", path_text((name,))) is None
    hint = choices(name, names.traits) if excluded else closest(name, names.traits)
    if hint or excluded:
        reader.refuse(at, "a trait of traits.yaml or of the contract of identify", text or name, hint)


def _change(reader: Reader, at: Tree, steps: tuple[Step, ...], names: Nameable) -> None:  # noqa: ARG001
    _known(reader, at, steps, f"a key of a change event: {listed(CHANGE)}", CHANGE)


def _connection(reader: Reader, at: Tree, steps: tuple[Step, ...], names: Nameable) -> None:
    if len(steps) == 1:
        reader.refuse(at, "a key of the connection, such as connection.url", "all of it")
    elif _known(reader, at, steps, "a key of the connection", names.connection) and steps[1] in names.secrets and not names.is_auth:
        reader.refuse(at, "a secret only within `auth`", path_text(steps))


def _event(reader: Reader, at: Tree, steps: tuple[Step, ...], names: Nameable) -> None:
    if not _known(reader, at, steps, f"a key of an event: {listed(EVENT)}", EVENT):
        return
    if names.properties is None or len(steps) < 3 or steps[1] not in {"properties", "traits"}:
        return
    part = str(steps[1])
    meant = events_meant(names.events, names.properties)
    if meant is None:
        return
    path = path_text(steps[2:])
    judged = [one for one in meant if (one in {"identify", "group"}) is (part == "traits")]
    typed = [one for event in judged if (one := names.properties.typed(event, path)) is not None]
    known = {name for event in judged for name in names.properties.names(event)}
    declared = any(one.places for one in typed) or str(steps[2]) in known
    hint = choices(str(steps[2]), known) if not typed else closest(str(steps[2]), known)
    if judged and not declared and (hint or not typed):
        reader.refuse(at, f"a property of {listed(judged)}", path_text(steps), hint)


_BELOW: Mapping[str, Callable[[Reader, Tree, tuple[Step, ...], Nameable], None]] = {
    "person": _person, "change": _change, "connection": _connection, "event": _event,
}  # fmt: skip


def check_template(reader: Reader, at: Tree, names: Nameable) -> None:
    """A problem if the braces of a text do not close, or a path in them names nothing."""
    try:
        holes = holes_of(str(at.value))
    except Unexpected as error:
        reader.refuse(at, str(error), None, error.hint)
        return
    for path in holes:
        check_path(reader, at, path, names)


def check_value(reader: Reader, at: Tree, names: Nameable) -> Any:
    """The plain value; what is wrong in it is a problem."""
    value = at.value
    if isinstance(value, str):
        if value.strip():
            check_path(reader, at, value, names)
        else:
            reader.refuse(at, _ANY, "an empty text", 'write {constant: ""} for an empty text')
    elif isinstance(value, list):
        for part in value:
            check_value(reader, part, names)
    elif isinstance(value, dict):
        form = form_of(at.plain())
        if form is None:
            for key, part in value.items():
                if "{" in key or "}" in key:
                    check_template(reader, Tree(key, part.file, part.line, part.key), names)
                check_value(reader, part, names)
        else:
            _CHECKS[form](reader, at, reader.fields(at, FORMS[form]), names)
    return at.plain()


def form_of(value: Mapping[str, Any]) -> str | None:
    """Which form a mapping is; None of an object. ``{text: {…}}`` is an object with a key that is called so."""
    if "constant" in value:
        return "constant"
    for word, kind in (("from", str), ("first", list), ("text", str), ("cases", dict), ("when", str), ("merge", list), ("each", str)):
        if isinstance(value.get(word), kind):
            return word
    return None


def _constant(reader: Reader, at: Tree, parts: dict[str, Tree], names: Nameable) -> None:
    """Anything that JSON can say."""


def _from(reader: Reader, at: Tree, parts: dict[str, Tree], names: Nameable) -> None:  # noqa: ARG001
    check_path(reader, parts["from"], parts["from"].value, names)
    for name in ("apply", "keys", "values"):
        check_apply(reader, parts.get(name))
    reader.choice(parts.get("type"), TYPES, "text")
    reader.boolean(parts.get("required"))
    reader.texts(parts.get("without"), "a list of keys that are left out")


def _first(reader: Reader, at: Tree, parts: dict[str, Tree], names: Nameable) -> None:  # noqa: ARG001
    if not parts["first"].value:
        reader.refuse(parts["first"], "at least one path", "an empty list")
    for part in parts["first"]:
        check_value(reader, part, names)
    check_apply(reader, parts.get("apply"))
    reader.choice(parts.get("type"), TYPES, "text")
    reader.boolean(parts.get("required"))


def _text(reader: Reader, at: Tree, parts: dict[str, Tree], names: Nameable) -> None:  # noqa: ARG001
    check_template(reader, parts["text"], names)
    check_apply(reader, parts.get("apply"))
    reader.choice(parts.get("type"), TYPES, "text")
    reader.boolean(parts.get("required"))


def _cases(reader: Reader, at: Tree, parts: dict[str, Tree], names: Nameable) -> None:  # noqa: ARG001
    inside = reader.fields(parts["cases"], ("path", "of", "otherwise"))
    path = reader.required(parts["cases"], inside, "path", "the path whose value is looked at")
    of = reader.required(parts["cases"], inside, "of", "a mapping of values of the path to what is said")
    if path is not None:
        check_path(reader, path, reader.text(path, "audience"), names)
    if of is not None:
        reader.mapping(of, "a mapping of values of the path to what is said")


def _when(reader: Reader, at: Tree, parts: dict[str, Tree], names: Nameable) -> None:
    check_path(reader, parts["when"], parts["when"].value, names)
    then = reader.required(at, parts, "then", "what is said if it is there")
    for part in (then, parts.get("otherwise")):
        if part is not None:
            check_value(reader, part, names)


def _merge(reader: Reader, at: Tree, parts: dict[str, Tree], names: Nameable) -> None:  # noqa: ARG001
    for part in parts["merge"]:
        check_value(reader, part, names)


def _each(reader: Reader, at: Tree, parts: dict[str, Tree], names: Nameable) -> None:
    check_path(reader, parts["each"], parts["each"].value, names)
    item = reader.required(at, parts, "item", "what is said of each of them, with paths that begin with item.")
    if item is not None:
        check_value(reader, item, names.beside("item"))


_CHECKS: Mapping[str, Callable[[Reader, Tree, dict[str, Tree], Nameable], None]] = {
    "constant": _constant, "from": _from, "first": _first, "text": _text, "cases": _cases, "when": _when, "merge": _merge, "each": _each,
}  # fmt: skip


def check_apply(reader: Reader, at: Tree | None) -> None:
    """Problems of a list of functions."""
    for item in reader.items(at, f"a list of {listed(WORDS)}"):
        if isinstance(item.value, dict):
            cut = reader.fields(item, (CUT,)).get(CUT)
            reader.integer(cut, 1)
        elif item.value not in WORDS:
            reader.refuse(item, f"{listed(WORDS)}, or {{cut: 40}}", None, closest(str(item.value), WORDS))


# ---- what an editor knows of them

_APPLY: Schema = {"type": "array", "items": {"anyOf": [{"enum": list(WORDS)}, {"type": "object", "required": [CUT]}]}}
_KEYS: Mapping[str, Schema] = {
    "apply": _APPLY, "keys": _APPLY, "values": _APPLY, "type": {"enum": list(TYPES)}, "required": {"type": "boolean"},
    "item": VALUE, "then": VALUE,
    "otherwise": VALUE,
    "first": {"type": "array", "items": VALUE, "minItems": 1}, "merge": {"type": "array", "items": VALUE},
    "cases": {
        "type": "object", "required": ["path", "of"], "additionalProperties": False,
        "properties": {"path": {"type": "string"}, "of": {"type": "object"}, "otherwise": {}},
    },
}  # fmt: skip
_OF_FORM = {"from": "string", "first": "array", "text": "string", "cases": "object", "when": "string", "merge": "array", "each": "string"}


def value_schema() -> Schema:
    """A path, an object of values, or one of the forms, told apart as `form_of` does."""
    found: Schema = {"additionalProperties": VALUE}
    for word, kind in reversed(_OF_FORM.items()):
        form = {"properties": {name: _KEYS.get(name, {}) for name in FORMS[word]}, "additionalProperties": False}
        found = {"if": {"required": [word], "properties": {word: {"type": kind}}}, "then": form, "else": found}
    constant = {"properties": {"constant": {}}, "additionalProperties": False}
    found = {"if": {"required": ["constant"]}, "then": constant, "else": found}
    says = f"a path that begins with {', '.join(ROOTS)}, or one of {', '.join(FORMS)}"
    return {"description": says, "items": VALUE, "if": {"type": "object"}, "then": found}


DEFINITIONS = {"value": value_schema()}
