"""The rights between owners that a plan needs: on what exists before the first step, on what a step makes with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bgce_migrate.apply.context import Context
from bgce_migrate.db import statements as st
from bgce_migrate.db.session import Session
from bgce_migrate.db.wire import Command, Failed
from bgce_migrate.domain import Domain
from bgce_migrate.effect import ObjectKind
from bgce_migrate.errors import Refused
from bgce_migrate.migration import MigrationId
from bgce_migrate.plan.rights import Right


def grant_statements(right: Right) -> tuple[str, ...]:
    """GRANTs for one right; PUBLIC has EXECUTE on functions and USAGE on types by default."""
    name = right.object
    parts = [p for p in (name.schema, name.name) if p]
    if name.kind is ObjectKind.SCHEMA:
        return (st.grant(sorted(right.privileges), "SCHEMA", [name.name], right.grantee),)
    if name.kind is not ObjectKind.RELATION:
        return ()  # of a function that is there, the server is asked; see `_functions`
    out = []
    if on_table := sorted(right.privileges & {"SELECT", "REFERENCES"}):
        out.append(st.grant(on_table, "TABLE", parts, right.grantee, right.columns or ()))
    if "USAGE" in right.privileges:
        out.append(st.grant(["USAGE"], "SEQUENCE", parts, right.grantee))
    return tuple(out)


def by_step(rights: Mapping[MigrationId | None, Iterable[Right]]) -> dict[MigrationId, tuple[str, ...]]:
    """The GRANTs that go into each step's own transaction."""
    return {
        step: tuple(dict.fromkeys(sql for right in group for sql in grant_statements(right)))
        for step, group in rights.items()
        if step is not None
    }


def apply_existing(
    context: Context, control: Session, rights: Sequence[Right], domains: Mapping[str, Domain]
) -> tuple[str, ...]:
    """Give what is missing on existing objects, as each object's owner, one short transaction an owner.

    Returns:
        The statements that ran.

    Raises:
        Refused: the server refused one; says what an administrator must run.
    """
    missing: dict[str, list[str]] = {}
    for right in rights:
        if right.object.kind is ObjectKind.FUNCTION:
            missing.setdefault(right.owner_domain, []).extend(_functions(control, right))
        elif not _has(control, right):
            missing.setdefault(right.owner_domain, []).extend(grant_statements(right))
    done: list[str] = []
    for name, grants in missing.items():
        if not grants:
            continue
        domain = domains[name]
        unique = tuple(dict.fromkeys(grants))
        session = context.access.work(domain.migrator)
        try:
            session.run([Command("BEGIN"), Command(st.set_role(domain.owner)), *map(Command, unique), Command("COMMIT")])
        except Failed as failed:
            raise Refused(
                f"{name} must give other domains rights on what it owns, and the server refused: {failed.error}",
                hint="an administrator runs: " + "; ".join(unique),
            ) from None
        finally:
            session.close()
        done += unique
    return tuple(done)


def _functions(session: Session, right: Right) -> tuple[str, ...]:
    """EXECUTE on the functions of a name that the grantee may not call; everybody may, where nobody took it away."""
    schema, name = right.object.schema or "public", right.object.name
    rows = session.ask("roles", "not_executable", right.grantee, schema, name)
    return tuple(st.grant_execute(schema, name, arguments or "", [right.grantee]) for (arguments,) in rows)


def _has(session: Session, right: Right) -> bool:
    """Whether the grantee has it already; unknown objects count as missing."""
    name = right.object
    full = st.identifier(*(p for p in (name.schema, name.name) if p))
    tests: list[tuple[str, tuple[str, ...]]]
    if name.kind is ObjectKind.SCHEMA:
        tests = [("has_schema_privilege($1, $2, $3)", (right.grantee, name.name, p)) for p in right.privileges]
    elif name.kind is not ObjectKind.RELATION:
        return True
    elif right.columns:
        tests = [
            ("has_column_privilege($1, $2, $3, $4)", (right.grantee, full, c, p))
            for c in right.columns
            for p in right.privileges & {"SELECT", "REFERENCES"}
        ]
    else:
        tests = [
            ("has_table_privilege($1, $2, $3)", (right.grantee, full, p))
            for p in right.privileges & {"SELECT", "REFERENCES"}
        ]
        if "USAGE" in right.privileges:
            tests.append(("has_sequence_privilege($1, $2, $3)", (right.grantee, full, "USAGE")))
    try:
        replies = session.run([Command(f"SELECT {text}::text", params) for text, params in tests])
    except Failed:
        return False
    return all(r.rows[0][0] == "true" for r in replies)
