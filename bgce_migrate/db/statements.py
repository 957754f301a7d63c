"""Composed SQL: identifiers, settings, bookkeeping, roles and rights. Nothing here runs anything."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from psycopg import sql

from bgce_migrate.db import queries
from bgce_migrate.db.target import BOOKKEEPING_VERSION

#: Owns the bookkeeping in layout guarded; nobody logs in as it.
BOOKKEEPER = "bgce_migrate_owner"
#: The login of mode `role`, and the leader's login in both modes.
MIGRATOR = "bgce_migrator"


@lru_cache(maxsize=10_000)
def identifier(*parts: str) -> str:
    """Quoted, dotted."""
    return sql.Identifier(*parts).as_string()


def literal(value: str) -> str:
    """Quoted as a string."""
    return sql.Literal(value).as_string()


def _names(names: Iterable[str]) -> str:
    return ", ".join(identifier(n) for n in names)


def settings(server_version: int, values: Mapping[str, str], *, local: bool = True) -> tuple[str, tuple[str, ...]]:
    """One SELECT that sets all values; those unknown to the server are left out.

    `SET LOCAL` through set_config, because startup options are refused by poolers.

    Args:
        local: for this transaction; else for the session.
    """
    known = known_settings(server_version, values)
    how = "true" if local else "false"
    calls = ", ".join(f"pg_catalog.set_config(${i}, ${i + 1}, {how})" for i in range(1, 2 * len(known), 2))
    return f"SELECT {calls}", tuple(x for item in known.items() for x in item)


def known_settings(server_version: int, values: Mapping[str, str]) -> dict[str, str]:
    """Those that the server has, `search_path` last."""
    known = {k: v for k, v in values.items() if server_version >= _SINCE.get(k, 0) and k != "search_path"}
    return known | {k: values[k] for k in ("search_path",) if k in values}


_SINCE = {"transaction_timeout": 170000, "client_connection_check_interval": 140000}


def set_role(role: str | None) -> str:
    """For this transaction: act as `role`, or as the login again."""
    return f"SET LOCAL ROLE {identifier(role)}" if role else "SET LOCAL ROLE NONE"


def set_session_role(role: str | None) -> str:
    """For the session: journaled statements run outside transactions."""
    return f"SET ROLE {identifier(role)}" if role else "SET ROLE NONE"


def bookkeeping(schema: str, layout: str, *, create_schema: bool = True) -> list[str]:
    """The statements that make the bookkeeping, to run in one transaction as its owner."""
    texts = queries.load("bookkeeping")

    def fill(name: str) -> str:
        return (
            texts[name]
            .replace("{schema}", identifier(schema))
            .replace("{layout}", literal(layout))
            .replace("{version}", str(BOOKKEEPING_VERSION))
        )

    blocks = ("tables", "requests", "ends", "protect", "functions", "views", "seed", "close_functions")
    out = [f"CREATE SCHEMA {identifier(schema)}"] if create_schema else []
    out += [fill(name) for name in blocks]
    if layout == "plain":
        out.append(f"INSERT INTO {identifier(schema)}.domain_login VALUES ('*', '*')")
    return out


def bookkeeping_upgrade(schema: str) -> list[str]:
    """The statements that bring an older bookkeeping to this version, to run in one transaction as its owner.

    What has come since version 1 makes itself only where it is missing; rights on functions that are made anew must be
    given again.
    """
    texts, s = queries.load("bookkeeping"), identifier(schema)
    blocks = [texts[name].replace("{schema}", s) for name in ("requests", "ends", "functions", "views", "close_functions")]
    version = f"UPDATE {s}.meta SET bookkeeping_version = {BOOKKEEPING_VERSION}"
    return [f"DROP FUNCTION IF EXISTS {s}.held()", *blocks, version]


_FUNCTIONS_OF_STEPS = {
    "open_step": "text[], text[], uuid, bigint, text, text, text",
    "begin_step": "uuid, bigint, text, text",
    "close_step": "uuid, jsonb, text",
    "finish_step": "uuid, jsonb",
    "finish_unit": "uuid, uuid, bigint, text, integer, text",
    "record": "bigint, uuid, text, text, jsonb",
    "intent": "bigint, uuid, text, bigint, text, integer, text, text",
    "done": "bigint, text, bigint, text, integer, text",
    "held": "text",
    "is_ours": "xid",
}
#: Whose caller could push other runs aside: never for a login that runs a domain's SQL in mode `login`.
_FUNCTIONS_OF_LEADERS = {
    "lead_run": "uuid, text, text, text, text, text, text",
    "forget_journal": "bigint, text, bigint",
    "accept_target": "bigint",
    "ask_run": "uuid, text, text",
    "end_run": "bigint, uuid",
}
_READABLE = ("meta", "epoch", "run", "request", "domain_login", "migration_history", "journal", "migration_state")


def bookkeeping_rights(schema: str, login: str, *, leads: bool) -> list[str]:
    """What a migrator login may do with the bookkeeping: read it, record steps and, one of them, lead."""
    s, to = identifier(schema), identifier(login)
    functions = {**_FUNCTIONS_OF_STEPS, **(_FUNCTIONS_OF_LEADERS if leads else {})}
    executes = ", ".join(f"{s}.{name}({args})" for name, args in functions.items())
    out = [
        f"GRANT USAGE ON SCHEMA {s} TO {to}",
        f"GRANT SELECT ON {', '.join(f'{s}.{name}' for name in _READABLE)} TO {to}",
        f"GRANT EXECUTE ON FUNCTION {executes} TO {to}",
    ]
    if leads:
        out.append(f"GRANT UPDATE ON {s}.run_lock TO {to}")
    return out


def grant_select(relation: Sequence[str], logins: Sequence[str]) -> str:
    """Reading of one relation for several logins."""
    return f"GRANT SELECT ON {identifier(*relation)} TO {_names(logins)}"


def grant_execute(schema: str, name: str, arguments: str, roles: Sequence[str]) -> str:
    """EXECUTE for several roles; `arguments` are the server's own words."""
    return f"GRANT EXECUTE ON ROUTINE {identifier(schema, name)}({arguments}) TO {_names(roles)}"


