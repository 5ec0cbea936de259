"""The JSON Schema of ``csv`` in ``sources/<name>.yaml``, for the editor."""

from __future__ import annotations

from contracts.reading.csv_form import DECIMALS
from skep.tools.editor.words import Schema, choice, described, fields, items, text

_ONE = {"type": "string", "minLength": 1, "maxLength": 1}


def csv_form_schema() -> Schema:
    header = {"anyOf": [{"type": "boolean"}, items(text(), minItems=1, uniqueItems=True)], "default": True}
    return fields({
        "delimiter": described({**_ONE, "default": ","}, r"the character between fields such as ; or \t"),
        "encoding": text("such as utf-8, utf-16, cp1252 or latin-1; a byte order mark says more", default="utf-8"),
        "quote": described({"type": "string", "maxLength": 1, "default": '"'}, "the character around fields; nothing for none"),
        "decimal": choice(DECIMALS, "the decimal sign of numbers", default="."),
        "thousands": described(_ONE, "the character between thousands; without it the other of . and , where `decimal` is said"),
        "header": described(header, "whether the first line names the columns; false calls them 1, 2, 3 …, a list says their names"),
    })  # fmt: skip
