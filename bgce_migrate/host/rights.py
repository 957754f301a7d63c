"""What a `grant` hook may ask for: own objects only, never a secret, writing only for own services."""

from __future__ import annotations

from bgce_migrate.access import PRIVILEGES, WRITING, Grant
from bgce_migrate.domain import Domain
from bgce_migrate.registry.references import identifier_fault, printable, role_fault

#: Privileges that show a table's contents, or let a key probe for them.
_SHOWING = frozenset({"SELECT", "REFERENCES"})


def grant_fault(grant: object, domain: Domain) -> str | None:
    """Why the answer of a `grant` hook is refused, or None."""
    if not isinstance(grant, Grant):
        return f"{type(grant).__name__} is not a Grant"
    if fault := role_fault(grant.grantee):
        return f"grantee {fault}"
    if grant.kind not in PRIVILEGES or grant.privilege not in PRIVILEGES[grant.kind]:
        return f"there is no privilege {printable(str(grant.privilege))} on a {printable(str(grant.kind))}"
    if grant.kind == "function":
        if grant.name not in domain.functions:
            return f"{domain.name} declares no function {printable(grant.name)}"
        return None if not grant.columns else "a function has no columns"
    if grant.name not in domain.tables:
        return f"{domain.name} declares no table {printable(grant.name)}"
    if grant.privilege in WRITING and grant.grantee not in {s.login for s in domain.services}:
        what = f"{grant.privilege} on {grant.name}"
        return f"{grant.grantee} is no login of {domain.name}, {what} is for those alone"
    return _columns_fault(grant, domain)


def _columns_fault(grant: Grant, domain: Domain) -> str | None:
    if grant.columns and grant.privilege in ("DELETE", "TRUNCATE", "TRIGGER"):
        return f"{grant.privilege} is a right on whole tables"
    for column in grant.columns:
        if fault := identifier_fault(column):
            return fault
    classes = domain.tables[grant.name].columns
    secret = {column for column, kind in classes.items() if kind == "secret"}
    if grant.privilege not in _SHOWING or not secret:
        return None
    if not grant.columns:
        return f"{grant.name} has the secret column {min(secret)}: name the columns"
    if told := secret.intersection(grant.columns):
        return f"column {grant.name}.{min(told)} is secret"
    return None
