"""Why the server did not make a declared extension, and who can."""

from __future__ import annotations

from collections.abc import Sequence

from bgce_migrate.db import statements as st
from bgce_migrate.db.queries import array
from bgce_migrate.db.session import Session
from bgce_migrate.errors import Refused


def refusal(session: Session, names: Sequence[str]) -> Refused | None:
    """What to tell when `bootstrap` was refused; None where the extensions are not the reason.

    Asked afterwards, because only the attempt shows it: managed servers let their administrators make extensions that
    PostgreSQL itself keeps for superusers.

    Args:
        names: the declared extensions.
    """
    if not names:
        return None
    rows = session.ask("roles", "extensions", array(names))
    absent = [name or "" for name, known, _ in rows if known == "false"]
    if absent:
        one = len(absent) == 1
        return Refused(
            f"extension{'' if one else 's'} {', '.join(absent)} {'is' if one else 'are'} not installed on this server",
            hint="install the package that has it (PostgreSQL's own: its contrib package), or take a server that has it;"
            " nothing was changed",
        )
    kept = [name or "" for name, _, kept in rows if kept == "true"]
    if kept:
        return Refused(
            f"this login may not make {'extension' if len(kept) == 1 else 'extensions'} {', '.join(kept)}: not trusted, so a superuser's",
            hint="a superuser runs, in this database: "
            + "; ".join(map(st.create_extension, kept))
            + "; then bootstrap again; nothing was changed",
        )
    return None