def domain_login(schema: str, rows: Iterable[tuple[str, str]]) -> list[str]:
    """Which login may record steps of which domain."""
    values = ", ".join(f"({literal(login)}, {literal(domain)})" for login, domain in rows)
    if not values:
        return []
    return [f"INSERT INTO {identifier(schema)}.domain_login (login, domain) VALUES {values} ON CONFLICT DO NOTHING"]


def history_view(view: str, schema: str) -> str:
    """The optional view with the platform's own columns, for services and dashboards."""
    return (
        f"CREATE OR REPLACE VIEW {identifier(*view.split('.'))} AS\n"
        "SELECT id, service_name, version, name, direction, applied_at, execution_time_ms, success, checksum,\n"
        f"       applied_by FROM {identifier(schema)}.migration_history"
    )


def create_role(name: str, options: str) -> str:
    """CREATE ROLE with the given attribute words."""
    return f"CREATE ROLE {identifier(name)} {options}"


def set_verifier(login: str, verifier: str) -> str:
    """Give a login its password, as the verifier that `scram.verifier` computes."""
    return f"ALTER ROLE {identifier(login)} PASSWORD {literal(verifier)}"


def allow_login(login: str, allowed: bool) -> str:
    """Open a role for log-ins, or close it and forget its password."""
    return f"ALTER ROLE {identifier(login)} {'LOGIN' if allowed else 'NOLOGIN PASSWORD NULL'}"


def limit_connections(login: str, limit: int) -> str:
    """How many connections a login may have at once; -1: as many as there are."""
    return f"ALTER ROLE {identifier(login)} CONNECTION LIMIT {limit}"


def share_rights(role: str, member: str, server_version: int) -> str:
    """Membership through which `member` has all rights of `role` without asking, and cannot become it."""
    suffix = " WITH INHERIT TRUE, SET FALSE" if server_version >= 160000 else ""
    return f"GRANT {identifier(role)} TO {identifier(member)}{suffix}"


def keep_setting(login: str, database: str | None, name: str) -> str:
    """Give a login the setting `name` as this session has it now, everywhere or in one database."""
    place = f" IN DATABASE {identifier(database)}" if database else ""
    return f"ALTER ROLE {identifier(login)}{place} SET {identifier(*name.split('.'))} FROM CURRENT"


