"""What can be refused before the first step: missing roles, missing extensions, impossible combinations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from bgce_migrate.apply import bootstrap
from bgce_migrate.apply.context import Context
from bgce_migrate.apply.units import cut, require_resumable
from bgce_migrate.db import statements as st
from bgce_migrate.db.session import Session
from bgce_migrate.domain import Domain
from bgce_migrate.errors import Refused
from bgce_migrate.migration import Mode, Step

if TYPE_CHECKING:
    from bgce_migrate.apply.planned import Planned


def require_runnable(
    context: Context, session: Session, planned: Planned, domains: Mapping[str, Domain], *, atomic: bool
) -> None:
    """Refuse, by name and with what to do, what cannot run here (exit 3; unresumable files 2)."""
    steps = planned.plan.steps
    journaled = [s for s in steps if s.script.mode is Mode.JOURNAL]
    for step in journaled:
        if step.id.domain in domains and domains[step.id.domain].declared:
            require_resumable(step.script, cut(step.script))
    if journaled and context.facts.pooled:
        raise Refused(
            f"{journaled[0].id} runs statement by statement and needs a direct connection; this one goes"
            " through a pooler",
            hint="give the server's own address with --database-url",
        )
    if atomic:
        _require_atomic(context, journaled)
    if context.guarded:
        _require_roles(session, planned, domains, context)
        _require_extensions(session, planned, context)


def _require_atomic(context: Context, journaled: Sequence[Step]) -> None:
    if journaled:
        raise Refused(
            f"--atomic is not possible: {len(journaled)} of the steps cannot run in a transaction",
            hint="run without --atomic",
        )
    if context.guarded and context.access.mode == "login":
        raise Refused("--atomic is not possible in mode login: each domain has its own connection")


def _require_roles(session: Session, planned: Planned, domains: Mapping[str, Domain], context: Context) -> None:
    used = [domains[name] for name in dict.fromkeys(s.id.domain for s in planned.plan.steps) if name in domains]
    if context.access.mode == "login":
        names = "{" + ",".join(f'"{d.migrator}","{d.owner}"' for d in used) + "}"
        there = {name for name, _ in session.ask("target", "roles_of", names)}
        missing = [d for d in used if d.migrator not in there or d.owner not in there]
    else:
        absent = set(bootstrap.missing_roles(session, used))
        missing = [d for d in used if d.owner in absent]
    if missing:
        wanted = bootstrap.Wanted(tuple(missing), context.access.schema, context.access.mode)
        # Not for this login: whoever runs it by hand is another role, and no member of the bookkeeping's owner.
        found = bootstrap.for_somebody(bootstrap.find(session, context.access.schema))
        script = bootstrap.Script(found, wanted, session.server_version)
        names = ", ".join(d.name for d in missing)
        raise Refused(
            f"no owner role for {names}: an administrator must make it before anything runs",
            hint=f"bgce-migrate bootstrap{''.join(f' --domain {d.name}' for d in missing)}, or run as administrator:\n"
            + st.script(["BEGIN", *script.build(), "COMMIT"]),
        )


def _require_extensions(session: Session, planned: Planned, context: Context) -> None:
    wanted = {e: step for step, names in planned.extensions.items() for e in names}
    if not wanted:
        return
    there = {row[0] for row in session.ask("target", "extensions")}
    missing = sorted(set(wanted) - there)
    if missing and not context.facts.superuser:
        sql = "; ".join(st.create_extension(e) for e in missing)
        raise Refused(
            f"{wanted[missing[0]]} creates extension {missing[0]}, which owner roles may not",
            hint=f"add it to `extensions` of [database] and run bgce-migrate bootstrap, or as administrator: {sql}",
        )
