"""The generation of a shard that is not in force, as a shard by itself: the same steps work on it."""

from __future__ import annotations

from state.family import Family, Missing
from state.shard import FAMILIES, GENERATIONS, OTHER, Shard

_SHARED = frozenset({"manual", "quarantine"})
"""What people have said and what was refused is the same for both generations."""


class OtherGeneration(Shard):
    """What is committed here is written with the next commit of the shard; what would be told (changes, history, answers) is dropped."""

    def __init__(self, shard: Shard) -> None:
        self.path = shard.path
        self.generation = shard.generation
        self._dropped: list[Family] = []
        self.families = {}
        for name in FAMILIES:
            if name in GENERATIONS or name == "meta":
                self.families[name] = shard.families[OTHER + name]
            elif name in _SHARED:
                self.families[name] = shard.families[name]
            else:
                self.families[name] = Family(shard.db, name, Missing())
                self._dropped.append(self.families[name])
        self.__dict__.update(self.families)

    def commit(self) -> int:
        """Drop what nobody is told of; returns how many rows wait for the shard's commit."""
        for family in self._dropped:
            family.pending = {}
        return sum(len(family.pending) for family in self.families.values())
