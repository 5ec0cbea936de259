"""Keys of the YAML files that people edit, each declared once: how it is read, what an editor knows of it, what it is for.

A file's reader is made of `Fields`, and so is its JSON Schema (draft-07, which YAML language servers speak best). The schema refuses only
what the reader refuses, and knows less of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from contracts.text.durations import EXPECTED, duration_us
from contracts.text.yaml_tree import Reader, Tree

Schema = dict[str, Any]
Names = Mapping[str, Any]
"""What the project's files may name, by kind such as ``segments``, and the schemas that an editor brings of conditions.
Nothing is known of a project that cannot be read."""

_SHORT = r"\d+(\.\d+)?\s*[smhdw]"
_ISO = r"P(?=[\dT])(\d+W)?(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?"
DURATION = rf"^\s*({_SHORT}|{_ISO})\s*$"


def described(schema: Schema, says: str) -> Schema:
    return {**schema, "description": says} if says else schema


def text_schema(says: str = "", **more: Any) -> Schema:
    """A text that is not empty."""
    return described({"type": "string", "pattern": r"\S", **more}, says)


def offered(options: Iterable[str], says: str = "") -> Schema:
    """Names to choose from, and any other text: a pattern, a path, another way to write a name."""
    options = list(options)
    return described({"anyOf": [{"enum": options}, text_schema()]}, says) if options else text_schema(says)


def known(options: Iterable[str], says: str = "") -> Schema:
    """One of these names; any text while there are none."""
    options = list(options)
    return described({"enum": options}, says) if options else text_schema(says)


def texts_schema(says: str = "") -> Schema:
    """A text or a list of texts."""
    return described({"anyOf": [text_schema(), {"type": "array", "items": text_schema(), "minItems": 1}]}, says)


class Kind(Protocol):
    """What a value can be."""

    def read(self, reader: Reader, at: Tree | None, default: Any) -> Any:
        """The value; without one, or with one that is reported to be wrong, the default."""

    def schema(self, names: Names, says: str) -> Schema:
        """What an editor accepts."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text that is not empty. ``names``: which of the project's names an editor offers."""

    expected: str = "a text"
    names: str = ""

    def read(self, reader: Reader, at: Tree | None, default: Any) -> Any:
        return reader.text(at, default or "", self.expected)

    def schema(self, names: Names, says: str) -> Schema:
        return offered(names.get(self.names, ()), says)


@dataclass(frozen=True, slots=True)
class Choice:
    options: Sequence[str]

    def read(self, reader: Reader, at: Tree | None, default: Any) -> Any:
        return reader.choice(at, self.options, default)

    def schema(self, names: Names, says: str) -> Schema:  # noqa: ARG002
        return described({"enum": list(self.options)}, says)


@dataclass(frozen=True, slots=True)
class Boolean:
    def read(self, reader: Reader, at: Tree | None, default: Any) -> Any:
        return reader.boolean(at, default=default)

    def schema(self, names: Names, says: str) -> Schema:  # noqa: ARG002
        return described({"type": "boolean"}, says)


@dataclass(frozen=True, slots=True)
class Integer:
    least: int = 1

    def read(self, reader: Reader, at: Tree | None, default: Any) -> Any:
        return reader.integer(at, default, self.least)

    def schema(self, names: Names, says: str) -> Schema:  # noqa: ARG002
        return described({"type": "integer", "minimum": self.least}, says)


@dataclass(frozen=True, slots=True)
class Duration:
    """Microseconds; a default is written as people write it. ``how`` reads durations of which not all will do."""

    how: Callable[[Any], int] = duration_us

    def read(self, reader: Reader, at: Tree | None, default: Any) -> Any:
        return reader.read(at, duration_us(default) if isinstance(default, str) else default, self.how)

    def schema(self, names: Names, says: str) -> Schema:  # noqa: ARG002
        # Editors show their own words for a pattern that does not match, unless the schema brings some.
        return described({"type": "string", "pattern": DURATION, "patternErrorMessage": f"expected {EXPECTED}"}, f"{says}; {EXPECTED}")


