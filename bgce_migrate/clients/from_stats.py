"""What the target's pg_stat_statements remembers, by service."""

from __future__ import annotations

import re

from bgce_migrate.apply.target import Target
from bgce_migrate.clients.model import Sent
from bgce_migrate.config import Project
from bgce_migrate.db.preparing import remembered
from bgce_migrate.db.statements import MIGRATOR
from bgce_migrate.errors import Refused

_QUERY = re.compile(r"\s*(?:/\*.*?\*/\s*|--[^\n]*\n\s*)*\(?\s*(?:SELECT|INSERT|UPDATE|DELETE|MERGE|WITH|VALUES|TABLE)\b", re.IGNORECASE | re.DOTALL)
#: The server puts a parameter where only a constant can stand.
_TYPED = re.compile(r"\b(interval|date|time|timestamp|timestamptz)\s+\$(\d+)", re.IGNORECASE)
_HIDDEN = "<insufficient privilege>"


def read_stats(project: Project, target: Target) -> tuple[tuple[Sent, ...], tuple[tuple[str, int], ...]]:
    """The statements of logins other than the migrators', and how many were left out and why. Reads only.

    Raises:
        Refused: pg_stat_statements is not installed in the database, or nothing of it may be read.
    """
    rows = remembered(target.control)
    if rows is None:
        raise Refused(
            f"database {target.facts.database} has no pg_stat_statements",
            hint="an administrator sets shared_preload_libraries = 'pg_stat_statements' and runs CREATE EXTENSION"
            " pg_stat_statements; or give the statements: --client FILE",
        )
    services = {login: s.name for d in project.domains for s in d.services for login in (s.login, s.second_login)}
    ours = {MIGRATOR, *(d.migrator for d in project.domains), *(d.owner for d in project.domains), target.facts.login}
    sent, hidden, others = [], 0, 0
    for login, text, calls in rows:
        if login in ours:
            continue
        if not text or text == _HIDDEN:
            hidden += 1
        elif not _QUERY.match(text):
            others += 1  # their texts may hold passwords
        else:
            sent.append(Sent(services.get(login or "", login or ""), _TYPED.sub(r"$\2::\1", text), calls=int(calls or 0)))
    if hidden and not sent:
        raise Refused(
            f"{target.facts.login} may not see what others send to {target.facts.database}",
            hint=f"an administrator runs: GRANT pg_read_all_stats TO {target.facts.login}",
        )
    left = (("hidden from this login", hidden), ("no query", others))
    return tuple(sent), tuple((reason, count) for reason, count in left if count)
