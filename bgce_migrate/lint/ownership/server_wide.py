"""A statement reaches past the domain: the server, its files, its network, code.

## Why

Extensions, languages, event triggers, foreign servers, publications and server settings belong to everybody in
the database; COPY ... PROGRAM and file functions reach the machine below it. One domain cannot answer for that.

## Instead

Extensions are listed in `[database] extensions` of bgce.toml and installed by `bootstrap`; for the rest ask
the people who run the database.

server: refuses it, 42501

```sql bad
CREATE EVENT TRIGGER watch ON ddl_command_end EXECUTE FUNCTION orders.watch();
```

```sql good
CREATE TABLE orders.fine (id bigint PRIMARY KEY);
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bgce_migrate.lint import facts as f
from bgce_migrate.lint.ownership.role_administration import ROLE_SETTINGS
from bgce_migrate.lint.ownership.values import Found, OwnershipRule, Scene
from bgce_migrate.migration import Severity

_FUNCTIONS = re.compile(
    r"(pg_read_(binary_)?file|pg_ls_\w+|pg_stat_file|pg_file_\w+|pg_write_\w+|lo_import|lo_export|dblink\w*"
    r"|pg_reload_conf|pg_rotate_logfile\w*|pg_switch_wal|pg_promote|pg_(create|drop)_\w*replication_slot\w*"
    r"|pg_create_\w+_replication_slot|pg_logical_\w+|pg_replication_\w+)\Z"
)
_KINDS = {
    "CreatePLangStmt": "CREATE LANGUAGE",
    "CreateEventTrigStmt": "CREATE EVENT TRIGGER",
    "AlterEventTrigStmt": "ALTER EVENT TRIGGER",
    "CreateFdwStmt": "CREATE FOREIGN DATA WRAPPER",
    "AlterFdwStmt": "ALTER FOREIGN DATA WRAPPER",
    "CreateForeignServerStmt": "CREATE SERVER",
    "AlterForeignServerStmt": "ALTER SERVER",
    "CreateUserMappingStmt": "CREATE USER MAPPING",
    "AlterUserMappingStmt": "ALTER USER MAPPING",
    "DropUserMappingStmt": "DROP USER MAPPING",
    "CreateSubscriptionStmt": "CREATE SUBSCRIPTION",
    "AlterSubscriptionStmt": "ALTER SUBSCRIPTION",
    "DropSubscriptionStmt": "DROP SUBSCRIPTION",
    "AlterSystemStmt": "ALTER SYSTEM",
    "AlterDatabaseStmt": "ALTER DATABASE",
    "AlterDatabaseSetStmt": "ALTER DATABASE SET",
    "CreatedbStmt": "CREATE DATABASE",
    "DropdbStmt": "DROP DATABASE",
    "CreateTableSpaceStmt": "CREATE TABLESPACE",
    "DropTableSpaceStmt": "DROP TABLESPACE",
    "AlterTableSpaceOptionsStmt": "ALTER TABLESPACE",
    "CreateAmStmt": "CREATE ACCESS METHOD",
    "CreateTransformStmt": "CREATE TRANSFORM",
    "ImportForeignSchemaStmt": "IMPORT FOREIGN SCHEMA",
    "LoadStmt": "LOAD",
    "CreateExtensionStmt": "CREATE EXTENSION",
    "AlterExtensionStmt": "ALTER EXTENSION",
    "CreateCastStmt": "CREATE CAST",
}
_DROPPED = frozenset(
    {"extension", "language", "event trigger", "fdw", "foreign data wrapper", "foreign server", "publication", "cast",
     "access method", "transform", "database", "tablespace", "subscription"}
)  # fmt: skip
_COMPILED = frozenset({"c", "internal"})
_UNTRUSTED = re.compile(r"plpython\w*u|plperlu|plsh|pltclu|plr\Z")


def check(scene: Scene) -> Iterator[Found]:
    """Statements, functions and languages of that kind."""
    said: set[int] = set()
    for found in _all(scene):
        if found.line not in said:
            said.add(found.line)
            yield found


def _all(scene: Scene) -> Iterator[Found]:
    hint = "one domain cannot answer for this: ask the people who run the database"
    for fact in scene.facts:
        what = _what(scene, fact)
        if what is not None:
            said = hint
            if isinstance(fact, f.Extension):
                said = f'write extensions = ["{fact.name}"] in [database] of bgce.toml; `bootstrap` installs it'
            yield Found(f"{scene.domain.name} says {what}, which is not a domain's to do", fact.at.line, said, column=fact.at.column)
    for inner in scene.inner:
        if inner.kind in _KINDS:
            message = f"{inner.inside} says {_KINDS[inner.kind]}, which is not a domain's to do"
            yield Found(message, inner.line, hint, _KINDS[inner.kind].split()[0])
    for call in scene.calls:
        if _FUNCTIONS.match(call.name):
            yield Found(f"{call.name}() reaches the server or its files", call.line, hint, call.name)


def _what(scene: Scene, fact: object) -> str | None:
    if isinstance(fact, f.Extension):
        known = fact.name in scene.world.extensions and fact.if_not_exists
        word = {"create": "CREATE", "drop": "DROP"}.get(fact.what, "ALTER")
        return None if known else f"{word} EXTENSION {fact.name}"
    if isinstance(fact, f.ServerWide):
        return None if fact.what == ROLE_SETTINGS else fact.what.upper()
    if isinstance(fact, f.Secret):
        return fact.kind.upper() if fact.kind.lower() not in ("role",) else None
    if isinstance(fact, f.Other):
        return _KINDS.get(fact.kind)
    if isinstance(fact, f.Drop) and fact.kind in _DROPPED:
        return f"DROP {fact.kind.upper()}"
    if isinstance(fact, f.Publication):
        return f"{'CREATE' if fact.what == 'create' else 'ALTER'} PUBLICATION" if fact.all_tables or fact.what == "create" else None
    if isinstance(fact, f.CreateFunction):
        language = fact.language.lower()
        if language in _COMPILED or _UNTRUSTED.match(language):
            return f"a function in language {language}"
    return None


RULE = OwnershipRule("server-wide", "X28", Severity.ERROR, check)
