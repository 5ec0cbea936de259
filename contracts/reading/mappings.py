"""``sources/<name>.yaml``: which column of a CSV or Parquet file is which field of an event."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from contracts.model.definitions import Mapping
from contracts.reading.csv_form import CSV_FORM, read_csv_form
from contracts.text.keys import Boolean, Choice, Fields, Key, Names, Own, Plain, Schema, Text, text_schema
from contracts.text.problems import closest
from contracts.text.times import time_format, time_zone
from contracts.text.yaml_tree import Reader, Tree
from schemalogic.paths import parse_path

TYPES = ("text", "number", "integer", "boolean")
CASES = ("eq", "in", "starts_with", "ends_with", "contains")
FIELDS = ("type", "event", "name", "userId", "anonymousId", "previousId", "groupId", "messageId", "timestamp", "originalTimestamp",
          "sentAt", "receivedAt", "channel", "properties", "traits", "context", "integrations")  # fmt: skip
_ANY = "a column, or one of {column: …}, {product: [..]}, {constant: …}"


def _inside(reader: Reader, at: Tree, fields: set[str]) -> None:
    """A field cannot be both a value and a mapping of others."""
    for field in sorted(fields):
        for other in sorted(fields):
            if other.startswith(field + "."):
                reader.refuse(at, f"{field} or {other}, not both", "both")


def _field(reader: Reader, at: Tree, field: str) -> None:
    try:
        steps = parse_path(field)
    except ValueError as error:
        reader.refuse(at, "a field of the event such as userId or properties.price", str(error))
        return
    if any(not isinstance(step, str) for step in steps):
        reader.refuse(at, "a field of the event without indexes", field)
    elif steps[0] not in FIELDS:
        hint = closest(str(steps[0]), FIELDS) or f"properties.{field}?"
        reader.refuse(at, "a field of the event such as userId or properties.price", field, hint)


def _value(reader: Reader, at: Tree) -> None:
    if isinstance(at.value, str) and at.value:
        return
    if not isinstance(at.value, dict):
        reader.refuse(at, _ANY)
        return
    form = next((fields for word, fields in FORMS.items() if word in at.value), None)
    if form is not None:
        form.read(reader, at)
    else:
        reader.fields(at, ("column", "type", "format", "zone", "cases", "otherwise", "product", "constant"))
        reader.refuse(at, _ANY)


def _constant(reader: Reader, at: Tree) -> None:
    """No event that has a number of more digits is ever accepted."""
    if isinstance(at.value, int) and not -(1 << 63) <= at.value < 1 << 64:
        reader.refuse(at, "a number that 64 bits can hold", hint="write it in quotes")
    for part in at:
        _constant(reader, part)


def _time_format(value: object) -> str:
    expected = "a time format such as %Y-%m-%d %H:%M:%S"
    if not isinstance(value, str) or "%" not in value:
        raise ValueError(expected)
    return time_format(value, expected)


def _cases(reader: Reader, at: Tree) -> None:
    for case in reader.items(at, "a list of cases"):
        parts = CASE.parts(reader, case)
        CASE.values(reader, case, parts)
        tests = [name for name in parts if name in CASES]
        if len(tests) != 1:
            reader.refuse(case, f"one test of {', '.join(CASES)}", " and ".join(tests) or "none")


def _texts_of_case(reader: Reader, at: Tree) -> None:
    if not isinstance(at.value, list):
        reader.refuse(at, "a list of texts")
        return
    reader.texts(at, "a list of texts")


def _columns(reader: Reader, at: Tree, least: int = 1) -> None:
    items = reader.items(at, "a list of columns")
    if isinstance(at.value, list) and len(items) < least:
        reader.refuse(at, f"at least {least} columns", str(len(items)))
    for item in items:
        reader.text(item, expected="the name of a column")


def _list_of(least: int) -> Schema:
    return {"type": "array", "items": text_schema(), "minItems": least}


_COLUMN = Key("column", Text("the name of a column"), "the name of a column", required="the name of a column")
CASE = Fields(
    (
        *(Key(name, Own(_list_of(1), _texts_of_case) if name == "in" else Text()) for name in CASES),
        Key("value", Own({}, _constant), "the value in this case", required="the value in this case"),
    ),
    {"oneOf": [{"required": [name]} for name in CASES]},
)
FORMS = {
    "product": Fields((
        Key("product", Own(_list_of(2), partial(_columns, least=2)), "columns whose exact product it is", required="a list of columns"),
    )),
    "constant": Fields((Key("constant", Own({}, _constant), "the same value for every row", required="a value"),)),
    "cases": Fields((
        _COLUMN,
        Key("otherwise", Own({}, _constant)),
        Key("cases", CASE.listed(_cases), "the first test that holds gives the value", required="a list of cases"),
    )),
    "format": (_TIME := Fields(
        (
            _COLUMN,
            Key("format", Plain(_time_format, text_schema()), "such as %Y-%m-%d %H:%M:%S; ISO 8601 without it"),
            Key("zone", Plain(time_zone, text_schema()), "such as Europe/London", default="UTC", shown=False),
        ),
        {"minProperties": 2},
    )),
    "zone": _TIME,
    "column": Fields((_COLUMN, Key("type", Choice(TYPES), "of what kind it is", default="text"))),
}  # fmt: skip
"""How a value is made, by the word that says so; the first that is there."""
MESSAGE_ID = Fields((
    Key("columns", Own(_list_of(1), _columns), "the columns that the id is made of; all of them without it"),
    Key("occurrence", Boolean(), "the second of two identical rows is another event", default=True),
))  # fmt: skip


def _of_event(value: Callable[[Names], Schema]) -> Own:
    """A mapping of fields of the event to something."""
    pattern = rf"^({'|'.join(FIELDS)}|\[\"({'|'.join(FIELDS)})\"\])($|[.\[])"
    return Own(lambda names: {"type": "object", "patternProperties": {pattern: value(names)}, "additionalProperties": False})


def _value_schema(names: Names) -> Schema:
    forms = {id(form): form for form in FORMS.values()}
    return {"anyOf": [text_schema("a column; empty is absent"), *(form.schema(names) for form in forms.values())]}


MAPPING = Fields((
    Key("format", Choice(("csv", "parquet")), "what the file is for", default="csv", shown=False),
    Key("csv", Own(CSV_FORM.schema), "how the file is written"),
    Key("columns", _of_event(_value_schema), "how each field of the event is made", required="a mapping of fields to columns"),
    Key("constants", _of_event(lambda _: {}), "fields of the event with the same value in every row"),
    Key("message_id", Own(MESSAGE_ID.schema), "what the id of a message is made of"),
))  # fmt: skip


def read_mapping(reader: Reader, at: Tree, name: str) -> Mapping:
    """A checked mapping; ``spec`` is the file's content, in which a bare column is still a text."""
    said = MAPPING.read(reader, at)
    if said["csv"] is not None:
        if said["format"] != "csv":
            reader.refuse(said["csv"], "no csv: the format is parquet", "csv")
        read_csv_form(reader, said["csv"])
    columns, constants = said["columns"], said["constants"]
    taken: set[str] = set()
    if columns is not None:
        for field, how in reader.mapping(columns, "a mapping of fields to columns").items():
            _field(reader, how, field)
            taken.add(field)
            _value(reader, how)
    if constants is not None:
        for field, constant in reader.mapping(constants, "a mapping of fields to values").items():
            _field(reader, constant, field)
            _constant(reader, constant)
            if field in taken:
                reader.refuse(constant, "a field that is not among the columns", field)
            taken.add(field)
    if columns is not None:
        _inside(reader, columns, taken)
    if said["message_id"] is not None:
        MESSAGE_ID.read(reader, said["message_id"])
    return Mapping(name, at.plain(), at.file)
