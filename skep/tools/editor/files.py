"""The JSON Schema of every YAML file that people edit, for the editor's completion and red underlines.

``skep check`` judges; these schemas refuse only what it refuses, and know less of it.
"""

from __future__ import annotations

from dataclasses import fields

from contracts.reading import consent, identity, quality, said_values
from contracts.reading.accounts import ACCOUNTS_FILE
from contracts.reading.accounts import FILE as ACCOUNTS
from contracts.reading.budget import BUDGET
from contracts.reading.budget import FILE as BUDGET_FILE
from contracts.reading.consent import CONSENT
from contracts.reading.destinations import DESTINATION
from contracts.reading.identity import IDENTITY
from contracts.reading.kinds import FOLDER as KINDS
from contracts.reading.kinds import KIND
from contracts.reading.lookups import LOOKUP
from contracts.reading.mappings import MAPPING
from contracts.reading.quality import QUALITY
from contracts.reading.segment_tests import CASES
from contracts.reading.segment_tests import FOLDER as SEGMENT_TESTS
from contracts.reading.segments import SEGMENT
from contracts.reading.traits import FILE as TRAITS
from contracts.reading.traits import TRAITS_FILE
from contracts.text.keys import Schema
from contracts.versions.upcasts.files import UPCAST
from skep.tools.editor.conditions import condition_schemas, segment_definitions, traits_definitions
from skep.tools.editor.names import Names

DECLARED = {
    "identity": IDENTITY,
    "consent": CONSENT,
    "source": MAPPING,
    "destination": DESTINATION,
    "destination_kind": KIND,
    "lookup": LOOKUP,
    "quality": QUALITY,
    "budget": BUDGET,
    "segment": SEGMENT,
    "segment_tests": CASES,
    "traits": TRAITS_FILE,
    "accounts": ACCOUNTS_FILE,
    "upcast": UPCAST,
}
"""The files whose keys are declared once, for their readers too."""


DEFINITIONS = {"segment": segment_definitions, "traits": traits_definitions, "accounts": traits_definitions}
"""What the schemas of conditions and measures refer to."""


def contract_schemas(names: Names) -> dict[str, Schema]:
    """The schema of each kind of file below ``contracts/``."""
    known = {**{one.name: getattr(names, one.name) for one in fields(names)}, **condition_schemas(names)}
    defined = {name: {"definitions": make(names)} for name, make in DEFINITIONS.items()}
    defined |= {name: {"definitions": said_values.DEFINITIONS} for name in ("destination", "destination_kind")}
    return {name: {**declared.schema(known), **defined.get(name, {})} for name, declared in DECLARED.items()}


FILES = {"identity": identity.FILE, "consent": consent.FILE, "traits": TRAITS, "accounts": ACCOUNTS, "quality": quality.FILE,
         "budget": BUDGET_FILE}  # fmt: skip
FOLDERS = {
    "segment": "segments",
    "segment_tests": SEGMENT_TESTS,
    "source": "sources",
    "destination": "destinations",
    "destination_kind": KINDS,
    "lookup": "lookups",
    "upcast": "events/*",
}
