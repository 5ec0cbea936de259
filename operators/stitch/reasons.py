"""Why a link does not stand, in words."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from operators.records import Identifier, Link
from operators.stitch.clusters import IDENTIFIERS, LINKS, SHARED, UNLINKED
from operators.stitch.rules import Rules


def reason(link: Link, refusal: int, identifiers: Mapping[bytes, Identifier], shared: Collection[bytes], rules: Rules) -> str:
    """The rule that refuses a link; ``refusal`` is what `operators.stitch.clusters.decided` says of it."""
    a, b = identifiers[link.a], identifiers[link.b]
    if refusal == UNLINKED:
        return "unlinked by hand"
    if refusal == SHARED:
        device = a if link.a in shared else b
        return f"shared_after: {rules.shared_after[device.namespace]} persons or more were identified on {_name(device, rules)}"
    if refusal == LINKS:
        which = "newest" if rules.newest else "oldest"
        return f"limits.links: not among the {rules.links_max} {which} links of {_name(a, rules)} and of {_name(b, rules)}"
    if refusal == IDENTIFIERS:
        return f"limits.identifiers: the profile would have more than {rules.identifiers_max} identifiers"
    name, most = rules.names[refusal], rules.most[refusal]
    if most == 1:
        return f"unique: the profile would have two values of {name}"
    return f"limit: the profile would have more than {most} values of {name}"


def shared_devices(identifiers: Iterable[Identifier], rules: Rules) -> set[bytes]:
    """The devices on which ``shared_after`` persons have been identified."""
    found = set()
    for each in identifiers:
        limit = rules.shared_after[each.namespace]
        if limit is not None and each.device is not None and each.device.identified >= limit:
            found.add(each.hash)
    return found


def _name(identifier: Identifier, rules: Rules) -> str:
    return f"{rules.names[identifier.namespace]}:{identifier.value}"
