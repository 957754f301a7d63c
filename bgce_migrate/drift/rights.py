"""Rights that differ from what is declared: what `grants check` finds, as drift."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bgce_migrate import rights
from bgce_migrate.apply.target import Target
from bgce_migrate.config import Project
from bgce_migrate.db.rights_sql import statement
from bgce_migrate.drift.model import Drift
from bgce_migrate.fingerprint.model import quoted
from bgce_migrate.grants.changes import Change, DefaultChange, MembershipChange, OwnerChange, RightsChange
from bgce_migrate.grants.model import PUBLIC, SecurableKind

if TYPE_CHECKING:
    from bgce_migrate.host import Host

_ADVICE = "or declare it: reads and writes in domain.toml"


def rights_drift(project: Project, host: Host, target: Target) -> tuple[list[Drift], tuple[str, ...]]:
    """Each change that `grants apply` would make; owners of objects are compared with the rest of the catalog.

    Returns:
        The drift; and as a warning what is only as PostgreSQL gives it, where `grants apply` was never run.
    """
    scope = rights.scope_of(project, host, target)
    found = rights.compare(scope, target)
    changes = [c for c in found.difference.changes if not isinstance(c, OwnerChange)]
    unmade = [c for c in changes if _by_default(c)] if _never_applied(changes, project) else []
    version = found.current.server_version
    owners = {d.owner: d.name for d in project.domains}
    logins = {s.login: d.name for d in project.domains for s in d.services}
    out = []
    for change in changes:
        if change in unmade:
            continue
        kind, name, domain = _subject(change, project, owners, logins)
        if isinstance(change, RightsChange) and not domain:
            domain = owners.get(found.current.access.owners.get(change.on, ""), "")
        back, cause = statement(change, version), statement(change.inverse, version)
        out.append(Drift(kind, name, domain, f"{kind} {name}: {change.why}", (back,), (cause,), advice=_ADVICE))
    told = f"{len(unmade)} rights are still as PostgreSQL gives them, not as declared: bgce-migrate grants apply"
    return out, (told,) if unmade else ()


def _never_applied(changes: Sequence[Change], project: Project) -> bool:
    """Whether every owner still gives everybody EXECUTE on what it makes: the first thing that `grants apply` ends."""
    still = {c.right.owner for c in changes if isinstance(c, DefaultChange) and c.right.grantee == PUBLIC}
    return bool(still) and still >= {d.owner for d in project.domains if d.declared}


def _by_default(change: Change) -> bool:
    """Whether nobody need have done anything for this."""
    if isinstance(change, DefaultChange):
        return change.gives or change.right.grantee == PUBLIC
    if isinstance(change, RightsChange):
        everybodys = change.on.kind in (SecurableKind.FUNCTION, SecurableKind.DATABASE, SecurableKind.SCHEMA, SecurableKind.TYPE)
        return not change.gives and change.grantees == (PUBLIC,) and everybodys
    return False


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
