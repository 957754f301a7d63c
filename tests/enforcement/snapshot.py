"""Everything that does not belong to the attacker: catalog, rows, roles and history, as lines of text."""

from __future__ import annotations

import psycopg
from psycopg import sql

#: Each gives (kind, name, state) of what others own; transaction ids, sizes and statistics aside.
_CATALOG = """
WITH spaces AS (
    SELECT oid FROM pg_namespace
    WHERE nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND nspname NOT LIKE 'pg_temp%%'
      AND nspname NOT LIKE 'pg_toast_temp%%'
), me AS (SELECT %(attacker)s::regrole::oid AS oid)
SELECT 'relation', c.oid::regclass::text, concat_ws(' ', c.relkind, c.relowner::regrole, c.relacl::text, c.reloptions::text,
           c.relrowsecurity, c.relforcerowsecurity, c.relreplident, c.relpersistence, pg_get_viewdef(c.oid))
FROM pg_class c WHERE c.relnamespace IN (TABLE spaces) AND c.relowner <> (TABLE me) AND c.relkind NOT IN ('t')
UNION ALL
SELECT 'column', c.oid::regclass || '.' || a.attname, concat_ws(' ', format_type(a.atttypid, a.atttypmod), a.attnotnull,
           a.attacl::text, a.attidentity, pg_get_expr(d.adbin, d.adrelid), a.attoptions::text)
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relnamespace IN (TABLE spaces) AND c.relowner <> (TABLE me)
UNION ALL
SELECT 'constraint', c.oid::regclass || '.' || k.conname, pg_get_constraintdef(k.oid)
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
WHERE c.relnamespace IN (TABLE spaces) AND c.relowner <> (TABLE me)
UNION ALL
SELECT 'index', i.indexrelid::regclass::text, concat_ws(' ', pg_get_indexdef(i.indexrelid), i.indisvalid)
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE c.relnamespace IN (TABLE spaces) AND c.relowner <> (TABLE me)
UNION ALL
SELECT 'trigger', c.oid::regclass || '.' || CASE WHEN t.tgisinternal THEN t.tgfoid::regproc::text ELSE t.tgname END,
       concat_ws(' ', t.tgenabled, t.tgtype, t.tgfoid::regproc, t.tgconstrrelid::regclass)
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
WHERE c.relnamespace IN (TABLE spaces) AND c.relowner <> (TABLE me)
UNION ALL
SELECT 'rule', c.oid::regclass || '.' || r.rulename, concat_ws(' ', r.ev_enabled, pg_get_ruledef(r.oid))
FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
WHERE c.relnamespace IN (TABLE spaces) AND c.relowner <> (TABLE me)
UNION ALL
SELECT 'policy', c.oid::regclass || '.' || p.polname, concat_ws(' ', p.polcmd, pg_get_expr(p.polqual, p.polrelid))
FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid WHERE c.relowner <> (TABLE me)
UNION ALL
SELECT 'function', p.oid::regprocedure::text, concat_ws(' ', p.proowner::regrole, p.prosrc, p.proacl::text, p.prosecdef,
           p.proconfig::text, p.provolatile)
FROM pg_proc p WHERE p.pronamespace IN (TABLE spaces) AND p.proowner <> (TABLE me)
UNION ALL
SELECT 'type', t.oid::regtype::text, concat_ws(' ', t.typowner::regrole, t.typacl::text, t.typtype,
           (SELECT string_agg(e.enumlabel, ',' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid))
FROM pg_type t WHERE t.typnamespace IN (TABLE spaces) AND t.typowner <> (TABLE me)
UNION ALL
SELECT 'schema', n.nspname, concat_ws(' ', n.nspowner::regrole, n.nspacl::text)
FROM pg_namespace n WHERE n.oid IN (TABLE spaces) AND n.nspowner <> (TABLE me)
UNION ALL
SELECT 'default privilege', d.defaclrole::regrole::text, concat_ws(' ', d.defaclnamespace, d.defaclobjtype, d.defaclacl::text)
FROM pg_default_acl d WHERE d.defaclrole <> (TABLE me)
UNION ALL
SELECT 'role', r.rolname, concat_ws(' ', r.rolsuper, r.rolinherit, r.rolcreaterole, r.rolcreatedb, r.rolcanlogin,
           r.rolreplication, r.rolbypassrls, r.rolconnlimit, md5(r.rolpassword), r.rolvaliduntil)
FROM pg_authid r
UNION ALL
SELECT 'member', m.roleid::regrole::text, concat_ws(' ', m.member::regrole, m.admin_option) FROM pg_auth_members m
UNION ALL
SELECT 'setting', concat_ws(' ', s.setdatabase, s.setrole), s.setconfig::text FROM pg_db_role_setting s
UNION ALL
SELECT 'comment', pg_describe_object(d.classoid, d.objoid, d.objsubid), d.description
FROM pg_description d WHERE d.objoid >= 16384
UNION ALL
SELECT 'database', datname, concat_ws(' ', datdba::regrole, datacl::text) FROM pg_database
UNION ALL
SELECT 'event trigger', evtname, evtenabled::text FROM pg_event_trigger
UNION ALL
SELECT 'publication', pubname, pubowner::regrole::text FROM pg_publication
UNION ALL
SELECT 'large object', oid::text, lomowner::regrole::text FROM pg_largeobject_metadata WHERE lomowner <> (TABLE me)
"""
#: What the attacker's own failures leave in the history, and the growing counters, are no damage.
_BOOKKEEPING = """
SELECT 'history', concat_ws(' ', service_name, sequence), concat_ws(' ', name, direction, success, row_hash)
FROM bgce_migrate.migration_history WHERE service_name <> %(domain)s OR name <> 'step'
UNION ALL SELECT 'guard', attempt_id::text, domain FROM bgce_migrate.guard
UNION ALL SELECT 'journal', concat_ws(' ', service_name, version, unit), concat_ws(' ', closed, done_at) FROM bgce_migrate.journal
UNION ALL SELECT 'domain_login', login, domain FROM bgce_migrate.domain_login
UNION ALL SELECT 'meta', system_identifier, concat_ws(' ', layout, database_oid, timeline) FROM bgce_migrate.meta
UNION ALL SELECT 'epoch', n::text, '' FROM bgce_migrate.epoch
"""
_TABLES = """
SELECT n.nspname, c.relname, c.relkind FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'S', 'm') AND c.relowner <> %(attacker)s::regrole AND c.relpersistence <> 't'
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'bgce_migrate', 'pg_toast')
ORDER BY 1, 2
"""


def take(connection: psycopg.Connection[tuple[object, ...]], attacker: str) -> frozenset[str]:
    """What others than this domain own and what history says, as a superuser sees it now."""
    named = {"attacker": f"{attacker}_owner", "domain": attacker}
    lines = {" | ".join(map(str, row)) for row in connection.execute(_CATALOG.encode(), named).fetchall()}
    lines |= {" | ".join(map(str, row)) for row in connection.execute(_BOOKKEEPING.encode(), named).fetchall()}
    for schema, table, kind in connection.execute(_TABLES.encode(), named).fetchall():
        query = sql.SQL("SELECT (last_value, is_called)::text FROM {}" if kind == "S" else "SELECT t::text FROM {} t")
        rows = connection.execute(query.format(sql.Identifier(str(schema), str(table)))).fetchall()
        lines |= {f"row | {schema}.{table} | {row[0]}" for row in rows}
    return frozenset(lines)


def difference(before: frozenset[str], after: frozenset[str]) -> list[str]:
    """What came and went."""
    return [*(f"- {line}" for line in sorted(before - after)), *(f"+ {line}" for line in sorted(after - before))]
