"""Memberships: who may act as an owner, and what must never be a way around the declarations."""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.grants.changes import MembershipChange
from bgce_migrate.grants.current import Current
from bgce_migrate.grants.model import Access, Membership
from bgce_migrate.grants.scope import Scope

#: PostgreSQL's own roles that see or change data whatever the ACLs say.
AROUND = frozenset(
    {"pg_read_all_data", "pg_write_all_data", "pg_maintain", "pg_read_server_files", "pg_write_server_files"}
    | {"pg_execute_server_program"}
)


def changes(scope: Scope, wanted: Access, current: Current) -> list[MembershipChange]:
    """Memberships to take, then those to give."""
    taken: list[MembershipChange] = []
    held: set[tuple[str, str]] = set()
    wants = {(m.role, m.member): m for m in wanted.memberships}
    for have in sorted(current.access.memberships):
        want = wants.get((have.role, have.member))
        if want is not None and _as_wanted(have, want, current):
            held.add((have.role, have.member))
        elif reason := "with other options than it needs" if want is not None else _too_much(scope, current, have):
            for by in current.grantors.get(have, ("",)):
                granted_by = by if by != current.session and not _is_superuser(current, by) else ""
                taken.append(MembershipChange(have, False, granted_by, reason))
    given = [
        MembershipChange(want, why="it runs the migrations of this owner")
        for key, want in sorted(wants.items())
        if key not in held
    ]
    return [*taken, *given]


def _is_superuser(current: Current, role: str) -> bool:
    """A superuser gives and takes in the name of the first one."""
    return current.superuser and (role not in current.accounts or current.accounts[role].superuser)


def _as_wanted(have: Membership, want: Membership, current: Current) -> bool:
    if have.admin and not want.admin:
        return False
    if current.server_version < 160000:
        return True  # whether it inherits is the member's own attribute
    return (have.inherit, have.set_role) == (want.inherit, want.set_role)


def _too_much(scope: Scope, current: Current, have: Membership) -> str:
    """Why a membership that nobody declares is taken; empty if it is left alone."""
    if _means_nothing(current, have):
        return ""
    ours = have.member in scope.owners or have.member in scope.logins
    if have.role in scope.owners:
        return f"only the migrator acts as {have.role}"
    if have.role == scope.bookkeeper:
        return "nobody acts as the owner of the history"
    if have.role in AROUND and (ours or have.member in scope.migrators):
        return f"{have.role} goes around every declaration"
    if ours and (have.role in scope.logins or have.role in scope.migrators):
        return "each service has its own rights"
    return ""


def _means_nothing(current: Current, have: Membership) -> bool:
    """A superuser needs none; who made a role on 16 or later may give it away, but has no right by that."""
    account = current.accounts.get(have.member)
    administers = current.server_version >= 160000 and not have.inherit and not have.set_role
    return administers or (account is not None and account.superuser)


def left_alone(scope: Scope, current: Current) -> Iterator[str]:
    """Memberships of other people's roles in ours, and of ours in theirs."""
    for have in sorted(current.access.memberships):
        if _means_nothing(current, have):
            continue
        if have.role in scope.logins and have.member not in scope.roles:
            yield f"{have.member} is a member of {have.role} and has its rights"
        elif have.member in scope.logins and have.role not in scope.roles and not _too_much(scope, current, have):
            yield f"{have.member} is a member of {have.role}, which is not of this project"
