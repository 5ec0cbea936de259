"""What a flow starts with: the definitions in force, whatever has become of the files since; the files only where nothing is in force,
or where ``apply: on_start`` says so."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from contracts.model.definitions import Definitions
from contracts.text.problems import ContractErrors
from skep.project import log
from skep.project.definitions import keep, kept_files, proved
from skep.project.in_force import Standing, digest_in_force, files_text, kept_in_force, standing
from skep.project.log import logger
from skep.project.permissions import must_write
from skep.project.settings import Settings, load_definitions
from skep.runtime import ends, metrics

_SO = "the flow goes on with what is in force"


def project() -> Settings:
    """What every flow begins with: plain ends, the project of the environment, its log, a folder that may be written, metrics.

    Raises what `skep.runtime.ends.stopped` has words for.
    """
    ends.plain_ends()
    settings = Settings.load()
    log.configure(settings.log)
    must_write(settings.data)
    metrics.keep_in(settings.data)
    return settings


@dataclass(frozen=True, slots=True)
class Start:
    """``definitions``: what each space starts with; ``anew``: the spaces in which that is yet to be put in force."""

    definitions: dict[str, Definitions]
    anew: frozenset[str]


def must_be_good(settings: Settings) -> bool:
    """Whether a flow cannot start unless the files can be put in force: some space has nothing else to start with."""
    return len(standing(settings).digests) < len(settings.spaces)


def start(settings: Settings) -> Start:
    """What each space starts with; says what is different or wrong in the files.

    Raises `ContractErrors` if the files are wrong and a space has nothing else, `StateError` if what is in force was lost.
    """
    _keep_again(settings)
    found = standing(settings, prove=True)
    first = frozenset(settings.spaces) - found.digests.keys()
    anew = first | (found.differs.keys() if settings.apply == "on_start" else frozenset())
    if found.problems and not first:
        anew = frozenset()
    definitions: dict[str, Definitions] = {}
    if anew:
        definitions = dict.fromkeys(anew, _put_aside(settings))
    known = {digest: kept_in_force(settings, digest) for digest in {found.digests[space] for space in settings.spaces if space not in anew}}
    definitions |= {space: known[found.digests[space]] for space in settings.spaces if space not in anew}
    _tell(found, anew, definitions)
    return Start(definitions, anew)


def _put_aside(settings: Settings) -> Definitions:
    """The files, proved and kept, so that they can be put in force."""
    definitions = proved(settings)
    keep(settings, definitions)
    return definitions


def _keep_again(settings: Settings) -> None:
    """Texts that are in force and were lost from the data folder are there again, if the files are still the same."""
    with suppress(ContractErrors):
        lost = {digest for space in settings.spaces if (digest := digest_in_force(settings, space)) and not kept_files(settings, digest)}
        if lost and (definitions := load_definitions(settings)).digest in lost:
            keep(settings, definitions)


def _tell(found: Standing, anew: frozenset[str], definitions: dict[str, Definitions]) -> None:
    log = logger()
    for space in sorted(anew & found.digests.keys()):
        log.info("files put in force by `apply: on_start`", space=space, definitions=definitions[space].digest)
    for problem in found.problems:
        log.error("contracts/ is broken", problem=str(problem), so=_SO)
    for space, files in found.differs.items():
        if space not in anew:
            going_on = {"space": space, "in_force": found.digests[space], "files": files_text(files), "so": _SO, "next": found.next}
            log.warning("files differ from what is in force", **going_on)
