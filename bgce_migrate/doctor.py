"""What is installed, which server would be used, which layer of enforcement is active, and what is missing."""

from __future__ import annotations

import platform
import sys
from typing import TYPE_CHECKING

from bgce_migrate import __version__
from bgce_migrate.apply import bootstrap
from bgce_migrate.db.session import shown
from bgce_migrate.db.statements import BOOKKEEPER, MIGRATOR
from bgce_migrate.errors import BgceError, Refused
from bgce_migrate.host import unlisted
from bgce_migrate.servers import programs
from bgce_migrate.standing import version_rows

if TYPE_CHECKING:
    from bgce_migrate.apply.target import Address, Target
    from bgce_migrate.db.target import Facts
    from bgce_migrate.desk import Desk

Lines = list[tuple[str, str]]


def examine(desk: Desk, address: Address | None) -> tuple[tuple[str, str], ...]:
    """Look at this machine, the project and, with an address, the target. Changes nothing."""
    out: Lines = [
        ("bgce-migrate", f"{__version__} on Python {platform.python_version()} ({sys.platform})"),
        ("servers here", ", ".join(f"{p.provider} {p.version}" for p in _programs()) or "none"),
        ("project", f"{desk.project.name}: {len(desk.project.domains)} domains, {len(desk.tree.migrations)} migrations"),
        ("lock file", _lock(desk)),
        ("plugins", _plugins(desk)),
    ]
    if ignored := unlisted(desk.project.plugins):
        out.append(("plugins ignored", f"{', '.join(ignored)} (not in `plugins` of bgce.toml)"))
    if address is None:
        return tuple(out)
    out.append(("database", shown(address.conninfo)))
    try:
        with desk.open(address, check=False) as target:
            out += _target(desk, target)
    except BgceError as error:
        out.append(("connection", error.message))
    return tuple(out)


def _programs() -> list[programs.Programs]:
    return [*programs.embedded(), *programs.local()]


def _plugins(desk: Desk) -> str:
    """By distribution: its plugins are installed and removed together."""
    groups: dict[str, list[str]] = {}
    for plugin in desk.host.plugins:
        groups.setdefault(plugin.distribution or "built in", []).append(plugin.name)
    return "; ".join(f"{name}: {', '.join(plugins)}" for name, plugins in groups.items()) or "none"


def _lock(desk: Desk) -> str:
    if desk.tree.lock is None:
        return "none yet: `bgce-migrate lock` records the order"
    unlocked = [i for i in desk.tree.migrations if desk.tree.locked(i) is None]
    return f"{len(desk.tree.lock.lines)} lines" + (f", {len(unlocked)} migrations not locked" if unlocked else "")


def _target(desk: Desk, target: Target) -> Lines:
    facts, layout = target.facts, target.layout
    out: Lines = [
        ("server", f"PostgreSQL {facts.major}, cluster {facts.system_identifier}, timeline {facts.timeline}"),
        ("login", facts.login + (" (superuser: steps should not run as one)" if facts.superuser else "")),
        ("layout", _layout(layout, target.address.mode)),
    ]
    if facts.standby:
        out.append(("standby", "this server takes no changes"))
    if facts.pooled:
        out.append(("pooler", "journaled migrations need the server's own address"))
    if facts.time_zone != desk.project.timezone:
        out.append(("time zone", f"steps run in {desk.project.timezone}, the database's own is {facts.time_zone}"))
    if layout == "guarded":
        out += _guarded(desk, target)
    if facts.may_mark or desk.project.database.restore_points:
        out.append(("restore points", _marks(facts)))
    if tables := desk.project.compat.tables(desk.project.domains):
        out.append(("golang-migrate", _version_rows(desk, target, len(tables))))
    return out


def _marks(facts: Facts) -> str:
    if facts.may_mark:
        return "each run begins with one"
    return f"none: wal_level is minimal, or {facts.login} may not (a superuser runs bootstrap in this database)"


def _version_rows(desk: Desk, target: Target, count: int) -> str:
    try:
        said = version_rows(desk.tree, target)
    except Refused as refused:
        return refused.message
    return "; ".join(said) if said else f"{count} version tables say what history says"


def _guarded(desk: Desk, target: Target) -> Lines:
    """What holds the guard up: roles, their memberships, the bookkeeping's owner, what everybody may."""
    found = bootstrap.find(target.control, target.address.schema)
    domains, login_mode = desk.project.domains, target.address.mode == "login"
    missing = [d.owner for d in domains if d.owner not in found.roles]
    out: Lines = [("owner roles", f"missing: {', '.join(missing)}; run bootstrap" if missing else "all there")]
    migrators = {d.owner: d.migrator if login_mode else MIGRATOR for d in domains}
    faults = [
        f"{owner} may log in" for owner in (BOOKKEEPER, *migrators) if found.roles.get(owner, (False,))[0]
    ]
    faults += [
        f"{login} is a superuser" for login in dict.fromkeys(migrators.values()) if found.roles.get(login, (False, False))[1]
    ]
    faults += [
        f"{member} is no member of {owner}"
        for owner, member in migrators.items()
        if owner in found.roles and (owner, member) not in found.members
    ]
    allowed = set(migrators.items())
    faults += [
        f"{member} is a member of {role}"
        for role, member in sorted(found.members)
        if (role in migrators or role == BOOKKEEPER) and (role, member) not in allowed
        # Whoever made a role on 16 or newer may give it away, but not act as it.
        and found.options.get((role, member)) != "false false"
    ]
    if ("public", "") in found.creators:
        faults.append("everybody may create objects in schema public")
    out.append(("memberships", "; ".join(faults) if faults else "each migrator acts as its owners and inherits nothing"))
    services = sorted({s.login for d in domains for s in d.services} - found.roles.keys())
    if services:
        out.append(("service logins", f"missing: {', '.join(services)}; run bootstrap"))
    owners = {str(r[0]) for r in target.control.ask("target", "function_owners", target.address.schema)}
    good = owners == {BOOKKEEPER}
    out.append(("bookkeeping", f"functions owned by {', '.join(sorted(owners))}" + ("" if good else ": not guarded")))
    if lacking := sorted(set(desk.project.database.extensions) - found.extensions):
        out.append(("extensions", f"missing: {', '.join(lacking)}; run bootstrap"))
    if target.control.ask("target", "sees_activity")[0][0] != "true":
        hidden = "other sessions' queries are hidden: GRANT pg_read_all_stats TO "
        out.append(("activity", hidden + target.facts.login))
    return out


def _layout(layout: str, mode: str) -> str:
    if layout == "none":
        return "nothing recorded yet; `bootstrap` makes it guarded, the first `up` plain"
    if layout == "plain":
        return (
            "plain: the login owns everything; history is not protected from the migrations themselves, and lint alone"
            " looks at who owns what"
        )
    stops = "attacks too: each domain has its own login" if mode == "login" else "accidents"
    return f"guarded, mode {mode} (stops {stops}): rights of owner roles, and the audit of what each step touched"
