"""Rights that differ from what is declared: what `grants check` finds, as drift."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bgce_migrate import rights
from bgce_migrate.apply.target import Target
from bgce_migrate.config import Project
from bgce_migrate.db.rights_sql import statement
from bgce_migrate.drift.model import Drift
from bgce_migrate.fingerprint.model import quoted
from bgce_migrate.grants.changes import Change, DefaultChange, MembershipChange, OwnerChange, RightsChange
from bgce_migrate.grants.model import SecurableKind

if TYPE_CHECKING:
    from bgce_migrate.host import Host

_ADVICE = "or declare it: reads and writes in domain.toml"


def rights_drift(project: Project, host: Host, target: Target) -> list[Drift]:
    """Each change that `grants apply` would make; owners of objects are compared with the rest of the catalog."""
    scope = rights.scope_of(project, host, target)
    found = rights.compare(scope, target)
    version = found.current.server_version
    owners = {d.owner: d.name for d in project.domains}
    logins = {s.login: d.name for d in project.domains for s in d.services}
    out = []
    for change in found.difference.changes:
        if isinstance(change, OwnerChange):
            continue
        kind, name, domain = _subject(change, project, owners, logins)
        if isinstance(change, RightsChange) and not domain:
            domain = owners.get(found.current.access.owners.get(change.on, ""), "")
        back, cause = statement(change, version), statement(change.inverse, version)
        out.append(
            Drift(kind, name, domain, f"{kind} {name}: {change.why}", (back,), (cause,), advice=_ADVICE)
        )
    return out


def _subject(
    change: Change, project: Project, owners: dict[str, str], logins: dict[str, str]
) -> tuple[str, str, str]:
    if isinstance(change, MembershipChange):
        role, member = change.membership.role, change.membership.member
        return "membership", f"{member} in {role}", owners.get(role) or logins.get(role) or logins.get(member, "")
    if isinstance(change, DefaultChange):
        right = change.right
        return "default privileges", f"of {right.owner} on {right.objects.lower()}", owners.get(right.owner, "")
    on = change.on
    if on.kind in (SecurableKind.SCHEMA, SecurableKind.DATABASE):
        return on.kind.value.lower(), quoted(on.name), ""
    name = f"{quoted(on.schema)}.{quoted(on.name)}"
    return on.kind.value.lower(), name, project.registry.owner_of(on.name, on.schema) or ""
