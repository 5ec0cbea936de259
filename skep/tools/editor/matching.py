"""The schema of the ``probabilistic`` part of identity.yaml, for editors."""

from __future__ import annotations

from skep.tools.editor.words import Schema, boolean, choice, described, duration, fields, integer, items, text, texts

_NEAR: Schema = {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}
_SHARE: Schema = {"type": "number", "minimum": 0, "maximum": 1}
_AT: dict[str, Schema] = {
    "jaro_winkler": _NEAR,
    "edit_distance": {"type": "integer", "minimum": 1, "maximum": 20},
    "date_difference": {"anyOf": [{"type": "string", "pattern": "^\\s*[0-9]+\\s*y\\s*$"}, duration("between two dates")]},
}


def probabilistic_schema() -> Schema:
    windowed = fields({"same": texts("paths into the event"), "within": duration("how far apart the events may be")}, ("same", "within"))
    line: Schema = {"anyOf": [texts("traits that candidates share"), windowed]}
    return fields(
        {
            "model": text("the file that `skep identity train` writes", default="identity_model.json"),
            "accept": described({**_NEAR, "default": 0.95}, "the match probability at which a link is accepted"),
            "review": described({**_NEAR, "default": 0.8}, "from here to accept, a link is a candidate"),
            "support": described({**_SHARE, "default": 0.1}, "the least mean match probability between two clusters that are joined"),
            "block_limit": integer("records in one block; larger ones are skipped", least=2, default=1000),
            "block": items(line, "candidates share all fields of one line", minItems=1),
            "compare": items(_compare(), "what is compared", minItems=1),
        },
        ("block", "compare"),
    )


def _compare() -> Schema:
    at: Schema = {"anyOf": [one for kind in _AT.values() for one in (kind, {"type": "array", "items": kind, "maxItems": 8})]}
    return fields(
        {
            "trait": text("a path into the traits"),
            "how": choice(("exact", *_AT, "email"), "how two values are compared", default="exact"),
            "at": described(at, "the thresholds between the levels"),
            "term_frequency": boolean("equal values that are rare say more"),
        },
        ("trait",),
        dependencies={"at": {"properties": {"how": {"enum": list(_AT)}}, "required": ["how"]}},
    )
