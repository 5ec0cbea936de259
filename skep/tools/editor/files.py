"""The JSON Schema of every YAML file that people edit, for the editor's completion and red underlines.

``skep check`` judges; these schemas refuse only what it refuses, and know less of it.
"""

from __future__ import annotations

from contracts.reading import consent, identity, quality
from contracts.reading.consent import CONSENT
from contracts.reading.destinations import DESTINATION
from contracts.reading.identity import IDENTITY
from contracts.reading.mappings import MAPPING
from contracts.reading.quality import QUALITY
from contracts.reading.segments import SEGMENT
from contracts.reading.traits import FILE as TRAITS
from contracts.reading.traits import TRAITS_FILE
from contracts.text.keys import Schema
from contracts.versions.upcasts.files import UPCAST
from skep.tools.editor.conditions import segment_schema, traits_schema
from skep.tools.editor.names import Names

DECLARED = {
    "identity": IDENTITY,
    "consent": CONSENT,
    "source": MAPPING,
    "destination": DESTINATION,
    "quality": QUALITY,
    "segment": SEGMENT,
    "traits": TRAITS_FILE,
    "upcast": UPCAST,
}
"""The files whose keys are declared once, for their readers too."""


def contract_schemas(names: Names) -> dict[str, Schema]:
    """The schema of each kind of file below ``contracts/``."""
    known = {"events": names.events, "mappings": names.mappings}
    return {
        **{name: fields.schema(known) for name, fields in DECLARED.items() if name not in {"traits", "segment"}},
        "traits": traits_schema(names),
        "segment": segment_schema(names),
    }


FILES = {"identity": identity.FILE, "consent": consent.FILE, "traits": TRAITS, "quality": quality.FILE}
FOLDERS = {"segment": "segments", "source": "sources", "destination": "destinations", "upcast": "events/*"}
