"""What an administrator runs once: roles, memberships, schemas, extensions and the guarded bookkeeping."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from bgce_migrate.apply.compat.making import missing as missing_version_tables
from bgce_migrate.apply.everybody import close_database, close_new_database
from bgce_migrate.apply.extending import refusal
from bgce_migrate.apply.preparing import Found as Found
from bgce_migrate.apply.preparing import Shared as Shared
from bgce_migrate.apply.preparing import Wanted as Wanted
from bgce_migrate.apply.preparing import find as find
from bgce_migrate.apply.preparing import for_somebody as for_somebody
from bgce_migrate.apply.preparing import in_new_database
from bgce_migrate.apply.restoring import letting_mark
from bgce_migrate.db import statements as st
from bgce_migrate.db.session import Session
from bgce_migrate.db.target import BOOKKEEPING_VERSION, read_facts, require_changeable
from bgce_migrate.db.wire import Failed
from bgce_migrate.domain import Domain
from bgce_migrate.errors import Refused


class Script:
    """The statements that are missing, in order; empty when everything is there."""

    def __init__(self, found: Found, wanted: Wanted, server_version: int) -> None:
        self.found = found
        self.wanted = wanted
        self.version = server_version
        self.warnings: list[str] = []
        self._borrowed: list[str] = []

    def build(self, verifiers: dict[str, str] | None = None) -> list[str]:
        """All statements. `verifiers` are SCRAM verifiers by login; without one a new login has no password."""
        out = [
            *self._roles(verifiers or {}),
            *self._schemas(),
            *(st.create_extension(e) for e in self.wanted.extensions if e not in self.found.extensions),
            *self._bookkeeping(),
            *self._memberships(),
            *self._version_tables(),
            *self._shared(),
        ]
        return [*out, *(f"REVOKE {st.identifier(role)} FROM {self._me}" for role in self._borrowed)]

    @property
    def _me(self) -> str:
        return st.identifier(self.found.me) if self.found.me else "CURRENT_USER"

    def _migrators(self) -> dict[str, tuple[str, ...]]:
        """Domains by the login that may record their steps."""
        all_domains = tuple(d.name for d in self.wanted.domains)
        own = {d.migrator: (d.name,) for d in self.wanted.domains} if self.wanted.mode == "login" else {}
        return {st.MIGRATOR: all_domains, **own}

    def _roles(self, verifiers: dict[str, str]) -> list[str]:
        owners = [st.BOOKKEEPER, *(d.owner for d in self.wanted.domains)]
        services = [s.login for d in self.wanted.domains for s in d.services]
        words = dict.fromkeys(owners, "NOLOGIN")
        words |= dict.fromkeys(self._migrators(), "LOGIN NOINHERIT")
        words |= dict.fromkeys(services, "LOGIN")
        out = []
        for name, options in words.items():
            have = self.found.roles.get(name)
            if have is None:
                out.append(st.create_role(name, options))
                if name in verifiers:
                    # Apart from CREATE ROLE, so that a statement that fails never carries it.
                    out.append(st.set_verifier(name, verifiers[name]))
            elif have[1]:
                raise Refused(f"role {name} exists and is a superuser", hint="rename or drop it first")
            elif have[2] and name in self._migrators():
                # What it inherits it could do without taking an owner's role.
                out.append(f"ALTER ROLE {st.identifier(name)} NOINHERIT")
            elif name in owners and have[0]:
                raise Refused(f"role {name} exists and may log in; owner roles never do", hint=f"ALTER ROLE {name} NOLOGIN")
        return out

    def _borrow(self, role: str) -> list[str]:
        """Membership for as long as this script runs, where the administrator is not a superuser."""
        # On 16 and newer the creator of a role is a member of it, but with ADMIN alone.
        member = (role, self.found.me) in self.found.members and self.version < 160000
        if self.found.superuser or role in self._borrowed or member:
            return []
        self._borrowed.append(role)
        suffix = " WITH INHERIT TRUE, SET TRUE" if self.version >= 160000 else ""
        return [f"GRANT {st.identifier(role)} TO {self._me}{suffix}"]

    def _schemas(self) -> list[str]:
        out: list[str] = []
        if ("public", "") in self.found.creators:
            out.append("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
        for domain in self.wanted.domains:
            if domain.schema == "public":
                if ("public", domain.owner) not in self.found.creators:
                    out.append(st.grant(["USAGE", "CREATE"], "SCHEMA", ["public"], domain.owner))
            elif domain.schema not in self.found.schemas:
                out += [*self._borrow(domain.owner), st.create_schema(domain.schema, domain.owner)]
        return out

    def _bookkeeping(self) -> list[str]:
        schema, inner = self.wanted.schema, []
        old = 0 < self.found.version < BOOKKEEPING_VERSION
        if not self.found.bookkeeping:
            inner += st.bookkeeping(schema, "guarded", create_schema=False)
        elif old:
            inner += st.bookkeeping_upgrade(schema)
        known = {login for login, _ in self.found.logins}
        for login in [*(m for m in self._migrators() if m not in known), *(sorted(known) if old else ())]:
            inner += st.bookkeeping_rights(schema, login, leads=login == st.MIGRATOR)
        rows = [(login, d) for login, domains in self._migrators().items() for d in domains]
        inner += st.domain_login(schema, [row for row in rows if row not in self.found.logins])
        view = self._view
        around: tuple[list[str], list[str]] = ([], [])
        if view and ".".join(view) not in self.found.views:
            inner.append(st.history_view(".".join(view), schema))
            around = (
                [st.grant(["USAGE", "CREATE"], "SCHEMA", [view[0]], st.BOOKKEEPER)],
                [f"REVOKE CREATE ON SCHEMA {st.identifier(view[0])} FROM {st.identifier(st.BOOKKEEPER)}"],
            )
        inner += self._readers()
        if not inner:
            return []
        out = self._borrow(st.BOOKKEEPER)
        if not self.found.bookkeeping and schema not in self.found.schemas:
            out.append(st.create_schema(schema, st.BOOKKEEPER))
        return [*out, *around[0], st.set_session_role(st.BOOKKEEPER), *inner, st.set_session_role(None), *around[1]]

    @property
    def _view(self) -> tuple[str, str] | None:
        """The history view's schema and name."""
        if not self.wanted.history_view:
            return None
        place, _, name = self.wanted.history_view.rpartition(".")
        return place or "public", name

    def _readers(self) -> list[str]:
        """Services see what is applied."""
        services = [s.login for d in self.wanted.domains for s in d.services]
        out = []
        for view in ((self.wanted.schema, "migration_state"), self._view):
            if view and (missing := [s for s in services if (".".join(view), s) not in self.found.may_read]):
                out.append(st.grant_select(view, missing))
        return out

    def _memberships(self) -> list[str]:
        out = []
        for domain in self.wanted.domains:
            login_mode = self.wanted.mode == "login"
            member = domain.migrator if login_mode else st.MIGRATOR
            # Rows of PostgreSQL 16 and newer: inherit, set.
            if self.found.options.get((domain.owner, member)) not in ("", "false true"):
                out.append(st.grant_role(domain.owner, member, self.version))
            if login_mode and (domain.owner, st.MIGRATOR) in self.found.members:
                out.append(st.revoke_role(domain.owner, st.MIGRATOR))
        if ("pg_read_all_stats", st.MIGRATOR) not in self.found.members:
            if self.found.may_grant_stats:
                out.append(f"GRANT pg_read_all_stats TO {st.identifier(st.MIGRATOR)}")
            else:
                self.warnings.append(
                    "the migrator will not see what other sessions run: a superuser may"
                    f" GRANT pg_read_all_stats TO {st.MIGRATOR}"
                )
        return out

    def _version_tables(self) -> list[str]:
        wanted = self.wanted
        # Functions that call those of a newer bookkeeping are made anew with it.
        old = 0 < self.found.version < BOOKKEEPING_VERSION
        found = replace(self.found.versions, functions=False) if old else self.found.versions
        return missing_version_tables(
            found, wanted.domains, wanted.versions, wanted.schema, self._migrators(), self._borrow
        )

    def _shared(self) -> list[str]:
        """EXECUTE on shared functions that are there already; those to come bring it with them."""
        out = []
        for shared in self.wanted.shared:
            for schema, name, arguments in sorted(self.found.functions):
                if (schema, name) != (shared.schema, shared.name):
                    continue
                what = f"{schema}.{name}({arguments})"
                held = {role for function, role in self.found.executors if function == what}
                missing = [g for g in shared.grantees if not held & {g, ""}]
                if missing:
                    out += self._borrow(shared.owner)
                    out.append(st.grant_execute(schema, name, arguments, missing))
        return out