def grant_role(role: str, member: str, server_version: int) -> str:
    """Membership that allows SET ROLE but inherits nothing."""
    suffix = " WITH INHERIT FALSE, SET TRUE" if server_version >= 160000 else ""
    return f"GRANT {identifier(role)} TO {identifier(member)}{suffix}"


def revoke_role(role: str, member: str) -> str:
    """Take a membership back."""
    return f"REVOKE {identifier(role)} FROM {identifier(member)}"


def grant(
    privileges: Sequence[str], kind: str, name: Sequence[str], grantee: str, columns: Sequence[str] = ()
) -> str:
    """GRANT of privileges on one object, or on some of its columns."""
    suffix = f" ({_names(columns)})" if columns else ""
    words = ", ".join(f"{p}{suffix}" for p in privileges)
    return f"GRANT {words} ON {kind} {identifier(*name)} TO {identifier(grantee)}"


def fire_now(schema: str, constraints: Sequence[str]) -> str:
    """Run what these deferred constraints have waiting, and let them wait no more in this transaction."""
    return f"SET CONSTRAINTS {', '.join(identifier(schema, name) for name in constraints)} IMMEDIATE"


def require_nothing_waiting(schema: str, table: str, options: Iterable[str]) -> str:
    """Fails (55006) where a trigger of the table still waits for COMMIT; else changes nothing.

    Args:
        options: the table's storage options, as `pg_class.reloptions` has them.
    """
    taken = {option.partition("=")[0] for option in options}
    # Any ALTER TABLE asks; this one holds up neither readers nor writers, and resets what is not set.
    free = next(name for name in _HARMLESS_OPTIONS if name not in taken)
    return f"ALTER TABLE {identifier(schema, table)} RESET ({free})"


_HARMLESS_OPTIONS = (
    "autovacuum_vacuum_cost_limit",
    "autovacuum_freeze_table_age",
    "autovacuum_multixact_freeze_table_age",
    "autovacuum_enabled",
)


def revoke_public(privilege: str, kind: str, name: Sequence[str]) -> str:
    """REVOKE of what everybody has."""
    return f"REVOKE {privilege} ON {kind} {identifier(*name)} FROM PUBLIC"


def lock_tables(names: Sequence[str], mode: str) -> str:
    """Lock tables, named as `identifier` writes them, in one of PostgreSQL's modes."""
    return f"LOCK TABLE {', '.join(names)} IN {mode} MODE"


def has_rows(table: Sequence[str]) -> str:
    """Whether a table holds anything."""
    return f"SELECT EXISTS (SELECT 1 FROM {identifier(*table)})::text"


def has_values(table: Sequence[str], column: str) -> str:
    """Whether a column holds anything but NULL."""
    return f"SELECT EXISTS (SELECT 1 FROM {identifier(*table)} WHERE {identifier(column)} IS NOT NULL)::text"


def create_extension(name: str) -> str:
    """Only an administrator can make most of them."""
    return f"CREATE EXTENSION IF NOT EXISTS {identifier(name)}"


def create_schema(name: str, owner: str) -> str:
    """A domain's own schema."""
    return f"CREATE SCHEMA IF NOT EXISTS {identifier(name)} AUTHORIZATION {identifier(owner)}"


def create_database(name: str) -> str:
    """Outside any transaction."""
    return f"CREATE DATABASE {identifier(name)} ENCODING 'UTF8' TEMPLATE template0"


def clone_database(name: str, template: str, owner: str) -> str:
    """Outside any transaction, while nobody is connected to the template."""
    return f"CREATE DATABASE {identifier(name)} TEMPLATE {identifier(template)} OWNER {identifier(owner)}"


def seal_template(name: str) -> str:
    """Whole from now on: everybody may copy it, nobody can connect."""
    return f"ALTER DATABASE {identifier(name)} WITH IS_TEMPLATE true ALLOW_CONNECTIONS false"


def open_template(name: str) -> str:
    """So that it can be dropped."""
    return f"ALTER DATABASE {identifier(name)} WITH IS_TEMPLATE false"


def drop_database(name: str) -> str:
    """A throw-away database, with whoever is still connected."""
    return f"DROP DATABASE IF EXISTS {identifier(name)} WITH (FORCE)"


def script(statements: Iterable[str]) -> str:
    """Statements as a text that psql runs."""
    return "".join(f"{s};\n" if not s.rstrip().endswith(";") else f"{s}\n" for s in statements)
