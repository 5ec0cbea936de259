"""What `skep check` says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import msgspec
from msgspec import UNSET, UnsetType

from contracts import ContractErrors, Problem
from contracts.model.definitions import Definitions
from contracts.reading.audiences import idle_audiences, same_audiences
from contracts.text.problems import choices
from contracts.text.yaml_tree import Reader
from operators.activation.by_request import through_ledger
from skep.project.definitions import faults, lost_and_in_force
from skep.project.lookup_versions import data_problems
from skep.project.settings import Settings, load_definitions
from skep.project.spaces import open_views
from state.errors import StateError


def checked(settings: Settings) -> tuple[Definitions, list[Problem]]:
    """The project's contracts, loaded and proved, and what is to be warned of. Raises `ContractErrors`."""
    definitions = load_definitions(settings)
    problems = faults(settings, definitions)
    problems += data_problems(settings, (one for one in definitions.lookups if one.on_error == "refuse"))
    if problems:
        raise ContractErrors(problems)
    missing = data_problems(settings, (one for one in definitions.lookups if one.on_error != "refuse"))
    warnings = lost_and_in_force(settings, definitions)[1] + missing + list(_unknown_sources(settings, definitions))
    return definitions, [*warnings, *same_audiences(definitions), *idle_audiences(definitions), *_untold(definitions)]


def _untold(definitions: Definitions) -> Iterator[Problem]:
    """Destinations of kinds that can be described, and that this version tells nothing."""
    for destination in definitions.destinations:
        if destination.kind != "file" and not through_ledger(destination):
            file = f"destinations/{destination.name}.yaml"
            tree = Reader([]).parse(file, definitions.files[file])
            line = 1 if tree is None else tree.value["kind"].line
            hint = "this version checks such a file and tells nobody"
            yield Problem(file, line, "kind", "a kind that is told something", destination.kind, hint)


def _unknown_sources(settings: Settings, definitions: Definitions) -> Iterator[Problem]:
    """Sources by which a trait is merged, that are none of skep.yaml: one that is misspelt would never count."""
    names = [source.name for source in settings.sources]
    for trait in definitions.traits:
        feature = definitions.features.get(trait.feature or "")
        for source in feature.option("sources") if feature is not None and feature.measure == "by_source" else ():
            if source not in names:
                use = next(use for use in definitions.uses if (use.kind, use.name, use.of) == ("trait", trait.name, "property"))
                key = f"{use.key.rpartition('.')[0]}.merge.sources"
                yield Problem(use.file, use.line, key, "a source of skep.yaml", source, choices(source, names))


def waiting_for_drafts(settings: Settings, definitions: Definitions) -> dict[str, int]:
    """Events that have no contract but drafts, and how many records in quarantine wait for one of them to be live."""
    drafts = {event for event, versions in definitions.contracts.items() if all(one.status == "draft" for one in versions)}
    if not drafts:
        return {}
    try:
        with open_views(settings) as views:
            return dict(Counter(row.event for view in views.values() for row in view.quarantine.entries() if row.event in drafts))
    except StateError:
        # What has run says something of drafts; that it cannot be read is said by commands about it.
        return {}


class ProblemRow(msgspec.Struct, frozen=True):
    """What is wrong and where; ``warning``: it holds nothing up."""

    file: str
    line: int
    key: str
    expected: str
    found: str
    hint: str
    warning: bool | UnsetType = UNSET


def problem_row(problem: Problem, *, warning: bool | UnsetType = UNSET) -> ProblemRow:
    """A problem for programs."""
    return ProblemRow(problem.place, problem.line, problem.key, problem.expected, problem.found, problem.hint, warning)


def summary(definitions: Definitions) -> str:
    """One line about contracts that are all right."""
    counts = [
        (sum(len(versions) for versions in definitions.contracts.values()), "event contract", "event contracts"),
        (len(definitions.identity.namespaces), "namespace", "namespaces"),
        (len(definitions.traits), "trait", "traits"),
        (len(definitions.account_traits), "trait of accounts", "traits of accounts"),
        (len(definitions.segments), "segment", "segments"),
        (len(definitions.purposes), "purpose", "purposes"),
        (len(definitions.mappings), "source mapping", "source mappings"),
        (len(definitions.destinations), "destination", "destinations"),
        (len(definitions.lookups), "lookup", "lookups"),
    ]
    words = ", ".join(f"{count} {name if count == 1 else several}" for count, name, several in counts if count)
    return f"contracts are good: {words} (definitions {definitions.digest})"