def plan(
    session: Session, wanted: Wanted, verifiers: dict[str, str] | None = None, *, new: str | None = None
) -> tuple[list[str], list[str]]:
    """The missing statements and warnings; changes nothing.

    Args:
        verifiers: SCRAM verifiers by login.
        new: the name of a database that is yet to be made, while the session is in another one.
    """
    require_changeable(read_facts(session))
    found = find(session, wanted.schema, wanted.versions) if new is None else in_new_database(find(session, wanted.schema))
    script = Script(found, wanted, session.server_version)
    close = close_new_database(new, wanted.domains) if new else close_database(session, wanted.domains)
    marks, refused = letting_mark(session, new=new is not None) if wanted.restore_points else ((), ())
    return [*script.build(verifiers), *close, *marks], [*script.warnings, *refused]


def run(session: Session, statements: Sequence[str], extensions: Sequence[str] = ()) -> None:
    """Run them in one transaction, as the administrator.

    Args:
        extensions: the declared ones, to tell which of them was refused.

    Raises:
        Refused: the server refused one; nothing was changed.
    """
    if not statements:
        return
    try:
        # Simple queries: a block of the bookkeeping holds several statements.
        session.connection.execute(st.script(["BEGIN", *statements, "COMMIT"]).encode())
    except Exception as error:
        sqlstate = getattr(error, "sqlstate", None)
        if session.usable:
            session.connection.execute("ROLLBACK")
        if sqlstate is None:
            raise
        if (told := refusal(session, extensions)) is not None:
            raise told from None
        raise Refused(
            f"bootstrap was refused by the server: {error}",
            hint="run it as a superuser, or as the database's owner with CREATEROLE; nothing was changed",
        ) from None


def make_database(session: Session, name: str) -> None:
    """CREATE DATABASE, from a session in another one.

    Raises:
        Refused: this login may not.
    """
    try:
        session.execute(st.create_database(name))
    except Failed as failed:
        raise Refused(
            f"database {name} is missing and was not made: {failed.error}",
            hint=f"an administrator with CREATEDB runs: {st.create_database(name)}; then bootstrap again",
        ) from None


def missing_roles(session: Session, domains: Sequence[Domain]) -> list[str]:
    """Owner roles that do not exist or that this login may not take."""
    names = [d.owner for d in domains]
    listed = "{" + ",".join(f'"{n}"' for n in names) + "}"
    usable = {name for name, member in session.ask("target", "roles_of", listed) if member == "true"}
    return [n for n in names if n not in usable]
