"""The look-up of verifiers for a pooler: its role, its function, and the query that calls it."""

from __future__ import annotations

from bgce_migrate.db.statements import identifier, literal

#: `$1` is the name that a program gives. Everything is qualified: what a client has set must not lead elsewhere.
_FUNCTION = """\
CREATE OR REPLACE FUNCTION {schema}.verifier(login pg_catalog.text)
RETURNS TABLE (usename pg_catalog.name, passwd pg_catalog.text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    -- A login that has expired, that may administrate, or that is a migrator's never comes through a pooler.
    SELECT r.rolname, r.rolpassword FROM pg_catalog.pg_authid r
    WHERE r.rolname OPERATOR(pg_catalog.=) login AND r.rolcanlogin
      AND (r.rolvaliduntil IS NULL OR r.rolvaliduntil OPERATOR(pg_catalog.>) pg_catalog.now())
      AND NOT (r.rolsuper OR r.rolreplication OR r.rolbypassrls OR r.rolcreaterole OR r.rolcreatedb)
      AND r.rolname OPERATOR(pg_catalog.<>) ALL ({others})
$$"""


def lookup_query(role: str) -> str:
    """`auth_query`; PgBouncer gives the user's name as `$1`."""
    return f"SELECT usename, passwd FROM {identifier(role)}.verifier($1)"


def lookup_script(role: str, others: tuple[str, ...]) -> list[str]:
    """What a superuser runs once in the database.

    Args:
        role: who the pooler logs in as; its schema has the same name.
        others: logins that are never looked up, for example the migrators'.
    """
    name = identifier(role)
    names = f"ARRAY[{', '.join(literal(o) for o in others)}]::pg_catalog.name[]"
    # Only who may not log in yet is made here: without a password it comes in by peer or by certificate.
    return [
        f"CREATE ROLE {name} LOGIN",
        f"CREATE SCHEMA {name}",
        _FUNCTION.format(schema=name, others=names),
        f"REVOKE ALL ON FUNCTION {name}.verifier(pg_catalog.text) FROM PUBLIC",
        f"GRANT USAGE ON SCHEMA {name} TO {name}",
        f"GRANT EXECUTE ON FUNCTION {name}.verifier(pg_catalog.text) TO {name}",
    ]


