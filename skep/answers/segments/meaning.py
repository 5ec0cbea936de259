"""What a segment means by some definitions, thing by thing in words, and what is between two meanings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec
import orjson

from contracts.language.expression_text import words
from contracts.language.forms import say
from contracts.model.definitions import Definitions, Segment
from contracts.reading.segments import named_purposes
from contracts.text.yaml_tree import Reader
from skep.answers.catalog.words import feature_words


class MeaningChange(msgspec.Struct, frozen=True):
    """A thing that says something else: ``of`` is ``who``, another key of the segment's file, or what the segment rests on, as ``segment
    big_spenders``, ``trait lifetime_value``, ``purpose marketing``. ``before`` and ``after`` in words; None where it is not there."""

    of: str
    before: str | None
    after: str | None


class SegmentMeanings:
    """What each segment means by some definitions."""

    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions
        self.segments = {one.name: one for one in definitions.segments}
        self._traits = {one.name: one for one in definitions.traits if one.kind != "plain"}
        self._defaults = {one.name: one.default for one in definitions.purposes}
        self._rests: dict[tuple[str, str], list[tuple[str, str]]] = {}
        for use in definitions.uses:
            self._rests.setdefault((use.kind, use.name), []).append((use.of, use.path))

    def of(self, name: str) -> dict[str, str]:
        """Thing → what it says; empty for a segment that these definitions do not have."""
        segment = self.segments.get(name)
        return {} if segment is None else {**dict(self._own(segment)), **self._below(segment)}

    def _own(self, segment: Segment) -> Iterator[tuple[str, str]]:
        """The keys of its file; who is in as a sentence."""
        yield "who", self._sentence(segment)
        tree = Reader([], in_force=True).parse(segment.file, self._definitions.files.get(segment.file, ""))
        for key, value in ({} if tree is None else tree.plain()).items():
            if key not in {"who", "segment"}:
                yield key, value if isinstance(value, str) else orjson.dumps(value).decode()

    def _below(self, segment: Segment) -> dict[str, str]:
        """What it rests on, through all of it: other segments, traits that are computed, and what counts where nobody has decided."""
        found: dict[str, str] = {}
        waiting, seen = [("segment", segment.name)], {("segment", segment.name)}
        while waiting:
            of = waiting.pop(0)
            if of[0] == "segment":
                for purpose in named_purposes(self.segments[of[1]]):
                    found[f"purpose {purpose}"] = f"{'granted' if self._defaults.get(purpose) else 'denied'} where nothing was decided"
            if of[0] == "segment" and of[1] != segment.name:
                found[f"segment {of[1]}"] = self._sentence(self.segments[of[1]])
            if of[0] == "trait":
                trait = self._traits[of[1]]
                found[f"trait {of[1]}"] = (
                    words(trait.expression) if trait.expression else feature_words(self._definitions.features[trait.feature or ""])
                )
            for kind, path in self._rests.get(of, ()):
                root = path.split(".", 1)[0].split("[", 1)[0]
                below = (kind, path if kind == "segment" else root)
                if below not in seen and ((kind == "segment" and path in self.segments) or (kind == "trait" and root in self._traits)):
                    seen.add(below)
                    waiting.append(below)
        return dict(sorted(found.items()))

    def _sentence(self, segment: Segment) -> str:
        return " ".join(say(segment, self._definitions.features).split())


def between(before: Mapping[str, str], after: Mapping[str, str]) -> list[MeaningChange]:
    """What says something else, in the order of the meaning after, then what is there no more."""
    return [MeaningChange(of, before.get(of), after.get(of)) for of in dict.fromkeys((*after, *before)) if before.get(of) != after.get(of)]