@dataclass(frozen=True, slots=True)
class Plain:
    """What a function makes of the plain value; its ValueError says what was expected."""

    how: Callable[[Any], Any]
    known: Schema

    def read(self, reader: Reader, at: Tree | None, default: Any) -> Any:
        return reader.read(at, default, self.how)

    def schema(self, names: Names, says: str) -> Schema:  # noqa: ARG002
        return described(self.known, says)


@dataclass(frozen=True, slots=True)
class Own:
    """What the file's own reader makes of the tree; without ``how``, the tree itself."""

    known: Schema | Callable[[Names], Schema]
    how: Callable[[Reader, Tree], Any] | None = None

    def read(self, reader: Reader, at: Tree | None, default: Any) -> Any:
        if at is None:
            return default
        return at if self.how is None else self.how(reader, at)

    def schema(self, names: Names, says: str) -> Schema:
        return described(self.known(names) if callable(self.known) else self.known, says)


@dataclass(frozen=True, slots=True)
class Items:
    """A list. ``more`` is what an editor knows beside its items."""

    of: Kind
    expected: str = "a list"
    more: Schema = field(default_factory=dict)

    def read(self, reader: Reader, at: Tree | None, default: Any) -> Any:
        return default if at is None else tuple(self.of.read(reader, item, None) for item in reader.items(at, self.expected))

    def schema(self, names: Names, says: str) -> Schema:
        return described({"type": "array", "items": self.of.schema(names, ""), **self.more}, says)


UNSAID: Any = None


@dataclass(frozen=True, slots=True)
class Key:
    """``says`` is what it is for. ``required``: what is expected where it must be there. ``default``: what counts without it;
    ``shown``: whether editors say so."""

    name: str
    kind: Kind
    says: str = ""
    required: str = ""
    default: Any = UNSAID
    shown: bool = True

    def schema(self, names: Names) -> Schema:
        known = self.kind.schema(names, self.says)
        return known if self.default is UNSAID or not self.shown else {**known, "default": self.default}


@dataclass(frozen=True, slots=True)
class Fields:
    """A mapping that has these keys and no others; ``more`` is what its schema says of several of them together."""

    keys: tuple[Key, ...]
    more: Schema = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """The keys' names, in the order in which they are declared."""
        return tuple(key.name for key in self.keys)

    def parts(self, reader: Reader, at: Tree, **beside: Any) -> dict[str, Tree]:
        """The known parts of the mapping; see `Reader.fields`."""
        return reader.fields(at, self.names, **beside)

    def read(self, reader: Reader, at: Tree | None, default: Any = None) -> Any:  # noqa: ARG002
        """Every key's value; without a mapping the defaults."""
        return self.values(reader, at, {} if at is None else self.parts(reader, at))

    def values(self, reader: Reader, at: Tree | None, parts: Mapping[str, Tree]) -> dict[str, Any]:
        """The same of parts that are known already, in the order in which the keys are declared."""
        return {key.name: key.kind.read(reader, self._part(reader, at, parts, key), key.default) for key in self.keys}

    @staticmethod
    def _part(reader: Reader, at: Tree | None, parts: Mapping[str, Tree], key: Key) -> Tree | None:
        return reader.required(at, parts, key.name, key.required) if key.required and at is not None else parts.get(key.name)

    def schema(self, names: Names, says: str = "") -> Schema:
        """The JSON Schema of the mapping."""
        known: Schema = {"type": "object", "properties": {key.name: key.schema(names) for key in self.keys}, "additionalProperties": False}
        required = [key.name for key in self.keys if key.required]
        return described({**known, **self.more, **({"required": required} if required else {})}, says)

    def listed(self, how: Callable[[Reader, Tree], Any] | None = None, **more: Any) -> Own:
        """A list of such mappings."""
        return Own(lambda names: {"type": "array", "items": self.schema(names), **more}, how)
