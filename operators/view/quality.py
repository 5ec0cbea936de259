"""Quality: what each source has handed over, hour by hour."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from operators.quality import scores as stored
from operators.quality.scores import Name, Scores
from operators.view.rows import SpaceRows


@dataclass(frozen=True, slots=True)
class QualityReader:
    """The scores of a space's sources."""

    committed: SpaceRows

    def scores(self, start: int = stored.HOUR_MIN, end: int = stored.HOUR_MAX) -> Iterator[tuple[int, str, str, Scores]]:
        """Hour (since 1970), source, event and what was counted, from an hour on to the one before ``end``."""
        for key, row in self.committed.rows.rows("quality", stored.hour_key(start), stored.hour_key(end)):
            yield *stored.scores_of(key), stored.decode_scores(row)

    def names(self) -> dict[tuple[str, str], Name]:
        """By source and event: the names that sources have used."""
        return {
            stored.name_of(key): stored.decode_name(row)
            for key, row in self.committed.rows.rows("quality", stored.NAMES_FROM, stored.NAMES_TO)
        }
