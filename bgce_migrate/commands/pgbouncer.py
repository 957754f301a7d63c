"""`pgbouncer render|check`: the pooler's configuration from the declarations, and whether the pools fit."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bgce_migrate.commands.call import Call
from bgce_migrate.commands.options import command, option
from bgce_migrate.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from bgce_migrate.pools.budget import Budget
    from bgce_migrate.pools.model import PoolerSettings

_SCOPE = "pgbouncer"
_version = option("--pooler-version", metavar="VERSION", scope=_SCOPE,
                  help="The oldest release of PgBouncer that reads the file (that of bgce.toml).")  # fmt: skip


@click.group("pgbouncer", context_settings={"help_option_names": ["-h", "--help"]})
def pgbouncer() -> None:
    """Write the configuration of a pooler, and check the sum of all pools."""


@command("render")
@_version
@option("--listen-addr", metavar="ADDRESS", default="127.0.0.1", scope=_SCOPE, help="Where it listens (127.0.0.1).")
@option("--listen-port", type=click.IntRange(1, 65535), metavar="PORT", default=6432, scope=_SCOPE, help="Its port (6432).")
@option("--socket-dir", metavar="DIR", default="", scope=_SCOPE, help="The folder of its socket (none).")
@option("--users-file", metavar="FILE", default="", scope=_SCOPE, help="A file of users besides those looked up (none).")
@option("--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", scope=_SCOPE,
        help="Write it there instead of to standard output.")
@option("--lookup-sql", is_flag=True, scope=_SCOPE,
        help="Print the SQL of the look-up function instead; a superuser runs it once.")
def render(
    call: Call, pooler_version: str | None, listen_addr: str, listen_port: int, socket_dir: str, users_file: str,
    output: Path | None, lookup_sql: bool,
) -> int:  # fmt: skip
    """Print pgbouncer.ini: an entry for each service, and one for its reads where it has a replica.

    Connects to nothing. The file holds no password: users are looked up by a function in the database.
    """
    from bgce_migrate.apply import pooling
    from bgce_migrate.db import pooler
    from bgce_migrate.db.statements import MIGRATOR, script
    from bgce_migrate.pools.drivers import advice
    from bgce_migrate.pools.model import LOOKUP
    from bgce_migrate.pools.render import Listening
    from bgce_migrate.pools.render import render as rendered
    from bgce_migrate.report.pools import advice_value

    _require_entries(call)
    if lookup_sql:
        others = (LOOKUP, MIGRATOR, *(d.migrator for d in call.project.domains))
        statements = pooler.lookup_script(LOOKUP, others)
        call.out.document("pgbouncer-lookup", {"role": LOOKUP, "statements": statements})
        call.out.line(script(statements).rstrip("\n"))
        return 0
    for name, value in (("--listen-addr", listen_addr), ("--socket-dir", socket_dir), ("--users-file", users_file)):
        if "\n" in value or "\r" in value:
            raise UsageError(f"{name} is one line")
    settings = _settings(call, pooler_version)
    layout = pooling.layout(call.project, call.address().conninfo, settings, os.environ)
    listening = Listening(listen_addr, listen_port, socket_dir, users_file)
    made = rendered(layout, pooler.lookup_query(LOOKUP), listening)
    for note in made.notes:
        call.out.note(f"note: {note}")
    if output is not None:
        try:
            output.write_text(made.text, encoding="utf-8", newline="\n")
        except OSError as error:
            raise UsageError(f"{output} cannot be written: {error.strerror}") from None
    call.out.document("pgbouncer", {
        "version": str(settings.version), "ini": made.text, "notes": list(made.notes),
        "file": None if output is None else str(output), "drivers": advice_value(advice(settings.version)),
    })  # fmt: skip
    call.out.line(str(output) if output is not None else made.text.rstrip("\n"))
    return 0


@command("check")
@_version
@option("--max-connections", type=click.IntRange(1), metavar="N", scope=_SCOPE,
        help="Judge against this number instead of asking the server.")
@option("--enforce-pools", is_flag=True, scope=_SCOPE,
        help="Limit the services' roles to their pools too, never below what they are seen to hold.")
@option("--watch", type=click.FloatRange(0, 3600), metavar="S", default=5.0, scope=_SCOPE,
        help="How long --enforce-pools looks at the sessions first, in seconds (5).")
def check(
    call: Call, pooler_version: str | None, max_connections: int | None, enforce_pools: bool, watch: float
) -> int:
    """Add up all pools of all poolers, and compare with what the server has. Exits 1 if they do not fit."""
    from bgce_migrate.apply import pooling
    from bgce_migrate.pools.drivers import advice
    from bgce_migrate.report import pools as report

    _require_entries(call)
    if enforce_pools and max_connections is not None:
        raise UsageError("--enforce-pools changes a server, --max-connections asks none", hint="leave one out")
    settings = _settings(call, pooler_version)
    budgets, notes = _budgets(call, settings, max_connections)
    passed = all(budget.over <= 0 for budget in budgets)
    undeclared = [pool for pool in pooling.pools(call.project) if not pool.declared]
    notes += [f"{pool.service} declares no pool; {pool.size} connections are counted" for pool in undeclared]
    fences: tuple[pooling.Fence, ...] = ()
    if enforce_pools and passed:
        services = call.project.registry.services
        wanted = [(login, pool) for pool in pooling.pools(call.project)
                  for login in (pool.login, services[pool.service].second_login)]  # fmt: skip
        fences = pooling.enforce(call.address(), wanted, settings, watch)
    drivers = advice(settings.version)
    call.out.document("pgbouncer-check", {
        "passed": passed, "servers": [report.budget_value(b) for b in budgets], "notes": notes,
        "limits": [report.fence_value(f) for f in fences], "drivers": report.advice_value(drivers),
    })  # fmt: skip
    for budget in budgets:
        for line in report.budget_lines(budget):
            call.out.line(line)
    for note in notes:
        call.out.note(f"note: {note}")
    for fence in fences:
        call.out.line(report.fence_line(fence))
    call.out.line(f"programs behind PgBouncer {settings.version} set:")
    for line in report.advice_lines(drivers):
        call.out.line(f"  {line}")
    if enforce_pools and not passed:
        call.out.note("no role was limited: the pools do not fit")
    return 0 if passed else 1


def _budgets(call: Call, settings: PoolerSettings, most: int | None) -> tuple[list[Budget], list[str]]:
    """The primary's sum, and that of each replica whose address is known."""
    from bgce_migrate.apply import pooling
    from bgce_migrate.pools.budget import ServerLimits, budget

    pools = pooling.pools(call.project)
    if most is not None:
        return [budget("primary", ServerLimits(most), settings, pools)], []
    schema = call.project.database.bookkeeping_schema
    budgets = [budget("primary", pooling.read_limits(call.address().conninfo, schema), settings, pools)]
    notes = []
    for replica in call.project.replicas:
        url = os.environ.get(replica.url_env)
        call.out.secrets.add_conninfo(url)
        if not url:
            notes.append(f"{replica.url_env} is not set, so nobody asked {replica.name}")
            continue
        theirs = [pool for pool in pools if pool.service in replica.services]
        limits = pooling.read_limits(url, schema)
        budgets.append(budget(replica.name, limits, settings, theirs, primary=False))
    return budgets, notes


def _settings(call: Call, said: str | None) -> PoolerSettings:
    from msgspec.structs import replace

    from bgce_migrate.pools.model import OLDEST, parse_version

    settings = call.project.pooler
    if said is None:
        return settings
    version = parse_version(said)
    if version is None or version < OLDEST:
        raise UsageError(f"'{said}' is not a version of PgBouncer from {OLDEST} on", hint="for example --pooler-version 1.21")
    return replace(settings, version=version)


def _require_entries(call: Call) -> None:
    from bgce_migrate.pools.render import clashes

    if found := clashes(list(call.project.registry.services)):
        raise ConfigError(found[0], hint="rename the service in its domain.toml")


for _command in (render, check):
    pgbouncer.add_command(_command)
