"""Passwords of logins: set as SCRAM verifiers, changed without an outage through a second login, and retired."""

from __future__ import annotations

import time
from collections.abc import Sequence

from msgspec import Struct

from bgce_migrate.apply.attempting import attempt
from bgce_migrate.apply.target import Address
from bgce_migrate.db import statements as st
from bgce_migrate.db.scram import verifier
from bgce_migrate.db.session import Session, connect
from bgce_migrate.db.target import read_facts, require_changeable
from bgce_migrate.db.wire import Command
from bgce_migrate.errors import Refused, Unavailable

_TRIES = 5
_LONGEST_NAME = 63  # bytes: NAMEDATALEN - 1


class Login(Struct, frozen=True):
    """A role as it is now."""

    name: str
    may_log_in: bool
    superuser: bool
    expired: bool
    limit: int
    sessions: int


class Changed(Struct, frozen=True):
    """What was done to a login.

    Attributes:
        created: it was made now, as a member of the first one.
        sessions: how many it has open; they stay, whatever happens to the password.
        notes: what a person should know.
    """

    login: str
    created: bool = False
    sessions: int = 0
    notes: tuple[str, ...] = ()


def set_password(address: Address, login: str, password: str, *, member_of: str | None = None) -> Changed:
    """Give a login a new password; it is open for log-ins afterwards.

    Args:
        password: in clear; only its verifier leaves this process.
        member_of: for the second login of a rotation, the first one: made here if it is not there, with the
            first one's rights by membership and its settings.

    Raises:
        Refused: the role is missing or not a login of this kind, or this login may not change it.
        UsageError: the password cannot be one.
    """
    with connect(address.conninfo, address.schema) as session:
        require_changeable(read_facts(session))
        secret = verifier(session, login, password)
        found = _find(session, login)
        if found is None and member_of is None:
            raise _missing(login)
        if found is not None and found.superuser:
            raise Refused(f"role {login} is a superuser; a service never is", hint="give the service a role of its own")
        statements = [] if member_of is None else _second(session, login, member_of, found)
        if found is not None and not found.may_log_in:
            statements.append(Command(st.allow_login(login, True)))
        _change(session, login, [*statements, Command(st.set_verifier(login, secret))])
        return Changed(login, found is None, found.sessions if found else 0, _notes(found))


def retire(address: Address, login: str) -> Changed:
    """Close a login that nobody uses any more; its role and rights stay.

    Raises:
        Refused: it has sessions, or this login may not change it.
    """
    with connect(address.conninfo, address.schema) as session:
        require_changeable(read_facts(session))
        found = _find(session, login)
        if found is None:
            raise _missing(login)
        if found.sessions:
            count = f"{found.sessions} session{'' if found.sessions == 1 else 's'}"
            raise Refused(
                f"{login} has {count}: its programs, or a pooler for them, still use it",
                hint="give them the other login and let the pooler RECONNECT; then retire it",
            )
        _change(session, login, [Command(st.allow_login(login, False))])
        return Changed(login)


def _find(session: Session, login: str) -> Login | None:
    rows = session.ask("logins", "login", login)
    if not rows:
        return None
    may, superuser, expired, limit, sessions = (value or "" for value in rows[0])
    return Login(login, may == "true", superuser == "true", expired == "true", int(limit), int(sessions))


def _second(session: Session, login: str, first: str, found: Login | None) -> list[Command]:
    """What makes the second login as good as the first."""
    if len(login.encode()) > _LONGEST_NAME:
        raise Refused(f"{login} is longer than PostgreSQL's {_LONGEST_NAME} bytes", hint=f"shorten the login {first}")
    model = _find(session, first)
    if model is None:
        raise _missing(first)
    if found is not None:
        if not session.ask("logins", "is_member", first, login):
            raise Refused(
                f"role {login} exists and is no member of {first}, so it is not its second login",
                hint=f"rename it, or: GRANT {st.identifier(first)} TO {st.identifier(login)}",
            )
        return []
    # The password comes apart from CREATE ROLE, so that a statement that fails never carries it.
    out = [
        Command(st.create_role(login, "LOGIN INHERIT")),
        Command(st.share_rights(first, login, session.server_version)),
    ]
    if model.limit >= 0:
        out.append(Command(st.limit_connections(login, model.limit)))
    for database, name, value in session.ask("logins", "settings", first):
        # Through the session: what kind of value it is, and so how it is written, only the server knows.
        out.append(Command("SELECT set_config($1, $2, true)", (name, value)))
        out.append(Command(st.keep_setting(login, database, name or "")))
    return out


def _change(session: Session, login: str, statements: Sequence[Command]) -> None:
    """One transaction; tried again where somebody changes the same role at the same time."""
    work = [Command("BEGIN"), Command(session.query("logins", "quiet")), *statements, Command("COMMIT")]
    for left in reversed(range(_TRIES)):
        failed = attempt(
            session, work, f"this login may not change {login}", "run it as the administrator who ran bootstrap; nothing was changed"
        )
        if failed is None:
            return
        if failed.error.sqlstate != "XX000":
            raise Refused(
                f"the server refused to change {login}: {failed.error.diag.message_primary}", hint="nothing was changed"
            )
        if left:
            time.sleep(0.1)
    raise Unavailable(f"somebody else keeps changing {login}", hint="try again; nothing was changed")


def _notes(found: Login | None) -> tuple[str, ...]:
    if found is None:
        return ()
    notes = []
    if not found.may_log_in:
        notes.append(f"{found.name} was closed for log-ins and is open now")
    if found.expired:
        notes.append(f"{found.name} has expired (VALID UNTIL), so nobody can log in with the new password either")
    return tuple(notes)


def _missing(login: str) -> Refused:
    return Refused(f"there is no role {login} on this server", hint="an administrator runs: bgce-migrate bootstrap")
