"""`grants password`: a new password for a service's login, without an outage where it has two."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bgce_migrate.commands.call import Call
from bgce_migrate.commands.options import command, option
from bgce_migrate.errors import UsageError

if TYPE_CHECKING:
    from bgce_migrate.apply.passwords import Changed

_SCOPE = "grants-password"


@command("password")
@click.argument("service", metavar="SERVICE")
@option("--from-env", metavar="VARIABLE", scope=_SCOPE, help="The environment variable that holds the password.")
@option("--from-file", type=click.Path(path_type=Path), metavar="FILE", scope=_SCOPE,
        help="The file that holds it, on one line; - is standard input.")
@option("--second", is_flag=True, scope=_SCOPE,
        help="The service's second login instead; made with the first one's rights if it is not there.")
@option("--retire", is_flag=True, scope=_SCOPE, help="Close the login, once nobody uses it any more.")
def password(
    call: Call, service: str, from_env: str | None, from_file: Path | None, second: bool, retire: bool
) -> int:
    """Set the password of a service's login, as an administrator.

    Asks for it on a terminal. It leaves this process as a SCRAM-SHA-256 verifier only. To change a password without
    an outage: give the second login one (--second), roll it out, and --retire the first.
    """  # fmt: skip
    from bgce_migrate.apply import passwords
    from bgce_migrate.commands.secret import read_password

    first, other = _logins(call, service)
    login = first
    if second:
        if other is None:
            raise UsageError(f"{service} is a migrator's login; only services have a second one")
        login = other
    if retire:
        if from_env is not None or from_file is not None:
            raise UsageError("--retire takes no password", hint="leave --from-env and --from-file out")
        changed = passwords.retire(call.address(), login)
        return _say(call, changed, f"{login} is closed: nobody can log in as it")
    address = call.address()
    secret = read_password(call, login, variable=from_env, file=from_file)
    changed = passwords.set_password(address, login, secret, member_of=first if second else None)
    if changed.sessions and not second and other is not None:
        call.out.note(
            f"note: {login} has {changed.sessions} open sessions. They stay, but a program that still holds the old"
            f" password cannot come back; --second changes it without an outage"
        )
    made = f"made {login}, with all rights of {first}, and set its password" if changed.created else ""
    return _say(call, changed, made or f"set the password of {login}")


def _logins(call: Call, name: str) -> tuple[str, str | None]:
    """The login of a service and its second one; a migrator's login has none."""
    from bgce_migrate.db.statements import MIGRATOR

    services = call.project.registry.services
    found = services.get(name) or next((s for s in services.values() if s.login == name), None)
    if found is not None:
        return found.login, found.second_login
    if name in (MIGRATOR, *(d.migrator for d in call.project.domains)):
        return name, None
    raise UsageError(
        f"there is no service {name}", hint=f"the services are: {', '.join(sorted(services)) or 'none'}"
    )


def _say(call: Call, changed: Changed, line: str) -> int:
    for note in changed.notes:
        call.out.note(f"note: {note}")
    call.out.document("grants-password", {
        "login": changed.login, "created": changed.created, "sessions": changed.sessions, "notes": list(changed.notes),
    })  # fmt: skip
    call.out.line(line)
    return 0
