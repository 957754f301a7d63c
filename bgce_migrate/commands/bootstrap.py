"""`bootstrap`: what an administrator runs once."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

import click

from bgce_migrate.commands.call import Call
from bgce_migrate.commands.options import Duration, command, option
from bgce_migrate.errors import UsageError

MIGRATOR = "bgce_migrator"
_VERIFIER = re.compile(r"'SCRAM-SHA-256\$[^']*'")
_LOGIN = re.compile(r"[a-z][a-z0-9_]{0,62}\Z")


@command("bootstrap")
@option("--domain", "domains", metavar="NAME", multiple=True, scope="bootstrap",
        help="Only what this domain needs (repeatable).")
@option("--print", "print_only", is_flag=True, scope="bootstrap", help="Print the SQL instead of running it.")
@option("--password-from", "passwords_from", metavar="[LOGIN=]VARIABLE", multiple=True, scope="bootstrap",
        help="The environment variable that holds the password of LOGIN (bgce_migrator); repeatable.")
@option("--take-over", is_flag=True, scope="bootstrap",
        help="Then hand tables that services made themselves to the owner roles, one at a time.")
@option("--lock-timeout", type=Duration(), default="200ms", metavar="D",
        help="With --take-over: how long a table is waited for before programs go first again (200ms).")
@option("--retry-for", type=click.FloatRange(0), metavar="S", default=60.0,
        help="With --take-over: seconds in which a table that is in use is tried again (60).")
def bootstrap(
    call: Call, domains: tuple[str, ...], print_only: bool, passwords_from: tuple[str, ...], take_over: bool,
    lock_timeout: str, retry_for: float,
) -> int:  # fmt: skip
    """Make the database if missing, roles, schemas, extensions and the guarded bookkeeping.

    Run it as an administrator. It prints its SQL, makes what is missing and can be run again. Passwords leave
    this process as SCRAM verifiers only.
    """  # fmt: skip
    passwords = dict(_password(call, text) for text in passwords_from)
    address = call.address()

    def show(statements: Sequence[str]) -> None:
        for statement in statements:
            # Whoever prints it to run it by hand wants it whole; else a verifier is not for terminals and logs.
            text = statement if print_only else _VERIFIER.sub("'...'", statement)
            call.out.line(text.rstrip().rstrip(";") + ";")

    statements, warnings = call.desk.bootstrap(
        address, domains=domains, print_only=print_only, passwords=passwords, before=show
    )
    for warning in warnings:
        call.out.note(f"warning: {warning}")
    if statements and not print_only:
        call.out.line(f"done: {len(statements)} statements")
    if not statements:
        call.out.line("-- nothing is missing" if print_only else "nothing to do: everything is there")
    moved: dict[str, object] = {}
    if take_over:
        from bgce_migrate.commands.takeover import hand_over

        moved = hand_over(call, address, domains, print_only=print_only, lock_timeout=lock_timeout, retry_for=retry_for)
    call.out.document(
        "bootstrap", {"statements": list(statements), "ran": not print_only, "warnings": list(warnings), **moved}
    )
    return 0


def _password(call: Call, text: str) -> tuple[str, str]:
    login, equals, name = text.rpartition("=")
    login = login if equals else MIGRATOR
    if not _LOGIN.match(login) or not name.isidentifier():
        raise UsageError(
            "--password-from takes LOGIN=VARIABLE, the name of an environment variable and never a password"
        )
    value = os.environ.get(name)
    if not value:
        raise UsageError(
            f"{name} is {'not set' if value is None else 'set and empty'}: there is no password for {login}",
            hint="a missing secret arrives as an empty string; set it, or leave --password-from out",
        )
    call.out.secrets.add(value)
    return login, value
