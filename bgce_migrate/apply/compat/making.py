"""What an administrator makes for golang-migrate's version tables: functions, tables, and rights on those that are there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from bgce_migrate.db import golang_migrate
from bgce_migrate.db import statements as st
from bgce_migrate.db.golang_migrate import Found, Place
from bgce_migrate.domain import Domain
from bgce_migrate.grants.wanted import KEEPER_RIGHTS, VERSION_TABLE


def missing(
    found: Found,
    domains: Iterable[Domain],
    tables: Mapping[str, Place],
    schema: str,
    migrators: Iterable[str],
    borrow: Callable[[str], list[str]],
) -> list[str]:
    """The statements that are missing, in order.

    A table that is there stays its owner's, who gives the bookkeeping's owner what it needs; else it is the latter's.

    Args:
        tables: the wanted ones, of these domains.
        borrow: what makes the administrator a member of a role for as long as the script runs.
    """
    if not tables:
        return []
    inner = [] if found.functions else [golang_migrate.functions(schema)]
    inner += [golang_migrate.rights(schema, login) for login in migrators if login not in found.logins]
    first: list[tuple[Domain, tuple[str, ...]]] = []
    last: list[str] = []
    outer: list[str] = []
    homes = {d.name: d for d in domains}
    for domain, place in tables.items():
        home = homes[domain]
        owner = found.owners.get(domain, "")
        if not owner:
            inner.append(golang_migrate.create(place))
            first.append((home, ("USAGE", "CREATE")))
        elif not {"", st.BOOKKEEPER} & {role for role, name in found.usage if name == place[0]}:
            first.append((home, ("USAGE",)))
        if owner in ("", st.BOOKKEEPER):
            inner += _for_services(found, home, place)
        elif lacking := [p for p in KEEPER_RIGHTS if (domain, st.BOOKKEEPER, p) not in found.held]:
            outer += [*borrow(owner), golang_migrate.keeper_rights(place, lacking)]
    before: dict[str, None] = {}
    for home, privileges in first:
        if home.schema != "public":
            before |= dict.fromkeys(borrow(home.owner))
        before[st.grant(privileges, "SCHEMA", [home.schema], st.BOOKKEEPER)] = None
        if "CREATE" in privileges:
            last.append(f"REVOKE CREATE ON SCHEMA {st.identifier(home.schema)} FROM {st.identifier(st.BOOKKEEPER)}")
    fresh = {d: place for d, place in tables.items() if found.registered.get(d) != place}
    inner += [golang_migrate.register(schema, fresh)] if fresh else []
    if inner:
        inner = [*borrow(st.BOOKKEEPER), st.set_session_role(st.BOOKKEEPER), *inner, st.set_session_role(None)]
    return [*before, *inner, *dict.fromkeys(last), *outer]


def _for_services(found: Found, domain: Domain, place: Place) -> list[str]:
    """An old image of a service that starts golang-migrate itself goes on starting."""
    out = []
    for login in dict.fromkeys(s.login for s in domain.services):
        if lacking := [p for p in VERSION_TABLE if (domain.name, login, p) not in found.held]:
            out.append(golang_migrate.keeper_rights(place, lacking, login))
    return out
