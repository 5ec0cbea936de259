"""Quality: what each source has handed over, hour by hour."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from operators.quality.scores import (
    HOUR_MAX,
    HOUR_MIN,
    NAMES_FROM,
    NAMES_TO,
    Name,
    Scores,
    decode_name,
    decode_scores,
    hour_key,
    name_of,
    scores_of,
)
from operators.view.rows import SpaceRows


@dataclass(frozen=True, slots=True)
class QualityReader:
    """The scores of a space's sources."""

    committed: SpaceRows

    def scores(self, start: int = HOUR_MIN, end: int = HOUR_MAX) -> Iterator[tuple[int, str, str, Scores]]:
        """Hour (since 1970), source, event and what was counted, from an hour on to the one before ``end``."""
        for key, row in self.committed.rows.rows("quality", hour_key(start), hour_key(end)):
            yield *scores_of(key), decode_scores(row)

    def names(self) -> dict[tuple[str, str], Name]:
        """By source and event: the names that sources have used."""
        return {name_of(key): decode_name(row) for key, row in self.committed.rows.rows("quality", NAMES_FROM, NAMES_TO)}
